/** Random faults as an operator types them, and random probes, for any World of nodes and Pods. */
import { findDevOfAddress, vethPeer } from '../../src/kernel/netdev.ts';
import type { Probe } from '../../src/kernel/probe.ts';
import type { Netdev, Netns, NetnsId, World } from '../../src/kernel/world.ts';
import { applyCommand } from '../../src/userland/edit/apply-command.ts';
import { cidrOf } from '../../src/wire/ip.ts';
import type { Random } from './random.ts';

export interface Fault {
  readonly netns: NetnsId;
  readonly command: string;
}

interface PodView {
  readonly netns: NetnsId;
  readonly ip: string;
  readonly mac: string;
  /** The node's end of its veth pair. */
  readonly veth: string;
  readonly vethMac: string;
}

interface NodeView {
  readonly netns: NetnsId;
  readonly ip: string;
  /** Its Pods' range, and the bridge's address in it. */
  readonly cidr: string;
  readonly gateway: string;
  readonly tunnel: { readonly mac: string; readonly ip: string } | undefined;
  readonly pods: readonly PodView[];
}

const address = (netns: Netns, ifname: string): string | undefined =>
  netns.devices.find((dev) => dev.ifname === ifname)?.addresses[0]?.ip;

const podView = (world: World, port: Netdev): PodView[] => {
  const peer = vethPeer(world, port);
  const ip = peer?.dev.addresses[0]?.ip;
  if (peer === undefined || ip === undefined) return [];
  const { mac } = peer.dev;
  return [{ netns: peer.netns.id, ip, mac, veth: port.ifname, vethMac: port.mac }];
};

/** Nodes that have a bridge with Pods. */
const survey = (world: World): NodeView[] =>
  world.hostNames.flatMap((name) => {
    const netns = world.host(name).netns.get('host');
    const ip = netns && address(netns, 'eth0');
    const gateway = netns && address(netns, 'cni0');
    if (netns === undefined || ip === undefined || gateway === undefined) return [];
    const tunnel = netns.devices.find(({ kind }) => kind === 'vxlan');
    const pods = netns.devices
      .filter(({ master }) => master === 'cni0')
      .flatMap((port) => podView(world, port));
    const prefix = findDevOfAddress(netns, gateway)?.address.prefix ?? 24;
    return [
      {
        netns: netns.id,
        ip,
        cidr: cidrOf(gateway, prefix),
        gateway,
        tunnel: tunnel && { mac: tunnel.mac, ip: tunnel.addresses[0]?.ip ?? '' },
        pods,
      },
    ];
  });

/** One node and one Pod of it, another node and one of its Pods, another Pod of the first node. */
interface Subject {
  readonly node: NodeView;
  readonly pod: PodView;
  readonly neighbour: PodView;
  readonly other: NodeView;
  readonly otherPod: PodView;
}

type Commands = (subject: Subject, random: Random) => readonly string[];

const ERROR_ROUTES = ['blackhole', 'unreachable', 'prohibit', 'throw'];
const NOBODY = '02:00:00:00:99:99';

const PORT_SETTINGS = [
  'isolated on',
  'learning off',
  'flood off',
  'hairpin on',
  'hairpin off',
  'state 4',
  'state 0',
  'state 2',
];

const REJECTIONS = [
  'icmp-port-unreachable',
  'icmp-host-unreachable',
  'icmp-net-unreachable',
  'icmp-proto-unreachable',
  'icmp-net-prohibited',
  'icmp-host-prohibited',
  'icmp-admin-prohibited',
];

