/** Reads several streams, one after the other, in as many slices as it takes. */

/**
 * Reads the configured streams until all are read to their end or the budget is spent. Returns the
 * progress to go on with.
 *
 * Progress is only reported once `write` has taken the records it covers. So a sync that is cut off
 * at any point goes on from the last reported progress, and at most repeats records.
 *
 * @param {import('../index.d.ts').Connector} connector
 * @param {import('../index.d.ts').SyncOptions} options
 * @returns {Promise<import('../index.d.ts').SyncResult>}
 */
export async function sync(connector, { streams, progress = {}, write, save, budget = {}, signal }) {
  const states = { ...progress.states };
  const finished = new Set(progress.finished);
  const left = { ...budget };
  const reached = () => ({ states: { ...states }, finished: [...finished] });
  const configured = streams.map((stream) => (typeof stream === 'string' ? { stream } : stream));
  for (const { stream, mode } of configured.filter(({ stream }) => !finished.has(stream))) {
    if (isSpent(left)) return { progress: reached(), done: false };
    const onUsage = (usage) => {
      for (const name of Object.keys(left)) left[name] -= usage[name];
    };
    const batches = connector.read(stream, { mode, state: states[stream], budget: left, signal, onUsage });
    for (;;) {
      const { value, done } = await batches.next();
      if (done) {
        if (value.done) finished.add(stream);
        break;
      }
      if (value.records.length) await write(stream, value.records);
      if (value.checkpoint !== undefined) {
        states[stream] = value.checkpoint;
        await save?.(reached());
      }
    }
    if (finished.has(stream)) await save?.(reached());
  }
  const done = configured.every(({ stream }) => finished.has(stream));
  return { progress: done ? { states, finished: [] } : reached(), done };
}

const isSpent = (budget) => Object.values(budget).some((left) => left <= 0);
