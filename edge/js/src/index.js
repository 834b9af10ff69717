export { connector } from './connector.js';
export { ConnectorError } from './error.js';
export { DEFAULT_LIMITS } from './limits.js';
export { sync } from './sync.js';
