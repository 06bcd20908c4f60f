/** The bytes of a capture to packets. */
import { DecodeError } from './decode-error.ts';
import { DNS_PORT } from './dns.ts';
import { decodeDns } from './dns-decode.ts';
import { numberToIpv4 } from './ip.ts';
import {
  ARP_LENGTH,
  ETHERNET_HEADER,
  ICMP_ERROR_MAX,
  ICMP_HEADER,
  IPV4_HEADER,
  TCP_HEADER,
  UDP_HEADER,
  VXLAN_HEADER,
} from './length.ts';
import { readMac } from './mac.ts';
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ICMP_FRAG_NEEDED,
  ICMP_TYPE,
  TCP_FLAG_BIT,
  TCP_OPTION,
  VXLAN_FLAG_VNI,
  VXLAN_PORTS,
} from './number.ts';
import type {
  Arp,
  Ethernet,
  Icmp,
  IcmpKind,
  Ipv4,
  Opaque,
  Tcp,
  TcpFlag,
  TcpOption,
  Udp,
  Vxlan,
} from './packet.ts';
import { PROTO } from './packet.ts';

/** Where decoding stands: bytes from `at` to `end` of a capture. */
interface Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly at: number;
  readonly end: number;
  readonly vxlanPorts: readonly number[];
  /** What an ICMP error carries: a packet may end before its own length says so. */
  readonly quoted?: boolean;
}

const fail = (message: string): never => {
  throw new DecodeError(message);
};

const available = ({ at, end }: Cursor): number => end - at;

const need = (cursor: Cursor, length: number, what: string): void => {
  if (available(cursor) < length)
    fail(`${what}: ${available(cursor)} bytes where at least ${length} belong`);
};

const skip = (cursor: Cursor, bytes: number): Cursor => ({ ...cursor, at: cursor.at + bytes });

/** `length` bytes of data, of which the cursor may hold only the first. */
const readData = ({ bytes, at, end }: Cursor, length: number): Opaque => {
  let last = Math.min(end, at + length);
  while (last > at && bytes[last - 1] === 0) last--;
  return last > at
    ? { type: 'data', length, bytes: bytes.slice(at, last) }
    : { type: 'data', length };
};

const readArp = (cursor: Cursor): Arp => {
  need(cursor, ARP_LENGTH, 'ARP');
  const { bytes, view, at } = cursor;
  const op = view.getUint16(at + 6);
  if (
    view.getUint16(at) !== 1 ||
    view.getUint16(at + 2) !== ETHERTYPE_IPV4 ||
    view.getUint16(at + 4) !== 0x0604
  )
    fail('ARP for other than IPv4 over Ethernet');
  if (op !== 1 && op !== 2) fail(`ARP operation ${op}`);
  return {
    type: 'arp',
    op: op === 1 ? 'request' : 'reply',
    sha: readMac(bytes, at + 8),
    spa: numberToIpv4(view.getUint32(at + 14)),
    tha: readMac(bytes, at + 18),
    tpa: numberToIpv4(view.getUint32(at + 24)),
  };
};

const readTcpOption = ({ bytes, view }: Cursor, at: number, length: number): TcpOption => {
  const kind = bytes[at];
  if (kind === TCP_OPTION.mss && length === 4) return { kind: 'mss', mss: view.getUint16(at + 2) };
  if (kind === TCP_OPTION.windowScale && length === 3)
    return { kind: 'window-scale', shift: view.getUint8(at + 2) };
  if (kind === TCP_OPTION.sackPermitted && length === 2) return { kind: 'sack-permitted' };
  if (kind === TCP_OPTION.timestamps && length === 10)
    return {
      kind: 'timestamps',
      value: view.getUint32(at + 2),
      echo: view.getUint32(at + 6),
    };
  return { kind: 'raw', bytes: bytes.slice(at, at + length) };
};

const readTcpOptions = (cursor: Cursor, end: number): TcpOption[] => {
  const { bytes } = cursor;
  const options: TcpOption[] = [];
  let { at } = cursor;
  while (at < end) {
    if (bytes[at] === TCP_OPTION.end) {
      const padding = end - at < 4 && bytes.subarray(at, end).every((byte) => byte === 0);
      if (!padding) options.push({ kind: 'raw', bytes: bytes.slice(at, end) });
      break;
    }
    if (bytes[at] === TCP_OPTION.nop) {
      options.push({ kind: 'nop' });
      at++;
      continue;
    }
    const length = at + 1 < end ? (bytes[at + 1] ?? 0) : 0;
    if (length < 2 || at + length > end) fail('TCP option that runs out of the header');
    options.push(readTcpOption(cursor, at, length));
    at += length;
  }
  return options;
};

