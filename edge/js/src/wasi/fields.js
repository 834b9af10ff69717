/** `wasi:http/types#fields`. */

import { OBJECT_BYTES, Resource, noticing } from './handles.js';

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Header fields, in order. */
export class Fields extends Resource {
  #entries = [];
  #isImmutable = false;

  static fromList(list) {
    const fields = new this();
    for (const [name, value] of list) fields.append(name, value);
    return fields;
  }

  /**
   * Fields that cannot be changed.
   *
   * @param {import('./poll.js').Waits} waits
   * @param {[string, Uint8Array][]} entries
   */
  static of(waits, entries) {
    const fields = new Fields(waits);
    for (const [name, value] of entries) fields.append(name, value);
    fields.#isImmutable = true;
    return fields;
  }

  append(name, value) {
    this.#change();
    const isClean = value.every((byte) => byte === 9 || (byte >= 32 && byte !== 127));
    if (!NAME.test(name) || !isClean) throw { tag: 'invalid-syntax' };
    const entry = [name.toLowerCase(), value];
    this.hold(size(entry));
    this.#entries.push(entry);
  }

  set(name, values) {
    this.delete(name);
    for (const value of values) this.append(name, value);
  }

  delete(name) {
    this.#change();
    const isIt = ([other]) => other === name.toLowerCase();
    this.#entries.filter(isIt).forEach((entry) => this.free(size(entry)));
    this.#entries = this.#entries.filter((entry) => !isIt(entry));
  }

  get(name) {
    return this.#entries.filter(([other]) => other === name.toLowerCase()).map(([, value]) => value);
  }

  has(name) {
    return this.get(name).length > 0;
  }

  entries() {
    return this.#entries;
  }

  clone() {
    const clone = new Fields(this.waits);
    for (const [name, value] of this.#entries) clone.append(name, value);
    return clone;
  }

  #change() {
    if (this.#isImmutable) throw { tag: 'immutable' };
  }
}
noticing(Fields);

const size = ([name, value]) => name.length + value.length + OBJECT_BYTES;
