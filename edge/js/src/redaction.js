/** Masks the secrets of a config, and their tokens, in whatever comes out. */

import { ConnectorError } from './error.js';
import { isUnmistakable } from './secrets.js';

const MASK = '****';

/** Shorter values are not masked in texts, because they would match anywhere. */
const SHORTEST = 4;

/** What a text without escapes does not have. */
const ESCAPES = /[\\%]/;

export class Redaction {
  #texts;
  #records;

  /** @param {import('./secrets.js').Secret[]} secrets */
  constructor(secrets) {
    const tokens = secrets.flatMap(({ token }) => forms(token));
    const values = (isMasked) => secrets.map(({ value }) => value).filter(isMasked).flatMap(forms);
    // Names of hosts and headers are shown in lower case.
    this.#texts = new Needles([...tokens, ...values((value) => value.length >= SHORTEST)], 'gi');
    this.#records = new Needles([...tokens, ...values(isUnmistakable)], 'g');
  }

  /** A text for a person. */
  text = (text) => this.#texts.masked(text);

  /** A record: only what is unmistakable is masked, and only within strings. */
  record = (record) => this.#records.masked(record);

  /** A text that must not be altered, since a program would not understand it then. */
  refuse(text, what) {
    if (!this.#records.areIn(text)) return text;
    throw new ConnectorError('system', `${what} has a secret in it, which must be neither shown nor altered`);
  }
}

/** What is searched for: plainly, and, in a text with escapes, however it is escaped. */
class Needles {
  #plain;
  #escaped;
  /** Whether what is searched for looks like an escape itself. */
  #isAmbiguous;

  constructor(needles, flags) {
    const sorted = [...new Set(needles)].sort((one, other) => other.length - one.length);
    const pattern = (unit) => sorted.map((needle) => [...needle].map(unit).join('')).join('|');
    const expression = (unit) => (sorted.length ? new RegExp(pattern(unit), flags) : undefined);
    this.#isAmbiguous = sorted.some((needle) => ESCAPES.test(needle));
    this.#plain = expression(literally);
    this.#escaped = expression(inAnyForm);
  }

  #expressionFor(text) {
    if (!ESCAPES.test(text)) return this.#plain;
    // The slow search is for texts in which the quick one finds something once they are unescaped.
    const mayBeIn = this.#isAmbiguous || this.#plain === undefined || unescaped(text).search(this.#plain) >= 0;
    return mayBeIn ? this.#escaped : undefined;
  }

  masked(text) {
    const expression = this.#expressionFor(text);
    return expression ? text.replace(expression, MASK) : text;
  }

  areIn(text) {
    const expression = this.#expressionFor(text);
    return expression !== undefined && text.search(expression) >= 0;
  }
}

const unescaped = (text) =>
  text.replace(
    /\\+u00([0-9a-f]{2})|%(?:25)*([0-9a-f]{2})|\\+(["\\/])/gi,
    (_, json, url, character) => character ?? String.fromCharCode(parseInt(json ?? url, 16)),
  );

const literally = (character) => character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');

/**
 * A character as it is, or escaped any number of times for JSON (`\"`, `\\u0022`) or for a URL
 * (`%22`, `%2522`). What ends a string of JSON is only found escaped, so that a match never reaches
 * from one string of a record into another.
 */
function inAnyForm(character) {
  const hex = character.charCodeAt(0).toString(16).padStart(2, '0');
  const digits = hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const escaped = `\\\\+u00${digits}|%(?:25)*${digits}`;
  if (character === '"') return `(?:\\\\+"|${escaped})`;
  if (character === '\\') return `(?:\\\\+|${escaped})`;
  if (character === '/') return `(?:\\\\*/|${escaped})`;
  return `(?:${literally(character)}|${escaped})`;
}

/** A value as it is, and in base64 at any offset, in both alphabets. */
function forms(value) {
  const base64 = [0, 1, 2].map((offset) => {
    const encoded = btoa('\0'.repeat(offset) + value);
    // Without the characters that depend on what stands before and after.
    return encoded.slice(offset ? offset + 1 : 0).replace(/.?=*$/, '');
  });
  const url = base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
  return [value, ...base64, ...url].filter((form) => form.length >= SHORTEST);
}
