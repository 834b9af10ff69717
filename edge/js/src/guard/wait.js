/** Waiting: for a place among the requests in flight, and for no longer than a time. */

import { after } from '../wasi/clocks.js';

/** A number of places, taken in order. */
export class Places {
  #free;
  #waiting = [];

  constructor(count) {
    this.#free = count;
  }

  async take() {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise((resolve) => this.#waiting.push(resolve));
  }

  free() {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}

/**
 * Waits for a promise. If that takes longer than some milliseconds, aborts and throws `late`.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {number} milliseconds
 * @param {AbortController} aborted
 * @param {unknown} late
 * @returns {Promise<T>}
 */
export async function within(promise, milliseconds, aborted, late) {
  let timer;
  const elapsed = new Promise((_, reject) => {
    timer = after(milliseconds, () => {
      aborted.abort(late);
      reject(late);
    });
  });
  try {
    return await Promise.race([promise, elapsed]);
  } finally {
    clearTimeout(timer);
  }
}
