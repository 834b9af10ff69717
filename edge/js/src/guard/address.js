/**
 * Which hosts are on the internet, by their names alone. JavaScript cannot see the address that a
 * name resolves to.
 */

/** Ranges of IPv4 that are not on the internet (IANA's registry of special addresses). */
const PRIVATE_V4 = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24',
  '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24',
  '224.0.0.0/3',
].map((range) => {
  const [address, bits] = range.split('/');
  return { first: numberOf(address), bits: Number(bits) };
});

/** Names that mean this machine or the network around it. */
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|home\.arpa|in-addr\.arpa|ip6\.arpa)$/;

/**
 * @param {string} hostname As `URL` normalises it.
 * @returns {boolean}
 */
export function isPublic(hostname) {
  if (hostname.startsWith('[')) return isPublicV6(hostname.slice(1, -1));
  const name = hostname.replace(/\.$/, '');
  if (/^\d+(\.\d+){3}$/.test(name)) return isPublicV4(numberOf(name));
  return name.includes('.') && !PRIVATE_NAME.test(name);
}

/** Whether a host is an address of this machine. Names are not: somebody resolves them. */
export function isLoopback(hostname) {
  return hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

function isPublicV4(address) {
  return !PRIVATE_V4.some(({ first, bits }) => address >>> (32 - bits) === first >>> (32 - bits));
}

function isPublicV6(address) {
  const [first, second] = address.split(':').map((group) => parseInt(group || '0', 16));
  // Global unicast, less Teredo and other protocols, documentation, and 6to4.
  return first >= 0x2000 && first < 0x3fff && first !== 0x2002 && !(first === 0x2001 && (second < 0x200 || second === 0xdb8));
}

function numberOf(address) {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}
