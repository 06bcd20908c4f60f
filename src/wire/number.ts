/** Numbers that headers carry in place of names (IANA registries, RFC 791, 792, 826, 7348). */
import type { IcmpKind, TcpFlag } from './packet.ts';

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;

export const ICMP_TYPE: Readonly<Record<IcmpKind, number>> = {
  'echo-reply': 0,
  'destination-unreachable': 3,
  redirect: 5,
  'echo-request': 8,
  'time-exceeded': 11,
  'parameter-problem': 12,
};

/** Destination unreachable: fragmentation needed and DF set (RFC 1191). */
export const ICMP_FRAG_NEEDED = 4;

export const TCP_FLAG_BIT: readonly (readonly [TcpFlag, number])[] = [
  ['fin', 0x01],
  ['syn', 0x02],
  ['rst', 0x04],
  ['psh', 0x08],
  ['ack', 0x10],
];

export const TCP_OPTION = {
  end: 0,
  nop: 1,
  mss: 2,
  windowScale: 3,
  sackPermitted: 4,
  timestamps: 8,
} as const;

/** The flag that says that a VXLAN network identifier is there (RFC 7348 section 5). */
export const VXLAN_FLAG_VNI = 0x08;

/** UDP ports where a VXLAN is expected: IANA's, and the one that Linux takes by default. */
export const VXLAN_PORTS: readonly number[] = [4789, 8472];
