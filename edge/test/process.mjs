/** Runs the scenario in Node, Deno or Bun: `process.mjs CONFIG`, where CONFIG is JSON. */

import process from 'node:process';

import * as orb from '../js/dist/orb/fetch.js';
import { scenario } from './scenario.js';

const result = await scenario(orb, JSON.parse(process.argv[2]));
console.log(JSON.stringify({ ...result, rss: process.memoryUsage().rss }));
process.exit();
