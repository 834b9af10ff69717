/** `wasi:clocks` over `Date` and timers. */

import { Latch, Pollable } from './poll.js';

const NANOSECONDS = 1_000_000n;

/** Timers of JavaScript hold 31 bits. */
const LONGEST = 2 ** 31 - 1;

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
 * The monotonic clock, whose timers end with `signal`, or once nobody waits for them.
 *
 * @param {AbortSignal} signal
 * @param {import('./poll.js').Waits} waits
 */
export function monotonicClock(signal, waits) {
  // One listener for all: to remove one of many takes as long as there are many.
  const timers = new Set();
  signal.addEventListener('abort', () => timers.forEach(clearTimeout), { once: true });
  const now = () => BigInt(Math.round(performance.now() * 1000)) * 1000n;
  const subscribeDuration = (nanoseconds) => {
    const elapsed = new Latch();
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        elapsed.set();
      },
      Math.min(Number(nanoseconds / NANOSECONDS), LONGEST),
    );
    timers.add(timer);
    const stop = () => {
      timers.delete(timer);
      clearTimeout(timer);
    };
    return new Pollable(waits, elapsed, stop);
  };
  const subscribeInstant = (instant) => {
    const left = instant - now();
    return subscribeDuration(left > 0n ? left : 0n);
  };
  return { now, resolution: () => 1000n, subscribeDuration, subscribeInstant };
}

/** A timer. What timers of JavaScript cannot hold, a month and more, never comes. */
export function after(milliseconds, call) {
  return milliseconds <= LONGEST ? setTimeout(call, milliseconds) : undefined;
}
