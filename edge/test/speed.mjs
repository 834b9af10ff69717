/**
 * Prints one table of what each runtime takes to read two streams of a large account: the time
 * until an instance is ready, the memory of the process, and the processor time as a multiple of
 * `host run`. `node test/speed.mjs`: one run each, start included, in less than three minutes.
 */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { ORB, TARGET, config, mockOrb } from '../js/test/support.js';
import { RUNTIMES } from './runtimes.js';

const run = promisify(execFile);

/** Streams, and how many customers have them: a request for 100 customers, and one for each. */
const STREAMS = { customers: 20_000, credits_ledger_entries: 2_000 };

/** Starts a program, waits for it, and prints its processor time and its most memory. */
const MEASURE = `
import json, resource, subprocess, sys
subprocess.run(sys.argv[2:], stdout=open(sys.argv[1], 'w'), check=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({'seconds': usage.ru_utime + usage.ru_stime, 'mebibytes': usage.ru_maxrss / 1024}))
`;

const folder = await mkdtemp(join(tmpdir(), 'edge-'));
const path = join(folder, 'config.json');

/** What a program takes, and the last line that it prints. */
async function cost(...command) {
  const output = join(folder, 'output');
  const { stdout } = await run('python3', ['-c', MEASURE, output, ...command]);
  const last = (await readFile(output, 'utf8')).trimEnd().split('\n').at(-1);
  return { ...JSON.parse(stdout), last };
}

/** The programs to measure: each a function that returns a command for a config and a stream. */
function programs() {
  const host = join(TARGET, 'release/host');
  const python = join(TARGET, 'conformance/embedding/venv/bin/python');
  const example = new URL('../python/read_stream.py', import.meta.url).pathname;
  const found = { 'host run': (_, stream) => [host, 'run', ORB, 'read', '--streams', stream, '--config', path] };
  for (const [name, runtime] of Object.entries(RUNTIMES)) {
    if (runtime?.command) found[name] = runtime.command;
  }
  if (existsSync(python)) found.python = (_, stream) => [python, example, ORB, path, stream];
  return found;
}

const rows = Object.fromEntries(Object.keys(programs()).map((name) => [name, [name]]));
for (const [stream, count] of Object.entries(STREAMS)) {
  const server = await mockOrb('--customers', `${count}`, '--ledger-customers', `${count}`, '--ledger-entries', '2');
  const account = config(server.url, { start_date: '2020-01-01T00:00:00Z', concurrency: 6 });
  await writeFile(path, JSON.stringify(account));
  let base;
  for (const [name, command] of Object.entries(programs())) {
    // The first run of the host compiles.
    if (!base) await cost(...command(account, stream));
    const { seconds, mebibytes, last } = await cost(...command(account, stream));
    base ??= seconds;
    const start = last.startsWith('{"startMilliseconds"') ? `${Math.round(JSON.parse(last).startMilliseconds)} ms` : '';
    if (rows[name].length === 1) rows[name].push(start);
    rows[name].push(`${seconds.toFixed(2)} s`, (seconds / base).toFixed(1), `${Math.round(mebibytes)} MiB`);
  }
  server.stop();
}
await rm(folder, { recursive: true });

const streams = Object.keys(STREAMS).flatMap((name) => [`${name}: processor`, '× host run', 'memory']);
const line = (cells) => `| ${cells.join(' | ')} |`;
console.log(line(['', 'instance ready after', ...streams]));
console.log(line(Array(2 + streams.length).fill('---')));
for (const row of Object.values(rows)) console.log(line(row));
