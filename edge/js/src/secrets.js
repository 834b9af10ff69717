/**
 * Secrets of a config: finds them by the connector's schema, puts tokens in their place, and masks
 * both in whatever comes out.
 */

import { ConnectorError } from './error.js';

const MASK = '****';

/** Shorter values are not masked in texts, because they would match anywhere. */
const SHORTEST = 4;

/**
 * Whether a value can be told apart from ordinary data, so that records may be searched for it: 16
 * characters, 10 different ones, a letter and a digit. Generated keys are like that.
 */
function isUnmistakable(value) {
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
        const below = Array.isArray(node) ? part.items : (part.properties?.[name] ?? part.additionalProperties);
        if (below && typeof below === 'object') visit(value, below, node, name, path ? `${path}.${name}` : name);
      }
    }
  };
  visit(sealed, schema, { root: sealed }, 'root', '');
  return { config: sealed, secrets };
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

/** Masks secrets and tokens. */
export class Redaction {
  #texts;
  #records;

  /** @param {Secret[]} secrets */
  constructor(secrets) {
    const longestFirst = (list) => [...new Set(list)].sort((one, other) => other.length - one.length);
    const tokens = secrets.flatMap(({ token }) => forms(token));
    const values = (isKept) => secrets.map(({ value }) => value).filter(isKept).flatMap(forms);
    this.#texts = longestFirst([...tokens, ...values((value) => value.length >= SHORTEST)]);
    this.#records = longestFirst([...tokens, ...values(isUnmistakable)]);
  }

  /** A text for a person. */
  text = (text) => this.#texts.reduce((masked, form) => masked.replaceAll(form, MASK), text);

  /** A record: only what is unmistakable is masked. */
  record = (record) => {
    for (const form of this.#records) {
      if (record.includes(form)) return this.#records.reduce((masked, next) => masked.replaceAll(next, MASK), record);
    }
    return record;
  };

  /** A state is never altered. */
  state(state) {
    if (this.#records.some((form) => state.includes(form))) {
      throw new ConnectorError('system', 'the state has a secret in it, which must be neither shown nor altered');
    }
    return state;
  }
}

/** How a value can be written: plainly, in JSON, in a URL, in base64. */
function forms(value) {
  const base64 = [0, 1, 2].map((offset) => {
    const encoded = btoa('\0'.repeat(offset) + value);
    // Without the characters that depend on what stands before and after.
    return encoded.slice(offset ? offset + 1 : 0).replace(/.?=*$/, '');
  });
  const url = base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
  const escaped = JSON.stringify(value).slice(1, -1);
  const all = [value, escaped, JSON.stringify(escaped).slice(1, -1), encodeURIComponent(value), ...base64, ...url];
  return all.filter((form) => form.length >= SHORTEST);
}
