/** What people type as an address or a range, checked and made canonical. */
import ipaddr from 'ipaddr.js';
import { cidrOf } from './ip.ts';
import type { Cidr, Ip } from './packet.ts';

export interface UserIp {
  readonly family: 4 | 6;
  /** Canonical: dotted quad, or RFC 5952. */
  readonly ip: Ip;
}

export interface UserCidr {
  readonly family: 4 | 6;
  /** Canonical, host bits zero. */
  readonly cidr: Cidr;
  readonly prefix: number;
  /** The address as typed, which may have host bits: `10.1.0.5/16` → `10.1.0.5`. */
  readonly ip: Ip;
}

/**
 * An address as people type it. Only four decimal parts without leading zeros are IPv4: `10.1`,
 * `010.0.0.1` and `0x0a.0.0.1` mean different addresses to different programs. An IPv6 address
 * with a zone is not an address of a cluster. Undefined: not an address.
 */
export const parseUserIp = (text: string): UserIp | undefined => {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { family: 4, ip: text };
  if (!text.includes('%') && ipaddr.IPv6.isValid(text))
    return { family: 6, ip: ipaddr.IPv6.parse(text).toRFC5952String() };
  return undefined;
};

/** A range as people type it: an address, a slash and a decimal prefix length. */
export const parseUserCidr = (text: string): UserCidr | undefined => {
  const [address, length, ...rest] = text.split('/');
  if (address === undefined || length === undefined || rest.length > 0) return undefined;
  const parsed = parseUserIp(address);
  if (!parsed || !/^(?:0|[1-9][0-9]{0,2})$/.test(length)) return undefined;
  const prefix = Number(length);
  const { family, ip } = parsed;
  if (prefix > (family === 4 ? 32 : 128)) return undefined;
  const cidr =
    family === 4
      ? cidrOf(ip, prefix)
      : `${ipaddr.IPv6.networkAddressFromCIDR(`${ip}/${prefix}`).toRFC5952String()}/${prefix}`;
  return { family, cidr, prefix, ip };
};

/** The 16 bytes of an IPv6 address. @throws {RangeError} when the text is none */
export const ipv6ToBytes = (ip: string): Uint8Array => {
  if (!ipaddr.IPv6.isValid(ip)) throw new RangeError(`not an IPv6 address: ${JSON.stringify(ip)}`);
  return Uint8Array.from(ipaddr.IPv6.parse(ip).toByteArray());
};

/** The canonical text (RFC 5952) of 16 bytes. */
export const bytesToIpv6 = (bytes: Uint8Array): string =>
  new ipaddr.IPv6([...bytes]).toRFC5952String();

/** Leading zeros are decimal, as they were to Go before 1.17: `172.30.0.041` → `172.30.0.41`. */
const withoutLeadingZeros = (text: string): string =>
  text.replaceAll(/(?<![0-9a-fA-F:])0+(?=[0-9])/g, '');

const MAPPED = /^::ffff:(?<ip>\d+\.\d+\.\d+\.\d+)$/i;

/**
 * An address as the Kubernetes API takes it in fields older than Go 1.17 (ParseIPSloppy of
 * k8s.io/utils/net): IPv4 parts may have leading zeros, and an IPv4 address mapped into IPv6 is
 * that address. Undefined: not an address.
 */
export const parseSloppyIp = (text: string): UserIp | undefined => {
  const own = MAPPED.exec(text)?.groups?.['ip'] ?? text;
  return parseUserIp(own.includes(':') ? own : withoutLeadingZeros(own));
};

/** A range as the API takes it in such fields (ParseCIDRSloppy): `203.0.113.000/025` too. */
export const parseSloppyCidr = (text: string): UserCidr | undefined => {
  const [address = '', length = ''] = text.split('/');
  if (!text.includes('/')) return undefined;
  const rest = text.slice(address.length + 1 + length.length);
  const plain = address.includes(':') ? address : withoutLeadingZeros(address);
  return parseUserCidr(`${plain}/${length.replace(/^0+(?=\d)/, '')}${rest}`);
};
