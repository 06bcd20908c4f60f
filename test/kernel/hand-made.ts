/** Worlds made by hand with netlink alone, no Kubernetes in them: what the kernel proof starts from. */
import { createBook } from '../../src/kernel/book.ts';
import {
  addrAdd,
  fdbAppend,
  linkAdd,
  linkAddVeth,
  linkSet,
  neighAdd,
  portSet,
  routeAdd,
  socketAdd,
  sysctlSet,
} from '../../src/kernel/netlink.ts';
import { createNetns } from '../../src/kernel/netns.ts';
import type { Netns, Segment, World } from '../../src/kernel/world.ts';
import { attachmentsOf, createHost, createWorld } from '../../src/kernel/world-build.ts';

/** Namespaces by id, to be changed at will before `worldOf` makes a World of them. */
export type Draft = Map<string, Netns>;

export const draft = (): Draft => new Map();

/** A namespace with a working loopback device, as any runtime leaves it. */
export const addNetns = (made: Draft, host: string, name: string): Netns => {
  const netns = createNetns({ host, name });
  addrAdd(netns, 'lo', { ip: '127.0.0.1', prefix: 8 });
  linkSet(netns, 'lo', { up: true });
  made.set(netns.id, netns);
  return netns;
};

export const netnsOf = (made: Draft, id: string): Netns => {
  const netns = made.get(id);
  if (netns === undefined) throw new RangeError(`no namespace ${id} in the draft`);
  return netns;
};

/** A physical device on a wire, up. */
export const plug = (
  netns: Netns,
  ifname: string,
  wire: string,
  spec: { mac: string; ip: string; prefix: number; mtu?: number },
): void => {
  const mtu = spec.mtu ?? 1500;
  linkAdd(netns, { kind: 'physical', ifname, mac: spec.mac, mtu, segment: wire });
  addrAdd(netns, ifname, { ip: spec.ip, prefix: spec.prefix });
  linkSet(netns, ifname, { up: true });
};

/** Both ends of a veth pair, up. */
export const join = (
  netns: Netns,
  ifname: string,
  peer: Netns,
  peerName: string,
  spec: { mac: string; peerMac: string; mtu?: number; peerMtu?: number },
): void => {
  linkAddVeth(netns, ifname, peer, peerName, spec);
  linkSet(netns, ifname, { up: true });
  linkSet(peer, peerName, { up: true });
};

const segmentsOf = (netnses: readonly Netns[]): Segment[] => {
  const ends = netnses.flatMap(attachmentsOf);
  return [...new Set(ends.map(({ segment }) => segment))].map((name) => {
    const attachments = ends.filter((end) => end.segment === name);
    const mtus = attachments.map(
      ({ netns, ifname }) =>
        netnses.find(({ id }) => id === netns)?.devices.find((dev) => dev.ifname === ifname)?.mtu,
    );
    return {
      name,
      mtu: Math.max(...mtus.map((mtu) => mtu ?? 0)),
      attachments: attachments.map(({ segment: _, ...end }) => end),
      cuts: [],
    };
  });
};

/** The World of a draft, which must not be changed afterwards. */
export const worldOf = (made: Draft): World => {
  const netnses = [...made.values()];
  return createWorld({
    name: 'hand-made',
    hostNames: [...new Set(netnses.map(({ host }) => host))],
    compile: (name) =>
      createHost(
        name,
        netnses.filter(({ host }) => host === name),
        ['br_netfilter'],
      ),
    segments: segmentsOf(netnses),
    book: createBook([], []),
  });
};

const hex = (value: number): string => value.toString(16).padStart(2, '0');

export interface ClusterSpec {
  readonly nodes: number;
  readonly pods: number;
  /** How Pods of two nodes meet: by routes over the wire, or through VXLAN. */
  readonly join: 'routes' | 'vxlan';
  readonly podMtu?: number;
  readonly wireMtu?: number;
  /** br_netfilter hands bridged frames to iptables. */
  readonly bridgeNf?: boolean;
  readonly hairpin?: boolean;
  /** The gateway knows the way to the Pods. */
  readonly gatewayRoutes?: boolean;
}

export const nodeName = (n: number): string => `node-${n}`;
export const podName = (node: number, pod: number): string =>
  `${nodeName(node)}/default/pod-${pod}`;
export const nodeIp = (n: number): string => `192.168.10.${10 + n}`;
export const podIp = (node: number, pod: number): string => `10.244.${node}.${pod + 1}`;

