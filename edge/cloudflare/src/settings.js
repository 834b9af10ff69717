/** The numbers among the Worker's variables, which are texts that somebody has written. */

import { ConnectorError } from 'elt-connector';

/** What each number is without its variable, and its bounds. */
const NUMBERS = {
  // A Worker has six connections, and R2 needs one now and then.
  IN_FLIGHT: { usual: 5, least: 1, most: 6 },
  SLICE_REQUESTS: { usual: 30, least: 1, most: 10_000 },
  SYNC_MINUTES: { usual: 1440, least: 0, most: 525_600 },
};

/**
 * @param {Record<string, unknown>} env
 * @returns {Record<keyof typeof NUMBERS, number>}
 */
export function numbers(env) {
  return Object.fromEntries(Object.entries(NUMBERS).map(([name, bounds]) => [name, number(name, env[name], bounds)]));
}

function number(name, given, { usual, least, most }) {
  if (given === undefined) return usual;
  // `Number` takes '' for 0, and '0x5' and '5e0' for 5.
  const value = /^\d+$/.test(String(given)) ? Number(given) : NaN;
  if (value >= least && value <= most) return value;
  throw new ConnectorError('config', `\`${name}\` must be a whole number from ${least} to ${most}, not ${JSON.stringify(given)}`);
}
