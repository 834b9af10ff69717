/** A hostile component under the guard. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ConnectorError, connector } from 'elt-connector';

import { collect, guest, server } from './support.js';

const KEY = 'sk-live-0123456789abcdef/+"quote';
const PASSWORD = 'pass-9876543210-ZYXwvu';

let target;
let other;
const guests = {};

before(async () => {
  const echo = (request, response) => {
    response.setHeader('x-key', request.headers.authorization ?? '');
    response.end(JSON.stringify(request.headers));
  };
  [target, other] = [await server(echo), await server((_, response) => response.end('other'))];
  const names = [
    'caller', 'smuggler', 'echo', 'asker', 'files', 'sockets', 'many_requests', 'request_flood', 'body_hog', 'header_hog',
    'endless_wait', 'memory_hog', 'panic', 'exit', 'talker', 'log_flood', 'look_around', 'marked', 'random_hog',
    'progress_flood', 'handle_hog', 'wrong_error', 'wrong_spec', 'contract_0_2', 'stack_overflow',
  ];
  for (const name of names) guests[name] = await guest(name);
});

after(() => Promise.all([target.stop(), other.stop()]));

const secrets = { api_key: KEY, credentials: { password: PASSWORD } };

async function start(name, config = {}, options = {}) {
  const log = [];
  const source = await connector({
    component: guests[name],
    config: { api_url: target.url, ...secrets, ...config },
    log: (level, message) => log.push(`${level}: ${message}`),
    ...options,
  });
  return { source, log };
}

/** Reads what the guest returns after its first batch, as values. */
async function read(name, config, options) {
  const { source, log } = await start(name, config, options);
  const { records } = await collect(source.read('things'));
  return { answers: records.slice(2).map((record) => JSON.parse(record)), records, log };
}

/** Reads until the guest's error. On a busy machine a limit of time may end the start already. */
async function failed(name, config = {}, options = {}) {
  const log = [];
  const read = async () => {
    const source = await connector({
      component: guests[name],
      config: { api_url: target.url, ...secrets, ...config },
      log: (level, message) => log.push(`${level}: ${message}`),
      ...options,
    });
    return collect(source.read('things'));
  };
  let error;
  await assert.rejects(read(), (thrown) => {
    error = thrown;
    return thrown instanceof ConnectorError;
  });
  return { error, log };
}

const call = async (requests, options) => {
  const { answers, log } = await read('caller', { requests }, options);
  return { answers: answers.map(({ answer }) => answer), log, full: answers };
};

test('only the granted origin is reached, however it is spelled', async () => {
  const { host, port } = new URL(target.url);
  const elsewhere = new URL(other.url).port;
  const denied = [
    other.url,
    `https://${host}/`,
    `http://127.0.0.1:${elsewhere}/`,
    `http://${host}@127.0.0.1:${elsewhere}/`,
    `http://user:secret@${host}/`,
    `http://user@${host}/`,
    `http://127.0.0.1:${elsewhere}#@${host}/`,
    `http://127.0.0.1:${elsewhere}?@${host}/`,
    `http://localhost:${port}/`,
    `http://[::1]:${port}/`,
    `http://[::ffff:127.0.0.1]:${elsewhere}/`,
    `http://127.0.0.1.nip.io:${port}/`,
    `http://0:${elsewhere}/`,
    'http://169.254.169.254/latest/meta-data/',
    'data://text/html,secret',
    'data:text/html,secret://x/',
    'file:///etc/passwd',
    `blob:http://${host}/`,
    `blob:${target.url}://x/`,
    `ws://${host}/`,
    'javascript:alert(1)://x',
  ];
  const before = other.requests.length;
  const { answers, log } = await call(denied.map((url) => ({ url })));
  answers.forEach((answer, place) => assert.ok(typeof answer === 'string', `${denied[place]}: ${answer}`));
  assert.equal(other.requests.length, before);
  assert.ok(log.some((line) => line.includes('denied: the connector tried to reach') && line.includes(target.url)));
});

