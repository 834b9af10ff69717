/** Workers under workerd, with miniflare's R2 and D1. */

import { execFile } from 'node:child_process';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Miniflare, convertV4MiniflareOptions } from 'miniflare';

const ROOT = new URL('..', import.meta.url).pathname;

/** Starts a Worker. `options` are those of miniflare 4. */
export function miniflare(options) {
  return new Miniflare(
    convertV4MiniflareOptions({ modulesRoot: ROOT, rootPath: ROOT, compatibilityDate: '2026-07-01', ...options }),
  );
}

/** Files and folders below `edge` as modules of a Worker, whose entry is the first. */
export async function modulesOf(...paths) {
  const modules = [];
  for (const path of paths) {
    const full = join(ROOT, path);
    const isFolder = (await stat(full)).isDirectory();
    const names = isFolder ? (await readdir(full, { recursive: true })).map((name) => join(full, name)) : [full];
    for (const name of names) modules.push(...(await moduleOf(name)));
  }
  return modules;
}

async function moduleOf(path) {
  const type = /\.m?js$/.test(path) ? 'ESModule' : path.endsWith('.wasm') ? 'CompiledWasm' : undefined;
  if (!type) return [];
  const contents = await readFile(path);
  return [{ type, path, contents: type === 'ESModule' ? contents.toString() : new Uint8Array(contents) }];
}

/** What `wrangler deploy` uploads of the Worker in a folder below `edge`, put into `directory`. */
export async function bundle(folder, directory) {
  const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js');
  await promisify(execFile)(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', directory], {
    cwd: join(ROOT, folder),
    env: { PATH: process.env.PATH, HOME: directory, CI: 'true', WRANGLER_SEND_METRICS: 'false' },
  });
  const names = (await readdir(directory)).filter((name) => /\.(js|wasm)$/.test(name));
  // The entry is first.
  names.sort((one, other) => other.endsWith('.js') - one.endsWith('.js'));
  return (await Promise.all(names.map((name) => moduleOf(join(directory, name))))).flat();
}
