/** Headers on their way out, where secrets take the place of tokens, and in, where tokens do. */

import { isUnmistakable } from '../secrets.js';
import { isConfidential } from './origins.js';

/** What belongs to the connection or the host, or to a browser's session. */
const FORBIDDEN =
  /^(accept-encoding|connection|content-length|cookie2?|expect|host|keep-alive|proxy-.*|sec-.*|te|trailer|transfer-encoding|upgrade|cf-.*)$/;

/** A token was about to cross the network in the open. */
export class Unencrypted extends Error {}

/**
 * The headers to send.
 *
 * @param {[string, string][]} entries
 * @param {import('../secrets.js').Secret[]} secrets
 * @param {URL} url
 * @returns {Headers}
 */
export function unsealed(entries, secrets, url) {
  const headers = new Headers();
  for (const [name, value] of entries) {
    if (FORBIDDEN.test(name)) continue;
    const filled = replaceAll(inBasic(value, secrets), secrets, 'token', 'value');
    if (filled !== value && !isConfidential(url)) throw new Unencrypted();
    headers.append(name, filled);
  }
  return headers;
}

/**
 * The headers of a response for the connector: with tokens where a server repeats secrets that
 * cannot stand there by chance.
 *
 * @param {Headers} headers
 * @param {import('../secrets.js').Secret[]} secrets
 * @returns {[string, string][]}
 */
export function sealed(headers, secrets) {
  // `fetch` has decoded the body, so its length and coding are no longer true.
  const isDecoded = headers.has('content-encoding');
  const kept = [...headers].filter(([name]) => !isDecoded || !/^content-(encoding|length)$/.test(name));
  const certain = secrets.filter(({ value }) => isUnmistakable(value));
  return kept.map(([name, value]) => [name, replaceAll(value, certain, 'value', 'token')]);
}

/** How many bytes headers take, roughly. */
export const size = (entries) =>
  [...entries].reduce((bytes, [name, value]) => bytes + name.length + value.length, 0);

const replaceAll = (text, secrets, from, to) =>
  secrets.reduce((replaced, secret) => replaced.replaceAll(secret[from], () => secret[to]), text);

function inBasic(value, secrets) {
  const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(value)?.[1];
  if (!encoded) return value;
  try {
    const credentials = atob(encoded);
    const filled = replaceAll(credentials, secrets, 'token', 'value');
    return filled === credentials ? value : `Basic ${btoa(filled)}`;
  } catch {
    // Not base64, so there is no token in it.
    return value;
  }
}
