// Transpiles a connector for JavaScript: `node tools/transpile.mjs COMPONENT NAME DIRECTORY`.
// Writes NAME.js, its core modules, and for each kind of host a file that loads them.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transpileBytes } from '@bytecodealliance/jco-transpile';

import { SOURCES, WAITING } from '../src/contract.js';
import { withMaximum } from './memory.mjs';

const [component, name, directory] = process.argv.slice(2);
const { files } = await transpileBytes(await readFile(component), {
  name,
  instantiation: 'async',
  asyncMode: 'jspi',
  // What may block. Everything else returns at once.
  asyncImports: ['wasi:io/poll#poll', 'wasi:io/poll#[method]pollable.block'],
  asyncExports: SOURCES.flatMap((source) => WAITING.map((call) => `${source}#${call}`)),
  emitTypescriptDeclarations: false,
  nodejsCompat: false,
  wasiShim: false,
});

await mkdir(directory, { recursive: true });
const modules = [];
for (const [path, bytes] of Object.entries(files)) {
  const isModule = path.endsWith('.wasm');
  if (isModule) modules.push(path);
  await writeFile(join(directory, path), isModule ? withMaximum(bytes) : bytes);
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
