/** Devices and their addresses as `ip link`, `ip addr` and `bridge link` of iproute2 6.1 print them. */
import type { BridgePort, IfAddr, Netdev } from '../../kernel/world.ts';

/** What a device's lines depend on besides the device. */
export interface LinkContext {
  /** The kernel's view of the device as a whole (RFC 2863), e.g. `UP`, `LOWERLAYERDOWN`. */
  readonly operstate: string;
  readonly carrier: boolean;
  /** The veth's other end, where it has one. */
  readonly peer?: LinkPeer;
}

export interface LinkPeer {
  readonly ifname: string;
  readonly ifindex: number;
  readonly up: boolean;
  /** Number of the other end's namespace as seen from here; absent: it is this one. */
  readonly nsid?: number;
}

const KIND_FLAGS = {
  loopback: ['LOOPBACK'],
  dummy: ['BROADCAST', 'NOARP'],
  ethernet: ['BROADCAST', 'MULTICAST'],
} as const;

const flagNames = (dev: Netdev, { carrier, peer }: LinkContext): string => {
  const flags: string[] = [];
  if (dev.up && !carrier) flags.push('NO-CARRIER');
  flags.push(
    ...KIND_FLAGS[dev.kind === 'loopback' || dev.kind === 'dummy' ? dev.kind : 'ethernet'],
  );
  if (dev.promisc) flags.push('PROMISC');
  if (dev.up) flags.push('UP');
  if (dev.up && carrier) flags.push('LOWER_UP');
  if (peer && peer.nsid === undefined && !peer.up) flags.push('M-DOWN');
  return flags.join(',');
};

const nameAndPeer = (dev: Netdev, peer: LinkPeer | undefined): string => {
  if (!peer) return dev.ifname;
  return `${dev.ifname}@${peer.nsid === undefined ? peer.ifname : `if${peer.ifindex}`}`;
};

/**
 * Queueing discipline: virtual devices have none and say so once they were up; a network card is
 * shown with the one that systemd makes the default.
 */
const qdisc = (dev: Netdev): string => {
  if (!dev.up) return 'noop';
  return dev.kind === 'physical' ? 'fq_codel' : 'noqueue';
};

const linkLines = (dev: Netdev, context: LinkContext, mode: readonly string[]): string[] => {
  const loopback = dev.kind === 'loopback';
  const { peer } = context;
  return [
    [
      `${dev.ifindex}: ${nameAndPeer(dev, peer)}:`,
      `<${flagNames(dev, context)}>`,
      `mtu ${dev.mtu}`,
      `qdisc ${qdisc(dev)}`,
      ...(dev.master === undefined ? [] : [`master ${dev.master}`]),
      `state ${context.operstate}`,
      ...mode,
      'group default qlen 1000',
    ].join(' '),
    [
      `    link/${loopback ? 'loopback' : 'ether'} ${dev.mac}`,
      `brd ${loopback ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff'}`,
      ...(peer?.nsid === undefined ? [] : [`link-netnsid ${peer.nsid}`]),
    ].join(' '),
  ];
};

/** The two lines of a device in `ip link`. */
export const printLink = (dev: Netdev, context: LinkContext): string[] =>
  linkLines(dev, context, ['mode DEFAULT']);

/** `inet …` of one address, without its line of life times. */
export const printIfAddr = (address: IfAddr, ifname: string): string =>
  [
    `inet ${address.ip}/${address.prefix}`,
    ...(address.broadcast === undefined ? [] : [`brd ${address.broadcast}`]),
    `scope ${address.scope}`,
    ...(address.secondary ? ['secondary'] : []),
    ifname,
  ].join(' ');

/** The lines of a device in `ip addr`. */
export const printAddr = (dev: Netdev, context: LinkContext): string[] => [
  ...linkLines(dev, context, []),
  ...dev.addresses.flatMap((address) => [
    `    ${printIfAddr(address, dev.ifname)}`,
    '       valid_lft forever preferred_lft forever',
  ]),
];

const onOff = (value: boolean): string => (value ? 'on' : 'off');

/** Path cost that a bridge gives a port of 10 Gbit/s, which is what a veth says it is. */
const PORT_COST = 2;

/** What `bridge -d link` prints of a port's settings; those that are not modelled have defaults. */
const portDetails = (port: BridgePort): string =>
  [
    `hairpin ${onOff(port.hairpin)} guard off root_block off fastleave off`,
    `learning ${onOff(port.learning)} flood ${onOff(port.flood)} mcast_flood on bcast_flood on`,
    'mcast_router 1 mcast_to_unicast off neigh_suppress off vlan_tunnel off',
    `isolated ${onOff(port.isolated)} locked off`,
  ].join(' ');

/**
 * The lines of a bridge's port in `bridge link`, with its settings where `details` asks for them
 * (`bridge -d link`). `here` is the name of the device of this namespace that has the peer's
 * index: bridge of iproute2 6.1 looks a peer up here even when it is elsewhere.
 */
export const printBridgeLink = (
  dev: Netdev & { readonly master: string; readonly port: BridgePort },
  context: LinkContext,
  { here, details = false }: { readonly here?: string; readonly details?: boolean } = {},
): string[] => {
  const { peer } = context;
  const name = peer ? `${dev.ifname}@${here ?? `if${peer.ifindex}`}` : dev.ifname;
  const line = [
    `${dev.ifindex}: ${name}:`,
    `<${flagNames(dev, context)}>`,
    `mtu ${dev.mtu}`,
    `master ${dev.master}`,
    `state ${dev.port.state}`,
    `priority 32 cost ${PORT_COST}`,
  ].join(' ');
  return details ? [line, `    ${portDetails(dev.port)}`] : [line];
};