const LINKS: readonly Commands[] = [
  () => ['ip link set cni0 down'],
  () => ['ip link set eth0 down'],
  () => ['ip link set flannel.1 down'],
  ({ pod }) => [`ip link set ${pod.veth} down`],
  ({ pod }) => [`ip link set ${pod.veth} nomaster`],
  ({ pod }) => [`ip link set ${pod.veth} mtu 1300`],
  ({ pod }) => [`ip link set ${pod.veth} promisc on`],
  () => ['ip link set cni0 promisc on'],
  () => ['ip link set cni0 mtu 1200'],
  () => ['ip link set eth0 mtu 1300'],
  () => ['ip link set flannel.1 mtu 1000'],
  () => ['ip link del flannel.1'],
  ({ pod }, { pick }) => [`bridge link set dev ${pod.veth} ${pick(PORT_SETTINGS)}`],
  ({ pod, neighbour }) => [
    `bridge link set dev ${pod.veth} isolated on`,
    `bridge link set dev ${neighbour.veth} isolated on`,
  ],
  ({ pod, neighbour }) => [
    `bridge link set dev ${pod.veth} learning off`,
    `bridge link set dev ${neighbour.veth} learning off`,
  ],
  ({ pod, neighbour }) => [`bridge fdb add ${pod.mac} dev ${neighbour.veth} master static`],
  ({ node }) => [`ip addr del ${node.gateway}/24 dev cni0`],
  ({ node }) => [`ip addr del ${node.ip}/24 dev eth0`],
  ({ otherPod }) => [`ip addr add ${otherPod.ip}/32 dev cni0`],
];

const NEIGHBOURS: readonly Commands[] = [
  ({ pod }) => [`ip neigh add ${pod.ip} lladdr ${NOBODY} dev cni0`],
  ({ pod, neighbour }) => [`ip neigh add ${pod.ip} lladdr ${neighbour.mac} dev cni0`],
  ({ other }) => [`ip neigh add ${other.ip} lladdr ${NOBODY} dev eth0`],
  ({ other, node }) => [`ip neigh add ${other.ip} lladdr ${node.tunnel?.mac ?? NOBODY} dev eth0`],
  ({ other }) => [`ip neigh del ${other.tunnel?.ip} dev flannel.1`],
  ({ other }) => [`ip neigh replace ${other.tunnel?.ip} lladdr ${NOBODY} dev flannel.1`],
  ({ other }) => [`bridge fdb del ${other.tunnel?.mac} dev flannel.1`],
  ({ other }, { pick }) => [
    `bridge fdb del ${other.tunnel?.mac} dev flannel.1`,
    `bridge fdb append ${other.tunnel?.mac} dev flannel.1 dst ${pick(['192.168.10.77', '192.168.10.1'])}`,
  ],
];

const ROUTES: readonly Commands[] = [
  ({ other }) => [`ip route del ${other.cidr}`],
  ({ other }) => [`ip route replace ${other.cidr} via 192.168.10.77 dev eth0`],
  ({ other }) => [`ip route replace ${other.cidr} via 192.168.10.1 dev eth0`],
  ({ otherPod }, { pick }) => [`ip route add ${pick(ERROR_ROUTES)} ${otherPod.ip}/32`],
  ({ pod }, { pick }) => [`ip route add ${pick(ERROR_ROUTES)} ${pod.ip}/32`],
  ({ otherPod }) => [`ip route add ${otherPod.ip}/32 via 192.168.10.1 dev eth0`],
  ({ otherPod }) => [`ip route add ${otherPod.ip}/32 dev eth0`],
  ({ otherPod }) => [`ip route add ${otherPod.ip}/32 via 192.168.10.1 dev eth0 mtu 1000`],
  () => ['ip route del default'],
  ({ node, other }) => [
    `ip rule add from ${node.cidr} pref 100 lookup 100`,
    `ip route add ${other.cidr} via 192.168.10.1 dev eth0 table 100`,
  ],
  ({ other }, { pick }) => [
    `ip rule add to ${other.cidr} pref 100 ${pick(['blackhole', 'unreachable', 'prohibit'])}`,
  ],
  ({ other }) => [
    'ip rule add iif cni0 pref 50 lookup 77',
    `ip route add throw ${other.cidr} table 77`,
    'ip route add unreachable default table 77 metric 9',
  ],
  ({ other }) => [
    'iptables -t mangle -A PREROUTING -i cni0 -j MARK --set-mark 0x10',
    'ip rule add fwmark 0x10 pref 60 lookup 60',
    `ip route add prohibit ${other.cidr} table 60`,
  ],
  ({ other }) => [`ip route add ${other.cidr} via 192.168.10.1 dev eth0 metric 5`],
  ({ node }) => [`ip route replace ${node.cidr} via 192.168.10.1 dev eth0`],
  ({ pod }) => [`ip route add ${pod.ip}/32 via 192.168.10.1 dev eth0`],
  ({ otherPod, neighbour }) => [`ip route add ${otherPod.ip}/32 via ${neighbour.ip} dev cni0`],
  ({ otherPod, other }) => [`ip route add ${otherPod.ip}/32 via ${other.ip} dev eth0 mtu 700`],
];

