/** What a component keeps is bounded, and what it drops is gone. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ConnectorError, connector } from 'elt-connector';

import { End } from '../src/end.js';
import { Guard } from '../src/guard/guard.js';
import { DEFAULT_LIMITS, Usage } from '../src/limits.js';
import { monotonicClock } from '../src/wasi/clocks.js';
import { Handles } from '../src/wasi/handles.js';
import { http } from '../src/wasi/http.js';
import { Pollable, Waits, poll } from '../src/wasi/poll.js';
import { collect, guest, server } from './support.js';

const guests = {};
let target;

before(async () => {
  target = await server((_, response) => response.setHeader('x-long', 'x'.repeat(8192)).end('x'.repeat(200_000)));
  for (const name of ['handle_hog', 'hoarder']) guests[name] = await guest(name);
});

after(() => target.stop());

async function read(name, config, limits) {
  const source = await connector({ component: guests[name], config: { api_url: target.url, ...config }, limits });
  return (await collect(source.read('things'))).records;
}

async function ended(name, config, limits) {
  let error;
  await assert.rejects(read(name, config, limits), (thrown) => {
    error = thrown;
    return thrown instanceof ConnectorError;
  });
  return error;
}

test('a component that makes handles forever is ended at the limit', async () => {
  for (const kind of ['pollables', 'headers', 'requests', 'options']) {
    const { message, failureType } = await ended('handle_hog', { kind });
    assert.match(message, /the limit `handles` \(10000\) is exceeded/, kind);
    assert.equal(failureType, 'config', kind);
  }
});

test('the bytes that a component makes this program keep are limited', async () => {
  const kinds = [
    'bodies', 'sent bodies', 'large fields', 'many fields', 'clones', 'authorities', 'paths', 'methods',
  ];
  for (const kind of kinds) {
    const { message } = await ended('hoarder', { kind, count: 5000, bytes: 32_000 }, { heldBytes: 1 << 20 });
    assert.match(message, /the limit `heldBytes` \(1048576\) is exceeded/, kind);
  }
  const { message } = await ended('hoarder', { kind: 'polled', count: 1, bytes: 20_000 });
  assert.match(message, /`handles`/);
  const heads = await ended('hoarder', { kind: 'kept heads', count: 500 }, { heldBytes: 1 << 20 });
  assert.match(heads.message, /`heldBytes`/);
});

test('what is within the limits is not ended', async () => {
  for (const kind of ['bodies', 'large fields', 'clones', 'paths', 'polled']) {
    const records = await read('hoarder', { kind, count: 20, bytes: 400 });
    assert.deepEqual(JSON.parse(records[2]), { hoarded: 20 }, kind);
  }
});

test('a response whose body is dropped is no longer in flight', async () => {
  const records = await read('hoarder', { kind: 'kept heads', count: 40 }, { inFlight: 2 });
  assert.deepEqual(JSON.parse(records[2]), { hoarded: 40 });
});

/** The imports of a component that sends to `fetch`, called here in its place. */
function imports(fetch, limits, exceeded = assert.fail) {
  const end = new End();
  const usage = new Usage({ ...DEFAULT_LIMITS, ...limits });
  const origins = new Set(['https://api.example.com']);
  const guard = new Guard({ origins, secrets: [], fetch, usage, signal: end.signal, denied: assert.fail, end: assert.fail });
  const handles = new Handles(usage.limits, exceeded);
  const waits = new Waits(end, handles, () => {});
  const { 'wasi:http/types': types, 'wasi:http/outgoing-handler': handler } = http(guard, waits);
  const send = () => {
    const request = new types.OutgoingRequest(new types.Fields());
    request.setScheme({ tag: 'HTTPS' });
    request.setAuthority('api.example.com');
    return handler.handle(request);
  };
  return { end, usage, handles, waits, types, send };
}

test('a request that is dropped before its answer is aborted, and makes room for the next', async () => {
  const sent = [];
  const silent = (_, { signal }) => {
    sent.push(signal);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const { usage, handles, send } = imports(silent, { inFlight: 1, handles: 6 });
  const [first, waiting] = [send(), send()];
  await new Promise(setImmediate);
  assert.deepEqual([sent.length, usage.inFlight, usage.waiting], [1, 1, 1]);
  waiting[Symbol.dispose]();
  await new Promise(setImmediate);
  assert.equal(usage.waiting, 0, 'nor does one that waits for its turn');
  first[Symbol.dispose]();
  await new Promise(setImmediate);
  assert.deepEqual([sent[0].aborted, usage.inFlight], [true, 0]);
  // Six handles are the most, and each takes three: those that are gone do not count.
  for (let count = 0; count < 20; count += 1) {
    send()[Symbol.dispose]();
    await new Promise(setImmediate);
  }
  assert.deepEqual([handles.count, handles.bytes], [0, 0]);
});

test('trailers that finish a body are given back with it', async () => {
  const { handles, types } = imports(assert.fail);
  const body = new types.OutgoingRequest(new types.Fields()).body();
  const before = [handles.count, handles.bytes];
  const trailers = new types.Fields();
  trailers.append('x-long', new Uint8Array(1000).fill(120));
  types.OutgoingBody.finish(body, trailers);
  assert.ok(trailers.isGone);
  assert.deepEqual([handles.count, handles.bytes], [before[0] - 1, before[1]]);
});

test('no more is waited for than there may be handles, though they may repeat', async () => {
  let ended;
  const { handles, waits } = imports(assert.fail, { handles: 3 }, (error) => (ended = error));
  const ready = new Pollable(waits);
  assert.deepEqual(await poll(waits)(Array(3).fill(ready)), new Uint32Array([0, 1, 2]));
  await assert.rejects(poll(waits)(Array(4).fill(ready)), /the limit `handles` \(3\) is exceeded/);
  assert.match(ended.message, /`handles` \(3\)/);
  assert.equal(handles.count, 1);
});

test('a timer that nobody waits for is stopped', () => {
  const { end, waits } = imports(assert.fail, { handles: 1 });
  const clock = monotonicClock(end.signal, waits);
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  for (let count = 0; count < 100; count += 1) {
    const pollable = clock.subscribeDuration(60_000_000_000n);
    assert.equal(pollable.ready(), false);
    pollable[Symbol.dispose]();
  }
  assert.equal(timers(), before);
});
