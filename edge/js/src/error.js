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
    super(message, cause === undefined ? undefined : { cause });
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
  const shown = (text) => plain(masked(text));
  // jco wraps the error of a call that does not suspend.
  const said = thrown?.payload ?? thrown;
  if (typeof said?.failureType === 'string' && typeof said.message === 'string') {
    const internalMessage = said.internalMessage && shown(said.internalMessage);
    return new ConnectorError(said.failureType, shown(said.message), { internalMessage });
  }
  // The error itself is no cause of this one, since it may hold what the component has said.
  const internalMessage = shown(String(thrown?.message ?? thrown));
  return new ConnectorError('system', 'the connector crashed', { internalMessage });
}

/**
 * A text from a connector as one line that moves no cursor, of a bounded length.
 *
 * @param {string} text
 */
export function plain(text) {
  const short = text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (${text.length} characters)`;
  // Line breaks, control characters, and what changes the direction of writing.
  return short.replace(/\r?\n|[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (found) =>
    found.endsWith('\n') ? '\\n' : found === '\t' ? ' ' : '\ufffd',
  );
}
