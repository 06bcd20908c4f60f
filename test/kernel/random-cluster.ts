/** Random clusters made by hand, random faults as an operator types them, random probes. */
import type { Probe } from '../../src/kernel/probe.ts';
import type { NetnsId, World } from '../../src/kernel/world.ts';
import { applyCommand } from '../../src/userland/edit/apply-command.ts';
import {
  type ClusterSpec,
  cluster,
  nodeIp,
  nodeName,
  podIp,
  podName,
  worldOf,
} from './hand-made.ts';
import type { Random } from './random.ts';

export interface Fault {
  readonly netns: NetnsId;
  readonly command: string;
}

export interface RandomCase {
  readonly spec: ClusterSpec;
  /** Those that the kernel takes, in the order in which they were typed. */
  readonly faults: readonly Fault[];
  readonly world: World;
  readonly probes: readonly Probe[];
}

const hex = (value: number): string => value.toString(16).padStart(2, '0');
const podMac = (node: number, pod: number): string => `0a:00:00:00:${hex(node)}:${hex(pod)}`;
const vtepMac = (node: number): string => `06:00:00:00:00:${hex(node)}`;

/** One node and one Pod of it, another node and one of its Pods: what a fault is about. */
interface Subject {
  readonly node: number;
  readonly pod: number;
  readonly other: number;
  readonly otherPod: number;
}

type Commands = (subject: Subject, random: Random) => readonly string[];

const ERROR_ROUTES = ['blackhole', 'unreachable', 'prohibit', 'throw'];

