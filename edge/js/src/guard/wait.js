/** Waiting: for a place among the requests in flight, and until an abort or a time at most. */

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
 * Waits for a promise, or throws the reason of an abort, which counts even if the promise has just
 * resolved: what it brings may have been cancelled by then.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
export async function unlessAborted(promise, signal) {
  let abort;
  const aborted = new Promise((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  if (signal.aborted) abort();
  try {
    const value = await Promise.race([aborted, promise]);
    signal.throwIfAborted();
    return value;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * Waits for a promise, or throws the reason of an abort. If it takes longer than some milliseconds,
 * aborts with `late`.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {number} milliseconds
 * @param {AbortController} aborted
 * @param {unknown} late
 * @returns {Promise<T>}
 */
export async function within(promise, milliseconds, aborted, late) {
  const timer = after(milliseconds, () => aborted.abort(late));
  try {
    return await unlessAborted(promise, aborted.signal);
  } finally {
    clearTimeout(timer);
  }
}
