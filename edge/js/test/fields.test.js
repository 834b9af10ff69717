/** Header fields, as a component builds and reads them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { End } from '../src/end.js';
import { Fields } from '../src/wasi/fields.js';
import { Handles } from '../src/wasi/handles.js';
import { Waits } from '../src/wasi/poll.js';

const bytes = (text) => new TextEncoder().encode(text);

function fields() {
  const handles = new Handles({ handles: 10, heldBytes: 10_000 }, assert.fail);
  return { handles, of: new Fields(new Waits(new End(), handles, () => {})) };
}

test('a name is the same in whatever case, and a copy is a copy', () => {
  const { handles, of } = fields();
  of.append('X-One', bytes('1'));
  of.append('x-one', bytes('2'));
  of.append('X-Two', bytes('3'));
  assert.deepEqual(of.get('X-ONE'), [bytes('1'), bytes('2')]);
  assert.deepEqual([of.has('x-TWO'), of.has('x-three')], [true, false]);

  const [clone, held] = [of.clone(), handles.bytes];
  of.delete('X-one');
  assert.deepEqual(of.entries(), [['x-two', bytes('3')]]);
  assert.equal(clone.entries().length, 3);
  clone.set('X-Two', [bytes('4')]);
  assert.deepEqual(clone.get('x-two'), [bytes('4')]);
  assert.deepEqual(of.get('x-two'), [bytes('3')]);

  assert.ok(handles.bytes < held);
  for (const resource of [of, clone]) resource[Symbol.dispose]();
  assert.deepEqual([handles.count, handles.bytes], [0, 0]);
});

test('what cannot be changed has what it was made of, and frees it', () => {
  const { handles, of } = fields();
  const fixed = Fields.of(of.waits, [['x-one', bytes('1')]]);
  for (const change of [() => fixed.append('a', bytes('')), () => fixed.set('x-one', []), () => fixed.delete('x-one')]) {
    assert.throws(change, ({ tag }) => tag === 'immutable');
  }
  assert.deepEqual(fixed.get('X-One'), [bytes('1')]);
  const clone = fixed.clone();
  clone.append('x-two', bytes('2'));
  for (const resource of [of, fixed, clone]) resource[Symbol.dispose]();
  assert.deepEqual([handles.count, handles.bytes], [0, 0]);
});

test('names and values that forge a header are not taken', () => {
  const { of } = fields();
  for (const [name, value] of [['x y', ''], ['', ''], ['x:', ''], ['x', 'a\nb'], ['x', 'a\rb'], ['x', 'a\0b']]) {
    assert.throws(() => of.append(name, bytes(value)), ({ tag }) => tag === 'invalid-syntax');
  }
});
