/** One instance of a component: its imports, its calls, and its end. */

import { Reader, SOURCES, hostInterfaces } from './contract.js';
import { End } from './end.js';
import { ConnectorError, failure, plain } from './error.js';
import { Guard } from './guard/guard.js';
import { Usage, exceeded } from './limits.js';
import { cli } from './wasi/cli.js';
import { after, monotonicClock, wallClock } from './wasi/clocks.js';
import { http } from './wasi/http.js';
import { InputStream, IoError, OutputStream, Pollable, Waits, poll } from './wasi/io.js';
import { random } from './wasi/random.js';

export class Session {
  #end = new End();
  #timer;
  #settings;
  #lines = 0;
  #waits;
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
    this.usage = new Usage(settings.limits);
    this.#follow(signal);
    const log = (level, message) => this.#log(events, level, message);
    const guard = new Guard({
      ...settings,
      usage: this.usage,
      signal: this.signal,
      denied: (message) => log('warn', message),
      end: (error) => this.end(error),
    });
    const waits = new Waits(this.#end, (milliseconds) => this.#compute(milliseconds));
    this.#waits = waits;
    const imports = only({
      ...cli(waits, (text) => log('error', text)),
      ...http(guard, waits),
      ...random,
      'wasi:io/error': { Error: IoError },
      'wasi:io/poll': { Pollable, poll: poll(waits) },
      'wasi:io/streams': { InputStream, OutputStream },
      'wasi:clocks/monotonic-clock': monotonicClock(this.signal, waits),
      'wasi:clocks/wall-clock': wallClock,
      ...hostInterfaces({ ...events, log, pass: () => waits.pass() }),
    });
    await this.call(async () => {
      const root = await component.instantiate(component.getCoreModule, imports);
      const version = SOURCES.find((name) => root[name]);
      if (!version) throw new ConnectorError('config', `the component does not export ${SOURCES.join(' or ')}`);
      this.source = root[version];
    });
  }

  get signal() {
    return this.#end.signal;
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
    let timer;
    this.#waits.wake();
    try {
      const { callMilliseconds } = this.usage.limits;
      timer = after(callMilliseconds, () => this.end(exceeded('callMilliseconds', callMilliseconds, 'transient')));
      // A component that is suspended when the session ends is not waited for.
      return await this.#end.or((resolve, reject) => {
        // `call` may throw at once.
        Promise.resolve(call()).then(resolve, reject);
      });
    } catch (thrown) {
      const error = failure(thrown, this.signal, this.masked);
      this.end(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Prepares to read a stream. */
  async read(config, stream, state) {
    return new Reader(await this.call(() => this.source.read(config, stream, state)));
  }

  /** Ends the session: its requests and timers are gone, and its instance is not called again. */
  end(reason = new ConnectorError('system', 'the session has ended')) {
    clearTimeout(this.#timer);
    this.#end.come(reason);
  }

  #follow(signal) {
    if (signal?.aborted) this.end(signal.reason);
    signal?.addEventListener('abort', () => this.end(signal.reason), { once: true, signal: this.signal });
    const { milliseconds } = this.usage.limits;
    this.#timer = after(milliseconds, () => this.end(exceeded('milliseconds', milliseconds, 'transient')));
  }

  #compute(milliseconds) {
    const { computeMilliseconds } = this.usage.limits;
    if (milliseconds <= computeMilliseconds) return;
    const error = exceeded('computeMilliseconds', computeMilliseconds);
    this.end(error);
    throw error;
  }

  #log(events, level, message) {
    const { logLines } = this.usage.limits;
    this.#lines += 1;
    if (this.#lines === logLines + 1) events.log?.('warn', `more than ${logLines} lines; the others are dropped`);
    if (this.#lines <= logLines) events.log?.(level, plain(this.masked(message)));
  }
}

/** The imports of a component, of which it may have no others. */
function only(imports) {
  return new Proxy(imports, {
    get(_, name) {
      if (typeof name !== 'string' || Object.hasOwn(imports, name)) return imports[name];
      throw new ConnectorError('config', `the component imports ${name}, which no connector has`);
    },
  });
}
