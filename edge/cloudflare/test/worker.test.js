/** The Worker under workerd, with the R2 and D1 of miniflare. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { Miniflare } from 'miniflare';

import { KEY, config, hostRecords, mockOrb } from '../../js/test/mock_orb.js';

const STREAMS = ['customers', 'plans', 'credits_ledger_entries'];
const TOKEN = 'token-0123456789';

let server;
let worker;

before(async () => {
  server = await mockOrb('--customers', '300');
  const root = new URL('../..', import.meta.url).pathname;
  worker = new Miniflare({
    modules: true,
    modulesRoot: root,
    rootPath: root,
    scriptPath: 'cloudflare/src/worker.js',
    modulesRules: [
      { type: 'ESModule', include: ['**/*.js'] },
      { type: 'CompiledWasm', include: ['**/*.wasm'] },
    ],
    compatibilityDate: '2026-07-01',
    d1Databases: ['PROGRESS'],
    r2Buckets: ['RECORDS'],
    bindings: {
      ORB_API_KEY: KEY,
      ORB_API_URL: server.url,
      START_DATE: '2010-01-01T00:00:00Z',
      STREAMS: STREAMS.join(','),
      SLICE_REQUESTS: '40',
      ACCESS_TOKEN: TOKEN,
    },
  });
  await worker.ready;
});

after(async () => {
  await worker?.dispose();
  server.stop();
});

const call = (method, path, token = TOKEN) =>
  worker.dispatchFetch(`http://worker${path}`, { method, headers: { authorization: `Bearer ${token}` } });

test('nobody gets in without the token', async () => {
  assert.equal((await call('GET', '/progress', 'wrong')).status, 401);
  assert.equal((await worker.dispatchFetch('http://worker/slice', { method: 'POST' })).status, 401);
});

test('slices add up to everything, in R2', async () => {
  let slices = 0;
  for (let done = false; !done; slices += 1) {
    assert.ok(slices < 50);
    const response = await call('POST', '/slice');
    const answer = await response.json();
    assert.equal(response.status, 200, JSON.stringify(answer));
    ({ done } = answer);
  }
  assert.ok(slices > 1, `${slices} slices`);

  const bucket = await worker.getR2Bucket('RECORDS');
  const expected = await hostRecords(config(server.url));
  for (const stream of STREAMS) {
    const { objects } = await bucket.list({ prefix: `${stream}/` });
    const stored = new Set();
    for (const { key } of objects) {
      const bytes = Buffer.from(await (await bucket.get(key)).arrayBuffer());
      for (const line of gunzipSync(bytes).toString().trimEnd().split('\n')) stored.add(line);
    }
    assert.deepEqual([...stored].sort(), expected[stream].sort(), stream);
  }
  const progress = await (await call('GET', '/progress')).json();
  assert.ok(progress.finishedAt, JSON.stringify(progress));
});

test('a sync that is done begins again only when it is due', async () => {
  assert.deepEqual(await (await call('POST', '/slice')).json(), { done: true, records: 0 });
});
