/** The example that runs a component in a worker thread. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

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
  const error = await failure(await url('endless_loop'), { milliseconds: 1000 });
  assert.deepEqual([error.failureType, error.message], ['transient', 'the connector returned nothing for 1000 ms']);
  // The timer is this thread's, which therefore went on. The other one is gone.
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

/** A component like `talker`, whose thread does something of its own when it is told to. */
async function planted(script) {
  const { folder } = await guest('talker');
  const path = join(folder, 'planted.js');
  await writeFile(path, `
    import { parentPort } from 'node:worker_threads';
    export * from './fetch.js';
    parentPort.on('message', (message) => {
      if (message === 'planted') { ${script} }
    });
  `);
  return pathToFileURL(path).href;
}

test('a thread that ends while a batch is handled fails the next read of a batch', { timeout: 60_000 }, async () => {
  const ends = {
    'throw new Error("planted")': /thread ended: planted/,
    'throw null': /thread ended: null/,
    'Promise.reject("planted")': /thread ended: .*planted/,
    'process.exit(3)': /thread ended: exit code 3/,
  };
  for (const [script, expected] of Object.entries(ends)) {
    const started = once(process, 'worker');
    const config = { ...read.config, lines: [] };
    const batches = readInThread({ ...read, config, component: await planted(script) });
    const first = batches.next();
    const [thread] = await started;
    const gone = new Promise((resolve) => thread.once('exit', resolve));
    assert.ok((await first).value.records.length > 0, script);
    thread.postMessage('planted');
    await gone;
    await assert.rejects(batches.next(), ({ failureType, message }) => {
      assert.match(message, expected);
      return failureType === 'system';
    });
    assert.deepEqual(await batches.next(), { value: undefined, done: true });
  }
});

test('in a thread of another program that imports it, the example does nothing', async () => {
  const example = new URL('../examples/thread.mjs', import.meta.url).href;
  const thread = new Worker(
    `const { parentPort } = require('node:worker_threads');
    import('${example}').then(() => parentPort.postMessage(parentPort.listenerCount('message')));`,
    { eval: true, workerData: { ...read, component: 'the other program\'s own' } },
  );
  const [listeners] = await once(thread, 'message');
  await thread.terminate();
  assert.equal(listeners, 0);
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
