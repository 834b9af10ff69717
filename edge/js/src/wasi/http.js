/**
 * `wasi:http` over the guard, which decides whether a request is allowed, and what is put into it.
 */

import { InputStream, OutputStream, Pollable } from './io.js';

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/** Header fields, in order. */
export class Fields {
  #entries = [];

  static fromList(list) {
    const fields = new this();
    for (const [name, value] of list) fields.append(name, value);
    return fields;
  }

  append(name, value) {
    const isClean = value.every((byte) => byte === 9 || (byte >= 32 && byte !== 127));
    if (!NAME.test(name) || !isClean) throw { tag: 'invalid-syntax' };
    this.#entries.push([name.toLowerCase(), value]);
  }

  set(name, values) {
    this.delete(name);
    for (const value of values) this.append(name, value);
  }

  delete(name) {
    this.#entries = this.#entries.filter(([other]) => other !== name.toLowerCase());
  }

  get(name) {
    return this.#entries.filter(([other]) => other === name.toLowerCase()).map(([, value]) => value);
  }

  has(name) {
    return this.get(name).length > 0;
  }

  entries() {
    return this.#entries;
  }

  clone() {
    return Fields.fromList(this.#entries);
  }
}

class OutgoingBody {
  chunks = [];
  #waits;
  #room;
  #settle;
  finished = new Promise((resolve, reject) => {
    this.#settle = { resolve, reject };
  });

  constructor(waits, room) {
    this.#waits = waits;
    this.#room = room;
    this.finished.catch(() => {});
  }

  write() {
    return new OutputStream(this.#waits, (bytes) => this.chunks.push(bytes), this.#room);
  }

  static finish(body) {
    body.#settle.resolve();
  }

  /** A body that is dropped before its end must not be sent as if it were whole. */
  [Symbol.dispose]() {
    this.#settle.reject({ tag: 'internal-error', val: 'the body of the request was not finished' });
  }
}

class OutgoingRequest {
  method = { tag: 'get' };
  scheme = undefined;
  authority = undefined;
  path = '/';
  outgoingBody = null;
  #headers;

  constructor(headers) {
    this.#headers = headers;
  }

  setMethod(method) {
    this.method = method;
  }

  setScheme(scheme) {
    this.scheme = scheme;
  }

  setAuthority(authority) {
    this.authority = authority;
  }

  setPathWithQuery(path) {
    this.path = path ?? '/';
  }

  headers() {
    return this.#headers;
  }

  body() {
    if (this.outgoingBody) throw undefined;
    this.outgoingBody = new OutgoingBody(this.waits, this.room);
    return this.outgoingBody;
  }
}

/** Timeouts are up to the limits. */
class RequestOptions {
  setConnectTimeout() {}
  setFirstByteTimeout() {}
  setBetweenBytesTimeout() {}
}

class IncomingBody {
  #waits;
  #source;

  constructor(waits, source) {
    this.#waits = waits;
    this.#source = source;
  }

  stream() {
    return new InputStream(this.#waits, this.#source);
  }

  static finish(body) {
    return new FutureTrailers(body.#waits);
  }
}

class FutureTrailers {
  #waits;

  constructor(waits) {
    this.#waits = waits;
  }

  subscribe() {
    return new Pollable(this.#waits);
  }

  get() {
    return { tag: 'ok', val: { tag: 'ok', val: undefined } };
  }
}

class IncomingResponse {
  #waits;
  #response;

  constructor(waits, response) {
    this.#waits = waits;
    this.#response = response;
  }

  status() {
    return this.#response.status;
  }

  headers() {
    return Fields.fromList(this.#response.headers.map(([name, value]) => [name, encoder.encode(value)]));
  }

  consume() {
    return new IncomingBody(this.#waits, this.#response.body);
  }
}

class FutureIncomingResponse {
  #waits;
  #promise;
  #outcome = null;
  #taken = false;

  constructor(waits, promise) {
    this.#waits = waits;
    this.#promise = promise.then(
      (response) => {
        this.#outcome = { tag: 'ok', val: new IncomingResponse(waits, response) };
      },
      (error) => {
        const code = error?.tag ? error : { tag: 'internal-error', val: String(error?.message ?? error) };
        this.#outcome = { tag: 'err', val: code };
      },
    );
  }

  subscribe() {
    return new Pollable(this.#waits, this.#outcome ? undefined : this.#promise);
  }

  get() {
    if (!this.#outcome) return undefined;
    if (this.#taken) return { tag: 'err', val: undefined };
    this.#taken = true;
    return { tag: 'ok', val: this.#outcome };
  }
}

/**
 * The two interfaces of `wasi:http` that a connector imports.
 *
 * @param {import('../guard/guard.js').Guard} guard
 * @param {import('./io.js').Waits} waits
 */
export function http(guard, waits) {
  const handle = (request) => {
    const body = request.outgoingBody;
    const complete = async () => {
      await body?.finished;
      const headers = request.headers().entries().map(([name, value]) => [name, decoder.decode(value)]);
      const method = request.method.val ?? request.method.tag.toUpperCase();
      const scheme = (request.scheme?.val ?? request.scheme?.tag ?? '').toLowerCase();
      const url = `${scheme}://${request.authority ?? ''}${request.path}`;
      return { method, url, headers, body: body?.chunks ?? [] };
    };
    return new FutureIncomingResponse(waits, guard.send(complete));
  };
  class CountedFields extends Fields {
    constructor() {
      super();
      waits.pass();
    }

    // Those of responses are plain ones.
    static [Symbol.hasInstance](value) {
      return value instanceof Fields;
    }
  }
  class LimitedRequest extends OutgoingRequest {
    waits = waits;
    room = guard.requestBytes;
  }
  return {
    'wasi:http/types': {
      Fields: CountedFields,
      FutureIncomingResponse,
      FutureTrailers,
      IncomingBody,
      IncomingResponse,
      OutgoingBody,
      OutgoingRequest: LimitedRequest,
      RequestOptions,
    },
    'wasi:http/outgoing-handler': { handle },
  };
}
