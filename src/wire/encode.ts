/** Packets to the bytes that a capture holds, with right lengths and checksums. */
import { finishSum, pseudoHeaderSum, sumWords } from './checksum.ts';
import { ipv4ToNumber } from './ip.ts';
import {
  ETHERNET_HEADER,
  frameLength,
  ICMP_HEADER,
  IPV4_HEADER,
  icmpQuotedLength,
  ipv4Length,
  l4Length,
  TCP_HEADER,
  tcpHeaderLength,
  tcpOptionLength,
  UDP_HEADER,
  VXLAN_HEADER,
} from './length.ts';
import { writeMac } from './mac.ts';
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ICMP_FRAG_NEEDED,
  ICMP_TYPE,
  TCP_FLAG_BIT,
  TCP_OPTION,
  VXLAN_FLAG_VNI,
} from './number.ts';
import type {
  Arp,
  Ethernet,
  Icmp,
  Ipv4,
  Opaque,
  Tcp,
  TcpOption,
  Udp,
  Unknown,
  Vxlan,
} from './packet.ts';
import { PROTO } from './packet.ts';

/** A packet under construction: its bytes and a view on them, one for all headers in it. */
interface Buffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const bufferOf = (length: number): Buffer => {
  const bytes = new Uint8Array(length);
  return { bytes, view: new DataView(bytes.buffer) };
};

const portNumber = (port: number | Unknown): number =>
  typeof port === 'number' ? port : port.range[0];

/** The protocol field of an IPv4 header (IANA protocol numbers). */
export const protocolNumber = (packet: Ipv4): number =>
  packet.payload.type === 'data' ? (packet.protocol ?? 0) : PROTO[packet.payload.type];

const writeData = ({ bytes }: Buffer, at: number, data: Opaque): void => {
  if (data.bytes) bytes.set(data.bytes.subarray(0, data.length), at);
};

const writeArp = ({ bytes, view }: Buffer, at: number, arp: Arp): void => {
  view.setUint16(at, 1); // Ethernet
  view.setUint16(at + 2, ETHERTYPE_IPV4);
  view.setUint8(at + 4, 6);
  view.setUint8(at + 5, 4);
  view.setUint16(at + 6, arp.op === 'request' ? 1 : 2);
  writeMac(bytes, at + 8, arp.sha);
  view.setUint32(at + 14, ipv4ToNumber(arp.spa));
  writeMac(bytes, at + 18, arp.tha);
  view.setUint32(at + 24, ipv4ToNumber(arp.tpa));
};

const writeTcpOption = ({ bytes, view }: Buffer, at: number, option: TcpOption): void => {
  if (option.kind === 'raw') {
    bytes.set(option.bytes, at);
    return;
  }
  if (option.kind !== 'nop') view.setUint8(at + 1, tcpOptionLength(option));
  switch (option.kind) {
    case 'nop':
      view.setUint8(at, TCP_OPTION.nop);
      break;
    case 'mss':
      view.setUint8(at, TCP_OPTION.mss);
      view.setUint16(at + 2, option.mss);
      break;
    case 'window-scale':
      view.setUint8(at, TCP_OPTION.windowScale);
      view.setUint8(at + 2, option.shift);
      break;
    case 'sack-permitted':
      view.setUint8(at, TCP_OPTION.sackPermitted);
      break;
    case 'timestamps':
      view.setUint8(at, TCP_OPTION.timestamps);
      view.setUint32(at + 2, option.value);
      view.setUint32(at + 6, option.echo);
      break;
    default: {
      const never: never = option;
      throw new TypeError(`not a TCP option: ${never}`);
    }
  }
};

const writeTcp = (buffer: Buffer, at: number, tcp: Tcp, pseudo: number): void => {
  const { bytes, view } = buffer;
  const header = tcpHeaderLength(tcp);
  view.setUint16(at, portNumber(tcp.sport));
  view.setUint16(at + 2, portNumber(tcp.dport));
  view.setUint32(at + 4, tcp.seq);
  view.setUint32(at + 8, tcp.ack);
  view.setUint8(at + 12, (header / 4) << 4);
  let flags = 0;
  for (const [flag, bit] of TCP_FLAG_BIT) if (tcp.flags.includes(flag)) flags |= bit;
  view.setUint8(at + 13, flags);
  view.setUint16(at + 14, tcp.window);
  let option = at + TCP_HEADER;
  for (const each of tcp.options) {
    writeTcpOption(buffer, option, each);
    option += tcpOptionLength(each);
  }
  writeData(buffer, at + header, tcp.payload);
  view.setUint16(at + 16, finishSum(sumWords(bytes, at, at + l4Length(tcp), pseudo)));
};

const writeVxlan = (buffer: Buffer, at: number, vxlan: Vxlan): void => {
  buffer.view.setUint8(at, VXLAN_FLAG_VNI);
  buffer.view.setUint32(at + 4, vxlan.vni * 256);
  writeFrame(buffer, at + VXLAN_HEADER, vxlan.payload);
};

