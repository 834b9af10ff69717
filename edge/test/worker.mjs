/** Runs the scenario, or reads one stream, in workerd: the body of a request is the config. */

import * as orb from '../js/dist/orb/workerd.js';
import { measure } from './measure.js';
import { scenario } from './scenario.js';

export default {
  async fetch(request) {
    const stream = new URL(request.url).searchParams.get('stream');
    const config = await request.json();
    return Response.json(stream ? await measure(orb, config, stream) : await scenario(orb, config));
  },
};
