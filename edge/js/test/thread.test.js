/** The example that runs a component in a worker thread. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { ConnectorError } from 'elt-connector';

import { readInThread } from '../examples/thread.mjs';
import { collect, config, guest, hostRecords, mockOrb } from './support.js';

const url = async (name) => pathToFileURL(`${(await guest(name)).folder}/fetch.js`).href;
const read = { config: { api_url: 'http://127.0.0.1:1' }, stream: 'things' };

async function failure(component, bounds, more) {
  let error;
  await assert.rejects(collect(readInThread({ ...read, component, ...more }, bounds)), (thrown) => {
    error = thrown;
    return thrown instanceof ConnectorError;
  });
  return error;
}

test('a component that computes forever is ended with its thread', async () => {
  let turns = 0;
  const ticking = setInterval(() => (turns += 1), 5);
  const error = await failure(await url('endless_loop'), { milliseconds: 1000 });
  clearInterval(ticking);
  assert.deepEqual([error.failureType, error.message], ['transient', 'the connector returned nothing for 1000 ms']);
  // This thread went on meanwhile, and the other one is gone: nothing keeps the process alive.
  assert.ok(turns > 10, `${turns}`);
  assert.ok(!process.getActiveResourcesInfo().includes('MessagePort'), `${process.getActiveResourcesInfo()}`);
});

test('a component that is ended before it says what it is', async () => {
  const error = await failure(await url('endless_spec'), { milliseconds: 1000 });
  assert.match(error.message, /returned nothing/);
});

test('a component that fills the heap takes its thread with it, and nothing else', async () => {
  const more = { config: { ...read.config, kind: 'polled', count: 1000, bytes: 100_000 }, limits: { handles: Infinity, heldBytes: Infinity } };
  const error = await failure(await url('hoarder'), { heapMegabytes: 32 }, more);
  assert.equal(error.failureType, 'system');
  assert.match(error.message, /thread ended: .*memory/);
});

test('errors of a connector arrive as they are', async () => {
  const error = await failure(await url('panic'), {});
  assert.deepEqual([error.failureType, error.message], ['system', 'the connector crashed']);
});

test('the records are those of the host', async () => {
  const server = await mockOrb();
  const account = config(server.url);
  const component = new URL('../dist/orb/fetch.js', import.meta.url).href;
  const { records, done } = await collect(readInThread({ component, config: account, stream: 'plans' }));
  assert.deepEqual(records.sort(), (await hostRecords(account, 'plans')).plans.sort());
  assert.equal(done, true);
  for await (const batch of readInThread({ component, config: account, stream: 'customers' })) {
    if (batch.records.length) break;
  }
  server.stop();
});
