/** The contract between connectors and hosts, `elt:connector`, as this package speaks it. */

import { schemaOf } from './record.js';

/** The versions that are understood, newest first. */
const VERSIONS = ['0.3.0', '0.2.0'];

/** The interface that a connector exports, in each version. */
export const SOURCES = VERSIONS.map((version) => `elt:connector/source@${version}`);

/** The functions of it that may wait. Every other returns at once. */
export const WAITING = ['check', 'discover', 'read', '[method]reader.next-batch'];

/**
 * What a connector imports of its host. Numbers that JavaScript has no room for become dates and
 * numbers.
 *
 * @param {object} events
 * @param {(level: string, message: string) => void} events.log
 * @param {() => void} events.pass Called first by each. May throw.
 * @param {(until: Date) => void=} events.rateLimited
 * @param {(done: number, total?: number) => void=} events.slices
 */
export function hostInterfaces({ log, pass, rateLimited, slices }) {
  return {
    'elt:connector/log': {
      log(level, message) {
        pass();
        log(level, message);
      },
    },
    'elt:connector/progress': {
      rateLimited(until) {
        pass();
        rateLimited?.(new Date(Number(until)));
      },
      slices(done, total) {
        pass();
        slices?.(Number(done), total === undefined ? undefined : Number(total));
      },
    },
  };
}

/** A stream as `discover` returns it. Version 0.2 has no groups: every stream is selected. */
export function streamOf({ jsonSchema, group, selectedByDefault = true, ...stream }) {
  return { ...stream, group, selectedByDefault, jsonSchema: schemaOf(jsonSchema) };
}

/**
 * A reader. `stop` asks it to end at a state that covers everything it has returned; contracts
 * without that are stopped at a checkpoint, and what was in flight is read again.
 */
export class Reader {
  #reader;

  constructor(reader) {
    this.#reader = reader;
  }

  nextBatch() {
    return this.#reader.nextBatch();
  }

  get canStop() {
    return typeof this.#reader.stop === 'function';
  }

  stop() {
    this.#reader.stop();
  }

  /** Whether the stream has been read to its end, once there is no next batch. */
  isComplete() {
    return this.#reader.isComplete?.() ?? true;
  }
}
