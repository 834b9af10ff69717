/**
 * Transpiles a connector for JavaScript: `node tools/transpile.mjs COMPONENT NAME DIRECTORY`.
 * Writes NAME.js, its core modules, and for each kind of host a file that loads them.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transpileBytes } from '@bytecodealliance/jco-transpile';

import { SOURCES, WAITING } from '../src/contract.js';
import { withMaximum } from './memory.mjs';

/**
 * @param {string} component A file.
 * @param {string} name
 * @param {string} directory
 */
export async function transpile(component, name, directory) {
  const { files } = await transpileBytes(await readFile(component), {
    name,
    instantiation: 'async',
    asyncMode: 'jspi',
    // What may block. Everything else returns at once.
    asyncImports: [
      'wasi:io/poll#poll',
      'wasi:io/poll#[method]pollable.block',
      'wasi:io/streams#[method]input-stream.blocking-read',
      'wasi:io/streams#[method]input-stream.blocking-skip',
    ],
    asyncExports: SOURCES.flatMap((source) => WAITING.map((call) => `${source}#${call}`)),
    emitTypescriptDeclarations: false,
    nodejsCompat: false,
    wasiShim: false,
  });
  await mkdir(directory, { recursive: true });
  const modules = Object.keys(files).filter((path) => path.endsWith('.wasm'));
  for (const [path, bytes] of Object.entries(files)) {
    await writeFile(join(directory, path), modules.includes(path) ? withMaximum(bytes) : adapted(bytes));
  }
  await writeFile(join(directory, 'fetch.js'), forFetch(name));
  await writeFile(join(directory, 'workerd.js'), forWorkerd(name, modules));
}

/** What is changed in jco's script, and into what. Each is there once. */
const CHANGES = [
  // It looks into the environment on every call.
  [/const _debugLog = \(\.\.\.args\) => \{\n.*\n.*\n *\};/, 'const _debugLog = () => {};'],
  // Nobody reads these sets, which would have an entry for each resource that there ever was.
  [/^ *table\._createdReps\.add\(rep\);\n/m, ''],
];

/**
 * The script, changed, and without finalizers. They would call the component whenever JavaScript
 * collects garbage, even if its session has ended, and what they throw nobody could catch.
 */
export function adapted(script) {
  let text = Buffer.from(script).toString();
  for (const [pattern, replacement] of CHANGES) {
    const parts = text.split(pattern);
    const times = parts.length - 1;
    if (times !== 1) throw new Error(`jco's script has ${pattern} ${times} times, not once; its version may have changed`);
    text = parts.join(replacement);
  }
  return `${text}
class FinalizationRegistry {
  register() {}
  unregister() {}
}
`;
}

const forFetch = (name) => `// For Node, Deno, Bun and browsers: loads the core modules from beside this file.
export { instantiate } from './${name}.js';

const modules = new Map();

async function load(path) {
  const url = new URL(path, import.meta.url);
  if (url.protocol !== 'file:') return WebAssembly.compileStreaming(fetch(url));
  const { readFile } = await import('node:fs/promises');
  return WebAssembly.compile(await readFile(url));
}

// Each is compiled once, however many instances there are.
export function getCoreModule(path) {
  if (!modules.has(path)) modules.set(path, load(path));
  return modules.get(path);
}
`;

const forWorkerd = (name, modules) => `// For Workers, where core modules are imported.
export { instantiate } from './${name}.js';
${modules.map((path, place) => `import module${place} from './${path}';`).join('\n')}

const MODULES = { ${modules.map((path, place) => `'${path}': module${place}`).join(', ')} };

export const getCoreModule = (path) => MODULES[path];
`;

if (import.meta.filename === process.argv[1]) await transpile(...process.argv.slice(2));