const addPod = (made: Draft, host: Netns, spec: ClusterSpec, node: number, pod: number): void => {
  const netns = addNetns(made, nodeName(node), `default/pod-${pod}`);
  const veth = `veth${pod}`;
  const mtu = spec.podMtu ?? 1500;
  join(host, veth, netns, 'eth0', {
    mac: `0e:00:00:00:${hex(node)}:${hex(pod)}`,
    peerMac: `0a:00:00:00:${hex(node)}:${hex(pod)}`,
    mtu,
  });
  linkSet(host, veth, { master: 'cni0' });
  portSet(host, veth, { hairpin: spec.hairpin ?? false });
  addrAdd(netns, 'eth0', { ip: podIp(node, pod), prefix: 24 });
  routeAdd(netns, { dst: '0.0.0.0/0', via: `10.244.${node}.1`, dev: 'eth0' });
  socketAdd(netns, { protocol: 'tcp', ip: '0.0.0.0', port: 8080, process: 'app' });
  socketAdd(netns, { protocol: 'udp', ip: '0.0.0.0', port: 5353, process: 'app' });
};

const vtepMac = (node: number): string => `06:00:00:00:00:${hex(node)}`;

const addTunnel = (host: Netns, spec: ClusterSpec, node: number): void => {
  linkAdd(host, {
    kind: 'vxlan',
    ifname: 'flannel.1',
    mac: vtepMac(node),
    mtu: (spec.wireMtu ?? 1500) - 50,
    vni: 1,
    local: nodeIp(node),
    lower: 'eth0',
    dstport: 8472,
    learning: false,
  });
  linkSet(host, 'flannel.1', { up: true });
  addrAdd(host, 'flannel.1', { ip: `10.244.${node}.0`, prefix: 32 });
};

const addPeer = (host: Netns, spec: ClusterSpec, other: number): void => {
  const dst = `10.244.${other}.0/24`;
  if (spec.join === 'routes') {
    routeAdd(host, { dst, via: nodeIp(other), dev: 'eth0' });
    return;
  }
  const via = `10.244.${other}.0`;
  routeAdd(host, { dst, via, dev: 'flannel.1', onlink: true });
  neighAdd(host, { ip: via, dev: 'flannel.1', lladdr: vtepMac(other) });
  fdbAppend(host, { mac: vtepMac(other), dev: 'flannel.1', dst: nodeIp(other) });
};

/** Nodes with a bridge and Pods each, a gateway, and one wire between them. */
export const cluster = (spec: ClusterSpec): Draft => {
  const made = draft();
  const gw = addNetns(made, 'gw', 'host');
  plug(gw, 'eth0', 'underlay', {
    mac: '02:00:00:00:00:fe',
    ip: '192.168.10.1',
    prefix: 24,
    ...(spec.wireMtu !== undefined && { mtu: spec.wireMtu }),
  });
  sysctlSet(gw, 'net.ipv4.ip_forward', '1');
  for (let node = 1; node <= spec.nodes; node++) {
    const host = addNetns(made, nodeName(node), 'host');
    plug(host, 'eth0', 'underlay', {
      mac: `02:00:00:00:00:${hex(node)}`,
      ip: nodeIp(node),
      prefix: 24,
      ...(spec.wireMtu !== undefined && { mtu: spec.wireMtu }),
    });
    routeAdd(host, { dst: '0.0.0.0/0', via: '192.168.10.1', dev: 'eth0' });
    sysctlSet(host, 'net.ipv4.ip_forward', '1');
    sysctlSet(host, 'net.bridge.bridge-nf-call-iptables', spec.bridgeNf === true ? '1' : '0');
    socketAdd(host, { protocol: 'tcp', ip: '0.0.0.0', port: 10250, process: 'kubelet' });
    linkAdd(host, {
      kind: 'bridge',
      ifname: 'cni0',
      mac: `0a:58:0a:f4:${hex(node)}:01`,
      macSet: true,
      mtu: spec.podMtu ?? 1500,
    });
    linkSet(host, 'cni0', { up: true });
    addrAdd(host, 'cni0', { ip: `10.244.${node}.1`, prefix: 24 });
    for (let pod = 1; pod <= spec.pods; pod++) addPod(made, host, spec, node, pod);
    if (spec.join === 'vxlan') addTunnel(host, spec, node);
    for (let other = 1; other <= spec.nodes; other++)
      if (other !== node) addPeer(host, spec, other);
    if (spec.gatewayRoutes === true)
      routeAdd(gw, { dst: `10.244.${node}.0/24`, via: nodeIp(node), dev: 'eth0' });
  }
  return made;
};
