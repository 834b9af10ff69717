/**
 * Reads a stream in a worker thread of Node, for components that you do not trust: a thread can be
 * ended while it computes, and its heap is bounded. The guard of the package works in the thread.
 */

import { Worker, parentPort, workerData } from 'node:worker_threads';

import { ConnectorError, connector } from 'elt-connector';

/** Where a thread of this module has what it reads: other threads may import it, too. */
const OURS = 'elt-connector/examples/thread';

/** Timers hold 31 bits. */
const LONGEST = 2 ** 31 - 1;

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
    workerData: { [OURS]: read },
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
    // Nothing of this process's environment.
    env: {},
  });
  const answers = new Answers(thread);
  try {
    for (;;) {
      const { error, value, done } = await answers.next(milliseconds);
      if (error) throw new ConnectorError(error.failureType, error.message, error);
      if (done) return value;
      yield value;
    }
  } finally {
    // Also when the reader leaves the loop. Ends whatever the component does.
    await thread.terminate();
  }
}

/**
 * What a thread answers. One that ends while nobody waits for an answer fails the next wait.
 *
 * It listens as long as the thread lives, since an `error` that nobody listens to would end the
 * process. `Promise.race` against one long promise would do, but keeps every batch that wins.
 */
class Answers {
  #thread;
  #waiting;
  /** Why there are no more answers. The first reason counts: an `exit` follows every `error`. */
  #end;

  constructor(thread) {
    this.#thread = thread;
    thread.on('message', (message) => this.#waiting?.resolve(message));
    for (const event of ['error', 'messageerror']) {
      // The thread's heap is full, for instance.
      thread.on(event, (error) => this.#endWith(error?.message ?? error));
    }
    thread.on('exit', (code) => this.#endWith(`exit code ${code}`));
  }

  /** Asks for the next answer. */
  async next(milliseconds) {
    if (this.#end) throw this.#end;
    this.#waiting = Promise.withResolvers();
    const late = new ConnectorError('transient', `the connector returned nothing for ${milliseconds} ms`);
    const timer = setTimeout(() => this.#waiting.reject(late), Math.min(milliseconds, LONGEST));
    this.#thread.postMessage('next');
    try {
      return await this.#waiting.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  #endWith(reason) {
    this.#end ??= new ConnectorError('system', `the connector's thread ended: ${reason}`);
    this.#waiting?.reject(this.#end);
  }
}

/** What the thread does: a batch for each message. */
async function* batches({ component, config, stream, options, limits, allowedOrigins }) {
  const source = await connector({ component: await import(component), config, limits, allowedOrigins });
  return yield* source.read(stream, options);
}

if (parentPort && workerData?.[OURS]) {
  const reading = batches(workerData[OURS]);
  parentPort.on('message', async () => {
    try {
      parentPort.postMessage(await reading.next());
    } catch ({ failureType = 'system', message, internalMessage }) {
      parentPort.postMessage({ error: { failureType, message, internalMessage } });
    }
  });
}
