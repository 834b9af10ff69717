/** Starts programs of this repository for tests: mock-orb, the host to compare with, and guests. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { transpile } from '../tools/transpile.mjs';

export const TARGET = resolve(process.env.TARGET_DIR ?? new URL('../../../target', import.meta.url).pathname);
export const ORB = join(TARGET, 'wasm32-wasip2/component/orb.wasm');
export const KEY = 'mock-orb-key-0123456789';

/** Starts mock-orb on a free port. Returns its URL, and functions that count and stop. */
export async function mockOrb(...flags) {
  const arguments_ = ['--port', '0', '--exit-with-stdin', ...flags];
  const server = spawn(join(TARGET, 'release/mock-orb'), arguments_, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: server.stdout });
  const [url] = await once(lines, 'line');
  const requests = async () => {
    server.stdin.write('\n');
    const [answer] = await once(lines, 'line');
    return JSON.parse(answer).requests;
  };
  return { url, requests, stop: () => server.stdin.end() };
}

export const config = (url, more = {}) => ({
  api_key: KEY,
  api_url: url,
  start_date: '2010-01-01T00:00:00Z',
  ...more,
});

/** The records of each stream, as `host run` reads them. */
export async function hostRecords(config, streams = 'all') {
  const folder = await mkdtemp(join(tmpdir(), 'edge-'));
  const path = join(folder, 'config.json');
  await writeFile(path, JSON.stringify(config));
  try {
    const arguments_ = ['run', ORB, 'read', '--streams', streams, '--config', path];
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
export async function guest(name) {
  const folder = await mkdtemp(join(tmpdir(), 'edge-'));
  await transpile(join(TARGET, 'wasm32-wasip2/component/examples', `${name}.wasm`), 'guest', folder);
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  return { folder, ...(await import(join(folder, 'fetch.js'))) };
}

/** Starts a server that answers with `handler` on a free port of this machine. */
export async function server(handler) {
  const requests = [];
  const listening = createServer((request, response) => {
    const { method, url, headers } = request;
    requests.push({ method, url, headers });
    handler(request, response);
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  // A test that fails leaves it running.
  listening.unref();
  const stop = () => {
    listening.closeAllConnections();
    return new Promise((closed) => listening.close(closed));
  };
  return { url: `http://127.0.0.1:${listening.address().port}`, requests, stop };
}

/** All that a read returns. */
export async function collect(batches) {
  const collected = { records: [], checkpoints: [] };
  for (;;) {
    const { value, done } = await batches.next();
    if (done) return { ...collected, ...value };
    collected.records.push(...value.records);
    if (value.checkpoint !== undefined) collected.checkpoints.push(value.checkpoint);
  }
}