const readTcp = (cursor: Cursor, header: number, length: number): Tcp => {
  const { view, at } = cursor;
  const bits = view.getUint8(at + 13);
  const flags: TcpFlag[] = [];
  let known = 0;
  for (const [flag, bit] of TCP_FLAG_BIT) {
    known |= bit;
    if (bits & bit) flags.push(flag);
  }
  if ((bits & ~known) !== 0 || (view.getUint8(at + 12) & 0x0f) !== 0)
    fail('TCP with an urgent, ECN or reserved flag');
  if (view.getUint16(at + 18) !== 0) fail('TCP with an urgent pointer');
  return {
    type: 'tcp',
    sport: view.getUint16(at),
    dport: view.getUint16(at + 2),
    seq: view.getUint32(at + 4),
    ack: view.getUint32(at + 8),
    flags,
    window: view.getUint16(at + 14),
    options: readTcpOptions(skip(cursor, TCP_HEADER), at + header),
    payload: readData(skip(cursor, header), length - header),
  };
};

/** The frame in a VXLAN; undefined where the bytes are no VXLAN with a frame that we can read. */
const readVxlan = (cursor: Cursor): Vxlan | undefined => {
  const { bytes, view, at } = cursor;
  if (available(cursor) < VXLAN_HEADER + ETHERNET_HEADER) return undefined;
  const reserved = view.getUint32(at) & 0x00ffffff;
  if (bytes[at] !== VXLAN_FLAG_VNI || reserved !== 0 || bytes[at + 7] !== 0) return undefined;
  try {
    return {
      type: 'vxlan',
      vni: view.getUint32(at + 4) >>> 8,
      payload: readFrame(skip(cursor, VXLAN_HEADER)),
    };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
};

/** Data of a port of DNS, with the message in it where it is one that `dns.ts` has a value for. */
const readDns = ({ bytes, at, end }: Cursor, data: Opaque): Opaque => {
  if (at + data.length > end) return data;
  try {
    return { ...data, dns: decodeDns(bytes.subarray(at, at + data.length)) };
  } catch (error) {
    if (error instanceof DecodeError) return data;
    throw error;
  }
};

const readUdp = (cursor: Cursor, length: number): Udp => {
  const { view, at, vxlanPorts } = cursor;
  const dport = view.getUint16(at + 2);
  if (view.getUint16(at + 4) !== length) fail('UDP length that differs from the IP length');
  const inner = skip(cursor, UDP_HEADER);
  const vxlan = vxlanPorts.includes(dport) ? readVxlan(inner) : undefined;
  const sport = view.getUint16(at);
  const isDns = sport === DNS_PORT || dport === DNS_PORT;
  const data = readData(inner, length - UDP_HEADER);
  return {
    type: 'udp',
    sport,
    dport,
    payload: vxlan ?? (isDns ? readDns(inner, data) : data),
  };
};

const ICMP_KIND: ReadonlyMap<number, IcmpKind> = new Map([
  [ICMP_TYPE['echo-reply'], 'echo-reply'],
  [ICMP_TYPE['destination-unreachable'], 'destination-unreachable'],
  [ICMP_TYPE.redirect, 'redirect'],
  [ICMP_TYPE['echo-request'], 'echo-request'],
  [ICMP_TYPE['time-exceeded'], 'time-exceeded'],
  [ICMP_TYPE['parameter-problem'], 'parameter-problem'],
]);

const readIcmp = (cursor: Cursor, length: number): Icmp => {
  const { view, at, end } = cursor;
  const type = view.getUint8(at);
  const kind = ICMP_KIND.get(type) ?? fail(`ICMP type ${type}`);
  const code = view.getUint8(at + 1);
  const inner = skip(cursor, ICMP_HEADER);
  if (kind === 'echo-request' || kind === 'echo-reply')
    return {
      type: 'icmp',
      kind,
      code,
      id: view.getUint16(at + 4),
      seq: view.getUint16(at + 6),
      payload: readData(inner, length - ICMP_HEADER),
    };
  const hasMtu = kind === 'destination-unreachable' && code === ICMP_FRAG_NEEDED;
  const rest = view.getUint32(at + 4);
  if (kind !== 'redirect' && (hasMtu ? rest >>> 16 : rest) !== 0)
    fail('ICMP error with an extension or a pointer');
  const { packet: original, length: originalLength } = readIpv4({ ...inner, end, quoted: true });
  // By its own length: an error that is quoted itself may be cut off before that.
  const carried = Math.min(length - ICMP_HEADER, originalLength);
  const usual = Math.min(originalLength, ICMP_ERROR_MAX - IPV4_HEADER - ICMP_HEADER);
  return {
    type: 'icmp',
    kind,
    code,
    ...(hasMtu && { mtu: rest }),
    ...(kind === 'redirect' && { gateway: numberToIpv4(rest) }),
    original,
    ...(carried !== usual && { quoted: carried }),
    payload: readData(skip(inner, carried), length - ICMP_HEADER - carried),
  };
};

/** What an IPv4 header carries; opaque where the bytes end before its own header does. */
const readL4 = (cursor: Cursor, protocol: number, length: number): Ipv4['payload'] => {
  const { view, at } = cursor;
  const room = Math.min(available(cursor), length);
  if (protocol === PROTO.tcp && room >= TCP_HEADER) {
    const header = (view.getUint8(at + 12) >>> 4) * 4;
    if (header < TCP_HEADER || header > length) fail(`TCP header of ${header} bytes`);
    if (room >= header) return readTcp(cursor, header, length);
  }
  if (protocol === PROTO.udp && room >= UDP_HEADER) return readUdp(cursor, length);
  // An ICMP error is never about an ICMP error; a tunnel may hold one in the packet that it is about.
  if (protocol === PROTO.icmp && room >= ICMP_HEADER) return readIcmp(cursor, length);
  return readData(cursor, length);
};

const readIpv4 = (cursor: Cursor): { packet: Ipv4; length: number } => {
  need(cursor, IPV4_HEADER, 'IPv4');
  const { view, at } = cursor;
  const first = view.getUint8(at);
  if (first >>> 4 !== 4) fail(`IP version ${first >>> 4}`);
  if ((first & 15) !== 5) fail('IPv4 with options');
  const fragment = view.getUint16(at + 6);
  if ((fragment & ~0x4000) !== 0) fail('IPv4 fragment');
  const length = view.getUint16(at + 2);
  if (length < IPV4_HEADER) fail(`IPv4 length ${length}`);
  const protocol = view.getUint8(at + 9);
  const inner = skip({ ...cursor, end: Math.min(cursor.end, at + length) }, IPV4_HEADER);
  const payload = readL4(inner, protocol, length - IPV4_HEADER);
  return {
    length,
    packet: {
      type: 'ipv4',
      src: numberToIpv4(view.getUint32(at + 12)),
      dst: numberToIpv4(view.getUint32(at + 16)),
      ttl: view.getUint8(at + 8),
      tos: view.getUint8(at + 1),
      df: (fragment & 0x4000) !== 0,
      id: view.getUint16(at + 4),
      ...(payload.type === 'data' && { protocol }),
      payload,
    },
  };
};

const readWholeIpv4 = (cursor: Cursor): Ipv4 => {
  const { packet, length } = readIpv4(cursor);
  if (!cursor.quoted && length > available(cursor))
    fail(`IPv4 packet of ${length} bytes, of which ${available(cursor)} are there`);
  return packet;
};

const readFrame = (cursor: Cursor): Ethernet => {
  need(cursor, ETHERNET_HEADER, 'Ethernet');
  const { bytes, view, at } = cursor;
  const ethertype = view.getUint16(at + 12);
  const inner = skip(cursor, ETHERNET_HEADER);
  if (ethertype !== ETHERTYPE_ARP && ethertype !== ETHERTYPE_IPV4)
    fail(`ethertype 0x${ethertype.toString(16).padStart(4, '0')}`);
  return {
    type: 'ethernet',
    src: readMac(bytes, at + 6),
    dst: readMac(bytes, at),
    payload: ethertype === ETHERTYPE_ARP ? readArp(inner) : readWholeIpv4(inner),
  };
};

const cursorOn = (bytes: Uint8Array, vxlanPorts: readonly number[]): Cursor => ({
  bytes,
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  at: 0,
  end: bytes.length,
  vxlanPorts,
});

/**
 * A whole IPv4 packet. Checksums are not looked at: a capture of a packet that this machine sends
 * may hold unfinished ones.
 * @throws {DecodeError} as `decodeEthernet`
 */
export const decodeIpv4 = (bytes: Uint8Array, vxlanPorts = VXLAN_PORTS): Ipv4 =>
  readWholeIpv4(cursorOn(bytes, vxlanPorts));

/**
 * A whole frame, as captured. UDP to one of `vxlanPorts` is read as VXLAN where it is one, with a
 * frame that can be read. Padding behind the packet is dropped, checksums are not looked at.
 * @throws {DecodeError} for what `packet.ts` has no value for: other ethertypes (IPv6), fragments,
 *   IPv4 options, urgent and ECN flags, other ICMP types, and bytes that are cut off or broken
 */
export const decodeEthernet = (bytes: Uint8Array, vxlanPorts = VXLAN_PORTS): Ethernet =>
  readFrame(cursorOn(bytes, vxlanPorts));