const SYSCTLS: readonly Commands[] = [
  () => ['sysctl -w net.ipv4.ip_forward=0'],
  () => ['sysctl -w net.ipv4.conf.cni0.forwarding=0'],
  () => ['sysctl -w net.ipv4.conf.eth0.forwarding=0'],
  (_, { pick }) => [`sysctl -w net.ipv4.conf.all.rp_filter=${pick(['1', '2'])}`],
  (_, { pick }) => [`sysctl -w net.ipv4.conf.eth0.rp_filter=${pick(['1', '2'])}`],
  ({ other }) => [
    'sysctl -w net.ipv4.conf.all.rp_filter=1',
    `ip route replace ${other.cidr} via 192.168.10.1 dev eth0`,
  ],
  () => ['sysctl -w net.ipv4.icmp_echo_ignore_all=1'],
  () => ['sysctl -w net.ipv4.conf.all.arp_ignore=1'],
  () => ['sysctl -w net.ipv4.conf.cni0.proxy_arp=1'],
  () => ['sysctl -w net.ipv4.conf.eth0.proxy_arp=1'],
  () => ['sysctl -w net.ipv4.conf.all.arp_announce=2'],
  () => ['sysctl -w net.ipv4.icmp_errors_use_inbound_ifaddr=1'],
  () => ['sysctl -w net.ipv4.ip_default_ttl=2'],
  () => ['sysctl -w net.ipv4.fwmark_reflect=1'],
  () => ['sysctl -w net.ipv4.conf.all.accept_redirects=0'],
  () => [
    'sysctl -w net.bridge.bridge-nf-call-iptables=1',
    'iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP',
  ],
  () => [
    'sysctl -w net.ipv4.conf.all.send_redirects=0',
    'sysctl -w net.ipv4.conf.eth0.send_redirects=0',
  ],
];

