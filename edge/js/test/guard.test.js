/** The guard over a program's own `fetch`, which may take no notice of its signal. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { End } from '../src/end.js';
import { Guard } from '../src/guard/guard.js';
import { DEFAULT_LIMITS, Usage } from '../src/limits.js';

const turn = () => new Promise(setImmediate);

/** A guard that sends to `fetch`, and what it sends. */
function guarded(fetch, { limits, secrets = [] } = {}) {
  const end = new End();
  const usage = new Usage({ ...DEFAULT_LIMITS, ...limits });
  const origins = new Set(['https://api.example.com']);
  const ends = [];
  const guard = new Guard({
    origins, secrets, fetch, usage, signal: end.signal, denied: assert.fail, end: (error) => ends.push(error),
  });
  const aborted = new AbortController();
  const send = (headers = []) =>
    guard.send(async () => ({ method: 'GET', url: 'https://api.example.com/', headers, body: [] }), aborted);
  return { end, ends, usage, aborted, send };
}

/** A response whose body never ends, and whether it has been cancelled. */
function endless(init) {
  const body = { isCancelled: false };
  const stream = new ReadableStream({
    pull: () => new Promise(() => {}),
    cancel: () => {
      body.isCancelled = true;
    },
  });
  return Object.assign(body, { response: new Response(stream, init) });
}

test('the headers of a request are measured with the secrets in them', async () => {
  const secrets = [{ token: 'sealed-0123456789', value: 'x'.repeat(1000) }];
  const limits = { headerBytes: 500 };
  const { ends, send } = guarded(assert.fail, { limits, secrets });
  await assert.rejects(send([['x-key', 'sealed-0123456789']]), ({ tag }) => tag === 'internal-error');
  assert.match(ends[0].message, /the limit `headerBytes` \(500\) is exceeded/);
  // And with the tokens, which are replaced within that bound only.
  const short = guarded(assert.fail, { limits, secrets: [{ token: 'sealed-0123456789', value: 'x' }] });
  await assert.rejects(short.send([['x-key', 'sealed-0123456789'.repeat(50)]]));
  assert.match(short.ends[0].message, /`headerBytes`/);
});

test('a response that comes after its time is cancelled, and its place is free', async () => {
  const answer = Promise.withResolvers();
  const { usage, send } = guarded(() => answer.promise, { limits: { headMilliseconds: 1 } });
  await assert.rejects(send(), ({ tag }) => tag === 'HTTP-response-timeout');
  assert.equal(usage.inFlight, 0);
  const late = endless();
  answer.resolve(late.response);
  await turn();
  assert.ok(late.isCancelled);
});

test('a response that comes after an abort is cancelled, and the abort does not wait for it', async () => {
  const reasons = {
    'the request': ({ aborted }) => aborted.abort(new Error('enough')),
    'the session': ({ end }) => end.come(new Error('enough')),
  };
  for (const [name, abort] of Object.entries(reasons)) {
    const answer = Promise.withResolvers();
    const guard = guarded(() => answer.promise);
    const sent = guard.send();
    await turn();
    assert.equal(guard.usage.inFlight, 1, name);
    abort(guard);
    await assert.rejects(sent, ({ val }) => /enough/.test(val), name);
    assert.equal(guard.usage.inFlight, 0, name);
    const late = endless();
    answer.resolve(late.response);
    await turn();
    assert.ok(late.isCancelled, name);
  }
});

test('a response that comes in the very turn of its abort is cancelled', async () => {
  const answer = Promise.withResolvers();
  const { usage, aborted, send } = guarded(() => answer.promise);
  const sent = send();
  await turn();
  const late = endless();
  answer.resolve(late.response);
  aborted.abort(new Error('enough'));
  await assert.rejects(sent, ({ val }) => /enough/.test(val));
  await turn();
  assert.deepEqual([late.isCancelled, usage.inFlight], [true, 0]);
});

test('a response that is refused is cancelled', async () => {
  const long = endless({ headers: { 'x-long': 'x'.repeat(1000) } });
  await assert.rejects(guarded(async () => long.response, { limits: { headerBytes: 500 } }).send());
  await turn();
  assert.ok(long.isCancelled);
});

test('a body that nobody wants is cancelled, also while it is waited for, and does not seem whole', async () => {
  const reasons = {
    'it is dropped': ({ response }) => response.body.cancel(),
    'its request is aborted': ({ guard }) => guard.aborted.abort(new Error('enough')),
    'the session ends': ({ guard }) => guard.end.come(new Error('enough')),
  };
  for (const [name, stop] of Object.entries(reasons)) {
    for (const isRead of [false, true]) {
      const body = endless();
      const guard = guarded(async () => body.response);
      const response = await guard.send();
      const next = isRead ? response.body.next() : undefined;
      stop({ guard, response });
      if (isRead) await assert.rejects(next, undefined, name);
      await turn();
      assert.deepEqual([body.isCancelled, guard.usage.inFlight], [true, 0], name);
      await assert.rejects(response.body.next(), undefined, name);
    }
  }
});

test('a body that stops, or is too long, is cancelled', async () => {
  const silent = endless();
  const stopped = await guarded(async () => silent.response, { limits: { idleMilliseconds: 1 } }).send();
  await assert.rejects(stopped.body.next(), /no byte came for 1 ms/);
  assert.ok(silent.isCancelled);

  let isCancelled = false;
  const zeros = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(1000)),
    cancel: () => {
      isCancelled = true;
    },
  });
  const { ends, send } = guarded(async () => new Response(zeros), { limits: { responseBytes: 500 } });
  await assert.rejects((await send()).body.next(), /`responseBytes`/);
  assert.match(ends[0].message, /`responseBytes`/);
  assert.ok(isCancelled);
});
