/** The Worker as `wrangler deploy` uploads it, under workerd, with the R2 and D1 of miniflare. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { KEY, config, hostRecords, mockOrb } from '../../js/test/support.js';
import { bundle, miniflare } from '../../test/workerd.js';

const STREAMS = ['customers', 'plans', 'credits_ledger_entries'];
const TOKEN = 'token-0123456789';

let server;
let folder;
let modules;
let worker;

/** Starts the Worker on what earlier ones have stored. */
function start() {
  worker = miniflare({
    modules,
    modulesRoot: join(folder, 'bundle'),
    d1Databases: ['PROGRESS'],
    d1Persist: join(folder, 'd1'),
    r2Buckets: ['RECORDS'],
    r2Persist: join(folder, 'r2'),
    bindings: {
      ORB_API_KEY: KEY,
      ORB_API_URL: server.url,
      START_DATE: '2010-01-01T00:00:00Z',
      STREAMS: STREAMS.join(','),
      SLICE_REQUESTS: '30',
      ACCESS_TOKEN: TOKEN,
    },
  });
  return worker.ready;
}

before(async () => {
  server = await mockOrb('--customers', '300');
  folder = await mkdtemp(join(tmpdir(), 'edge-'));
  modules = await bundle('cloudflare', join(folder, 'bundle'));
  await start();
});

after(async () => {
  await worker?.dispose();
  server.stop();
  await rm(folder, { recursive: true, force: true });
});

const call = (method, path, token = TOKEN) =>
  worker.dispatchFetch(`http://worker${path}`, { method, headers: { authorization: `Bearer ${token}` } });

async function slice() {
  const response = await call('POST', '/slice');
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer;
}

/** What is in R2: how many records, and which. */
async function stored(stream) {
  const bucket = await worker.getR2Bucket('RECORDS');
  const { objects } = await bucket.list({ prefix: `${stream}/` });
  const lines = [];
  for (const { key } of objects) {
    const bytes = Buffer.from(await (await bucket.get(key)).arrayBuffer());
    lines.push(...gunzipSync(bytes).toString().trimEnd().split('\n'));
  }
  return { count: lines.length, records: new Set(lines) };
}

test('nobody gets in without the token', async () => {
  assert.equal((await call('GET', '/progress', 'wrong')).status, 401);
  assert.equal((await worker.dispatchFetch('http://worker/slice', { method: 'POST' })).status, 401);
});

test('slices add up to everything, in R2, though one is killed, and few records come twice', async () => {
  await slice();
  // The Worker goes away while it reads.
  const before = await server.requests();
  const killed = call('POST', '/slice').catch(() => {});
  while ((await server.requests()) < before + 10);
  await worker.dispose();
  await killed;
  await start();

  let slices = 2;
  for (let done = false; !done; slices += 1) {
    assert.ok(slices < 50);
    const asked = await server.requests();
    ({ done } = await slice());
    // R2 and D1 take some of the 50 that the platform allows.
    assert.ok((await server.requests()) - asked <= 44, `${(await server.requests()) - asked} requests`);
  }
  assert.ok(slices > 3, `${slices} slices`);

  const expected = await hostRecords(config(server.url), STREAMS.join(','));
  for (const stream of STREAMS) {
    const { count, records } = await stored(stream);
    assert.deepEqual([...records].sort(), expected[stream].sort(), stream);
    assert.ok(count <= expected[stream].length * 1.1, `${stream}: ${count} for ${expected[stream].length}`);
  }
  const progress = await (await call('GET', '/progress')).json();
  assert.ok(progress.finishedAt, JSON.stringify(progress));
});

test('a sync that is done begins again only when it is due', async () => {
  assert.deepEqual(await slice(), { done: true, records: 0 });
});
