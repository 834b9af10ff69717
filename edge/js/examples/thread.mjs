/**
 * Reads a stream in a worker thread of Node, for components that you do not trust: a thread can be
 * ended while it computes, and its heap is bounded. The guard of the package works in the thread.
 */

import { once } from 'node:events';
import { Worker, parentPort, workerData } from 'node:worker_threads';

import { ConnectorError, connector } from 'elt-connector';

/**
 * Yields batches, as `read` of a connector does.
 *
 * @param {object} read
 * @param {string} read.component The module of a transpiled component, as a URL.
 * @param {Record<string, unknown>} read.config
 * @param {string} read.stream
 * @param {Pick<import('elt-connector').ReadOptions, 'mode' | 'state' | 'budget'>=} read.options
 * @param {import('elt-connector').Limits=} read.limits
 * @param {string[]=} read.allowedOrigins
 * @param {object} bounds
 * @param {number=} bounds.milliseconds The longest time until the next batch, start included.
 * @param {number=} bounds.heapMegabytes The most heap of JavaScript in the thread.
 */
export async function* readInThread(read, { milliseconds = 60_000, heapMegabytes = 64 } = {}) {
  const thread = new Worker(new URL(import.meta.url), {
    workerData: read,
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
    // Nothing of this process's environment.
    env: {},
  });
  try {
    for (;;) {
      thread.postMessage('next');
      const { error, value, done } = await answer(thread, milliseconds);
      if (error) throw new ConnectorError(error.failureType, error.message, error);
      if (done) return value;
      yield value;
    }
  } finally {
    // Also when the reader leaves the loop. Ends whatever the component does.
    await thread.terminate();
  }
}

/** The next message of a thread. */
async function answer(thread, milliseconds) {
  try {
    const [message] = await once(thread, 'message', { signal: AbortSignal.timeout(milliseconds) });
    return message;
  } catch (error) {
    if (error.name === 'AbortError') {
      throw new ConnectorError('transient', `the connector returned nothing for ${milliseconds} ms`);
    }
    // The thread's heap is full, for instance.
    throw new ConnectorError('system', `the connector's thread ended: ${error.message}`);
  }
}

/** What the thread does: a batch for each message. */
async function* batches({ component, config, stream, options, limits, allowedOrigins }) {
  const source = await connector({ component: await import(component), config, limits, allowedOrigins });
  return yield* source.read(stream, options);
}

if (parentPort && workerData?.component) {
  const reading = batches(workerData);
  parentPort.on('message', async () => {
    try {
      parentPort.postMessage(await reading.next());
    } catch ({ failureType = 'system', message, internalMessage }) {
      parentPort.postMessage({ error: { failureType, message, internalMessage } });
    }
  });
}
