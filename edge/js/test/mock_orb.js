/** Starts programs of this repository for tests: mock-orb, and the host to compare with. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const TARGET = process.env.TARGET_DIR ?? new URL('../../../target', import.meta.url).pathname;
export const ORB = join(TARGET, 'wasm32-wasip2/component/orb.wasm');
export const KEY = 'mock-orb-key-0123456789';
const guest = (name) => join(TARGET, 'wasm32-wasip2/component/examples', `${name}.wasm`);

/** Starts mock-orb on a free port. Returns its URL, and a function that stops it. */
export async function mockOrb(...flags) {
  const server = spawn(join(TARGET, 'release/mock-orb'), ['--port', '0', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = await once(createInterface({ input: server.stdout }), 'line');
  return { url, stop: () => server.kill() };
}

export const config = (url, more = {}) => ({
  api_key: KEY,
  api_url: url,
  start_date: '2010-01-01T00:00:00Z',
  ...more,
});

/** The records of each stream, as `host run` reads them. */
export async function hostRecords(config) {
  const folder = await mkdtemp(join(tmpdir(), 'edge-'));
  const path = join(folder, 'config.json');
  await writeFile(path, JSON.stringify(config));
  try {
    const arguments_ = ['run', ORB, 'read', '--streams', 'all', '--config', path];
    const { stdout } = await promisify(execFile)(join(TARGET, 'release/host'), arguments_, { maxBuffer: 1 << 30 });
    const records = {};
    for (const line of stdout.split('\n').filter((line) => line.startsWith('{"type":"RECORD"'))) {
      const { stream } = JSON.parse(line).record;
      // The text of the record, which `JSON.parse` would alter.
      const [, text] = /"data":(.*)\}\}$/.exec(line);
      (records[stream] ??= []).push(text);
    }
    return records;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Transpiles a test guest, and imports it. */
export async function component(name) {
  const folder = await mkdtemp(join(tmpdir(), 'edge-'));
  const tool = new URL('../tools/transpile.mjs', import.meta.url).pathname;
  await promisify(execFile)(process.execPath, [tool, guest(name), 'guest', folder]);
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const imported = await import(join(folder, 'fetch.js'));
  // The modules are loaded before the folder is gone.
  return imported;
}