test('a path leads nowhere else', async () => {
  const elsewhere = new URL(other.url).host;
  const paths = [`\\@${elsewhere}/`, `@${elsewhere}/`, `//${elsewhere}/`, `/\\${elsewhere}/`, `${other.url}/`, '/../../x', `:80@${elsewhere}/`];
  const before = other.requests.length;
  const { answers } = await call(paths.map((path) => ({ url: target.url, path })));
  assert.equal(other.requests.length, before);
  // What is sent goes to the granted origin.
  assert.ok(answers.every((answer) => answer === 200 || typeof answer === 'string'), JSON.stringify(answers));
});

test('methods and headers that belong to the connection are not taken', async () => {
  const headers = [
    ['Host', 'evil.example'],
    ['Cookie', 'session=1'],
    ['Content-Length', '5'],
    ['Transfer-Encoding', 'chunked'],
    ['Connection', 'x-key'],
    ['Proxy-Authorization', 'Basic eA=='],
    ['X-Own', 'kept'],
  ];
  const { full } = await call([{ url: target.url, headers }, { url: target.url, method: 'CONNECT' }, { url: target.url, method: 'TRACE' }]);
  const sent = JSON.parse(full[0].body);
  assert.equal(sent.host, new URL(target.url).host);
  assert.equal(sent['x-own'], 'kept');
  for (const name of ['cookie', 'transfer-encoding', 'proxy-authorization', 'content-length']) {
    assert.equal(sent[name], undefined, name);
  }
  assert.match(full[1].answer, /method/i);
  assert.match(full[2].answer, /method/i);
});

test('a line break forges no header', async () => {
  const broken = ['a\r\nx-forged: 1', 'a\nx-forged: 1', 'a\0b'];
  const before = target.requests.length;
  const { answers } = await call(broken.map((value) => ({ url: target.url, headers: [['x-own', value]] })));
  assert.ok(answers.every((answer) => answer.startsWith('invalid header')), JSON.stringify(answers));
  assert.equal(target.requests.length, before);
});

test('the key is put into headers outside, also within Basic, and nowhere else', async () => {
  const { full } = await call([
    { url: target.url, headers: [['authorization', 'Bearer {key}'], ['x-password', '{password}']] },
    { url: target.url, headers: [['authorization', 'Basic {basic}']] },
    { url: `${target.url}/{key}?key={key}`, method: 'POST', body: '{key} {password}' },
  ]);
  const [bearer, basic, url] = target.requests.slice(-3);
  assert.equal(bearer.headers.authorization, `Bearer ${KEY}`);
  assert.equal(bearer.headers['x-password'], PASSWORD);
  assert.equal(atob(basic.headers.authorization.split(' ')[1]), `${KEY}:${PASSWORD}`);
  assert.match(url.url, /sealed-/);
  for (const form of [KEY, PASSWORD, encodeURIComponent(KEY)]) assert.ok(!url.url.includes(form));
  // The header of a response that repeats it has the token again; the guest knows no key.
  assert.equal(full[0].headers['x-key'].includes(KEY), false);
  assert.ok(!JSON.stringify(full).includes(PASSWORD));
});

test('no key goes out without TLS, but to this machine', async () => {
  const requests = [];
  const fetch = async (url, { headers }) => {
    requests.push([url, headers.get('authorization')]);
    return new Response('{}');
  };
  const at = (url) => read('caller', {
    api_url: url,
    requests: [{ url, headers: [['authorization', 'Bearer {key}']] }],
  }, { fetch });
  const { answers, log } = await at('http://api.example.com');
  assert.equal(answers[0].answer, 'denied');
  assert.ok(log.some((line) => line.includes('without TLS')), log.join());
  assert.deepEqual(requests, []);
  await at('https://api.example.com');
  assert.deepEqual(requests, [['https://api.example.com/', `Bearer ${KEY}`]]);
});

test('secrets that a component writes are masked, and it never has them', async () => {
  const log = [];
  const source = await connector({
    component: guests.smuggler,
    config: { api_url: target.url, ...secrets },
    log: (level, message) => log.push(message),
  });
  // It returns a state with the tokens, which must be neither shown nor altered.
  await assert.rejects(collect(source.read('things')), /the state has a secret in it/);
  assert.ok(log.length > 0 && log.every((line) => !line.includes(KEY) && !line.includes('sealed-')), log.join());
  assert.match(log[0], /the key is \*\*\*\*, the password is \*\*\*\*/);
});

