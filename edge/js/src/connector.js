/** A source connector in JavaScript: `spec`, `check`, `streams` and `read`. */

import { ConnectorError } from './error.js';
import { grantedOrigins, originOf } from './guard.js';
import { DEFAULT_LIMITS } from './limits.js';
import { Redaction, seal } from './secrets.js';
import { Session } from './session.js';

/**
 * Prepares a connector. Starts one instance to ask for its specification; makes no request.
 *
 * @param {import('../index.d.ts').Options} options
 * @returns {Promise<import('../index.d.ts').Connector>}
 */
export async function connector(options) {
  const { component, config = {}, allowedOrigins, log } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const asks = { origins: new Set(), secrets: [], redaction: new Redaction([]), limits, fetch: noFetch };
  const spec = await specification(component, asks);
  const sealed = seal(config, spec.configSchema);
  const origins = allowedOrigins
    ? new Set(allowedOrigins.map(originOf))
    : grantedOrigins(spec.allowedHosts, config, spec.configSchema);
  const settings = {
    origins,
    secrets: sealed.secrets,
    redaction: new Redaction(sealed.secrets),
    limits,
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
  };
  return new Connector(component, spec, JSON.stringify(sealed.config), settings, log);
}

class Connector {
  #component;
  #config;
  #settings;
  #log;

  constructor(component, spec, config, settings, log) {
    this.#component = component;
    this.spec = spec;
    this.#config = config;
    this.#settings = settings;
    this.#log = log;
  }

  /** The origins that the connector may reach. */
  get origins() {
    return [...this.#settings.origins];
  }

  async check({ signal } = {}) {
    await this.#once({ signal }, ({ source }) => source.check(this.#config));
  }

  async streams({ signal } = {}) {
    const streams = await this.#once({ signal }, ({ source }) => source.discover(this.#config));
    return streams.map(({ jsonSchema, ...stream }) => ({ ...stream, jsonSchema: JSON.parse(jsonSchema) }));
  }

  async *read(stream, options = {}) {
    const { mode = 'incremental', state, signal, budget, rateLimited, slices, onUsage } = options;
    const redaction = this.#settings.redaction;
    const session = await this.#start({ signal, events: { log: this.#log, rateLimited, slices } });
    try {
      const text = state === undefined || state === null ? undefined : stateText(state);
      const configured = { name: stream, syncMode: mode };
      const reader = await session.call(() => session.source.read(this.#config, configured, text));
      for (;;) {
        const batch = await session.call(() => reader.nextBatch());
        if (!batch) return { done: true };
        const checkpoint = batch.checkpoint === undefined ? undefined : redaction.state(batch.checkpoint);
        yield { records: batch.records.map(redaction.record), checkpoint };
        // Without a request in flight, the connector may be at its end: then it says so.
        const { usage } = session;
        if (checkpoint !== undefined && usage.exceeds(budget) && usage.inFlight > 0) return { done: false };
      }
    } finally {
      const { requests, bytes, milliseconds } = session.usage;
      session.end();
      onUsage?.({ requests, bytes, milliseconds });
    }
  }

  async #once(call, ask) {
    const session = await this.#start({ ...call, events: { log: this.#log } });
    try {
      return await session.call(() => ask(session));
    } finally {
      session.end();
    }
  }

  #start(call) {
    return Session.start(this.#component, this.#settings, call);
  }
}

async function specification(component, settings) {
  const session = await Session.start(component, settings);
  try {
    const { configSchema, ...spec } = await session.call(() => session.source.spec());
    return { ...spec, configSchema: JSON.parse(configSchema) };
  } finally {
    session.end();
  }
}

/** `spec` reaches nothing. */
async function noFetch() {
  throw new Error('`spec` makes no request');
}

function stateText(state) {
  if (typeof state === 'string') return state;
  throw new ConnectorError('config', 'a state is the text of a checkpoint, which keeps every digit');
}
