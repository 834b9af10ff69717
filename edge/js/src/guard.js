/**
 * What stands between a connector and the network: only granted origins, no redirects, the secrets
 * put in outside of the sandbox, and limits. JavaScript cannot check the address that a name
 * resolves to, nor interrupt a computation; docs/SECURITY.md says what follows.
 */

import { ConnectorError } from './error.js';
import { exceeded } from './limits.js';
import { sleep } from './wasi/clocks.js';

/** @typedef {{ method: string, url: string, headers: [string, string][], body: Uint8Array[] }} Request */
/**
 * @typedef {object} Response
 * @property {number} status
 * @property {[string, string][]} headers
 * @property {{ next(): Promise<Uint8Array | null>, cancel(): void }} body
 */

/** What `fetch` sets itself, or what has no place in a request of a connector. */
const FORBIDDEN = new Set([
  'accept-encoding', 'connection', 'content-length', 'cookie', 'expect', 'host', 'keep-alive', 'te', 'trailer',
  'transfer-encoding', 'upgrade',
]);

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * The origins that a connector may reach: those it asks for, with the config's properties put in.
 *
 * @param {string[]} asked
 * @param {Record<string, unknown>} config
 * @param {object} schema
 * @returns {Set<string>}
 */
export function grantedOrigins(asked, config, schema) {
  const origins = new Set();
  for (const pattern of asked) {
    const filled = pattern.replace(/\$\{([^}]*)\}/g, (_, name) => {
      const value = config[name] ?? schema.properties?.[name]?.default;
      if (typeof value !== 'string') throw new ConnectorError('config', `\`${name}\` must be a host or a URL`);
      return value;
    });
    origins.add(originOf(filled.includes('://') ? filled : `https://${filled}`));
  }
  return origins;
}

/** @param {string} url */
export function originOf(url) {
  let parsed;
  try {
    parsed = new URL(url);
  } catch {
    throw new ConnectorError('config', `${JSON.stringify(url)} is neither a host nor a URL`);
  }
  const isHttp = parsed.protocol === 'https:' || parsed.protocol === 'http:';
  if (!isHttp || parsed.username || parsed.password || parsed.hostname.includes('*')) {
    throw new ConnectorError('config', `${JSON.stringify(url)} cannot be granted: it must be an http or https URL`);
  }
  return parsed.origin;
}

/** Whether an origin keeps a secret: over TLS, or on this machine. */
function isPrivate(url) {
  return url.protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
}

/**
 * Returns a function that sends a request of the connector.
 *
 * @param {object} options
 * @param {Set<string>} options.origins
 * @param {import('./secrets.js').Secret[]} options.secrets
 * @param {typeof fetch} options.fetch
 * @param {import('./limits.js').Usage} options.usage
 * @param {AbortSignal} options.signal
 * @param {(message: string) => void} options.denied
 * @param {(error: ConnectorError) => void} options.end Ends the session.
 * @returns {(request: Request) => Promise<Response>}
 */
export function guard({ origins, secrets, fetch, usage, signal, denied, end }) {
  const places = new Places(usage.limits.inFlight);
  return async (request) => {
    const url = allowed(request, origins, denied);
    const headers = unsealed(request.headers, secrets, url, denied);
    await places.take();
    usage.inFlight += 1;
    let release = () => {
      release = () => {};
      usage.inFlight -= 1;
      places.free();
    };
    try {
      usage.countRequest();
      const aborted = new AbortController();
      const abort = () => aborted.abort(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      const finish = () => {
        signal.removeEventListener('abort', abort);
        release();
      };
      const body = request.body.length ? new Blob(request.body) : undefined;
      const init = { method: request.method, headers, body, redirect: 'manual', signal: aborted.signal };
      const head = fetch(url.href, init);
      const response = await within(head, usage.limits.headMilliseconds, aborted, { tag: 'HTTP-response-timeout' });
      if (response.type === 'opaqueredirect') {
        finish();
        throw { tag: 'internal-error', val: 'the server redirects, which is not followed' };
      }
      return {
        status: response.status,
        headers: sealedHeaders(response.headers, secrets),
        body: download(response, usage, aborted, finish),
      };
    } catch (error) {
      release();
      if (error instanceof ConnectorError) end(error);
      throw error?.tag ? error : { tag: 'internal-error', val: `the request failed: ${error?.message ?? error}` };
    }
  };
}

const DENIED = { tag: 'HTTP-request-denied' };

function allowed(request, origins, denied) {
  let url;
  try {
    url = new URL(request.url);
  } catch {
    throw { tag: 'HTTP-request-URI-invalid' };
  }
  if (!METHODS.has(request.method)) throw { tag: 'HTTP-request-method-invalid' };
  if (url.username || url.password || !origins.has(url.origin)) {
    const granted = [...origins].slice(0, 5).join(', ') || 'none';
    denied(`denied: the connector tried to reach ${url.origin}; granted are ${granted}`);
    throw DENIED;
  }
  return url;
}

/** Puts secrets where their tokens stand, in headers alone. */
function unsealed(entries, secrets, url, denied) {
  const headers = new Headers();
  for (const [name, value] of entries) {
    if (FORBIDDEN.has(name)) continue;
    const filled = replaceAll(replaceBasic(value, secrets), secrets, 'token', 'value');
    if (filled !== value && !isPrivate(url)) {
      denied(`denied: the connector tried to send a secret to ${url.origin} without TLS; use https`);
      throw DENIED;
    }
    headers.append(name, filled);
  }
  return headers;
}

const replaceAll = (text, secrets, from, to) =>
  secrets.reduce((replaced, secret) => replaced.replaceAll(secret[from], () => secret[to]), text);

function replaceBasic(value, secrets) {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(value)?.[1];
  if (!encoded) return value;
  try {
    const plain = atob(encoded);
    const filled = replaceAll(plain, secrets, 'token', 'value');
    return filled === plain ? value : `Basic ${btoa(filled)}`;
  } catch {
    return value;
  }
}

/** The headers of a response, with tokens where a server repeats secrets. */
function sealedHeaders(headers, secrets) {
  // `fetch` has decoded the body, so its length and coding are no longer true.
  const isDecoded = headers.has('content-encoding');
  const kept = [...headers].filter(([name]) => !isDecoded || !/^content-(encoding|length)$/.test(name));
  return kept.map(([name, value]) => [name, replaceAll(value, secrets, 'value', 'token')]);
}

function download(response, usage, aborted, finish) {
  const reader = response.body?.getReader();
  if (!reader) {
    finish();
    return { next: async () => null, cancel() {} };
  }
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
        finish();
        aborted.abort(error);
        throw error;
      }
    },
    cancel() {
      finish();
      aborted.abort();
    },
  };
}

/** Waits for a promise, but not longer than some milliseconds. */
async function within(promise, milliseconds, aborted, error) {
  if (milliseconds === Infinity) return promise;
  const timer = new AbortController();
  const late = sleep(milliseconds, timer.signal).then(() => {
    if (timer.signal.aborted) return undefined;
    aborted.abort(error);
    throw error;
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

/** A number of places, taken in order. */
class Places {
  #free;
  #waiting = [];

  constructor(count) {
    this.#free = count;
  }

  async take() {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise((resolve) => this.#waiting.push(resolve));
  }

  free() {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