test('every mark of a secret in a schema is found', async () => {
  const value = 'marked-secret-0123456789';
  const marks = {
    pointer: value, chain: value, beside: value, nowhere_else: value, text: value, object: { deep: value },
    positions: ['plain', value], others: ['plain', value], contained: [value], patterned: { s1: value },
    additional: { any: value }, all: value, any: value, then: value, else: value, dependent: value,
  };
  for (const [name, marked] of Object.entries(marks)) {
    const config = { api_url: target.url, [name]: marked };
    const source = await connector({ component: guests.marked, config });
    const { records } = await collect(source.read('things'));
    const seen = [...JSON.parse(records[2]).backwards].reverse().join('');
    assert.ok(!seen.includes(value), `${name}: ${seen}`);
  }
  // References that are not followed could hide a secret.
  await assert.rejects(connector({ component: guests.marked, config: { relative: value } }), /cannot be resolved/);
});

test('a component is granted no address around it that only it names', async () => {
  await assert.rejects(start('asker'), (error) => error instanceof ConnectorError && /cannot be granted/.test(error.message));
  for (const address of ['http://localhost:8080', 'http://10.0.0.1', 'http://metadata.internal', 'http://[fd00::1]', 'http://2130706433.local']) {
    await assert.rejects(start('caller', { api_url: address }), /not on the internet/, address);
  }
  const { source } = await start('caller', { api_url: 'http://localhost:8080' }, { allowedOrigins: ['http://localhost:8080'] });
  assert.deepEqual(source.origins, ['http://localhost:8080']);
});

test('a component has no files and no sockets', async () => {
  for (const name of ['files', 'sockets']) {
    await assert.rejects(start(name), (error) => error.failureType === 'config' && /imports wasi:/.test(error.message));
  }
});

test('a component sees no environment, arguments or terminal', async () => {
  const { answers } = await read('look_around');
  assert.deepEqual(answers, [{ arguments: 0, variables: 0, terminal: false }]);
});

test('requests are counted and limited', async () => {
  const { error } = await failed('many_requests', { count: 50 }, { limits: { requests: 10 } });
  assert.match(error.message, /`requests` \(10\)/);
  const before = target.requests.length;
  const { answers } = await read('request_flood', { count: 50 }, { limits: { inFlight: 3 } });
  assert.deepEqual(answers, [{ answered: 50 }]);
  // It sends them in each of two turns.
  assert.equal(target.requests.length, before + 100);
  const flood = await failed('request_flood', { count: 5000 });
  assert.match(flood.error.message, /`waiting` \(256\)/);
});

test('no more requests are in flight than allowed', async () => {
  let [now, most] = [0, 0];
  const slow = await server(async (_, response) => {
    most = Math.max(most, (now += 1));
    await new Promise(setImmediate);
    now -= 1;
    response.end('{}');
  });
  await read('request_flood', { api_url: slow.url, count: 60 }, { limits: { inFlight: 4 } });
  assert.ok(most <= 4, `${most}`);
  await slow.stop();
});

test('nothing is sent once a read has ended', async () => {
  const held = [];
  const silent = await server((request, response) => held.push(response));
  const aborted = new AbortController();
  const { source } = await start('request_flood', { api_url: silent.url, count: 40 }, {
    fetch: (url, init) => {
      const sent = fetch(url, init);
      if (init.method === 'GET' && held.length === 0) queueMicrotask(() => aborted.abort(new Error('enough')));
      return sent;
    },
    limits: { inFlight: 2 },
  });
  await assert.rejects(collect(source.read('things', { signal: aborted.signal })), /enough/);
  const sent = silent.requests.length;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(silent.requests.length, sent);
  assert.ok(sent <= 2, `${sent}`);
  await silent.stop();
});

