/**
 * The parts of `wasi:cli` that Rust's standard library imports into a component, unless something
 * takes their place, as elt-sdk does in orb.wasm. There is no environment and no input. What goes
 * to stderr, such as the message of a panic, becomes lines of the log; stdout is dropped.
 */

import { Resource } from './handles.js';
import { InputStream, OutputStream } from './streams.js';

const ROOM = 1 << 20;

/** A terminal, which nothing here is. */
class Terminal extends Resource {}

/**
 * @param {import('./poll.js').Waits} waits
 * @param {(text: string) => void} onStderr
 */
export function cli(waits, onStderr) {
  const nothing = { next: async () => null, cancel() {} };
  const decoder = new TextDecoder();
  const none = () => undefined;
  return {
    'wasi:cli/environment': { getEnvironment: () => [], getArguments: () => [], initialCwd: none },
    'wasi:cli/exit': {
      exit() {
        throw new Error('the connector exited');
      },
    },
    'wasi:cli/stdin': { getStdin: () => new InputStream(waits, nothing) },
    'wasi:cli/stdout': { getStdout: () => new OutputStream(waits, () => {}, ROOM) },
    'wasi:cli/stderr': {
      getStderr: () => new OutputStream(waits, (bytes) => onStderr(decoder.decode(bytes)), ROOM),
    },
    'wasi:cli/terminal-input': { TerminalInput: Terminal },
    'wasi:cli/terminal-output': { TerminalOutput: Terminal },
    'wasi:cli/terminal-stdin': { getTerminalStdin: none },
    'wasi:cli/terminal-stdout': { getTerminalStdout: none },
    'wasi:cli/terminal-stderr': { getTerminalStderr: none },
  };
}
