/** The response of `wasi:http/types`, as a component reads it. What it drops is not downloaded. */

import { Fields } from './fields.js';
import { OBJECT_BYTES, Resource, noticing } from './handles.js';
import { OutgoingRequest } from './outgoing.js';
import { Latch, Pollable } from './poll.js';
import { InputStream } from './streams.js';

const encoder = new TextEncoder();

/** A request that is being answered. Dropped before the component has the answer, it is aborted. */
export class FutureIncomingResponse extends Resource {
  #answered = new Latch();
  #aborted = new AbortController();
  /** The response or the error, until the component takes it. */
  #outcome;
  #isTaken = false;

  /**
   * @param {import('./poll.js').Waits} waits
   * @param {import('../guard/guard.js').Guard} guard
   * @param {OutgoingRequest} request Taken over.
   */
  constructor(waits, guard, request) {
    super(waits);
    guard
      .send(() => OutgoingRequest.complete(request), this.#aborted)
      .then((response) => this.#take(response))
      .catch((error) => {
        const code = error?.tag ? error : { tag: 'internal-error', val: String(error?.message ?? error) };
        this.#outcome = { tag: 'err', val: code };
      })
      .finally(() => {
        request[Symbol.dispose]();
        this.#answered.set();
      });
  }

  subscribe() {
    return new Pollable(this.waits, this.#answered);
  }

  get() {
    if (!this.#answered.isSet) return undefined;
    if (this.#isTaken) return { tag: 'err', val: undefined };
    this.#isTaken = true;
    const { tag, val } = this.#outcome;
    this.#outcome = undefined;
    return { tag: 'ok', val: { tag, val: tag === 'ok' ? new IncomingResponse(this.waits, val) : val } };
  }

  [Symbol.dispose]() {
    if (this.isGone) return;
    super[Symbol.dispose]();
    if (this.#isTaken) return;
    this.#aborted.abort(new Error('the connector does not want the response any more'));
    if (this.#outcome?.tag === 'ok') this.#outcome.val.body.cancel();
  }

  #take(response) {
    if (this.isGone) return response.body.cancel();
    this.hold(size(response.headers));
    this.#outcome = { tag: 'ok', val: response };
  }
}
noticing(FutureIncomingResponse);

/** A response, whose body is taken by `consume`. */
export class IncomingResponse extends Resource {
  #response;
  #isConsumed = false;

  /**
   * @param {import('./poll.js').Waits} waits
   * @param {import('../guard/guard.js').Response} response
   */
  constructor(waits, response) {
    super(waits);
    this.hold(size(response.headers));
    this.#response = response;
  }

  status() {
    return this.#response.status;
  }

  headers() {
    return Fields.of(
      this.waits,
      this.#response.headers.map(([name, value]) => [name, encoder.encode(value)]),
    );
  }

  consume() {
    if (this.#isConsumed) throw undefined;
    this.#isConsumed = true;
    return new IncomingBody(this.waits, this.#response.body);
  }

  [Symbol.dispose]() {
    if (this.isGone) return;
    super[Symbol.dispose]();
    if (!this.#isConsumed) this.#response.body.cancel();
  }
}
noticing(IncomingResponse);

/** The body of a response, whose bytes `stream` reads. */
export class IncomingBody extends Resource {
  #source;
  #isRead = false;

  constructor(waits, source) {
    super(waits);
    this.#source = source;
  }

  stream() {
    if (this.#isRead) throw undefined;
    this.#isRead = true;
    return new InputStream(this.waits, this.#source);
  }

  static finish(body) {
    body[Symbol.dispose]();
    return new FutureTrailers(body.waits);
  }

  [Symbol.dispose]() {
    if (this.isGone) return;
    super[Symbol.dispose]();
    if (!this.#isRead) this.#source.cancel();
  }
}
noticing(IncomingBody);

/** `fetch` has no trailers. */
export class FutureTrailers extends Resource {
  subscribe() {
    return new Pollable(this.waits);
  }

  get() {
    return { tag: 'ok', val: { tag: 'ok', val: undefined } };
  }
}
noticing(FutureTrailers);

const size = (headers) => headers.reduce((bytes, [name, value]) => bytes + name.length + value.length + OBJECT_BYTES, 0);