test('bodies and headers of requests are bounded', async () => {
  const { error } = await failed('body_hog');
  assert.equal(error.failureType, 'system');
  const headers = await failed('header_hog', { count: 20_000 });
  assert.match(`${headers.error.message} ${headers.error.internalMessage}`, /headerBytes|crashed/);
});

test('a call that waits forever is ended', async () => {
  const { error } = await failed('endless_wait', {}, { limits: { callMilliseconds: 50 } });
  assert.equal(error.failureType, 'transient');
  assert.match(error.message, /callMilliseconds/);
  const whole = await failed('endless_wait', {}, { limits: { milliseconds: 50 } });
  assert.match(whole.error.message, /`milliseconds`/);
});

test('a component that makes handles forever is ended', async () => {
  for (const kind of ['pollables', 'headers']) {
    const { error } = await failed('handle_hog', { kind }, { limits: { computeMilliseconds: 50 } });
    assert.match(error.message, /computeMilliseconds/, kind);
  }
});

test('a component that crashes is a system error, and the next read has a new instance', async () => {
  for (const name of ['panic', 'exit', 'memory_hog', 'random_hog', 'stack_overflow']) {
    const { error } = await failed(name);
    assert.equal(error.failureType, 'system', name);
    assert.match(error.message, /crashed/, name);
    const { source } = await start(name);
    assert.equal((await collect(source.read('good'))).records.length, 2);
  }
});

test('a record is one JSON object on one line, and a state is an object', async () => {
  for (const record of ['', '[]', 'null', '{', '{}{}', '{"a":1}\n{"a":2}', '{"a":NaN}', '"text"']) {
    const { error } = await failed('echo', { record });
    assert.match(error.message, /a record that is not a JSON object/, record);
  }
  const { records } = await read('echo', { record: '{\n"a":\r\n1.00000000000000000001}' });
  assert.equal(records[2], '{ "a": 1.00000000000000000001}');
  const { error } = await failed('echo', { record: '{}', checkpoint: '[]' });
  assert.match(error.message, /a state that is not a JSON object/);
});

test('log lines are masked, cut, bounded and forge nothing', async () => {
  const { log } = await read('talker', { lines: ['one\nerror: two', '\u001b[31mred', '\u202ereversed', 'x'.repeat(20_000)] });
  assert.equal(log.length, 4);
  assert.equal(log[0], 'info: one\\nerror: two');
  assert.ok(log.every((line) => !/[\u0000-\u001f\u202e]/.test(line)));
  assert.ok(log[3].length < 9000);
  const flood = await failed('log_flood', {}, { limits: { logLines: 10, computeMilliseconds: 500 } });
  assert.match(flood.error.message, /computeMilliseconds/);
  assert.equal(flood.log.length, 11);
  assert.match(flood.log[10], /more than 10 lines/);
});

test('errors are masked, cut, and on one line', async () => {
  const message = `no\n\u001b[2J${KEY}`;
  const { error } = await failed('wrong_error', { message, times: 2000 });
  assert.ok(!error.message.includes(KEY) && !/[\u0000-\u001f]/.test(error.message));
  assert.ok(error.message.length < 9000);
  assert.equal(error.failureType, 'system');
  const { source } = await start('wrong_error', { message });
  await assert.rejects(source.check(), ({ failureType }) => failureType === 'config');
});

test('a schema that is no JSON is an error of the connector', async () => {
  await assert.rejects(start('wrong_spec'), ({ failureType }) => failureType === 'system');
});

test('progress of any size is passed on', async () => {
  let count = 0;
  const { source } = await start('progress_flood');
  await collect(source.read('things', { slices: () => (count += 1), rateLimited: () => (count += 1) }));
  assert.equal(count, 40_000);
});

test('a connector of the older contract runs', async () => {
  const { source } = await start('contract_0_2', {}, { limits: {} });
  const [stream] = await source.streams();
  assert.equal(stream.selectedByDefault, true);
  assert.deepEqual((await collect(source.read('numbers'))).records, ['{"n":1}', '{"n":2}', '{"n":3}']);
  await assert.rejects(source.check(), ({ failureType }) => failureType === 'config');
});
