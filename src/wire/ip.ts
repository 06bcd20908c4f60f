/** IPv4 addresses and CIDRs as numbers: what the lookups of the kernel count with. */
import type { Cidr, Ip } from './packet.ts';

/** A CIDR taken apart. All numbers are unsigned 32-bit integers. */
export interface ParsedCidr {
  /** The network's first address; host bits are zero. */
  readonly address: number;
  /** 0 to 32. */
  readonly prefix: number;
  readonly mask: number;
}

const ZERO = 48;
const NINE = 57;
const DOT = 46;
const NOT_AN_ADDRESS = -1;

/** Reads the dotted quad in text[0, end); NOT_AN_ADDRESS unless it is canonical. */
const scanIpv4 = (text: string, end: number): number => {
  if (end < 7 || end > 15) return NOT_AN_ADDRESS;
  let value = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  for (let at = 0; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code <= NINE) {
      // A leading zero means octal to some tools and decimal to others: it is no canonical text.
      if (digits > 0 && octet === 0) return NOT_AN_ADDRESS;
      octet = octet * 10 + code - ZERO;
      digits++;
      if (octet > 255) return NOT_AN_ADDRESS;
    } else if (code === DOT && digits > 0 && dots < 3) {
      value = value * 256 + octet;
      octet = 0;
      digits = 0;
      dots++;
    } else {
      return NOT_AN_ADDRESS;
    }
  }
  return dots === 3 && digits > 0 ? value * 256 + octet : NOT_AN_ADDRESS;
};

/** Whether the text is a canonical dotted quad: four decimal numbers without leading zeros. */
export const isIpv4 = (text: string): boolean => scanIpv4(text, text.length) !== NOT_AN_ADDRESS;

/**
 * The address as an unsigned 32-bit integer in host order.
 * @throws {RangeError} when the text is no canonical dotted quad
 */
export const ipv4ToNumber = (ip: Ip): number => {
  const value = scanIpv4(ip, ip.length);
  if (value === NOT_AN_ADDRESS) throw new RangeError(`not an IPv4 address: ${JSON.stringify(ip)}`);
  return value;
};

/** The canonical text of an address; only the low 32 bits count. */
export const numberToIpv4 = (value: number): Ip =>
  `${(value >>> 24) & 255}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;

/** The netmask of a prefix length (0 to 32) as an unsigned integer. */
export const prefixMask = (prefix: number): number =>
  prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;

/** Addresses in a prefix: 1 for /32, 2^32 for /0. */
const prefixSize = (prefix: number): number => 2 ** (32 - prefix);

const scanCidr = (cidr: Cidr): ParsedCidr | undefined => {
  const slash = cidr.indexOf('/');
  const value = scanIpv4(cidr, slash);
  const length = cidr.slice(slash + 1);
  if (value === NOT_AN_ADDRESS || !/^(?:[0-9]|[12][0-9]|3[0-2])$/.test(length)) return undefined;
  const prefix = Number(length);
  const mask = prefixMask(prefix);
  return Object.freeze({ address: (value & mask) >>> 0, prefix, mask });
};

// The same few thousand CIDRs of a cluster are asked for at every hop. The bound keeps a program
// that reads one cluster after the other from growing for ever.
const MEMO_LIMIT = 100_000;
const memo = new Map<Cidr, ParsedCidr>();

/**
 * A CIDR as numbers, host bits masked away. Memoised.
 * @throws {RangeError} when the text is not a canonical address, a slash and 0 to 32
 */
export const parseCidr = (cidr: Cidr): ParsedCidr => {
  const known = memo.get(cidr);
  if (known) return known;
  const parsed = scanCidr(cidr);
  if (!parsed) throw new RangeError(`not an IPv4 CIDR: ${JSON.stringify(cidr)}`);
  if (memo.size >= MEMO_LIMIT) memo.clear();
  memo.set(cidr, parsed);
  return parsed;
};

/** Whether the text is an IPv4 CIDR; host bits may be set. */
export const isIpv4Cidr = (text: string): boolean => scanCidr(text) !== undefined;

/** Whether the address lies in the range. */
export const cidrContains = (cidr: Cidr, ip: Ip): boolean => {
  const { address, mask } = parseCidr(cidr);
  return (ipv4ToNumber(ip) & mask) >>> 0 === address;
};

/** The canonical range of `prefix` bits that an address lies in: `10.1.2.3`, 16 → `10.1.0.0/16`. */
export const cidrOf = (ip: Ip, prefix: number): Cidr =>
  `${numberToIpv4(ipv4ToNumber(ip) & prefixMask(prefix))}/${prefix}`;

/** How many addresses a range has, network and broadcast address included. */
export const cidrSize = (cidr: Cidr): number => prefixSize(parseCidr(cidr).prefix);

/**
 * The n-th address of a range; 0 is the network address.
 * @throws {RangeError} when the range has no such address
 */
export const cidrAt = (cidr: Cidr, n: number): Ip => {
  const { address, prefix } = parseCidr(cidr);
  if (!Number.isInteger(n) || n < 0 || n >= prefixSize(prefix))
    throw new RangeError(`${cidr} has no address number ${n}`);
  return numberToIpv4(address + n);
};

/** Whether two ranges share an address. */
export const cidrOverlaps = (a: Cidr, b: Cidr): boolean => {
  const left = parseCidr(a);
  const right = parseCidr(b);
  const mask = left.prefix < right.prefix ? left.mask : right.mask;
  return (left.address & mask) >>> 0 === (right.address & mask) >>> 0;
};

/** The last address of a range. */
export const cidrBroadcast = (cidr: Cidr): Ip => {
  const { address, mask } = parseCidr(cidr);
  return numberToIpv4((address | ~mask) >>> 0);
};

const MULTICAST = 0xe0000000;
const CLASS_E = 0xf0000000;
const LOOPBACK = 127;
const LINK_LOCAL = 0xa9fe;

/** 224.0.0.0/4 (ipv4_is_multicast, include/linux/in.h). */
export const isMulticast = (ip: Ip): boolean => (ipv4ToNumber(ip) & CLASS_E) >>> 0 === MULTICAST;

/** This network (RFC 6890), loopback, and multicast with all that is above it: nobody's own. */
const NOBODYS: readonly Cidr[] = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3'];

/** Whether one machine on a wire can have the address. */
export const isUnicast = (ip: Ip): boolean => !NOBODYS.some((cidr) => cidrContains(cidr, ip));

/** Whether machines can have all addresses of the range. */
export const isUnicastCidr = (range: Cidr): boolean =>
  !NOBODYS.some((cidr) => cidrOverlaps(cidr, range));

/** 127.0.0.0/8 (ipv4_is_loopback, include/linux/in.h). */
export const isLoopback = (ip: Ip): boolean => ipv4ToNumber(ip) >>> 24 === LOOPBACK;

/** 169.254.0.0/16, which no router passes on (RFC 3927). */
export const isLinkLocal = (ip: Ip): boolean => ipv4ToNumber(ip) >>> 16 === LINK_LOCAL;
