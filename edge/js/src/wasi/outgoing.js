/** The request of `wasi:http/types`, as a component builds it. */

import { Fields } from './fields.js';
import { OBJECT_BYTES, Resource, noticing } from './handles.js';
import { OutputStream } from './streams.js';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** A request, which is gone once it has been answered, or was dropped before it was sent. */
export class OutgoingRequest extends Resource {
  #parts = { method: { tag: 'get' }, scheme: undefined, authority: '', path: '/' };
  #headers;
  #body = null;
  #chunks = [];
  #room;

  /**
   * @param {import('./poll.js').Waits} waits
   * @param {number} room The most bytes of the body.
   * @param {Fields} headers Taken over.
   */
  constructor(waits, room, headers) {
    super(waits);
    this.#room = room;
    this.#headers = headers;
  }

  setMethod(method) {
    this.#set('method', method, method.val);
  }

  setScheme(scheme) {
    this.#set('scheme', scheme, scheme?.val);
  }

  setAuthority(authority) {
    this.#set('authority', authority ?? '', authority);
  }

  setPathWithQuery(path) {
    this.#set('path', path ?? '/', path);
  }

  headers() {
    return Fields.of(this.waits, this.#headers.entries());
  }

  body() {
    if (this.#body) throw undefined;
    this.#body = new OutgoingBody(this.waits, (bytes) => this.#write(bytes), this.#room);
    return this.#body;
  }

  [Symbol.dispose]() {
    super[Symbol.dispose]();
    this.#headers[Symbol.dispose]();
    this.#chunks = [];
  }

  /**
   * The request as the guard sends it, once its body is complete.
   *
   * @param {OutgoingRequest} request
   * @returns {Promise<import('../guard/guard.js').Request>}
   */
  static async complete(request) {
    await request.#body?.finished;
    const { method, scheme, authority, path } = request.#parts;
    return {
      method: method.val ?? method.tag.toUpperCase(),
      url: `${(scheme?.val ?? scheme?.tag ?? '').toLowerCase()}://${authority}${path}`,
      headers: request.#headers.entries().map(([name, value]) => [name, decoder.decode(value)]),
      body: request.#chunks,
    };
  }

  #set(part, value, text = '') {
    // Two bytes a character, if it is no Latin one.
    this.hold(2 * text.length);
    this.#parts[part] = value;
  }

  #write(bytes) {
    if (this.isGone) return;
    this.hold(bytes.length + OBJECT_BYTES);
    this.#chunks.push(bytes);
  }
}
noticing(OutgoingRequest);

/** The body of a request. What is written belongs to the request. */
export class OutgoingBody extends Resource {
  #write;
  #room;
  #isOpened = false;
  #settle = Promise.withResolvers();

  constructor(waits, write, room) {
    super(waits);
    this.#write = write;
    this.#room = room;
    this.finished.catch(() => {});
  }

  /** Resolves once the body is complete, and rejects if it was dropped before. */
  get finished() {
    return this.#settle.promise;
  }

  write() {
    if (this.#isOpened) throw undefined;
    this.#isOpened = true;
    return new OutputStream(this.waits, this.#write, this.#room);
  }

  /** `fetch` has no trailers: those that are given are dropped. */
  static finish(body, trailers) {
    trailers?.[Symbol.dispose]();
    body.#settle.resolve();
    body[Symbol.dispose]();
  }

  /** A body that is dropped before its end must not be sent as if it were whole. */
  [Symbol.dispose]() {
    super[Symbol.dispose]();
    this.#settle.reject({ tag: 'internal-error', val: 'the body of the request was not finished' });
  }
}
noticing(OutgoingBody);

/** Timeouts are up to the limits. */
export class RequestOptions extends Resource {
  connectTimeout() {}
  setConnectTimeout() {}
  firstByteTimeout() {}
  setFirstByteTimeout() {}
  betweenBytesTimeout() {}
  setBetweenBytesTimeout() {}
}
noticing(RequestOptions);
