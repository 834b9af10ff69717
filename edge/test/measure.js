/** Times of one read. */

import { connector } from '../js/src/index.js';

/**
 * @param {import('../js/index.d.ts').Component} component
 * @param {Record<string, unknown>} config
 * @param {string} stream
 */
export async function measure(component, config, stream) {
  const started = performance.now();
  const source = await connector({ component, config });
  const ready = performance.now();
  let records = 0;
  for await (const batch of source.read(stream)) records += batch.records.length;
  return { start: ready - started, read: performance.now() - ready, records };
}
