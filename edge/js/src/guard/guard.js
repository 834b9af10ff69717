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
import { Places, within } from './wait.js';

/** @typedef {{ method: string, url: string, headers: [string, string][], body: Uint8Array[] }} Request */
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
   * @returns {Promise<Response>}
   */
  async send(complete) {
    const { usage, end, signal } = this.#options;
    try {
      usage.countWaiting();
      let request;
      try {
        request = this.#checked(await complete());
        await this.#places.take();
      } finally {
        usage.waiting -= 1;
      }
      return await this.#exchange(request);
    } catch (error) {
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
    if (size(entries) + url.href.length > headerBytes) throw exceeded('headerBytes', headerBytes);
    try {
      return { method, url, headers: unsealed(entries, secrets, url), body };
    } catch (error) {
      if (!(error instanceof Unencrypted)) throw error;
      denied(`denied: the connector tried to send a secret to ${url.origin} without TLS; use https`);
      throw { tag: 'HTTP-request-denied' };
    }
  }

  /** Sends a request that has a place, which it keeps until its response has been read. */
  async #exchange({ method, url, headers, body: chunks }) {
    const { secrets, fetch, usage, signal } = this.#options;
    const aborted = new AbortController();
    const abort = () => aborted.abort(signal.reason);
    usage.inFlight += 1;
    let finish = () => {
      finish = () => {};
      signal.removeEventListener('abort', abort);
      usage.inFlight -= 1;
      this.#places.free();
    };
    try {
      // The session may have ended while the request waited.
      signal.throwIfAborted();
      signal.addEventListener('abort', abort, { once: true });
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
      const response = await within(fetch(url.href, init), usage.limits.headMilliseconds, aborted, late);
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
      throw error;
    }
  }
}
