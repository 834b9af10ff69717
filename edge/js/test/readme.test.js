/** The programs in the documentation run. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { config, mockOrb } from './support.js';

const root = new URL('../../../', import.meta.url).pathname;

/** The first program in a page. */
async function program(page) {
  const text = await readFile(join(root, page), 'utf8');
  return /```js\n([^]*?)```/.exec(text)[1];
}

/** Runs a program where it finds the package, in a folder of its own. */
async function run(text, config) {
  const folder = await mkdtemp(join(tmpdir(), 'edge-'));
  // Beside the package's own files, so that its name is known.
  const path = join(root, 'edge/js/dist/program.mjs');
  try {
    await writeFile(path, text);
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    const env = { ...process.env, ORB_API_KEY: config.api_key };
    return await promisify(execFile)(process.execPath, [path], { cwd: folder, env });
  } finally {
    await rm(path, { force: true });
    await rm(folder, { recursive: true });
  }
}

test('the program of the README prints every plan, and a state', async () => {
  const server = await mockOrb();
  const { stdout, stderr } = await run(await program('README.md'), config(server.url));
  server.stop();
  assert.equal(stdout.trim().split('\n').map((line) => JSON.parse(line).id).length, 4);
  assert.match(stderr, /^state: \{/m);
});

test('the program of docs/embedding.md reads invoices', async () => {
  const server = await mockOrb();
  const text = (await program('docs/embedding.md'))
    .replace("start_date: '2024-01-01T00:00:00Z'", `start_date: '2024-01-01T00:00:00Z', api_url: '${server.url}'`)
    .replace('// Write the records first', 'console.log(records.length, checkpoint);\n  // Write the records first');
  const { stdout } = await run(text, config(server.url));
  server.stop();
  assert.match(stdout, /\{/);
});
