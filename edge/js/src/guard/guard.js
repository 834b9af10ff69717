/**
 * What stands between a connector and the network: only granted origins, no redirects, the secrets
 * put in outside of the sandbox, and limits. JavaScript cannot check the address that a name
 * resolves to, nor interrupt a computation; docs/SECURITY.md says what follows.
 */

import { ConnectorError, plain } from '../error.js';
import { exceeded } from '../limits.js';
import { body } from './body.js';
import { Unencrypted, sealed, size, unsealed } from './headers.js';
import { target } from './origins.js';
import { Places, unlessAborted, within } from './wait.js';

/**
 * @typedef {object} Request
 * @property {string} method
 * @property {string} url
 * @property {[string, string][]} headers
 * @property {Uint8Array[]} body
 */
/** @typedef {{ next(): Promise<Uint8Array | null>, cancel(): void }} Body */
/** @typedef {{ status: number, headers: [string, string][], body: Body }} Response */

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** Sends the requests of a connector. */
export class Guard {
  #options;
  #places;

  /**
   * @param {object} options
   * @param {Set<string>} options.origins
   * @param {import('../secrets.js').Secret[]} options.secrets
   * @param {typeof fetch} options.fetch
   * @param {import('../limits.js').Usage} options.usage
   * @param {AbortSignal} options.signal
   * @param {(message: string) => void} options.denied
   * @param {(error: ConnectorError) => void} options.end Ends the session.
   */
  constructor(options) {
    this.#options = options;
    this.#places = new Places(options.usage.limits.inFlight);
  }

  /** The most bytes of the body of a request. */
  get requestBytes() {
    return this.#options.usage.limits.requestBytes;
  }

  /**
   * Sends a request once it is complete.
   *
   * @param {() => Promise<Request>} complete
   * @param {AbortController} aborted Gives the request up. Also aborted when the session ends.
   * @returns {Promise<Response>}
   */
  async send(complete, aborted) {
    const { usage, end, signal } = this.#options;
    const abort = () => aborted.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const forget = () => signal.removeEventListener('abort', abort);
    try {
      usage.countWaiting();
      let request;
      try {
        request = this.#checked(await unlessAborted(complete(), aborted.signal));
        await this.#places.take(aborted.signal);
      } finally {
        usage.waiting -= 1;
      }
      return await this.#exchange(request, aborted, forget);
    } catch (error) {
      forget();
      if (error instanceof ConnectorError && !signal.aborted) end(error);
      throw error?.tag ? error : { tag: 'internal-error', val: `the request failed: ${error?.message ?? error}` };
    }
  }

  /** The request with its URL and headers as they are sent. */
  #checked({ method, url: text, headers: entries, body }) {
    const { origins, secrets, usage, denied } = this.#options;
    if (!METHODS.has(method)) throw { tag: 'HTTP-request-method-invalid' };
    const { url, shown } = target(text, origins);
    if (!url) {
      const granted = [...origins].slice(0, 5).join(', ') || 'none';
      denied(`denied: the connector tried to reach ${plain(shown)}; granted are ${granted}`);
      throw { tag: 'HTTP-request-denied' };
    }
    const { headerBytes } = usage.limits;
    const measure = (headers) => {
      if (size(headers) + url.href.length > headerBytes) throw exceeded('headerBytes', headerBytes);
    };
    // First with tokens, which bounds how many are replaced; and then what is sent.
    measure(entries);
    try {
      const headers = unsealed(entries, secrets, url);
      measure(headers);
      return { method, url, headers, body };
    } catch (error) {
      if (!(error instanceof Unencrypted)) throw error;
      denied(`denied: the connector tried to send a secret to ${url.origin} without TLS; use https`);
      throw { tag: 'HTTP-request-denied' };
    }
  }

  /** Sends a request that has a place, which it keeps until its response has been read. */
  async #exchange({ method, url, headers, body: chunks }, aborted, forget) {
    const { secrets, fetch, usage } = this.#options;
    usage.inFlight += 1;
    let finish = () => {
      finish = () => {};
      forget();
      usage.inFlight -= 1;
      this.#places.free();
    };
    let answer;
    try {
      // It may have been given up while the request waited.
      aborted.signal.throwIfAborted();
      usage.countRequest();
      const init = {
        method,
        headers,
        body: chunks.length ? new Blob(chunks) : undefined,
        redirect: 'manual',
        // A browser would add its user's cookies and address otherwise.
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
        signal: aborted.signal,
      };
      const late = { tag: 'HTTP-response-timeout' };
      answer = Promise.resolve(fetch(url.href, init));
      const response = await within(answer, usage.limits.headMilliseconds, aborted, late);
      if (response.type === 'opaqueredirect' || response.redirected) {
        throw new Error('the server redirects, which is not followed');
      }
      const received = sealed(response.headers, secrets);
      const { headerBytes } = usage.limits;
      if (size(received) > headerBytes) throw exceeded('headerBytes', headerBytes);
      const bodyOptions = { usage, aborted, finish: () => finish(), end: this.#options.end };
      return { status: response.status, headers: received, body: body(response, bodyOptions) };
    } catch (error) {
      finish();
      aborted.abort(error);
      // Nobody reads it, even if it is yet to come. If `fetch` has failed it, this changes nothing.
      answer?.then((response) => response.body?.cancel()).catch(() => {});
      throw error;
    }
  }
}
