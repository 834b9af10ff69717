/** Bounds the memory of core modules, since JavaScript has no way to bound it from outside. */

/** The most memory of an instance, in pages of 64 KiB: 64 MiB. */
const MAX_PAGES = 1024;

/** The sections of a module that matter here. */
const MEMORY = 5;
/** Flags of a memory's limits: a maximum follows. Shared and 64-bit memories have others. */
const HAS_MAXIMUM = 1;

/**
 * The module with no more than `MAX_PAGES` for the memory that it defines, if it defines one.
 *
 * @param {Uint8Array} module
 */
export function withMaximum(module) {
  let at = 8;
  while (at < module.length) {
    const [size, start] = number(module, at + 1);
    if (module[at] === MEMORY) {
      const memory = bounded(module, start);
      const section = Buffer.from([MEMORY, ...leb128(memory.length), ...memory]);
      return Buffer.concat([module.subarray(0, at), section, module.subarray(start + size)]);
    }
    at = start + size;
  }
  return module;
}

function bounded(module, start) {
  const [count, flagsAt] = number(module, start);
  if (count === 0) return [0];
  const flags = module[flagsAt];
  if (count !== 1 || flags > HAS_MAXIMUM) throw new Error('a connector has one memory of 32 bits, for itself');
  const [minimum, next] = number(module, flagsAt + 1);
  const [maximum] = flags === HAS_MAXIMUM ? number(module, next) : [MAX_PAGES];
  if (minimum > MAX_PAGES) throw new Error(`the connector wants ${minimum} pages of memory; ${MAX_PAGES} are allowed`);
  return [1, HAS_MAXIMUM, ...leb128(minimum), ...leb128(Math.min(maximum, MAX_PAGES))];
}

/** A number in LEB128, and where the next thing begins. */
function number(bytes, from) {
  let [value, factor, next] = [0, 1, from];
  for (;;) {
    const byte = bytes[next++];
    value += (byte & 127) * factor;
    factor *= 128;
    if (byte < 128) return [value, next];
  }
}

function leb128(value) {
  const bytes = [];
  do {
    bytes.push((value & 127) | (value > 127 ? 128 : 0));
    value >>>= 7;
  } while (value);
  return bytes;
}
