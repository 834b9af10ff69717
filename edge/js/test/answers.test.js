/** Hostile answers: to a component that repeats them, and to Orb's connector. */

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import * as orb from 'elt-connector/orb';
import { ConnectorError, connector } from 'elt-connector';

import { KEY, collect, config, guest, server } from './support.js';

let caller;
before(async () => {
  caller = await guest('caller');
});

/** What the component is told when a server answers so, or the error that ended it. */
async function answered(handler, options) {
  let usage;
  const { url, requests, stop } = await server(handler);
  const secret = 'sk-live-0123456789abcdef';
  const source = await connector({
    component: caller,
    config: { api_url: url, api_key: secret, requests: [{ url, headers: [['authorization', 'Bearer {key}']] }] },
    ...options,
  });
  try {
    const { records } = await collect(source.read('things', { onUsage: (used) => (usage = used) }));
    return { answer: JSON.parse(records[2]), text: records[2], requests, secret };
  } catch (error) {
    assert.ok(error instanceof ConnectorError, error);
    return { error, requests, secret, usage };
  } finally {
    await stop();
  }
}

test('a redirect is not followed, wherever it leads', async () => {
  const other = await server((_, response) => response.end('reached'));
  for (const status of [301, 302, 303, 307, 308]) {
    const { answer, requests } = await answered((_, response) => response.writeHead(status, { location: other.url }).end());
    assert.ok(answer.answer === status || /redirect/.test(answer.answer), JSON.stringify(answer));
    assert.equal(requests.length, 1);
  }
  // Nor by a `fetch` of the program that follows all the same.
  const { answer } = await answered((_, response) => response.writeHead(302, { location: other.url }).end(), {
    fetch: (url, init) => fetch(url, { ...init, redirect: 'follow' }),
  });
  assert.match(answer.answer, /redirect/);
  assert.ok(other.requests.every(({ headers }) => headers.authorization === undefined));
  await other.stop();
});

test('an endless body ends at the limit', async () => {
  const endless = (_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(64 << 10)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  };
  const { error } = await answered(endless, { limits: { responseBytes: 1 << 20 } });
  assert.match(error.message, /`responseBytes` \(1048576\)/);
  const total = await answered(endless, { limits: { totalBytes: 1 << 20 } });
  assert.match(total.error.message, /`totalBytes`/);
});

test('a compressed bomb ends at the limit, as decompressed', async () => {
  const bomb = gzipSync(Buffer.alloc(64 << 20));
  const { error, usage } = await answered((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb), {
    limits: { responseBytes: 4 << 20 },
  });
  assert.match(error.message, /responseBytes/);
  assert.ok(usage.bytes > bomb.length && usage.bytes <= 4 << 20, `${usage.bytes}`);
});

test('a body that stops is ended, and so is a server that says nothing', async () => {
  const stops = (_, response) => response.writeHead(200).write('{');
  const { answer } = await answered(stops, { limits: { idleMilliseconds: 50 } });
  assert.match(answer.failed, /no byte came for 50 ms/);
  const silent = await answered(() => {}, { limits: { headMilliseconds: 50 } });
  assert.match(silent.answer.answer, /timeout/i);
});

test('a broken body or no HTTP at all is an error of the request', async () => {
  const breaks = (_, response) => response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy());
  const { answer } = await answered(breaks);
  assert.ok(answer.failed ?? answer.answer, JSON.stringify(answer));
  const garbage = await answered((request) => request.socket.end('not HTTP\r\n\r\n'));
  assert.match(garbage.answer.answer, /failed/);
  const false_gzip = await answered((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('plain'));
  assert.ok(false_gzip.answer.failed ?? false_gzip.answer.answer);
});

test('a secret in an answer is masked in records, in whatever form', async () => {
  const escaped = (text) => [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  const percent = (text) => [...text].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('');
  const forms = {
    plain: (key) => key,
    'for JSON': (key) => escaped(key),
    'for JSON, in capitals': (key) => escaped(key).replace(/[a-f]/g, (c) => c.toUpperCase()),
    'for JSON twice': (key) => escaped(key).replaceAll('\\', '\\\\'),
    'in part': (key) => key.slice(0, 5) + escaped(key.slice(5, 9)) + key.slice(9),
    'in a URL': (key) => percent(key),
    'in a URL twice': (key) => percent(key).replaceAll('%', '%25'),
    base64: (key) => btoa(key),
    'base64 within': (key) => btoa(`user:${key}:more`),
  };
  for (const [name, form] of Object.entries(forms)) {
    const { text, secret } = await answered((request, response) => {
      response.end(form(request.headers.authorization.slice(7)));
    });
    assert.ok(text.includes('****'), `${name}: ${text}`);
    assert.ok(!text.includes(form(secret).slice(2, -2)), `${name}: ${text}`);
    JSON.parse(text);
  }
});

test('a secret in a header of an answer becomes a token again', async () => {
  const { answer, text, secret } = await answered((request, response) => {
    response.setHeader('x-echo', request.headers.authorization);
    response.setHeader('location', `https://evil.example/?${request.headers.authorization.slice(7)}`);
    response.end();
  });
  assert.equal(answer.knows_key, true, 'the token, which is what it was given');
  assert.ok(!text.includes(secret));
});

test('Orb answering garbage is never an empty stream', async () => {
  for (const body of ['', '<html>', '[]', '{"data":1}', '{"data":[{}', 'null', '\0\0']) {
    const { url, stop } = await server((_, response) => response.end(body));
    const source = await connector({ component: orb, config: config(url, { retry_minutes: 0 }) });
    await assert.rejects(collect(source.read('plans')), ConnectorError, body);
    await stop();
  }
});

test('a rate limit is told, and waited for', async () => {
  let first = true;
  const { url, stop } = await server((_, response) => {
    if (first) response.writeHead(429, { 'retry-after': '0' }).end();
    else response.end('{"data":[],"pagination_metadata":{"has_more":false,"next_cursor":null}}');
    first = false;
  });
  const source = await connector({ component: orb, config: config(url) });
  const told = [];
  const { records } = await collect(source.read('plans', { rateLimited: (until) => told.push(until) }));
  assert.deepEqual(records, []);
  assert.ok(told.every((until) => until instanceof Date));
  await stop();
});

test('a refused key blames the config, and does not show it', async () => {
  const { url, stop } = await server((_, response) => {
    const problem = { type: 'https://docs.withorb.com/reference/error-responses#401-authentication-error', status: 401 };
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...problem, title: `${KEY} is wrong`, detail: KEY }));
  });
  const source = await connector({ component: orb, config: config(url, { retry_minutes: 0 }) });
  await assert.rejects(collect(source.read('plans')), ({ failureType, message, internalMessage }) => {
    assert.equal(failureType, 'config');
    assert.ok(!`${message} ${internalMessage}`.includes(KEY), message);
    return true;
  });
  await stop();
});
