/** The Worker as `wrangler deploy` uploads it, under workerd, with the R2 and D1 of miniflare. */

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
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

/** Starts the Worker on what earlier ones of that name have stored. */
function start(name, vars) {
  worker = miniflare({
    modules,
    modulesRoot: join(folder, 'bundle'),
    d1Databases: ['PROGRESS'],
    d1Persist: join(folder, name, 'd1'),
    r2Buckets: ['RECORDS'],
    r2Persist: join(folder, name, 'r2'),
    bindings: {
      ORB_API_KEY: KEY,
      ORB_API_URL: server.url,
      START_DATE: '2010-01-01T00:00:00Z',
      STREAMS: STREAMS.join(','),
      ACCESS_TOKEN: TOKEN,
      ...vars,
    },
  });
  return worker.ready;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-'));
  modules = await bundle('cloudflare', join(folder, 'bundle'));
});

afterEach(async () => {
  await worker.dispose();
  server.stop();
});

after(() => rm(folder, { recursive: true, force: true }));

const account = (customers) => mockOrb('--customers', `${customers}`, '--ledger-customers', '30');

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
  server = await account(1);
  await start('locked');
  assert.equal((await call('GET', '/progress', 'wrong')).status, 401);
  assert.equal((await worker.dispatchFetch('http://worker/slice', { method: 'POST' })).status, 401);
});

test('a number that is none is an error of the config, and nothing is read', async () => {
  server = await account(1);
  await start('numbers', { IN_FLIGHT: '2.5' });
  const response = await call('POST', '/slice');
  const message = '`IN_FLIGHT` must be a whole number from 1 to 6, not "2.5"';
  assert.deepEqual([response.status, await response.json()], [502, { failureType: 'config', message }]);
  assert.equal(await server.requests(), 0);
});

/** Reads slices until the sync is done. Returns how many, and the most requests of one. */
async function finish() {
  let [slices, most] = [0, 0];
  for (let done = false; !done; slices += 1) {
    assert.ok(slices < 500);
    const before = await server.requests();
    ({ done } = await slice());
    most = Math.max(most, (await server.requests()) - before);
  }
  return { slices, most };
}

/** Compares what is in R2 with what the host reads. */
async function compare() {
  const expected = await hostRecords(config(server.url), STREAMS.join(','));
  for (const stream of STREAMS) {
    const { count, records } = await stored(stream);
    assert.deepEqual([...records].sort(), expected[stream].sort(), stream);
    assert.ok(count <= expected[stream].length * 1.1, `${stream}: ${count} for ${expected[stream].length}`);
  }
}

test('slices add up to everything, in R2, though one is killed, and few records come twice', async () => {
  const vars = { SLICE_REQUESTS: '30' };
  server = await account(150);
  await start('killed', vars);
  await slice();
  // The Worker goes away while it reads.
  const before = await server.requests();
  const killed = call('POST', '/slice').catch(() => {});
  while ((await server.requests()) < before + 10);
  await worker.dispose();
  await killed;
  await start('killed', vars);

  const { slices, most } = await finish();
  assert.ok(slices > 3, `${slices} slices`);
  // R2 and D1 take some of the 50 that the platform allows.
  assert.ok(most <= 44, `${most} requests`);
  await compare();
  const progress = await (await call('GET', '/progress')).json();
  assert.ok(progress.finishedAt, JSON.stringify(progress));
  // A sync that is done begins again only when it is due.
  assert.deepEqual(await slice(), { done: true, records: 0 });
});

for (const inFlight of [4, 6]) {
  test(`a hundred slices at ${inFlight} in flight add up to everything, and few records come twice`, async () => {
    server = await account(1200);
    await start(`slices-${inFlight}`, { SLICE_REQUESTS: '2', IN_FLIGHT: `${inFlight}` });
    const { slices, most } = await finish();
    assert.ok(slices >= 100, `${slices} slices`);
    assert.ok(most <= 40, `${most} requests`);
    await compare();
  });
}
