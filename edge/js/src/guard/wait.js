/** Waiting: for a place among the requests in flight, and no longer than until a time or an abort. */

import { after } from '../wasi/clocks.js';

/** A number of places, taken in order. */
export class Places {
  #free;
  #waiting = new Set();

  constructor(count) {
    this.#free = count;
  }

  /** @param {AbortSignal} signal Gives up waiting. */
  async take(signal) {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(take);
        reject(signal.reason);
      };
      const take = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      this.#waiting.add(take);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  free() {
    for (const take of this.#waiting) {
      this.#waiting.delete(take);
      take();
      return;
    }
    this.#free += 1;
  }
}

/**
 * Waits for a promise, or throws the reason of an abort.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
export async function unlessAborted(promise, signal) {
  signal.throwIfAborted();
  let abort;
  const aborted = new Promise((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
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
