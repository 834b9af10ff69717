/**
 * `wasi:io` over promises. The functions that block suspend the component (JSPI), so the event loop
 * goes on.
 */

/** The error behind a failed stream operation. */
export class IoError {
  #reason;

  constructor(reason) {
    this.#reason = String(reason);
  }

  toDebugString() {
    return this.#reason;
  }
}

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
   * @param {(milliseconds: number) => void} onBusy Throws if that is too long to compute.
   */
  constructor(end, onBusy) {
    this.#end = end;
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
    if (pollables.some((pollable) => pollable.ready())) return;
    let wake;
    try {
      await this.#end.or((resolve) => {
        wake = resolve;
        for (const pollable of pollables) pollable.waiting.add(wake);
      });
    } finally {
      for (const pollable of pollables) pollable.waiting.delete(wake);
    }
    this.wake();
  }
}

/** Something to wait for: ready once its promise has settled, however it did. */
export class Pollable {
  #settled = false;
  #waits;
  /** What to call once it is ready. */
  waiting = new Set();

  /**
   * @param {Waits} waits
   * @param {Promise<unknown>=} promise Ready at once without one.
   */
  constructor(waits, promise) {
    waits.pass();
    this.#waits = waits;
    if (!promise) this.#settled = true;
    const settle = () => {
      this.#settled = true;
      for (const wake of this.waiting) wake();
    };
    promise?.then(settle, settle);
  }

  ready() {
    return this.#settled;
  }

  block() {
    return this.#waits.any([this]);
  }
}

/**
 * `wasi:io/poll#poll`: waits until one of the pollables is ready, and returns the places of those
 * that are.
 *
 * @param {Waits} waits
 */
export function poll(waits) {
  return async (pollables) => {
    if (pollables.length === 0) throw new Error('poll needs something to wait for');
    const ready = () => pollables.flatMap((pollable, place) => (pollable.ready() ? [place] : []));
    await waits.any(pollables);
    return new Uint32Array(ready());
  };
}

const CLOSED = { tag: 'closed' };
const failed = (reason) => ({ tag: 'last-operation-failed', val: new IoError(reason) });

/** The bytes of a response body, pulled one chunk ahead of the component. */
export class InputStream {
  #source;
  #chunk = null;
  #end = null;
  #pull = null;
  #waits;

  /**
   * @param {Waits} waits
   * @param {{ next(): Promise<Uint8Array | null>, cancel(): void }} source
   */
  constructor(waits, source) {
    this.#waits = waits;
    this.#source = source;
  }

  /** Up to `length` bytes. Empty if there are none yet. */
  read(length) {
    if (!this.#chunk) {
      if (this.#end) throw this.#end;
      this.#start();
      return new Uint8Array();
    }
    const wanted = length < BigInt(this.#chunk.length) ? Number(length) : this.#chunk.length;
    const bytes = this.#chunk.subarray(0, wanted);
    this.#chunk = wanted < this.#chunk.length ? this.#chunk.subarray(wanted) : null;
    if (!this.#chunk) this.#start();
    return bytes;
  }

  /** Waits for bytes, unlike `read`. */
  async blockingRead(length) {
    while (!this.#chunk && !this.#end) {
      await this.subscribe().block();
    }
    return this.read(length);
  }

  skip(length) {
    return BigInt(this.read(length).length);
  }

  async blockingSkip(length) {
    return BigInt((await this.blockingRead(length)).length);
  }

  subscribe() {
    this.#start();
    return new Pollable(this.#waits, this.#chunk || this.#end ? undefined : this.#pull);
  }

  /** Stops the download if the component loses interest before the end. */
  [Symbol.dispose]() {
    if (!this.#end) this.#source.cancel();
    this.#end ??= CLOSED;
    this.#chunk = null;
  }

  #start() {
    if (this.#pull || this.#chunk || this.#end) return;
    this.#pull = this.#source
      .next()
      .then(
        (chunk) => {
          if (!this.#end) chunk ? (this.#chunk = chunk) : (this.#end = CLOSED);
        },
        (error) => {
          this.#end ??= failed(error.message);
        },
      )
      .finally(() => {
        this.#pull = null;
      });
  }
}

/** Collects what a component writes, up to a number of bytes. */
export class OutputStream {
  #sink;
  #room;
  #waits;

  /**
   * @param {Waits} waits
   * @param {(bytes: Uint8Array) => void} sink
   * @param {number} room The most bytes.
   */
  constructor(waits, sink, room) {
    this.#waits = waits;
    this.#sink = sink;
    this.#room = room;
  }

  checkWrite() {
    return BigInt(Math.min(this.#room, 64 * 1024));
  }

  write(bytes) {
    if (bytes.length > this.#room) throw failed('too many bytes');
    this.#room -= bytes.length;
    // The component may use the memory again.
    this.#sink(bytes.slice());
  }

  flush() {}

  blockingFlush() {}

  blockingWriteAndFlush(bytes) {
    this.write(bytes);
  }

  subscribe() {
    return new Pollable(this.#waits);
  }
}
