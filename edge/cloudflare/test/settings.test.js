/** The numbers among the Worker's variables. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { numbers } from '../src/settings.js';

test('numbers have defaults, and may be texts', () => {
  assert.deepEqual(numbers({}), { IN_FLIGHT: 5, SLICE_REQUESTS: 30, SYNC_MINUTES: 1440 });
  const given = { IN_FLIGHT: '6', SLICE_REQUESTS: 2, SYNC_MINUTES: '0' };
  assert.deepEqual(numbers(given), { IN_FLIGHT: 6, SLICE_REQUESTS: 2, SYNC_MINUTES: 0 });
});

test('what is no whole number within its bounds is an error of the config, which says so', () => {
  for (const name of ['IN_FLIGHT', 'SLICE_REQUESTS', 'SYNC_MINUTES']) {
    for (const value of ['', ' ', 'five', '2.5', '-1', '1e1', '0x5', '5 ', 'NaN', 'Infinity', '1000000', 2.5, -1, null, true]) {
      assert.throws(() => numbers({ [name]: value }), ({ failureType, message }) => {
        assert.equal(failureType, 'config');
        return message.startsWith(`\`${name}\` must be a whole number from `) && message.endsWith(JSON.stringify(value));
      });
    }
  }
  for (const [name, value] of [['IN_FLIGHT', '0'], ['IN_FLIGHT', '7'], ['SLICE_REQUESTS', '0']]) {
    assert.throws(() => numbers({ [name]: value }), /must be a whole number/);
  }
});
