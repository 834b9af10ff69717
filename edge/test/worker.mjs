/** Runs the scenario in workerd: the body of a request is the config. */

import * as orb from '../js/dist/orb/workerd.js';
import { scenario } from './scenario.js';

export default {
  async fetch(request) {
    return Response.json(await scenario(orb, await request.json()));
  },
};
