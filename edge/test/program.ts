/** A program in TypeScript, which is only checked: every type of the package, as others use it. */

import { ConnectorError, connector, sync } from 'elt-connector';
import type { Batch, Connector, FailureType, Limits, Progress, Stream, SyncResult, Usage } from 'elt-connector';
import * as orb from 'elt-connector/orb';

const limits: Limits = { requests: 1000, inFlight: 4 };

export async function program(key: string, stored: Progress): Promise<SyncResult> {
  const source: Connector = await connector({
    component: orb,
    config: { api_key: key, start_date: '2024-01-01T00:00:00Z' },
    log: (level, message) => console.log(level, message),
    limits,
  });
  const streams: Stream[] = await source.streams();
  const signal = AbortSignal.timeout(60_000);
  for await (const batch of source.read(streams[0]!.name, { signal, onUsage: (usage: Usage) => usage.requests })) {
    const { records, checkpoint }: Batch = batch;
    console.log(records.length, checkpoint?.length);
  }
  try {
    await source.check({ signal });
  } catch (error) {
    if (error instanceof ConnectorError) {
      const fault: FailureType = error.failureType;
      console.log(fault, error.message);
    }
  }
  return sync(source, { streams: ['customers'], progress: stored, write() {}, budget: { requests: 40 } });
}
