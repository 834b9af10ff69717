/**
 * `wasi:io` over promises. The three functions that block suspend the component (JSPI), so the
 * event loop goes on.
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

/** Something to wait for: ready once its promise has settled, however it did. */
export class Pollable {
  #settled = false;
  #promise;

  /** @param {Promise<unknown>=} promise Ready at once without one. */
  constructor(promise) {
    if (!promise) this.#settled = true;
    const settle = () => {
      this.#settled = true;
    };
    this.#promise = promise?.then(settle, settle) ?? Promise.resolve();
  }

  ready() {
    return this.#settled;
  }

  block() {
    return this.#promise;
  }
}

/**
 * `wasi:io/poll#poll`: waits until one of the pollables is ready, and returns the places of those
 * that are. Rejects when `closed` does, which ends the component's call.
 *
 * @param {Promise<never>} closed
 */
export function pollUntil(closed) {
  return async (pollables) => {
    if (pollables.length === 0) throw new Error('poll needs something to wait for');
    const ready = () => pollables.flatMap((pollable, place) => (pollable.ready() ? [place] : []));
    let places = ready();
    if (places.length === 0) {
      await Promise.race([closed, ...pollables.map((pollable) => pollable.block())]);
      places = ready();
    }
    return new Uint32Array(places);
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

  /** @param {{ next(): Promise<Uint8Array | null>, cancel(): void }} source */
  constructor(source) {
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
      this.#start();
      await this.#pull;
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
    return new Pollable(this.#chunk || this.#end ? undefined : this.#pull);
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

  /**
   * @param {(bytes: Uint8Array) => void} sink
   * @param {number} room The most bytes.
   */
  constructor(sink, room) {
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
    return new Pollable();
  }
}
