/** What a connector calls a record, a state or a schema, checked to be one. */

import { ConnectorError } from './error.js';

/** JSON allows line breaks between values; lines of a file do not. */
const BREAK = /[\r\n]/;

/** A record: the text of one JSON object, on one line. */
export function lineOf(record) {
  return objectOf(record, 'a record');
}

/** A state. */
export function stateOf(state) {
  return objectOf(state, 'a state');
}

/** A schema, as a value. */
export function schemaOf(text) {
  return JSON.parse(objectOf(text, 'a schema'));
}

function objectOf(text, what) {
  if (!isObject(text)) throw new ConnectorError('system', `the connector returned ${what} that is not a JSON object`);
  // Within strings they would be escaped, so these stand between values and mean nothing.
  return BREAK.test(text) ? text.replace(/[\r\n]+/g, ' ') : text;
}

function isObject(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value);
  } catch {
    return false;
  }
}
