/** Reads one stream in Node, Deno or Bun, and prints what that took: `read.mjs CONFIG STREAM`. */

import process from 'node:process';

import * as orb from '../js/dist/orb/fetch.js';
import { measure } from './measure.js';

const [config, stream] = process.argv.slice(2);
const result = await measure(orb, JSON.parse(config), stream);
console.log(JSON.stringify({ ...result, rss: process.memoryUsage().rss }));
process.exit();
