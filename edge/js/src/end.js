/**
 * The end of a session. Whatever waits ends with it. `Promise.race` against one long promise would
 * do the same, but keeps the outcome of every race, which here are whole batches.
 */
export class End {
  #controller = new AbortController();
  #rejects = new Set();

  get signal() {
    return this.#controller.signal;
  }

  /** The session ends. Only the first reason counts. */
  come(reason) {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    for (const reject of this.#rejects) reject(reason);
    this.#rejects.clear();
  }

  /**
   * Waits for something, or throws the reason of the end.
   *
   * @template T
   * @param {(resolve: (value: T) => void, reject: (error: unknown) => void) => void} start
   * @returns {Promise<T>}
   */
  async or(start) {
    this.signal.throwIfAborted();
    let stop;
    try {
      return await new Promise((resolve, reject) => {
        stop = reject;
        this.#rejects.add(reject);
        start(resolve, reject);
      });
    } finally {
      this.#rejects.delete(stop);
    }
  }
}
