/** `wasi:clocks` over `Date` and timers. */

import { Pollable } from './io.js';

const NANOSECONDS = 1_000_000n;

export const wallClock = {
  now() {
    const milliseconds = Date.now();
    return {
      seconds: BigInt(Math.floor(milliseconds / 1000)),
      nanoseconds: (milliseconds % 1000) * 1_000_000,
    };
  },
  resolution: () => ({ seconds: 0n, nanoseconds: 1_000_000 }),
};

/**
 * The monotonic clock, whose timers end with `signal`.
 *
 * @param {AbortSignal} signal
 * @param {import('./io.js').Waits} waits
 */
export function monotonicClock(signal, waits) {
  const now = () => BigInt(Math.round(performance.now() * 1000)) * 1000n;
  const subscribeDuration = (nanoseconds) => new Pollable(waits, sleep(Number(nanoseconds / NANOSECONDS), signal));
  const subscribeInstant = (instant) => {
    const left = instant - now();
    return subscribeDuration(left > 0n ? left : 0n);
  };
  return { now, resolution: () => 1000n, subscribeDuration, subscribeInstant };
}

/**
 * Resolves after some milliseconds, or when `signal` is aborted.
 *
 * @param {number} milliseconds
 * @param {AbortSignal=} signal
 */
export function sleep(milliseconds, signal) {
  // Timers of JavaScript hold 31 bits.
  const longest = 2 ** 31 - 1;
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(milliseconds, longest));
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** A timer. What timers of JavaScript cannot hold, a month and more, never comes. */
export function after(milliseconds, call) {
  return milliseconds < 2 ** 31 ? setTimeout(call, milliseconds) : undefined;
}
