/** How many bytes the headers and packets take on the wire; the values themselves store none. */
import type { Arp, Ethernet, Icmp, Ipv4, Opaque, Tcp, TcpOption, Udp, Vxlan } from './packet.ts';

export const ETHERNET_HEADER = 14;
export const ARP_LENGTH = 28;
export const IPV4_HEADER = 20;
export const UDP_HEADER = 8;
export const TCP_HEADER = 20;
export const ICMP_HEADER = 8;
export const VXLAN_HEADER = 8;

/** The longest ICMP error that Linux sends, IP header included (icmp_send, net/ipv4/icmp.c). */
export const ICMP_ERROR_MAX = 576;

/** Bytes of one TCP option (RFC 9293 section 3.2, RFC 2018, RFC 7323). */
export const tcpOptionLength = (option: TcpOption): number => {
  switch (option.kind) {
    case 'nop':
      return 1;
    case 'sack-permitted':
      return 2;
    case 'window-scale':
      return 3;
    case 'mss':
      return 4;
    case 'timestamps':
      return 10;
    case 'raw':
      return option.bytes.length;
    default: {
      const never: never = option;
      return never;
    }
  }
};

/** Bytes of a TCP header: 20 and its options, filled up to a multiple of four. */
export const tcpHeaderLength = (tcp: Pick<Tcp, 'options'>): number => {
  let options = 0;
  for (const option of tcp.options) options += tcpOptionLength(option);
  return TCP_HEADER + Math.ceil(options / 4) * 4;
};

/**
 * Bytes of the original packet that an ICMP error carries: all of it, or as many as fit into
 * 576 bytes (icmp_send, net/ipv4/icmp.c), unless `quoted` says how many.
 */
export const icmpQuotedLength = (icmp: Icmp): number => {
  if (!icmp.original) return 0;
  const room = icmp.quoted ?? ICMP_ERROR_MAX - IPV4_HEADER - ICMP_HEADER;
  return Math.min(ipv4Length(icmp.original), room);
};

/** Bytes of what an IPv4 header carries: its own header and everything in it. */
export const l4Length = (payload: Tcp | Udp | Icmp | Opaque): number => {
  switch (payload.type) {
    case 'tcp':
      return tcpHeaderLength(payload) + payload.payload.length;
    case 'udp':
      return UDP_HEADER + udpDataLength(payload.payload);
    case 'icmp':
      return ICMP_HEADER + icmpQuotedLength(payload) + payload.payload.length;
    case 'data':
      return payload.length;
    default: {
      const never: never = payload;
      return never;
    }
  }
};

const udpDataLength = (payload: Opaque | Vxlan): number =>
  payload.type === 'vxlan' ? VXLAN_HEADER + frameLength(payload.payload) : payload.length;

/** The total length field of an IPv4 header, in bytes. */
export const ipv4Length = (packet: Ipv4): number => IPV4_HEADER + l4Length(packet.payload);

const networkLength = (payload: Arp | Ipv4): number =>
  payload.type === 'arp' ? ARP_LENGTH : ipv4Length(payload);

/** Bytes of a frame with its Ethernet header, without padding and without checksum, as captured. */
export const frameLength = (frame: Ethernet): number =>
  ETHERNET_HEADER + networkLength(frame.payload);
