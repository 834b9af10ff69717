/** `wasi:io/streams` over what pulls and takes chunks. */

import { Resource, noticing } from './handles.js';
import { Latch, Pollable } from './poll.js';

/** The error behind a failed stream operation. */
export class IoError extends Resource {
  #reason;

  constructor(waits, reason) {
    super(waits);
    this.#reason = String(reason);
  }

  toDebugString() {
    return this.#reason;
  }
}
noticing(IoError);

const CLOSED = { tag: 'closed' };

/** The bytes of a response body, pulled one chunk ahead of the component. */
export class InputStream extends Resource {
  #source;
  #chunk = null;
  /** How many bytes the chunk had when it came: the rest keeps all of them. */
  #held = 0;
  #pulled = null;
  #isAtEnd = false;
  #failure;

  /**
   * @param {import('./poll.js').Waits} waits
   * @param {{ next(): Promise<Uint8Array | null>, cancel(): void }} source
   */
  constructor(waits, source) {
    super(waits);
    this.#source = source;
  }

  /** Up to `length` bytes. Empty if there are none yet. */
  read(length) {
    if (!this.#chunk) {
      if (this.#isAtEnd) throw this.#ended();
      this.#start();
      return new Uint8Array();
    }
    const wanted = length < BigInt(this.#chunk.length) ? Number(length) : this.#chunk.length;
    const bytes = this.#chunk.subarray(0, wanted);
    if (wanted < this.#chunk.length) {
      this.#chunk = this.#chunk.subarray(wanted);
      return bytes;
    }
    this.#chunk = null;
    this.free(this.#held);
    this.#start();
    return bytes;
  }

  /** Waits for bytes, unlike `read`. */
  async blockingRead(length) {
    while (!this.#chunk && !this.#isAtEnd) {
      const pollable = this.subscribe();
      await pollable.block();
      pollable[Symbol.dispose]();
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
    return new Pollable(this.waits, this.#chunk || this.#isAtEnd ? undefined : this.#pulled);
  }

  /** Stops the download if the component loses interest before the end. */
  [Symbol.dispose]() {
    if (this.isGone) return;
    super[Symbol.dispose]();
    if (!this.#isAtEnd) this.#source.cancel();
    this.#isAtEnd = true;
    this.#chunk = null;
  }

  /** A failure is told once; after it the stream is closed. */
  #ended() {
    if (this.#failure === undefined) return CLOSED;
    const error = { tag: 'last-operation-failed', val: new IoError(this.waits, this.#failure) };
    this.#failure = undefined;
    return error;
  }

  #start() {
    if (this.#pulled || this.#chunk || this.#isAtEnd) return;
    const pulled = new Latch();
    this.#pulled = pulled;
    this.#source
      .next()
      .then((chunk) => this.#take(chunk))
      .catch((error) => {
        this.#failure = String(error?.message ?? error);
        this.#isAtEnd = true;
      })
      .finally(() => {
        this.#pulled = null;
        pulled.set();
      });
  }

  #take(chunk) {
    if (this.isGone) return;
    if (!chunk) {
      this.#isAtEnd = true;
      return;
    }
    this.#chunk = chunk;
    this.#held = chunk.length;
    this.hold(chunk.length);
  }
}
noticing(InputStream);

/** Collects what a component writes, up to a number of bytes. */
export class OutputStream extends Resource {
  #sink;
  #room;
  #isClosed = false;

  /**
   * @param {import('./poll.js').Waits} waits
   * @param {(bytes: Uint8Array) => void} sink
   * @param {number} room The most bytes.
   */
  constructor(waits, sink, room) {
    super(waits);
    this.#sink = sink;
    this.#room = room;
  }

  checkWrite() {
    if (this.#isClosed) throw CLOSED;
    return BigInt(Math.min(this.#room, 64 * 1024));
  }

  write(bytes) {
    if (this.#isClosed) throw CLOSED;
    if (bytes.length > this.#room) {
      this.#isClosed = true;
      throw { tag: 'last-operation-failed', val: new IoError(this.waits, 'too many bytes') };
    }
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
    return new Pollable(this.waits);
  }
}
noticing(OutputStream);
