/**
 * Prints how much processor time each runtime takes to read two streams of a large account, as a
 * multiple of `host run`: `node test/speed.mjs`. One run each, start included.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { ORB, TARGET, config, mockOrb } from '../js/test/support.js';
import { RUNTIMES } from './runtimes.js';

/** Streams, and how many customers have them: a request for each 100 customers, and one for each. */
const STREAMS = { customers: 20_000, credits_ledger_entries: 2_000 };

/** The processor time of a program in seconds, and the last line that it prints. */
async function cost(...command) {
  const shell = ['-c', '"$@" >"$0"; times; tail -n 1 "$0"', join(folder, 'output'), ...command];
  const { stdout } = await promisify(execFile)('sh', shell, { maxBuffer: 1 << 30 });
  const [, children, ...last] = stdout.trim().split('\n');
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(([, minutes, rest]) => minutes * 60 + Number(rest));
  return { seconds: seconds[0] + seconds[1], last: last.join('') };
}

const folder = await mkdtemp(join(tmpdir(), 'edge-'));
const path = join(folder, 'config.json');
const python = join(TARGET, 'conformance/embedding/venv/bin/python');
const example = new URL('../python/read_stream.py', import.meta.url).pathname;
for (const [stream, count] of Object.entries(STREAMS)) {
  const customers = ['--customers', `${count}`, '--ledger-customers', `${count}`, '--ledger-entries', '2'];
  const server = await mockOrb(...customers);
  const account = config(server.url, { start_date: '2020-01-01T00:00:00Z', concurrency: 6 });
  await writeFile(path, JSON.stringify(account));
  const host = [join(TARGET, 'release/host'), 'run', ORB, 'read', '--streams', stream, '--config', path];
  // The first run compiles.
  await cost(...host);
  const { seconds: base } = await cost(...host);
  console.log(`${stream}: host run ${base.toFixed(2)} s`);
  for (const [name, runtime] of Object.entries(RUNTIMES)) {
    if (!runtime?.command) continue;
    const { seconds, last } = await cost(...runtime.command(account, stream));
    console.log(`${stream}: ${name} ${(seconds / base).toFixed(1)} times, ${last}`);
  }
  const { seconds } = await cost(python, example, ORB, path, stream);
  console.log(`${stream}: python ${(seconds / base).toFixed(1)} times`);
  server.stop();
}
