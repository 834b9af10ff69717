/** `wasi:random` over the platform's generator. */

/** `crypto.getRandomValues` takes no more at once. */
const MOST = 65_536;

function bytes(length) {
  if (length > BigInt(MOST)) throw new Error(`more than ${MOST} random bytes at once`);
  return crypto.getRandomValues(new Uint8Array(Number(length)));
}

const number = () => new BigUint64Array(bytes(8n).buffer)[0];

export const random = {
  'wasi:random/random': { getRandomBytes: bytes, getRandomU64: number },
  'wasi:random/insecure': { getInsecureRandomBytes: bytes, getInsecureRandomU64: number },
  'wasi:random/insecure-seed': { insecureSeed: () => [number(), number()] },
};
