/**
 * `wasi:io/poll` over promises. The functions that block suspend the component (JSPI), so the event
 * loop goes on.
 */

import { Resource, noticing } from './handles.js';

/** The longest time that a component keeps the event loop busy by waiting for what is ready. */
const BUSY_MILLISECONDS = 100;

/**
 * Where a component waits. It wakes up no more once its session has ended; and one that only waits
 * for what is ready lets timers run, so that there is something to end it.
 *
 * Also where it is seen to compute for too long, since only a call of it into JavaScript can be
 * made to fail.
 */
export class Waits {
  #end;
  #onBusy;
  #since = performance.now();
  #woken = performance.now();

  /**
   * @param {import('../end.js').End} end
   * @param {import('./handles.js').Handles} handles What the component keeps.
   * @param {(milliseconds: number) => void} onBusy Throws if that is too long to compute.
   */
  constructor(end, handles, onBusy) {
    this.#end = end;
    this.handles = handles;
    this.#onBusy = onBusy;
  }

  /** A call of the component that does not wait. Throws if it should have ended. */
  pass() {
    this.#end.signal.throwIfAborted();
    this.#onBusy(performance.now() - this.#woken);
  }

  /** The component is called, or goes on. */
  wake() {
    this.#woken = performance.now();
  }

  /**
   * Waits until one of some pollables is ready.
   *
   * @param {Pollable[]} pollables
   */
  async any(pollables) {
    this.pass();
    if (performance.now() - this.#since > BUSY_MILLISECONDS) {
      await new Promise((resolve) => setTimeout(resolve));
      this.#since = performance.now();
      this.pass();
    }
    if (pollables.some((pollable) => pollable.isReady)) return;
    const latches = pollables.map((pollable) => pollable.latch);
    let wake;
    try {
      await this.#end.or((resolve) => {
        wake = resolve;
        for (const latch of latches) latch.add(wake);
      });
    } finally {
      for (const latch of latches) latch.delete(wake);
    }
    this.wake();
  }
}

/**
 * Something that happens once. Unlike a promise, it forgets who does not wait any more: a component
 * may ask any number of times.
 */
export class Latch {
  #isSet = false;
  #waiting = new Set();

  get isSet() {
    return this.#isSet;
  }

  set() {
    this.#isSet = true;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  add(wake) {
    this.#waiting.add(wake);
  }

  delete(wake) {
    this.#waiting.delete(wake);
  }
}

/** Something to wait for. */
export class Pollable extends Resource {
  #cancel;

  /**
   * @param {Waits} waits
   * @param {Latch=} latch Ready at once without one.
   * @param {() => void=} cancel Called when nobody can wait for it any more.
   */
  constructor(waits, latch, cancel) {
    super(waits);
    this.latch = latch;
    this.#cancel = cancel;
  }

  get isReady() {
    return this.latch?.isSet ?? true;
  }

  ready() {
    return this.isReady;
  }

  block() {
    return this.waits.any([this]);
  }

  [Symbol.dispose]() {
    super[Symbol.dispose]();
    this.#cancel?.();
  }
}
noticing(Pollable);

/**
 * `wasi:io/poll#poll`: waits until one of the pollables is ready, and returns the places of those
 * that are.
 *
 * @param {Waits} waits
 */
export function poll(waits) {
  return async (pollables) => {
    waits.handles.given(pollables.length);
    if (pollables.length === 0) throw new Error('poll needs something to wait for');
    await waits.any(pollables);
    return new Uint32Array(pollables.flatMap((pollable, place) => (pollable.isReady ? [place] : [])));
  };
}
