/**
 * Prints how long each runtime takes to read two streams of a large account, as a multiple of `host
 * run`: `node test/speed.mjs`. One run each, one after the other; only the ratios mean anything.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { ORB, TARGET, config, mockOrb } from '../js/test/support.js';
import { RUNTIMES } from './runtimes.js';

/** Streams, and how many customers have them: 200 requests with 100 records each, and one request a customer. */
const STREAMS = { customers: 20_000, credits_ledger_entries: 2_000 };

const folder = await mkdtemp(join(tmpdir(), 'edge-'));
const path = join(folder, 'config.json');

/** The wall time of a program, in milliseconds. */
async function timed(command, ...arguments_) {
  const started = performance.now();
  const { stdout } = await promisify(execFile)(command, arguments_, { maxBuffer: 1 << 30 });
  return { total: performance.now() - started, lines: stdout.split('\n').length };
}

const python = join(TARGET, 'conformance/embedding/venv/bin/python');
const example = new URL('../python/read_stream.py', import.meta.url).pathname;
for (const [stream, customers] of Object.entries(STREAMS)) {
  const server = await mockOrb('--customers', `${customers}`, '--ledger-customers', `${customers}`, '--ledger-entries', '2');
  const account = config(server.url, { start_date: '2020-01-01T00:00:00Z', concurrency: 6 });
  await writeFile(path, JSON.stringify(account));
  const host = () => timed(join(TARGET, 'release/host'), 'run', ORB, 'read', '--streams', stream, '--config', path);
  await host();
  const { total: base } = await host();
  console.log(`${stream}: host run ${Math.round(base)} ms`);
  for (const [name, runtime] of Object.entries(RUNTIMES)) {
    if (!runtime) continue;
    const started = performance.now();
    const { start, read, rss, records } = await runtime(account, stream);
    const total = performance.now() - started;
    const memory = rss ? `${Math.round(rss / (1 << 20))} MiB` : '';
    console.log(`${stream}: ${name} ${(read / base).toFixed(1)} times, all ${(total / base).toFixed(1)}, start ${Math.round(start)} ms, ${memory}, ${records}`);
  }
  const { total } = await timed(python, example, ORB, path, stream);
  console.log(`${stream}: python ${(total / base).toFixed(1)} times, start included`);
  server.stop();
}
