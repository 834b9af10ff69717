/**
 * Syncs Orb in slices: each run of the cron trigger reads on from where the last one stopped,
 * within the platform's limits.
 */

import { connector, sync } from 'elt-connector';
import * as orb from 'elt-connector/orb';

import { isAllowed } from './access.js';
import { Parts } from './parts.js';
import { Progress } from './progress.js';
import { numbers } from './settings.js';

export default {
  async scheduled(_event, env) {
    await slice(env);
  },

  /** `GET /progress` and `POST /slice`, for whoever has the access token. */
  async fetch(request, env) {
    if (!(await isAllowed(request, env.ACCESS_TOKEN))) return new Response('', { status: 401 });
    const { pathname } = new URL(request.url);
    if (request.method === 'GET' && pathname === '/progress') {
      return Response.json((await Progress.load(env.PROGRESS)).summary());
    }
    if (request.method === 'POST' && pathname === '/slice') {
      try {
        return Response.json(await slice(env));
      } catch ({ failureType = 'system', message }) {
        return Response.json({ failureType, message }, { status: 502 });
      }
    }
    return new Response('', { status: 404 });
  },
};

/** Reads one slice. */
async function slice(env) {
  const { IN_FLIGHT: inFlight, SLICE_REQUESTS: requests, SYNC_MINUTES: minutes } = numbers(env);
  const progress = await Progress.load(env.PROGRESS);
  if (!progress.isDue(minutes)) return { done: true, records: 0 };
  const source = await connector({
    component: orb,
    config: {
      api_key: env.ORB_API_KEY,
      start_date: env.START_DATE,
      ...(env.ORB_API_URL && { api_url: env.ORB_API_URL }),
      concurrency: inFlight,
      // The next slice tries again.
      retry_minutes: 0,
    },
    limits: { inFlight, responseBytes: 16 << 20 },
    log: (level, message) => console.log(`${level}: ${message}`),
  });
  const parts = new Parts(env.RECORDS, progress.run);
  const { progress: reached, done } = await sync(source, {
    streams: env.STREAMS.split(','),
    progress: progress.value,
    budget: { requests },
    write: (stream, records) => parts.write(stream, records),
    // Progress counts once the records it covers are in R2. Saving it for each checkpoint would
    // make an object of each batch, so it waits until a part is full.
    save: async (value) => {
      if (parts.isFull) await progress.save(value, await parts.flush());
    },
  });
  const records = await parts.flush();
  await progress.save(reached, records, done);
  return { done, records: parts.total };
}
