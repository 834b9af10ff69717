/** Why a call failed, and whose fault it is. */

/** @typedef {'config' | 'transient' | 'system'} FailureType */

/** The longest message that a connector may give. */
const LONGEST = 8192;

export class ConnectorError extends Error {
  name = 'ConnectorError';

  /**
   * @param {FailureType} failureType
   * @param {string} message
   * @param {{ internalMessage?: string, cause?: unknown }=} details
   */
  constructor(failureType, message, { internalMessage, cause } = {}) {
    super(message, { cause });
    /** Whose fault it is: of the config, of something that may pass, or of a program. */
    this.failureType = failureType;
    /** For an engineer. */
    this.internalMessage = internalMessage;
  }
}

/**
 * The error of a failed call into the component: what it returned, what ended it, or a crash.
 *
 * @param {unknown} thrown
 * @param {AbortSignal} signal The end of the session.
 * @param {(text: string) => string} masked
 */
export function failure(thrown, signal, masked) {
  if (signal.aborted) return signal.reason;
  if (thrown instanceof ConnectorError) return thrown;
  // jco wraps the error of a call that does not suspend.
  const said = thrown?.payload ?? thrown;
  if (typeof said?.failureType === 'string' && typeof said.message === 'string') {
    const internalMessage = said.internalMessage && cut(masked(said.internalMessage));
    return new ConnectorError(said.failureType, cut(masked(said.message)), { internalMessage });
  }
  const reason = cut(masked(String(thrown?.message ?? thrown)));
  return new ConnectorError('system', 'the connector crashed', { internalMessage: reason, cause: thrown });
}

/** @param {string} text */
export function cut(text) {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (${text.length} characters)`;
}
