/** A source connector in JavaScript: `spec`, `check`, `streams` and `read`. */

import { streamOf } from './contract.js';
import { ConnectorError } from './error.js';
import { grantedOrigins, originOf } from './guard/origins.js';
import { DEFAULT_LIMITS } from './limits.js';
import { lineOf, schemaOf, stateOf } from './record.js';
import { Redaction } from './redaction.js';
import { seal } from './secrets.js';
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
    this.#settings.redaction.refuse(JSON.stringify(streams), 'the list of streams');
    return streams.map(streamOf);
  }

  async *read(stream, options = {}) {
    const { mode = 'incremental', state, signal, budget, rateLimited, slices, onUsage } = options;
    const redaction = this.#settings.redaction;
    const session = await this.#start({ signal, events: { log: this.#log, rateLimited, slices } });
    const { usage } = session;
    const checked = (checkpoint) => redaction.refuse(stateOf(checkpoint), 'the state');
    try {
      const reader = await session.read(this.#config, { name: stream, syncMode: mode }, stateText(state));
      let isStopped = false;
      for (;;) {
        const batch = await session.call(() => reader.nextBatch());
        if (!batch) return { done: await session.call(() => reader.isComplete()) };
        const checkpoint = batch.checkpoint === undefined ? undefined : checked(batch.checkpoint);
        yield { records: batch.records.map((record) => redaction.record(lineOf(record))), checkpoint };
        if (isStopped || !usage.exceeds(budget)) continue;
        if (reader.canStop) {
          isStopped = true;
          await session.call(() => reader.stop());
        } else if (checkpoint !== undefined && usage.inFlight > 0) {
          // Without a request in flight, the connector may be at its end: then it says so.
          return { done: false };
        }
      }
    } finally {
      const { requests, bytes, milliseconds } = usage;
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
    return { ...spec, configSchema: schemaOf(configSchema) };
  } finally {
    session.end();
  }
}

/** `spec` reaches nothing. */
async function noFetch() {
  throw new Error('`spec` makes no request');
}

function stateText(state) {
  if (state === undefined || state === null) return undefined;
  if (typeof state === 'string') return state;
  throw new ConnectorError('config', 'a state is the text of a checkpoint, which keeps every digit');
}
