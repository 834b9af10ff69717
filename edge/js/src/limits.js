/** How much a connector may use, and a count of what it has used. */

import { ConnectorError } from './error.js';

/**
 * The defaults. They fit a Worker of 128 MB with six connections.
 *
 * @type {Required<import('../index.d.ts').Limits>}
 */
export const DEFAULT_LIMITS = {
  requests: Infinity,
  inFlight: 6,
  waiting: 256,
  headerBytes: 128 << 10,
  requestBytes: 1 << 20,
  responseBytes: 32 << 20,
  totalBytes: Infinity,
  headMilliseconds: 60_000,
  idleMilliseconds: 60_000,
  callMilliseconds: 15 * 60_000,
  computeMilliseconds: 60_000,
  milliseconds: Infinity,
  logLines: 1000,
};

/** Counts what a session uses. */
export class Usage {
  requests = 0;
  bytes = 0;
  /** Requests whose responses have not been read to their end. */
  inFlight = 0;
  /** Requests that have been handed over, but have no place yet. */
  waiting = 0;
  started = performance.now();

  /** @param {Required<import('../index.d.ts').Limits>} limits */
  constructor(limits) {
    this.limits = limits;
  }

  get milliseconds() {
    return performance.now() - this.started;
  }

  countWaiting() {
    this.waiting += 1;
    if (this.waiting > this.limits.waiting) throw exceeded('waiting', this.limits.waiting);
  }

  countRequest() {
    if (this.requests >= this.limits.requests) throw exceeded('requests', this.limits.requests);
    this.requests += 1;
  }

  countBytes(count) {
    this.bytes += count;
    if (this.bytes > this.limits.totalBytes) throw exceeded('totalBytes', this.limits.totalBytes);
  }

  /** Whether a budget is spent. @param {import('../index.d.ts').Budget=} budget */
  exceeds(budget = {}) {
    const { requests = Infinity, bytes = Infinity, milliseconds = Infinity } = budget;
    return this.requests >= requests || this.bytes >= bytes || this.milliseconds >= milliseconds;
  }
}

export function exceeded(name, most, failureType = 'config') {
  return new ConnectorError(failureType, `the limit \`${name}\` (${most}) is exceeded; raise it if this is intended`);
}
