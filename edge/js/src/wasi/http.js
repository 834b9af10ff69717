/**
 * `wasi:http` over the guard, which decides whether a request is allowed, and what is put into it.
 */

import { Fields } from './fields.js';
import { FutureIncomingResponse, FutureTrailers, IncomingBody, IncomingResponse } from './incoming.js';
import { OutgoingBody, OutgoingRequest, RequestOptions } from './outgoing.js';

/**
 * The two interfaces of `wasi:http` that a connector imports.
 *
 * @param {import('../guard/guard.js').Guard} guard
 * @param {import('./poll.js').Waits} waits
 */
export function http(guard, waits) {
  const handle = (request, options) => {
    options?.[Symbol.dispose]();
    return new FutureIncomingResponse(waits, guard, request);
  };
  return {
    'wasi:http/types': {
      Fields: made(Fields, waits),
      FutureIncomingResponse,
      FutureTrailers,
      IncomingBody,
      IncomingResponse,
      OutgoingBody,
      OutgoingRequest: made(OutgoingRequest, waits, guard.requestBytes),
      RequestOptions: made(RequestOptions, waits),
    },
    'wasi:http/outgoing-handler': { handle },
  };
}

/** A resource whose constructor a component calls, with what it does not pass. */
function made(Resource, ...given) {
  return class extends Resource {
    constructor(...passed) {
      super(...given, ...passed);
    }

    // Those that this package makes itself are plain ones.
    static [Symbol.hasInstance](value) {
      return value instanceof Resource;
    }
  };
}
