/** Reads one stream in Node, Deno or Bun, and prints what that took: `read.mjs CONFIG STREAM`. */

import process from 'node:process';

import { connector } from '../js/src/index.js';
import * as orb from '../js/dist/orb/fetch.js';

const [config, stream] = process.argv.slice(2);
const started = performance.now();
const source = await connector({ component: orb, config: JSON.parse(config) });
const startMilliseconds = performance.now() - started;
let records = 0;
for await (const batch of source.read(stream)) records += batch.records.length;
console.log(JSON.stringify({ startMilliseconds, records, rss: process.memoryUsage().rss }));
process.exit();
