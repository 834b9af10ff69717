/** What every JavaScript runtime must do alike. Uses nothing that one of them lacks. */

import { ConnectorError, connector, sync } from '../js/src/index.js';

/** How many different records a read returns, and a digest of them. */
async function digest(batches) {
  const seen = new Records();
  for await (const { records } of batches) await seen.add(records);
  return seen.summary();
}

/** A set of records that takes little memory. */
export class Records {
  #digests = new Set();

  async add(records) {
    for (const record of records) this.#digests.add((await sha256(record)).slice(0, 24));
  }

  async summary() {
    return { count: this.#digests.size, digest: await sha256([...this.#digests].sort().join()) };
  }
}

async function sha256(text) {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * @param {import('../js/index.d.ts').Component} component
 * @param {Record<string, unknown>} config
 * @returns {Promise<object>} What has happened, for the test to judge.
 */
export async function scenario(component, config) {
  const started = performance.now();
  const source = await connector({ component, config });
  await source.check();
  const startMilliseconds = performance.now() - started;

  const streams = {};
  for (const { name } of await source.streams()) streams[name] = await digest(source.read(name));

  const names = ['customers', 'credits_ledger_entries'];
  const together = await Promise.all(names.map((name) => digest(source.read(name))));
  return {
    startMilliseconds,
    streams,
    together: Object.fromEntries(names.map((name, place) => [name, together[place]])),
    refused: await refused(component, config),
    aborted: await aborted(source),
    slices: await slices(source, names),
  };
}

/** The error that a wrong key leads to. */
async function refused(component, config) {
  const source = await connector({ component, config: { ...config, api_key: 'wrong-key-0123456789abcdef' } });
  try {
    await source.check();
    return 'no error';
  } catch (error) {
    return error instanceof ConnectorError ? error.failureType : String(error);
  }
}

/** The error of a read that is aborted while it waits for a server that never answers. */
async function aborted(source) {
  const controller = new AbortController();
  try {
    for await (const { records } of source.read('credits_ledger_entries', { signal: controller.signal })) {
      if (records.length) controller.abort(new Error('enough'));
    }
    return 'no error';
  } catch (error) {
    return error.message;
  }
}

/** Reads streams a few requests at a time, each time from the progress of the last. */
async function slices(source, names) {
  const written = new Map();
  let [progress, done, count, emitted] = [undefined, false, 0, 0];
  while (!done && count < 100) {
    // As it is stored and loaded in between.
    const stored = progress && JSON.parse(JSON.stringify(progress));
    ({ progress, done } = await sync(source, {
      streams: names,
      progress: stored,
      budget: { requests: 4 },
      async write(stream, records) {
        emitted += records.length;
        if (!written.has(stream)) written.set(stream, new Records());
        await written.get(stream).add(records);
      },
    }));
    count += 1;
  }
  const streams = {};
  for (const [name, records] of written) streams[name] = await records.summary();
  return { done, count, emitted, streams };
}