const writeUdp = (buffer: Buffer, at: number, udp: Udp, pseudo: number): void => {
  const { bytes, view } = buffer;
  const length = l4Length(udp);
  view.setUint16(at, portNumber(udp.sport));
  view.setUint16(at + 2, portNumber(udp.dport));
  view.setUint16(at + 4, length);
  if (udp.payload.type === 'vxlan') writeVxlan(buffer, at + UDP_HEADER, udp.payload);
  else writeData(buffer, at + UDP_HEADER, udp.payload);
  // Zero means "no checksum", so a sum of zero is sent as its other form (RFC 768).
  view.setUint16(at + 6, finishSum(sumWords(bytes, at, at + length, pseudo)) || 0xffff);
};

const writeIcmp = (buffer: Buffer, at: number, icmp: Icmp): void => {
  const { bytes, view } = buffer;
  view.setUint8(at, ICMP_TYPE[icmp.kind]);
  view.setUint8(at + 1, icmp.code);
  switch (icmp.kind) {
    case 'echo-request':
    case 'echo-reply':
      view.setUint16(at + 4, portNumber(icmp.id ?? 0));
      view.setUint16(at + 6, icmp.seq ?? 0);
      break;
    case 'destination-unreachable':
      if (icmp.code === ICMP_FRAG_NEEDED) view.setUint16(at + 6, icmp.mtu ?? 0);
      break;
    case 'redirect':
      if (icmp.gateway !== undefined) view.setUint32(at + 4, ipv4ToNumber(icmp.gateway));
      break;
    case 'time-exceeded':
    case 'parameter-problem':
      break;
    default: {
      const never: never = icmp.kind;
      throw new TypeError(`not a kind of ICMP: ${never}`);
    }
  }
  const quoted = icmpQuotedLength(icmp);
  if (icmp.original) bytes.set(encodeIpv4(icmp.original).subarray(0, quoted), at + ICMP_HEADER);
  writeData(buffer, at + ICMP_HEADER + quoted, icmp.payload);
  view.setUint16(at + 2, finishSum(sumWords(bytes, at, at + l4Length(icmp))));
};

const writeIpv4 = (buffer: Buffer, at: number, packet: Ipv4): void => {
  const { bytes, view } = buffer;
  const { payload } = packet;
  const src = ipv4ToNumber(packet.src);
  const dst = ipv4ToNumber(packet.dst);
  const protocol = protocolNumber(packet);
  view.setUint8(at, 0x45);
  view.setUint8(at + 1, packet.tos);
  view.setUint16(at + 2, ipv4Length(packet));
  view.setUint16(at + 4, packet.id);
  view.setUint16(at + 6, packet.df ? 0x4000 : 0);
  view.setUint8(at + 8, packet.ttl);
  view.setUint8(at + 9, protocol);
  view.setUint32(at + 12, src);
  view.setUint32(at + 16, dst);
  view.setUint16(at + 10, finishSum(sumWords(bytes, at, at + IPV4_HEADER)));
  const inner = at + IPV4_HEADER;
  const pseudo = pseudoHeaderSum(src, dst, protocol, l4Length(payload));
  switch (payload.type) {
    case 'tcp':
      writeTcp(buffer, inner, payload, pseudo);
      break;
    case 'udp':
      writeUdp(buffer, inner, payload, pseudo);
      break;
    case 'icmp':
      writeIcmp(buffer, inner, payload);
      break;
    case 'data':
      writeData(buffer, inner, payload);
      break;
    default: {
      const never: never = payload;
      throw new TypeError(`not a payload: ${never}`);
    }
  }
};

const writeFrame = (buffer: Buffer, at: number, frame: Ethernet): void => {
  writeMac(buffer.bytes, at, frame.dst);
  writeMac(buffer.bytes, at + 6, frame.src);
  const { payload } = frame;
  buffer.view.setUint16(at + 12, payload.type === 'arp' ? ETHERTYPE_ARP : ETHERTYPE_IPV4);
  if (payload.type === 'arp') writeArp(buffer, at + ETHERNET_HEADER, payload);
  else writeIpv4(buffer, at + ETHERNET_HEADER, payload);
};

/** An IPv4 packet from its header on (RFC 791). Unknown ports stand as the lowest they can be. */
export const encodeIpv4 = (packet: Ipv4): Uint8Array => {
  const buffer = bufferOf(ipv4Length(packet));
  writeIpv4(buffer, 0, packet);
  return buffer.bytes;
};

/**
 * A frame as a capture on a virtual device holds it: no padding to 60 bytes, no frame checksum.
 * Unknown ports stand as the lowest they can be. The UDP around a VXLAN has a checksum, as Linux
 * sends it unless the device was made with `noudpcsum`.
 * @throws {RangeError} when an address in it is not canonical
 */
export const encodeEthernet = (frame: Ethernet): Uint8Array => {
  const buffer = bufferOf(frameLength(frame));
  writeFrame(buffer, 0, frame);
  return buffer.bytes;
};
