// Transpiles a connector for JavaScript: `node tools/transpile.mjs COMPONENT NAME DIRECTORY`.
// Writes NAME.js, its core modules, and for each kind of host a file that loads them.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transpileBytes } from '@bytecodealliance/jco-transpile';

const SOURCE = 'elt:connector/source@0.3.0';

/** The most memory of an instance, in pages of 64 KiB: 64 MiB. */
const MAX_PAGES = 1024;

const [component, name, directory] = process.argv.slice(2);
const { files } = await transpileBytes(await readFile(component), {
  name,
  instantiation: 'async',
  asyncMode: 'jspi',
  // What may block. Everything else returns at once.
  asyncImports: ['wasi:io/poll#poll', 'wasi:io/poll#[method]pollable.block'],
  asyncExports: ['check', 'read', '[method]reader.next-batch'].map((call) => `${SOURCE}#${call}`),
  emitTypescriptDeclarations: false,
  nodejsCompat: false,
  wasiShim: false,
});

await mkdir(directory, { recursive: true });
const modules = [];
for (const [path, bytes] of Object.entries(files)) {
  const isModule = path.endsWith('.wasm');
  if (isModule) modules.push(path);
  await writeFile(join(directory, path), isModule ? withMaximum(bytes, MAX_PAGES) : bytes);
}

await writeFile(
  join(directory, 'fetch.js'),
  `// For Node, Deno, Bun and browsers: loads the core modules from beside this file.
export { instantiate } from './${name}.js';

export async function getCoreModule(path) {
  const url = new URL(path, import.meta.url);
  if (url.protocol === 'file:') {
    const { readFile } = await import('node:fs/promises');
    return WebAssembly.compile(await readFile(url));
  }
  return WebAssembly.compileStreaming(fetch(url));
}
`,
);
await writeFile(
  join(directory, 'workerd.js'),
  `// For Workers, where core modules are imported.
export { instantiate } from './${name}.js';
${modules.map((path, place) => `import module${place} from './${path}';`).join('\n')}

const MODULES = { ${modules.map((path, place) => `'${path}': module${place}`).join(', ')} };

export const getCoreModule = (path) => MODULES[path];
`,
);

/** The module with a maximum for its memory, if it defines one without. */
function withMaximum(module, pages) {
  let at = 8;
  const number = (from) => {
    let [value, shift, next] = [0, 0, from];
    for (;;) {
      const byte = module[next++];
      value |= (byte & 127) << shift;
      shift += 7;
      if (byte < 128) return [value, next];
    }
  };
  while (at < module.length) {
    const [size, start] = number(at + 1);
    if (module[at] === 5) {
      const [count, flags] = number(start);
      const [minimum] = number(flags + 1);
      if (count !== 1 || module[flags] !== 0) return module;
      const memory = [1, 1, ...leb128(minimum), ...leb128(Math.max(minimum, pages))];
      return Buffer.concat([
        module.subarray(0, at),
        Buffer.from([5, ...leb128(memory.length), ...memory]),
        module.subarray(start + size),
      ]);
    }
    at = start + size;
  }
  return module;
}

function leb128(value) {
  const bytes = [];
  do {
    bytes.push((value & 127) | (value > 127 ? 128 : 0));
    value >>>= 7;
  } while (value);
  return bytes;
}