const FIREWALLS: readonly Commands[] = [
  () => ['iptables -P FORWARD DROP'],
  ({ node }) => ['iptables -P FORWARD DROP', `iptables -A FORWARD -s ${node.cidr} -j ACCEPT`],
  () => [
    'iptables -P FORWARD DROP',
    'iptables -A FORWARD -i cni0 -j ACCEPT',
    'iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  ],
  () => ['iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP'],
  (_, { pick }) => [`iptables -I FORWARD -j REJECT --reject-with ${pick(REJECTIONS)}`],
  () => ['iptables -I FORWARD -p tcp -j REJECT --reject-with tcp-reset'],
  ({ pod }) => [`iptables -I FORWARD -d ${pod.ip} -p udp -j DROP`],
  ({ pod }) => [`iptables -A INPUT -s ${pod.ip} -j DROP`],
  () => ['iptables -A INPUT -p udp --dport 8472 -j DROP'],
  () => ['iptables -A INPUT -p tcp --dport 10250 -j REJECT'],
  () => ['iptables -A OUTPUT -p udp -j DROP'],
  () => ['iptables -A OUTPUT -j REJECT'],
  () => ['iptables -P INPUT DROP'],
  () => ['iptables -A OUTPUT -m conntrack --ctstate INVALID -j DROP'],
  () => [
    'iptables -P OUTPUT DROP',
    'iptables -A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  ],
  () => ['iptables -A INPUT -m conntrack --ctstate RELATED -j DROP'],
  ({ node }) => [
    `iptables -A FORWARD -s ${node.cidr} -m conntrack --ctstate NEW -j REJECT`,
    'iptables -t nat -A POSTROUTING -j MASQUERADE',
  ],
  ({ otherPod }) => [
    `iptables -t nat -A PREROUTING -d 203.0.113.10 -j DNAT --to-destination ${otherPod.ip}`,
  ],
  ({ otherPod }) => [
    `iptables -t nat -A PREROUTING -d 203.0.113.10 -j DNAT --to-destination ${otherPod.ip}`,
    `iptables -A FORWARD -d ${otherPod.ip} -j REJECT --reject-with icmp-host-prohibited`,
  ],
  ({ otherPod }) => [
    `iptables -t nat -A OUTPUT -d 203.0.113.10 -j DNAT --to-destination ${otherPod.ip}`,
  ],
  ({ node }) => [
    `iptables -t nat -A PREROUTING -p tcp -d ${node.ip} --dport 8080 -j DNAT --to-destination ${node.pods[0]?.ip}:8080`,
  ],
  () => [
    'iptables -t mangle -A PREROUTING -j MARK --set-mark 0x20',
    'iptables -A FORWARD -m mark --mark 0x20 -j REJECT',
  ],
  ({ pod }) => [`iptables -t raw -A PREROUTING -s ${pod.ip} -p icmp -j DROP`],
  ({ node }) => [`iptables -t nat -A POSTROUTING -s ${node.cidr} ! -d 10.244.0.0/16 -j MASQUERADE`],
  ({ node }) => [`iptables -t nat -A POSTROUTING -s ${node.cidr} -o eth0 -j MASQUERADE`],
  () => ['iptables -t nat -A POSTROUTING -j MASQUERADE'],
  () => ['iptables -t nat -A POSTROUTING -p tcp -o eth0 -j SNAT --to-source 192.168.10.200'],
];

/** Typed in a Pod. */
const IN_POD: readonly Commands[] = [
  () => ['ip route del default'],
  () => ['ip link set eth0 down'],
  () => ['ip link set lo down'],
  () => ['ip link set eth0 mtu 600'],
  ({ pod }) => [`ip addr del ${pod.ip}/24 dev eth0`],
  ({ neighbour }) => [`ip addr add ${neighbour.ip}/24 dev eth0`],
  ({ node }) => [`ip neigh add ${node.gateway} lladdr ${NOBODY} dev eth0`],
  ({ node, neighbour }) => [`ip neigh add ${node.gateway} lladdr ${neighbour.mac} dev eth0`],
  ({ otherPod }, { pick }) => [`ip route add ${pick(ERROR_ROUTES)} ${otherPod.ip}/32`],
  ({ node }) => [`ip route replace default via ${node.gateway.replace(/\.1$/, '.99')}`],
  () => ['iptables -A INPUT -p tcp --dport 8080 -j DROP'],
  () => ['iptables -A INPUT -p tcp --dport 8080 -j REJECT --reject-with tcp-reset'],
  () => ['iptables -A INPUT -p udp -j REJECT'],
  () => ['iptables -A OUTPUT -p tcp --dport 8080 -j DROP'],
  () => ['iptables -A OUTPUT -p udp -j DROP'],
  () => ['sysctl -w net.ipv4.icmp_echo_ignore_all=1'],
  ({ neighbour, otherPod }) => [`ip route add ${otherPod.ip}/32 via ${neighbour.ip}`],
  () => ['sysctl -w net.ipv4.ip_forward=1'],
  ({ neighbour }) => [`ip neigh add ${neighbour.ip} lladdr ${NOBODY} dev eth0`],
  ({ pod }) => [`ip addr del ${pod.ip}/24 dev eth0`, `ip addr add ${pod.ip}/32 dev eth0`],
  () => ['iptables -t nat -A POSTROUTING -j MASQUERADE'],
  () => ['iptables -A INPUT -m conntrack --ctstate RELATED -j DROP'],
  () => ['iptables -A OUTPUT -p tcp --dport 8080 -j REJECT'],
  () => ['sysctl -w net.ipv4.ip_default_ttl=2'],
  () => ['sysctl -w net.ipv4.conf.all.rp_filter=1'],
  () => ['sysctl -w net.ipv4.ip_local_port_range="50000 50010"'],
];

const ON_NODE = [LINKS, NEIGHBOURS, ROUTES, SYSCTLS, FIREWALLS];

const subjectOf = (nodes: readonly NodeView[], { pick }: Random): Subject => {
  const node = pick(nodes);
  const other = pick(nodes);
  return {
    node,
    pod: pick(node.pods),
    neighbour: pick(node.pods),
    other,
    otherPod: pick(other.pods),
  };
};

/** Commands that came to mind; a kernel may refuse some of them. */
const someFaults = (world: World, random: Random): Fault[] => {
  const nodes = survey(world).filter(({ pods }) => pods.length > 0);
  const faults: Fault[] = [];
  const count = random.pick([0, 1, 1, 2, 2, 3]);
  for (let n = 0; n < count; n++) {
    const subject = subjectOf(nodes, random);
    const inPod = random.chance(0.25);
    const commands = random.pick(inPod ? IN_POD : random.pick(ON_NODE))(subject, random);
    const netns = inPod ? subject.pod.netns : subject.node.netns;
    faults.push(...commands.map((command) => ({ netns, command })));
  }
  return faults;
};

/** The World after random faults, and those that the kernel took, in the order typed. */
export const withFaults = (
  world: World,
  random: Random,
): { readonly world: World; readonly faults: readonly Fault[] } => {
  let faulted = world;
  const faults = someFaults(world, random).filter(({ netns, command }) => {
    const outcome = applyCommand(faulted, netns, command);
    if (outcome.ok) faulted = outcome.world;
    return outcome.ok;
  });
  return { world: faulted, faults };
};

const SIZES = [undefined, undefined, 1, 100, 548, 1172, 1222, 1372, 1422];

/** Most questions are whether there is a connection; some, whether data gets through. */
const TCP_SIZES = [undefined, undefined, undefined, 1, 1000, 1348, 1398, 5000];

const someDestination = (subject: Subject, { pick }: Random): string => {
  const { node, pod, neighbour, other, otherPod } = subject;
  return pick([
    otherPod.ip,
    otherPod.ip,
    otherPod.ip,
    otherPod.ip,
    otherPod.ip,
    neighbour.ip,
    pod.ip,
    other.ip,
    node.ip,
    other.gateway,
    other.gateway.replace(/\.1$/, '.98'),
    '192.168.10.1',
    '192.168.10.99',
    '203.0.113.10',
    '127.0.0.1',
  ]);
};

/** Ports on which a namespace may listen, and one on which none does. */
export interface Ports {
  readonly tcp: readonly number[];
  readonly udp: readonly number[];
}

/** A probe of a sound World, from a Pod or a node; the first ports of each list are asked for most often. */
export const randomProbe = (world: World, random: Random, sport: number, ports: Ports): Probe => {
  const nodes = survey(world).filter(({ pods }) => pods.length > 0);
  const subject = subjectOf(nodes, random);
  const { node, pod } = subject;
  const protocol = random.pick(['tcp', 'tcp', 'udp', 'icmp'] as const);
  const size = random.pick(protocol === 'tcp' ? TCP_SIZES : SIZES);
  const ttl = random.chance(0.05) ? random.pick([1, 2, 3]) : undefined;
  return {
    from: { netns: random.pick([pod.netns, pod.netns, pod.netns, node.netns]) },
    protocol,
    dst: someDestination(subject, random),
    sport,
    ...(protocol !== 'icmp' && { dport: random.pick(ports[protocol]) }),
    ...(size !== undefined && { size }),
    ...(ttl !== undefined && { ttl }),
  };
};