/** Typed on a node. */
const ON_NODE: readonly Commands[] = [
  ({ other }) => [`ip route del 10.244.${other}.0/24`],
  ({ other }) => [`ip route replace 10.244.${other}.0/24 via 192.168.10.77 dev eth0`],
  ({ other }) => [`ip route replace 10.244.${other}.0/24 via 192.168.10.1 dev eth0`],
  ({ other, otherPod }, { pick }) => [
    `ip route add ${pick(ERROR_ROUTES)} ${podIp(other, otherPod)}/32`,
  ],
  ({ node, pod }, { pick }) => [`ip route add ${pick(ERROR_ROUTES)} ${podIp(node, pod)}/32`],
  ({ other, otherPod }) => [`ip route add ${podIp(other, otherPod)}/32 via 192.168.10.1 dev eth0`],
  ({ other }) => [`ip route add 10.244.${other}.0/25 dev eth0`],
  () => ['ip route del default'],
  () => ['sysctl -w net.ipv4.ip_forward=0'],
  () => ['sysctl -w net.ipv4.conf.cni0.forwarding=0'],
  () => ['sysctl -w net.ipv4.conf.eth0.forwarding=0'],
  (_, { pick }) => [`sysctl -w net.ipv4.conf.all.rp_filter=${pick(['1', '2'])}`],
  (_, { pick }) => [`sysctl -w net.ipv4.conf.eth0.rp_filter=${pick(['1', '2'])}`],
  ({ other }) => [
    'sysctl -w net.ipv4.conf.all.rp_filter=1',
    `ip route replace 10.244.${other}.0/24 via 192.168.10.1 dev eth0`,
  ],
  () => ['ip link set cni0 down'],
  () => ['ip link set eth0 down'],
  () => ['ip link set flannel.1 down'],
  ({ pod }) => [`ip link set veth${pod} down`],
  ({ pod }) => [`ip link set veth${pod} nomaster`],
  ({ pod }) => [`ip link set veth${pod} mtu 1300`],
  () => ['ip link set cni0 mtu 1200'],
  () => ['ip link set eth0 mtu 1300'],
  () => ['ip link set flannel.1 mtu 1000'],
  ({ node, pod }) => [`ip neigh add ${podIp(node, pod)} lladdr 0a:00:00:00:99:99 dev cni0`],
  ({ other }) => [`ip neigh add ${nodeIp(other)} lladdr 02:00:00:00:00:fe dev eth0`],
  ({ other }) => [`ip neigh add ${nodeIp(other)} lladdr 02:00:00:00:99:99 dev eth0`],
  ({ other }) => [`ip neigh del 10.244.${other}.0 dev flannel.1`],
  ({ other }) => [`ip neigh replace 10.244.${other}.0 lladdr ${vtepMac(77)} dev flannel.1`],
  ({ other }) => [`bridge fdb del ${vtepMac(other)} dev flannel.1`],
  ({ other }) => [
    `bridge fdb del ${vtepMac(other)} dev flannel.1`,
    `bridge fdb append ${vtepMac(other)} dev flannel.1 dst 192.168.10.77`,
  ],
  ({ other }) => [
    `bridge fdb del ${vtepMac(other)} dev flannel.1`,
    `bridge fdb append ${vtepMac(other)} dev flannel.1 dst 192.168.10.1`,
  ],
  ({ node, pod, otherPod }) => [
    `bridge fdb add ${podMac(node, pod)} dev veth${otherPod} master static`,
  ],
  ({ pod }, { pick }) => [
    `bridge link set dev veth${pod} ${pick(['isolated on', 'learning off', 'flood off', 'hairpin on', 'state 4', 'state 0', 'state 2'])}`,
  ],
  ({ pod, otherPod }) => [
    `bridge link set dev veth${pod} isolated on`,
    `bridge link set dev veth${otherPod} isolated on`,
  ],
  ({ pod, otherPod }) => [
    `bridge link set dev veth${pod} learning off`,
    `bridge link set dev veth${otherPod} learning off`,
  ],
  ({ node, other }) => [
    `ip rule add from 10.244.${node}.0/24 pref 100 lookup 100`,
    `ip route add 10.244.${other}.0/24 via 192.168.10.1 dev eth0 table 100`,
  ],
  ({ other }, { pick }) => [
    `ip rule add to 10.244.${other}.0/24 pref 100 ${pick(['blackhole', 'unreachable', 'prohibit'])}`,
  ],
  ({ other }) => [
    `ip rule add iif cni0 pref 50 lookup 77`,
    `ip route add throw 10.244.${other}.0/24 table 77`,
    `ip route add unreachable default table 77 metric 9`,
  ],
  ({ other }) => [
    'iptables -t mangle -A PREROUTING -i cni0 -j MARK --set-mark 0x10',
    'ip rule add fwmark 0x10 pref 60 lookup 60',
    `ip route add prohibit 10.244.${other}.0/24 table 60`,
  ],
  () => ['iptables -P FORWARD DROP'],
  ({ node }) => [
    'iptables -P FORWARD DROP',
    `iptables -A FORWARD -s 10.244.${node}.0/24 -j ACCEPT`,
  ],
  () => [
    'iptables -P FORWARD DROP',
    'iptables -A FORWARD -i cni0 -j ACCEPT',
    'iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  ],
  () => ['iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP'],
  (_, { pick }) => [
    `iptables -A FORWARD -j REJECT --reject-with ${pick(['icmp-port-unreachable', 'icmp-host-prohibited', 'icmp-net-unreachable', 'icmp-admin-prohibited'])}`,
  ],
  () => ['iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset'],
  ({ node, pod }) => [`iptables -A FORWARD -d ${podIp(node, pod)} -p udp -j DROP`],
  ({ node, pod }) => [`iptables -A INPUT -s ${podIp(node, pod)} -j DROP`],
  () => ['iptables -A INPUT -p tcp --dport 10250 -j REJECT'],
  () => ['iptables -A OUTPUT -p udp -j DROP'],
  () => ['iptables -A OUTPUT -j REJECT'],
  ({ node }) => [
    `iptables -t nat -A POSTROUTING -s 10.244.${node}.0/24 ! -d 10.244.0.0/16 -j MASQUERADE`,
  ],
  ({ node }) => [`iptables -t nat -A POSTROUTING -s 10.244.${node}.0/24 -o eth0 -j MASQUERADE`],
  () => ['iptables -t nat -A POSTROUTING -j MASQUERADE'],
  () => ['sysctl -w net.ipv4.icmp_echo_ignore_all=1'],
  () => ['sysctl -w net.ipv4.conf.all.arp_ignore=1'],
  () => ['sysctl -w net.ipv4.conf.cni0.proxy_arp=1'],
  () => [
    'sysctl -w net.ipv4.conf.all.send_redirects=0',
    'sysctl -w net.ipv4.conf.eth0.send_redirects=0',
  ],
  ({ node }) => [`ip addr del 10.244.${node}.1/24 dev cni0`],
  ({ node }) => [`ip addr del ${nodeIp(node)}/24 dev eth0`],
  ({ other, otherPod }) => [`ip addr add ${podIp(other, otherPod)}/32 dev cni0`],
];

/** Typed in a Pod. */
const IN_POD: readonly Commands[] = [
  () => ['ip route del default'],
  () => ['ip link set eth0 down'],
  () => ['ip link set lo down'],
  () => ['ip link set eth0 mtu 600'],
  ({ node, pod }) => [`ip addr del ${podIp(node, pod)}/24 dev eth0`],
  ({ node, otherPod }) => [`ip addr add ${podIp(node, otherPod)}/24 dev eth0`],
  ({ node }) => [`ip neigh add 10.244.${node}.1 lladdr 0a:00:00:00:99:99 dev eth0`],
  ({ node, otherPod }) => [
    `ip neigh add 10.244.${node}.1 lladdr ${podMac(node, otherPod)} dev eth0`,
  ],
  ({ other, otherPod }, { pick }) => [
    `ip route add ${pick(ERROR_ROUTES)} ${podIp(other, otherPod)}/32`,
  ],
  ({ node }) => [`ip route replace default via 10.244.${node}.99`],
  () => ['iptables -A INPUT -p tcp --dport 8080 -j DROP'],
  () => ['iptables -A INPUT -p tcp --dport 8080 -j REJECT --reject-with tcp-reset'],
  () => ['iptables -A INPUT -p udp -j REJECT'],
  () => ['iptables -A OUTPUT -p tcp --dport 8080 -j DROP'],
  () => ['iptables -A OUTPUT -p udp -j DROP'],
  () => ['sysctl -w net.ipv4.icmp_echo_ignore_all=1'],
  () => ['sysctl -w net.ipv4.ip_default_ttl=2'],
  () => ['sysctl -w net.ipv4.conf.all.rp_filter=1'],
  () => ['sysctl -w net.ipv4.ip_local_port_range="50000 50010"'],
];

const subjectOf = ({ nodes, pods }: ClusterSpec, { below }: Random): Subject => ({
  node: 1 + below(nodes),
  pod: 1 + below(pods),
  other: 1 + below(nodes),
  otherPod: 1 + below(pods),
});

const randomFaults = (spec: ClusterSpec, random: Random): Fault[] => {
  const faults: Fault[] = [];
  const count = random.pick([0, 1, 1, 2, 2, 3]);
  for (let n = 0; n < count; n++) {
    const subject = subjectOf(spec, random);
    const inPod = random.chance(0.3);
    const netns = inPod ? podName(subject.node, subject.pod) : `${nodeName(subject.node)}/host`;
    const commands = random.pick(inPod ? IN_POD : ON_NODE)(subject, random);
    faults.push(...commands.map((command) => ({ netns, command })));
  }
  return faults;
};

const SIZES = [undefined, 1, 100, 548, 1172, 1222, 1372, 1422];

const randomProbe = (spec: ClusterSpec, random: Random, n: number): Probe => {
  const subject = subjectOf(spec, random);
  const { node, pod, other, otherPod } = subject;
  const from = random.pick([
    podName(node, pod),
    podName(node, pod),
    podName(node, pod),
    `${nodeName(node)}/host`,
  ]);
  const dst = random.pick([
    podIp(other, otherPod),
    podIp(other, otherPod),
    podIp(other, otherPod),
    podIp(other, otherPod),
    podIp(node, otherPod),
    podIp(node, pod),
    nodeIp(other),
    nodeIp(node),
    `10.244.${other}.1`,
    podIp(other, 98),
    '192.168.10.1',
    '192.168.10.99',
    '198.51.100.7',
    '127.0.0.1',
  ]);
  const protocol = random.pick(['tcp', 'tcp', 'udp', 'icmp'] as const);
  const listening = random.chance(0.75);
  const ports = {
    tcp: listening ? random.pick([8080, 8080, 10250]) : 81,
    udp: listening ? 5353 : 54,
  };
  const size = protocol === 'tcp' ? undefined : random.pick(SIZES);
  const ttl = random.chance(0.05) ? random.pick([1, 2, 3]) : undefined;
  return {
    from: { netns: from },
    protocol,
    dst,
    sport: 40000 + n,
    ...(protocol !== 'icmp' && { dport: ports[protocol] }),
    ...(size !== undefined && { size }),
    ...(ttl !== undefined && { ttl }),
  };
};

const randomSpec = ({ below, pick, chance }: Random): ClusterSpec => {
  const join = pick(['routes', 'vxlan'] as const);
  return {
    nodes: 1 + below(3),
    pods: 1 + below(3),
    join,
    podMtu: join === 'vxlan' ? pick([1450, 1450, 1400]) : pick([1500, 1500, 1400]),
    bridgeNf: chance(0.5),
    hairpin: chance(0.4),
    gatewayRoutes: chance(0.5),
  };
};

/** A cluster with faults, and `flows` probes to send through it. */
export const randomCase = (random: Random, flows: number): RandomCase => {
  const spec = randomSpec(random);
  let world = worldOf(cluster(spec));
  const faults = randomFaults(spec, random).filter(({ netns, command }) => {
    const outcome = applyCommand(world, netns, command);
    if (outcome.ok) world = outcome.world;
    return outcome.ok;
  });
  return {
    spec,
    faults,
    world,
    probes: Array.from({ length: flows }, (_, n) => randomProbe(spec, random, n)),
  };
};
