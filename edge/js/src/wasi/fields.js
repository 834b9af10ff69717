/** `wasi:http/types#fields`. */

import { OBJECT_BYTES, Resource, noticing } from './handles.js';

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Header fields, in order. Their names are in lower case. */
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
   * @param {[string, Uint8Array][]} entries Valid, with names in lower case.
   */
  static of(waits, entries) {
    const fields = new Fields(waits);
    for (const entry of entries) fields.#keep(entry);
    fields.#isImmutable = true;
    return fields;
  }

  append(name, value) {
    this.#change();
    const isClean = value.every((byte) => byte === 9 || (byte >= 32 && byte !== 127));
    if (!NAME.test(name) || !isClean) throw { tag: 'invalid-syntax' };
    this.#keep([name.toLowerCase(), value]);
  }

  set(name, values) {
    this.delete(name);
    for (const value of values) this.append(name, value);
  }

  delete(name) {
    this.#change();
    const isIt = named(name);
    this.#entries.filter(isIt).forEach((entry) => this.free(size(entry)));
    this.#entries = this.#entries.filter((entry) => !isIt(entry));
  }

  get(name) {
    return this.#entries.filter(named(name)).map(([, value]) => value);
  }

  has(name) {
    return this.#entries.some(named(name));
  }

  entries() {
    return this.#entries;
  }

  clone() {
    const clone = new Fields(this.waits);
    for (const entry of this.#entries) clone.#keep(entry);
    return clone;
  }

  #keep(entry) {
    this.hold(size(entry));
    this.#entries.push(entry);
  }

  #change() {
    if (this.#isImmutable) throw { tag: 'immutable' };
  }
}
noticing(Fields);

/** Whether an entry has a name, in whatever case. */
function named(name) {
  const wanted = name.toLowerCase();
  return ([other]) => other === wanted;
}

const size = ([name, value]) => name.length + value.length + OBJECT_BYTES;
