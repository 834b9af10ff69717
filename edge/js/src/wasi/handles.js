/** What a component makes this program keep: resources, and the bytes behind them. */

import { exceeded } from '../limits.js';

/** What JavaScript takes for a small object, roughly and rather too high. */
export const OBJECT_BYTES = 256;

/** Counts what one session keeps. */
export class Handles {
  #count = 0;
  #bytes = 0;
  #limits;
  #end;

  /**
   * @param {{ handles: number, heldBytes: number }} limits
   * @param {(error: Error) => void} end Ends the session.
   */
  constructor(limits, end) {
    this.#limits = limits;
    this.#end = end;
  }

  /** How many resources there are. */
  get count() {
    return this.#count;
  }

  /** How many bytes they keep. */
  get bytes() {
    return this.#bytes;
  }

  open() {
    this.#count += 1;
    this.#check('handles', this.#count);
  }

  close() {
    this.#count -= 1;
  }

  /** A call was given so many handles, of which some may be the same. */
  given(count) {
    this.#check('handles', count);
  }

  hold(bytes) {
    this.#bytes += bytes;
    this.#check('heldBytes', this.#bytes);
  }

  free(bytes) {
    this.#bytes -= bytes;
  }

  #check(name, used) {
    const most = this.#limits[name];
    if (used <= most) return;
    const error = exceeded(name, most);
    this.#end(error);
    throw error;
  }
}

/**
 * A resource of which a component has a handle. It is gone once the component drops the handle,
 * which is when jco disposes of it; or once a call that takes it over does so.
 */
export class Resource {
  #waits;
  #bytes = 0;
  #isGone = false;

  /** @param {import('./poll.js').Waits} waits */
  constructor(waits) {
    waits.pass();
    waits.handles.open();
    this.#waits = waits;
  }

  get waits() {
    return this.#waits;
  }

  get isGone() {
    return this.#isGone;
  }

  /** Counts bytes that are kept until the resource is gone, or they are freed. */
  hold(bytes) {
    if (this.#isGone) return;
    this.#bytes += bytes;
    this.#waits.handles.hold(bytes);
  }

  free(bytes) {
    if (this.#isGone) return;
    this.#bytes -= bytes;
    this.#waits.handles.free(bytes);
  }

  [Symbol.dispose]() {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#waits.handles.free(this.#bytes);
    this.#waits.handles.close();
  }
}

/**
 * Makes every method of a resource notice that its session has ended, or that the component
 * computes for too long: each is a call of the component.
 *
 * @template {typeof Resource} C
 * @param {C} resource
 * @returns {C}
 */
export function noticing(resource) {
  const { prototype } = resource;
  for (const [name, { value: method }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (typeof method !== 'function' || name === 'constructor') continue;
    prototype[name] = function (...values) {
      this.waits.pass();
      return method.apply(this, values);
    };
  }
  return resource;
}
