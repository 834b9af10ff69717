/** The origins (scheme, host and port) that a connector may reach. */

import { ConnectorError } from '../error.js';
import { isLoopback, isPublic } from './address.js';

/**
 * The origins that a connector asks for, with the config's properties put in. What the connector
 * names itself must be on the internet; a loopback address must be written in the config.
 *
 * @param {string[]} asked
 * @param {Record<string, unknown>} config
 * @param {object} schema
 * @returns {Set<string>}
 */
export function grantedOrigins(asked, config, schema) {
  const origins = new Set();
  for (const pattern of asked) {
    const property = /^\$\{([^}]*)\}$/.exec(pattern)?.[1];
    const isWritten = property !== undefined && Object.hasOwn(config, property);
    const filled = pattern.replace(/\$\{([^}]*)\}/g, (_, name) => {
      const value = (Object.hasOwn(config, name) ? config[name] : undefined) ?? schema.properties?.[name]?.default;
      if (typeof value !== 'string') throw new ConnectorError('config', `\`${name}\` must be a host or a URL`);
      return value;
    });
    const origin = originOf(filled.includes('://') ? filled : `https://${filled}`);
    const { hostname } = new URL(origin);
    if (!isPublic(hostname) && !(isWritten && isLoopback(hostname))) {
      throw new ConnectorError(
        'config',
        `the connector asks to reach ${origin}, which is not on the internet; \`allowedOrigins\` can allow it`,
      );
    }
    origins.add(origin);
  }
  return origins;
}

/**
 * The origin of a URL that can be granted.
 *
 * @param {string} url
 */
export function originOf(url) {
  const parsed = URL.parse(url);
  if (!parsed) throw new ConnectorError('config', `${JSON.stringify(url)} is neither a host nor a URL`);
  if (!isHttp(parsed) || parsed.username || parsed.password || /[*%]/.test(parsed.hostname)) {
    throw new ConnectorError(
      'config',
      `${JSON.stringify(url)} cannot be granted; \`allowedOrigins\` takes http and https URLs of single hosts`,
    );
  }
  return parsed.origin;
}

/**
 * The URL of a request, if it may be sent. Only `http` and `https` have hosts: the origin of a
 * `blob:` URL is that of the URL in it, and `data:` has none.
 *
 * @param {string} text
 * @param {Set<string>} origins
 * @returns {{ url?: URL, shown: string }}
 */
export function target(text, origins) {
  const url = URL.parse(text);
  if (!url) return { shown: 'an invalid URL' };
  const isAllowed = isHttp(url) && !url.username && !url.password && origins.has(url.origin);
  return { url: isAllowed ? url : undefined, shown: isHttp(url) ? url.origin : url.protocol };
}

/** Whether nobody listens on the way to an origin: TLS, or this machine. */
export function isConfidential(url) {
  return url.protocol === 'https:' || isLoopback(url.hostname) || url.hostname === 'localhost';
}

function isHttp(url) {
  return url.protocol === 'https:' || url.protocol === 'http:';
}
