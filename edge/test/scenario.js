/** What every JavaScript runtime must do alike. Uses nothing that one of them lacks. */

import { ConnectorError, connector, sync } from '../js/src/index.js';

/** The stream, records and digest of what a read returns. */
async function digest(batches) {
  const records = [];
  for await (const batch of batches) records.push(...batch.records);
  return summary(records);
}

/** A number and a digest of records, whatever their order. */
export async function summary(records) {
  const text = [...records].sort().join('\n');
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return { count: records.length, digest: [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('') };
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
      budget: { requests: 8 },
      write(stream, records) {
        emitted += records.length;
        written.set(stream, new Set([...(written.get(stream) ?? []), ...records]));
      },
    }));
    count += 1;
  }
  const streams = {};
  for (const [name, records] of written) streams[name] = await summary([...records]);
  return { done, count, emitted, streams };
}
