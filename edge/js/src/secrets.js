/** Secrets of a config: finds them by the connector's schema, and puts tokens in their place. */

import { ConnectorError } from './error.js';

/**
 * Whether a value can be told apart from ordinary data, so that records may be searched for it: 16
 * characters, 10 different ones, a letter and a digit. Generated keys are like that.
 */
export function isUnmistakable(value) {
  return value.length >= 16 && new Set(value).size >= 10 && /[a-z]/i.test(value) && /[0-9]/.test(value);
}

/** @typedef {{ token: string, value: string, path: string }} Secret */

/**
 * A copy of the config with tokens in place of its secrets.
 *
 * @param {Record<string, unknown>} config
 * @param {object} schema
 * @returns {{ config: Record<string, unknown>, secrets: Secret[] }}
 */
export function seal(config, schema) {
  const secrets = [];
  const sealed = structuredClone(config);
  const visit = (node, at, holder, key, path) => {
    for (const part of parts(at, schema)) {
      if (part.airbyte_secret !== undefined && part.airbyte_secret !== false) {
        holder[key] = sealAll(holder[key], path, secrets);
        return;
      }
      if (node === null || typeof node !== 'object') continue;
      for (const [name, value] of Object.entries(node)) {
        const visited = path ? `${path}.${name}` : name;
        const schemas = Array.isArray(node) ? ofElement(part, name) : ofProperty(part, name);
        // What one of them has sealed is a token for the others.
        for (const below of schemas) {
          if (node[name] === value) visit(value, below, node, name, visited);
        }
      }
    }
  };
  visit(sealed, schema, { root: sealed }, 'root', '');
  return { config: sealed, secrets };
}

/** The schemas that may apply to a property: rather too many, since they only find secrets. */
function ofProperty(part, name) {
  const patterns = Object.entries(part.patternProperties ?? {});
  const matching = patterns.filter(([pattern]) => matches(pattern, name)).map(([, schema]) => schema);
  const own = Object.hasOwn(part.properties ?? {}, name) ? part.properties[name] : undefined;
  return [own, ...matching, part.additionalProperties, part.unevaluatedProperties].filter(isSchema);
}

/** The schemas that may apply to an element of a list. */
function ofElement(part, place) {
  const { items, prefixItems, additionalItems, contains, unevaluatedItems } = part;
  const own = Array.isArray(items) ? items[place] : items;
  return [own, prefixItems?.[place], additionalItems, contains, unevaluatedItems].filter(isSchema);
}

const isSchema = (schema) => schema !== null && typeof schema === 'object';

/** A pattern that JavaScript does not know could match anything. */
function matches(pattern, name) {
  try {
    return new RegExp(pattern, 'u').test(name);
  } catch {
    return true;
  }
}

function sealAll(value, path, secrets) {
  if (value !== null && typeof value === 'object') {
    for (const name of Object.keys(value)) value[name] = sealAll(value[name], `${path}.${name}`, secrets);
    return value;
  }
  if (value === null || value === undefined || value === '') return value;
  if (typeof value !== 'string') {
    throw new ConnectorError('config', `\`${path}\` is a secret, so it must be a string`);
  }
  const text = value.trim();
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)) {
    throw new ConnectorError('config', `\`${path}\` has a character that no header can carry; copy it again`);
  }
  const token = `sealed-${crypto.randomUUID()}`;
  secrets.push({ token, value: text, path });
  return token;
}

/** A schema with everything that applies at the same place, references followed. */
function* parts(schema, root, followed = new Set()) {
  if (!schema || typeof schema !== 'object' || followed.has(schema)) return;
  followed.add(schema);
  yield schema;
  if (schema.$ref !== undefined) yield* parts(resolve(schema.$ref, root), root, followed);
  for (const name of ['allOf', 'anyOf', 'oneOf']) {
    for (const part of schema[name] ?? []) yield* parts(part, root, followed);
  }
  for (const name of ['if', 'then', 'else']) yield* parts(schema[name], root, followed);
  for (const name of ['dependencies', 'dependentSchemas']) {
    for (const part of Object.values(schema[name] ?? {})) yield* parts(part, root, followed);
  }
}

/** What is not resolved could hide a secret, so it is an error. */
function resolve(reference, root) {
  const fail = () => {
    throw new ConnectorError('system', `the connector's schema refers to ${reference}, which cannot be resolved`);
  };
  if (typeof reference !== 'string' || !reference.startsWith('#')) fail();
  let at = root;
  for (const step of decodeURIComponent(reference.slice(1)).split('/').slice(1)) {
    at = at?.[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return at ?? fail();
}
