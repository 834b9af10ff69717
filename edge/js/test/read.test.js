/** Reads of mock-orb: aborted, at once, in slices. `test/runtimes.test.js` reads every stream. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import * as component from 'elt-connector/orb';
import { ConnectorError, connector, sync } from 'elt-connector';

import { collect, config, hostRecords, mockOrb } from './support.js';

let server;
before(async () => {
  server = await mockOrb();
});
after(() => server.stop());

const start = (options = {}, more = {}) =>
  connector({ component, config: config(server.url, more), ...options });

test('the specification and the granted origins are known without a request', async () => {
  const orb = await start({ fetch: () => assert.fail('a request') });
  assert.equal(orb.spec.name, 'orb');
  assert.deepEqual(orb.origins, [new URL(server.url).origin]);
});

test('a runtime that is too old is told which are not', async () => {
  const { Suspending } = WebAssembly;
  delete WebAssembly.Suspending;
  try {
    await assert.rejects(start(), ({ failureType, message }) => failureType === 'config' && /Node 24/.test(message));
  } finally {
    WebAssembly.Suspending = Suspending;
  }
});

test('check succeeds, and blames the config for a wrong key', async () => {
  await (await start()).check();
  const wrong = await start({}, { api_key: 'wrong-key-0123456789abcdef' });
  await assert.rejects(wrong.check(), (error) => {
    assert.ok(error instanceof ConnectorError);
    assert.equal(error.failureType, 'config');
    assert.ok(!error.message.includes('wrong-key'), error.message);
    return true;
  });
});

test('an incremental read goes on from its last checkpoint', async () => {
  const orb = await start();
  const first = await collect(orb.read('invoices'));
  const state = first.checkpoints.at(-1);
  const second = await collect(orb.read('invoices', { state }));
  assert.ok(second.records.length < first.records.length / 2, `${second.records.length}`);
  assert.ok(second.records.every((record) => first.records.includes(record)));
});

test('two readers at once do not disturb each other', async () => {
  const orb = await start();
  const [one, other] = await Promise.all([collect(orb.read('customers')), collect(orb.read('credits_ledger_entries'))]);
  const alone = await collect(orb.read('credits_ledger_entries'));
  assert.equal(one.records.length, 25);
  assert.deepEqual(other.records.sort(), alone.records.sort());
});

test('an aborted read ends with the reason, and its requests with it', async () => {
  const aborted = new AbortController();
  const requests = [];
  // A server that never answers.
  const fetch = (_, { signal }) => {
    requests.push(new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))));
    if (requests.length === 1) aborted.abort(new Error('enough'));
    return requests.at(-1);
  };
  const orb = await start({ fetch });
  await assert.rejects(collect(orb.read('invoices', { signal: aborted.signal })), /enough/);
  const outcomes = await Promise.allSettled(requests);
  assert.ok(outcomes.every(({ status }) => status === 'rejected'));
});

test('leaving the loop ends the read', async () => {
  const orb = await start();
  for await (const { records } of orb.read('subscription_usage')) {
    if (records.length) break;
  }
  assert.equal((await collect(orb.read('plans'))).records.length, 4);
});

test('a hundred slices read everything, and less than a tenth twice', async () => {
  const large = await mockOrb('--customers', '750', '--ledger-customers', '700');
  const streams = ['customers', 'credits_ledger_entries', 'invoices', 'plans'];
  const expected = await hostRecords(config(large.url), streams.join(','));
  for (const concurrency of [4, 6]) {
    const orb = await connector({ component, config: config(large.url, { concurrency }) });
    const written = Object.fromEntries(streams.map((stream) => [stream, []]));
    const write = (stream, records) => void written[stream].push(...records);
    let [progress, slices, done, most] = [undefined, 0, false, 0];
    while (!done) {
      assert.ok(slices < 400, `${slices} slices`);
      const before = await large.requests();
      // As it is stored and loaded in between.
      const stored = progress && JSON.parse(JSON.stringify(progress));
      ({ progress, done } = await sync(orb, { streams, progress: stored, write, budget: { requests: 8 } }));
      most = Math.max(most, (await large.requests()) - before);
      slices += 1;
    }
    assert.ok(slices >= 100, `${slices} slices`);
    for (const stream of streams) {
      assert.deepEqual([...new Set(written[stream])].sort(), [...expected[stream]].sort(), stream);
      const [emitted, distinct] = [written[stream].length, expected[stream].length];
      assert.ok(emitted <= distinct * 1.1, `${stream} at ${concurrency}: ${emitted} records for ${distinct}`);
    }
    assert.ok(most <= 40, `${most} requests of 8`);
  }
  large.stop();
});
