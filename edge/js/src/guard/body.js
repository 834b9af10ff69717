/** The body of a response, which is read only as far and as long as it may. */

import { ConnectorError } from '../error.js';
import { exceeded } from '../limits.js';
import { within } from './wait.js';

/**
 * @param {Response} response
 * @param {object} options
 * @param {import('../limits.js').Usage} options.usage
 * @param {AbortController} options.aborted Ends the request, and cancels the body.
 * @param {() => void} options.finish Called once the body has been read or is not wanted any more.
 * @param {(error: ConnectorError) => void} options.end Ends the session, if a limit is exceeded.
 * @returns {import('./guard.js').Body}
 */
export function body(response, { usage, aborted, finish, end }) {
  const reader = response.body?.getReader();
  if (!reader) {
    finish();
    return { next: async () => null, cancel() {} };
  }
  // A `fetch` of the program may take no notice of the signal. One that does has failed the stream.
  const stop = () => {
    finish();
    reader.cancel(aborted.signal.reason).catch(() => {});
  };
  aborted.signal.addEventListener('abort', stop, { once: true });
  const { responseBytes, idleMilliseconds } = usage.limits;
  let bytes = 0;
  return {
    async next() {
      try {
        const idle = new Error(`no byte came for ${idleMilliseconds} ms`);
        const { done, value } = await within(reader.read(), idleMilliseconds, aborted, idle);
        if (done) {
          finish();
          return null;
        }
        bytes += value.length;
        if (bytes > responseBytes) throw exceeded('responseBytes', responseBytes);
        usage.countBytes(value.length);
        return value;
      } catch (error) {
        aborted.abort(error);
        if (error instanceof ConnectorError) end(error);
        throw error;
      }
    },
    cancel() {
      aborted.abort();
    },
  };
}
