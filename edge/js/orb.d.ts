/** Orb's connector, transpiled. */
import type { Component } from './index.js';

export const instantiate: Component['instantiate'];
export const getCoreModule: Component['getCoreModule'];
