/** One instance of a component: its imports, its calls, and its end. */

import { ConnectorError, cut, failure } from './error.js';
import { guard } from './guard.js';
import { Usage } from './limits.js';
import { cli } from './wasi/cli.js';
import { monotonicClock, wallClock } from './wasi/clocks.js';
import { http } from './wasi/http.js';
import { InputStream, IoError, OutputStream, Pollable, pollUntil } from './wasi/io.js';

/** The versions of the contract that this package speaks, newest first. */
const SOURCES = ['elt:connector/source@0.3.0', 'elt:connector/source@0.2.0'];

export class Session {
  #ended = new AbortController();
  #timer;
  #settings;
  #lines = 0;
  #closed = new Promise((_, reject) => {
    this.#ended.signal.addEventListener('abort', () => reject(this.#ended.signal.reason), { once: true });
  });
  source;

  /**
   * @param {import('../index.d.ts').Component} component
   * @param {object} settings What `connector.js` has worked out from the config.
   * @param {{ signal?: AbortSignal, events?: object }} call
   */
  static async start(component, settings, { signal, events = {} } = {}) {
    const session = new Session();
    await session.#start(component, settings, signal, events);
    return session;
  }

  async #start(component, settings, signal, events) {
    this.#settings = settings;
    this.#closed.catch(() => {});
    this.usage = new Usage(settings.limits);
    this.#follow(signal);
    const { masked } = this;
    const send = guard({
      ...settings,
      usage: this.usage,
      signal: this.signal,
      denied: (message) => this.#log(events, 'warn', message),
      end: (error) => this.end(error),
    });
    const imports = {
      ...cli((text) => this.#log(events, 'error', text)),
      ...http(send),
      'wasi:io/error': { Error: IoError },
      'wasi:io/poll': { Pollable, poll: pollUntil(this.#closed) },
      'wasi:io/streams': { InputStream, OutputStream },
      'wasi:clocks/monotonic-clock': monotonicClock(this.signal),
      'wasi:clocks/wall-clock': wallClock,
      'elt:connector/log': { log: (level, message) => this.#log(events, level, masked(message)) },
      'elt:connector/progress': {
        rateLimited: (until) => events.rateLimited?.(new Date(Number(until))),
        slices: (done, total) => events.slices?.(Number(done), total === undefined ? undefined : Number(total)),
      },
    };
    await this.call(async () => {
      const root = await component.instantiate(component.getCoreModule, imports);
      const version = SOURCES.find((name) => root[name]);
      if (!version) throw new ConnectorError('config', `the component does not export ${SOURCES.join(' or ')}`);
      this.source = root[version];
    });
  }

  get signal() {
    return this.#ended.signal;
  }

  /** Masks secrets in a text. */
  get masked() {
    return this.#settings.redaction.text;
  }

  /**
   * Calls into the component.
   *
   * @template T
   * @param {() => T | Promise<T>} call
   * @returns {Promise<T>}
   */
  async call(call) {
    this.signal.throwIfAborted();
    try {
      // A component that is suspended when the session ends is left where it is.
      return await Promise.race([call(), this.#closed]);
    } catch (thrown) {
      const error = failure(thrown, this.signal, this.masked);
      this.end(error);
      throw error;
    }
  }

  /** Ends the session: its requests and timers are gone, and its instance is not called again. */
  end(reason = new ConnectorError('system', 'the session has ended')) {
    clearTimeout(this.#timer);
    this.#ended.abort(reason);
  }

  #follow(signal) {
    if (signal?.aborted) this.end(signal.reason);
    signal?.addEventListener('abort', () => this.end(signal.reason), { once: true, signal: this.signal });
    const { milliseconds } = this.usage.limits;
    if (milliseconds < 2 ** 31) {
      const late = new ConnectorError('transient', `the limit \`milliseconds\` (${milliseconds}) is exceeded`);
      this.#timer = setTimeout(() => this.end(late), milliseconds);
    }
  }

  #log(events, level, message) {
    const { logLines } = this.usage.limits;
    this.#lines += 1;
    if (this.#lines === logLines + 1) events.log?.('warn', `more than ${logLines} lines; the others are dropped`);
    if (this.#lines <= logLines) events.log?.(level, cut(this.masked(message)));
  }
}
