/** What is changed in the script that jco writes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { adapted } from '../tools/transpile.mjs';

const LOG = `const _debugLog = (...args) => {
    if (!globalThis?.process?.env?.JCO_DEBUG) { return; }
    console.debug(...args);
  };
`;
const REPS = `  table._createdReps.add(rep);
`;

test('what is to be changed in the script is there exactly once, or nothing is written', () => {
  const script = adapted(`${LOG}${REPS}rest();`);
  assert.match(script, /^const _debugLog = \(\) => \{\};\nrest\(\);\n/);
  for (const [text, times] of [[LOG, 0], [REPS, 0], [`${LOG}${REPS}${LOG}`, 2], [`${LOG}${REPS}${REPS}`, 2]]) {
    assert.throws(() => adapted(text), ({ message }) => message.includes(`${times} times`), text);
  }
});
