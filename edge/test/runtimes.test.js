/** Every stream of mock-orb in each runtime of JavaScript: the records are those of `host run`. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { config, hostRecords, mockOrb } from '../js/test/support.js';
import { RUNTIMES } from './runtimes.js';
import { Records } from './scenario.js';

let server;
let account;
const expected = {};

before(async () => {
  server = await mockOrb();
  account = config(server.url, {
    // Longer ones make costs and volumes take thousands of requests.
    start_date: '2024-01-01T00:00:00Z',
    end_date: '2024-06-30T00:00:00Z',
    concurrency: 5,
  });
  const records = await hostRecords(account);
  for (const [name, texts] of Object.entries(records)) {
    const seen = new Records();
    await seen.add(texts);
    expected[name] = await seen.summary();
  }
});

after(() => server.stop());

for (const [name, run] of Object.entries(RUNTIMES)) {
  describe(name, { skip: run ? false : 'not installed here' }, () => {
    let seen;
    before(async () => {
      seen = await run(account);
    });

    test('every stream has the records of the host', () => {
      for (const [stream, found] of Object.entries(seen.streams)) {
        assert.deepEqual(found, expected[stream] ?? { count: 0, digest: found.digest }, stream);
      }
      assert.ok(Object.keys(expected).length > 40, 'mock-orb has records for every stream');
      assert.ok(Object.keys(expected).every((stream) => stream in seen.streams));
    });

    test('two readers at once do not disturb each other', () => {
      for (const [stream, found] of Object.entries(seen.together)) assert.deepEqual(found, expected[stream], stream);
    });

    test('a refused key blames the config', () => assert.equal(seen.refused, 'config'));

    test('an aborted read ends with the reason', () => assert.equal(seen.aborted, 'enough'));

    test('slices add up to everything', () => {
      const { done, count, emitted, streams } = seen.slices;
      assert.ok(done && count > 1, `${count} slices`);
      for (const [stream, found] of Object.entries(streams)) assert.deepEqual(found, expected[stream], stream);
      const distinct = Object.values(streams).reduce((sum, found) => sum + found.count, 0);
      assert.ok(emitted <= distinct * 1.1, `${emitted} records for ${distinct}`);
    });
  });
}
