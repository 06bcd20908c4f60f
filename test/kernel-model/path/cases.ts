/**
 * What must become of packets, written by hand. The unit tests hold the model to it, and
 * `test/kernel/path.test.ts` asks a real kernel whether the model and this table are right.
 */
import {
  addrAdd,
  fdbAppend,
  linkAdd,
  linkDel,
  linkSet,
  neighAdd,
  routeAdd,
} from '../../../src/kernel/netlink.ts';
import { ZERO_MAC } from '../../../src/wire/packet.ts';
import { type Draft, nodeIp, podIp, podName } from '../../kernel/hand-made.ts';
import type { Case } from './case.ts';
import { NFT_TABLES } from './nft-cases.ts';
import { SERVICES } from './service-cases.ts';
import {
  build,
  cut,
  listen,
  NEIGHBOUR,
  NEIGHBOUR_IP,
  NODE,
  NODE_2,
  OTHER,
  OTHER_IP,
  POD,
  POD_IP,
  ping,
  ROUTES,
  type Typed,
  tcp,
  udp,
  VXLAN,
} from './worlds.ts';

const OK = { disposition: 'delivered', symptom: 'connected' } as const;
const HANDSHAKE = { ...OK, legs: ['syn', 'synack'] } as const;
const REFUSED = {
  disposition: 'refused',
  symptom: 'connection refused',
  legs: ['syn', 'rst'],
} as const;
const SILENT = { disposition: 'dropped', symptom: 'timeout', legs: ['syn'] } as const;
const NO_ROUTE = { disposition: 'rejected', symptom: 'no route to host' } as const;
const NOBODY = '02:00:00:00:99:99';
/** The broadcast address of the nodes' wire. */
const NODES = '192.168.10.255';

const plain: readonly Case[] = [
  {
    name: 'two Pods on one bridge meet without a router',
    world: () => build(ROUTES),
    probe: tcp(POD, NEIGHBOUR_IP),
    ...HANDSHAKE,
    via: ['eth0', 'veth1', 'veth2', 'eth0'],
  },
  {
    name: 'a Pod reaches itself over lo by its own address',
    world: () => build(ROUTES),
    probe: tcp(POD, POD_IP),
    ...HANDSHAKE,
    via: ['lo', 'lo'],
  },
  {
    name: 'a Pod reaches itself by 127.0.0.1',
    world: () => build(ROUTES),
    probe: udp(POD, '127.0.0.1', { size: 9 }),
    ...OK,
    legs: ['datagram', 'datagram'],
  },
  {
    name: 'Pods of two nodes meet by routes',
    world: () => build(ROUTES),
    probe: tcp(POD, OTHER_IP),
    ...HANDSHAKE,
    via: ['eth0', 'veth1', 'cni0', 'eth0', 'eth0', 'cni0', 'veth1', 'eth0'],
  },
  {
    name: 'Pods of two nodes meet in a tunnel',
    world: () => build(VXLAN),
    probe: tcp(POD, OTHER_IP),
    ...HANDSHAKE,
    via: ['cni0', 'flannel.1', 'eth0', 'eth0', 'flannel.1', 'cni0', 'veth1'],
  },
  {
    name: 'an echo through the tunnel comes back',
    world: () => build(VXLAN),
    probe: ping(POD, OTHER_IP),
    ...OK,
    legs: ['echo', 'echo-reply'],
  },
  {
    name: 'a node reaches a Pod of another node from its tunnel address',
    world: () => build(VXLAN),
    probe: tcp(NODE, OTHER_IP),
    ...HANDSHAKE,
    via: ['flannel.1', 'eth0', 'eth0', 'flannel.1', 'cni0', 'veth1', 'eth0'],
  },
  {
    name: 'a Pod reaches its own node',
    world: () => build(VXLAN),
    probe: tcp(POD, nodeIp(1), { dport: 10250 }),
    ...HANDSHAKE,
  },
  {
    name: 'a Pod asks another node that knows no way back but by its gateway',
    world: () => build(VXLAN, [[NODE_2, 'ip route del 10.244.1.0/24']]),
    probe: tcp(POD, nodeIp(2), { dport: 10250 }),
    disposition: 'reply-lost',
    symptom: 'timeout',
    legs: ['syn', 'synack', 'icmp-error'],
  },
];

const sockets: readonly Case[] = [
  {
    name: 'a closed port refuses a connection',
    world: () => build(VXLAN),
    probe: tcp(POD, OTHER_IP, { dport: 81 }),
    ...REFUSED,
  },
  {
    name: 'a closed port refuses a datagram',
    world: () => build(VXLAN),
    probe: udp(POD, OTHER_IP, { dport: 54, size: 700 }),
    disposition: 'refused',
    symptom: 'connection refused',
    legs: ['datagram', 'icmp-error'],
  },
  {
    name: 'a port that listens on 127.0.0.1 alone refuses others',
    world: () =>
      build(ROUTES, [], (made) =>
        listen(made, NEIGHBOUR, { protocol: 'tcp', ip: '127.0.0.1', port: 9000, process: 'x' }),
      ),
    probe: tcp(POD, NEIGHBOUR_IP, { dport: 9000 }),
    ...REFUSED,
  },
  {
    name: 'a closed port refuses over lo',
    world: () => build(ROUTES),
    probe: tcp(POD, '127.0.0.1', { dport: 81 }),
    ...REFUSED,
  },
];

const neighbours: readonly Case[] = [
  {
    name: 'nobody has the address on the own link',
    world: () => build(ROUTES),
    probe: tcp(POD, '10.244.1.98'),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'eth0'],
  },
  {
    name: 'nobody has the address behind the last router',
    world: () => build(VXLAN),
    probe: tcp(POD, '10.244.2.98'),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'cni0'],
  },
  {
    name: 'a datagram to nobody hears nothing, though the router says so',
    world: () => build(VXLAN),
    probe: udp(POD, '10.244.2.98'),
    disposition: 'rejected',
    symptom: 'timeout',
    legs: ['datagram', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'cni0'],
  },
  {
    name: 'a permanent entry with a wrong MAC leads astray on a bridge',
    world: () => build(ROUTES, [[NODE_2, `ip neigh add ${OTHER_IP} lladdr ${NOBODY} dev cni0`]]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['OTHERHOST', 'cni0'],
  },
  {
    name: 'a permanent entry with the MAC of another Pod leads to that Pod, which is a host',
    world: () =>
      build(ROUTES, [[NODE_2, `ip neigh add ${OTHER_IP} lladdr 0a:00:00:00:02:02 dev cni0`]]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['forwarding-off', 'eth0'],
  },
  {
    name: 'a wrong MAC on the wire finds nobody',
    world: () => build(ROUTES, [[NODE, `ip neigh add ${nodeIp(2)} lladdr ${NOBODY} dev eth0`]]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['no-attachment', 'eth0'],
  },
  {
    name: 'arp_ignore keeps silent about addresses of other devices',
    world: () =>
      build(ROUTES, [
        [NODE, 'ip route add 10.244.2.1/32 dev eth0'],
        [NODE_2, 'sysctl -w net.ipv4.conf.all.arp_ignore=1'],
      ]),
    probe: tcp(NODE, '10.244.2.1', { dport: 10250 }),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'eth0'],
  },
  {
    name: 'without arp_ignore any own address is answered for',
    world: () => build(ROUTES, [[NODE, 'ip route add 10.244.2.1/32 dev eth0']]),
    probe: tcp(NODE, '10.244.2.1', { dport: 10250 }),
    ...HANDSHAKE,
  },
  {
    name: 'a router answers for others with proxy_arp',
    world: () =>
      build(ROUTES, [
        [POD, 'ip route del default'],
        [POD, 'ip route add 10.244.2.0/24 dev eth0'],
        [NODE, 'sysctl -w net.ipv4.conf.cni0.proxy_arp=1'],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...HANDSHAKE,
  },
  {
    name: 'a machine on the wire answers for its Pods with proxy_arp',
    world: () =>
      build(ROUTES, [
        [NODE, `ip route add ${OTHER_IP}/32 dev eth0`],
        [NODE_2, 'sysctl -w net.ipv4.conf.eth0.proxy_arp=1'],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...HANDSHAKE,
  },
  {
    name: 'without proxy_arp nobody answers for others',
    world: () =>
      build(ROUTES, [
        [POD, 'ip route del default'],
        [POD, 'ip route add 10.244.2.0/24 dev eth0'],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'eth0'],
  },
];

const bridges: readonly Case[] = [
  {
    name: 'a detached port hears nothing',
    world: () => build(ROUTES, [[NODE, 'ip link set veth2 nomaster']]),
    probe: tcp(POD, NEIGHBOUR_IP),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'eth0'],
  },
  {
    name: 'a disabled port hears nothing',
    world: () => build(ROUTES, [[NODE, 'bridge link set dev veth2 state 0']]),
    probe: tcp(POD, NEIGHBOUR_IP),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'eth0'],
  },
  {
    name: 'isolated ports do not hear each other',
    world: () =>
      build(ROUTES, [
        [NODE, 'bridge link set dev veth1 isolated on'],
        [NODE, 'bridge link set dev veth2 isolated on'],
      ]),
    probe: tcp(POD, NEIGHBOUR_IP),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'eth0'],
  },
  {
    name: 'isolated ports reach each other when they know the MAC only to be stopped at the port',
    world: () =>
      build(ROUTES, [
        [NODE, 'bridge link set dev veth1 isolated on'],
        [NODE, 'bridge link set dev veth2 isolated on'],
        [NODE, 'bridge fdb add 0a:00:00:00:01:02 dev veth2 master static'],
        [POD, `ip neigh add ${NEIGHBOUR_IP} lladdr 0a:00:00:00:01:02 dev eth0`],
      ]),
    probe: tcp(POD, NEIGHBOUR_IP),
    ...SILENT,
    drop: ['NOT_SPECIFIED', 'veth2'],
  },
  {
    name: 'without learning a bridge floods and still delivers',
    world: () =>
      build({ ...ROUTES, pods: 3 }, [
        [NODE, 'bridge link set dev veth1 learning off'],
        [NODE, 'bridge link set dev veth2 learning off'],
      ]),
    probe: tcp(POD, NEIGHBOUR_IP),
    ...OK,
    legs: ['syn', 'synack', 'ack'],
  },
  {
    name: 'an unknown MAC is not flooded to a port without flood',
    world: () =>
      build(ROUTES, [
        [NODE, 'bridge link set dev veth2 flood off learning off'],
        [POD, `ip neigh add ${NEIGHBOUR_IP} lladdr 0a:00:00:00:01:02 dev eth0`],
      ]),
    probe: tcp(POD, NEIGHBOUR_IP),
    ...SILENT,
    drop: ['NO_TX_TARGET', 'cni0'],
  },
  {
    name: 'a static row moves to where the MAC is seen',
    world: () =>
      build({ ...ROUTES, pods: 3 }, [
        [NODE, 'bridge fdb add 0a:00:00:00:01:02 dev veth3 master static'],
      ]),
    probe: tcp(POD, NEIGHBOUR_IP),
    ...HANDSHAKE,
  },
  {
    name: 'a promiscuous bridge takes copies and throws them away',
    world: () => build(ROUTES, [[NODE, 'ip link set cni0 promisc on']]),
    probe: udp(POD, NEIGHBOUR_IP, { size: 30 }),
    ...OK,
    legs: ['datagram', 'datagram'],
  },
  {
    name: 'a bridge that is down passes nothing',
    world: () => build(ROUTES, [[NODE, 'ip link set cni0 down']]),
    probe: tcp(POD, NEIGHBOUR_IP),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'eth0'],
  },
  {
    name: 'a routed packet may go back out of the port it came from',
    world: () =>
      build(ROUTES, [
        [POD, 'ip route add 10.244.1.60/32 via 10.244.1.1'],
        [NODE, 'ip neigh add 10.244.1.60 lladdr 0a:00:00:00:01:01 dev cni0'],
      ]),
    probe: tcp(POD, '10.244.1.60'),
    ...SILENT,
    legs: ['syn', 'icmp-error'],
    drop: ['forwarding-off', 'eth0'],
  },
  {
    name: 'a bridged frame may not',
    world: () =>
      build(ROUTES, [
        [POD, `ip neigh add 10.244.1.60 lladdr ${NOBODY} dev eth0`],
        [NODE, `bridge fdb add ${NOBODY} dev veth1 master static`],
      ]),
    probe: tcp(POD, '10.244.1.60'),
    ...SILENT,
    drop: ['NOT_SPECIFIED', 'veth1'],
  },
  {
    name: 'a bridged frame may in hairpin mode',
    world: () =>
      build({ ...ROUTES, hairpin: true }, [
        [POD, `ip neigh add 10.244.1.60 lladdr ${NOBODY} dev eth0`],
        [NODE, `bridge fdb add ${NOBODY} dev veth1 master static`],
      ]),
    probe: tcp(POD, '10.244.1.60'),
    ...SILENT,
    drop: ['OTHERHOST', 'eth0'],
  },
];

const links: readonly Case[] = [
  {
    name: 'the own device is down',
    world: () => build(ROUTES, [[POD, 'ip link set eth0 down']]),
    probe: tcp(POD, OTHER_IP),
    disposition: 'rejected',
    symptom: 'network unreachable',
    legs: ['syn'],
  },
  {
    name: 'the host end of the own pair is down',
    world: () => build(ROUTES, [[NODE, 'ip link set veth1 down']]),
    probe: tcp(POD, OTHER_IP),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'eth0'],
  },
  {
    name: 'lo is down: the own address is not reached, and nobody says so',
    world: () => build(ROUTES, [[POD, 'ip link set lo down']]),
    probe: udp(POD, POD_IP),
    disposition: 'dropped',
    symptom: 'timeout',
    legs: ['datagram'],
    drop: ['QDISC_DROP', 'lo'],
  },
  {
    name: 'a device that is down and has a permanent neighbour drops in its queue',
    world: () =>
      build(ROUTES, [
        [POD, 'ip neigh add 10.244.1.1 lladdr 0a:58:0a:f4:01:01 dev eth0'],
        [NODE, 'ip link set veth1 down'],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['QDISC_DROP', 'eth0'],
  },
  {
    name: 'the tunnel of the receiver is down: its node refuses the tunnel, which tells nobody',
    world: () => build(VXLAN, [[NODE_2, 'ip link set flannel.1 down']]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    legs: ['syn', 'icmp-error'],
  },
  {
    name: 'the wire card of the receiver is down',
    world: () =>
      build(ROUTES, [
        [NODE, `ip neigh add ${nodeIp(2)} lladdr 02:00:00:00:00:02 dev eth0`],
        [NODE_2, 'ip link set eth0 down'],
      ]),
    probe: udp(POD, OTHER_IP),
    disposition: 'dropped',
    symptom: 'timeout',
    legs: ['datagram'],
    drop: ['no-attachment', 'eth0'],
  },
];

export const FLOODED_TUNNEL: Case = {
  name: 'a question to everybody in the tunnel goes to every remote of the default row',
  world: () =>
    build({ ...VXLAN, nodes: 4 }, [
      [NODE, 'ip neigh del 10.244.2.0 dev flannel.1'],
      [NODE, `bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst ${nodeIp(3)}`],
      [NODE, `bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst ${nodeIp(2)}`],
      [NODE, `bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst ${nodeIp(4)}`],
    ]),
  probe: tcp(POD, OTHER_IP),
  ...HANDSHAKE,
};

const tunnels: readonly Case[] = [
  {
    name: 'no row for the other end of the tunnel',
    world: () => build(VXLAN, [[NODE, 'bridge fdb del 06:00:00:00:00:02 dev flannel.1']]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['NO_TX_TARGET', 'flannel.1'],
  },
  {
    name: 'no neighbour for the other end of the tunnel',
    world: () => build(VXLAN, [[NODE, 'ip neigh del 10.244.2.0 dev flannel.1']]),
    probe: tcp(POD, OTHER_IP),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'flannel.1'],
  },
  {
    name: 'a wrong MAC for the other end of the tunnel',
    world: () =>
      build(VXLAN, [
        [NODE, `ip neigh replace 10.244.2.0 lladdr ${NOBODY} dev flannel.1`],
        [NODE, `bridge fdb add ${NOBODY} dev flannel.1 dst ${nodeIp(2)}`],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['OTHERHOST', 'flannel.1'],
  },
  {
    name: 'a tunnel row that leads to nobody',
    world: () =>
      build(VXLAN, [
        [NODE, 'bridge fdb del 06:00:00:00:00:02 dev flannel.1'],
        [NODE, 'bridge fdb append 06:00:00:00:00:02 dev flannel.1 dst 192.168.10.77'],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'eth0'],
  },
  {
    name: 'a tunnel row that leads to a machine without a tunnel',
    world: () =>
      build(VXLAN, [
        [NODE, 'bridge fdb del 06:00:00:00:00:02 dev flannel.1'],
        [NODE, 'bridge fdb append 06:00:00:00:00:02 dev flannel.1 dst 192.168.10.1'],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    legs: ['syn', 'icmp-error'],
  },
  {
    name: 'a tunnel without a route for its outer packets',
    world: () =>
      build(VXLAN, [
        [NODE, 'bridge fdb del 06:00:00:00:00:02 dev flannel.1'],
        [NODE, 'bridge fdb append 06:00:00:00:00:02 dev flannel.1 dst 10.99.0.1'],
        [NODE, 'ip route del default'],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['IP_OUTNOROUTES', 'flannel.1'],
  },
  {
    name: 'an unknown receiver goes to every remote of the default row',
    world: () =>
      build({ ...VXLAN, nodes: 3 }, [
        [NODE, 'bridge fdb del 06:00:00:00:00:02 dev flannel.1'],
        [NODE, `bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst ${nodeIp(3)}`],
        [NODE, `bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst ${nodeIp(2)}`],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...OK,
    legs: ['syn', 'synack', 'ack'],
  },
  {
    name: 'a default row whose first remote is nobody still reaches the others',
    world: () =>
      build(VXLAN, [
        [NODE, 'bridge fdb del 06:00:00:00:00:02 dev flannel.1'],
        [NODE, 'bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst 192.168.10.77'],
        [NODE, `bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst ${nodeIp(2)}`],
      ]),
    probe: udp(POD, OTHER_IP, { size: 30 }),
    ...OK,
    legs: ['datagram', 'datagram', 'icmp-error'],
  },
  {
    name: 'a default row whose last remote is nobody still reaches the others',
    world: () =>
      build({ ...VXLAN, nodes: 3 }, [
        [NODE, 'bridge fdb del 06:00:00:00:00:02 dev flannel.1'],
        [NODE, `bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst ${nodeIp(2)}`],
        [NODE, `bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst ${nodeIp(3)}`],
        [NODE, 'bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst 192.168.10.77'],
      ]),
    probe: udp(POD, OTHER_IP),
    ...OK,
    legs: ['datagram', 'datagram', 'icmp-error'],
  },
  FLOODED_TUNNEL,
  {
    name: 'a firewall between the tunnel ends',
    world: () => build(VXLAN, [[NODE_2, 'iptables -A INPUT -p udp --dport 8472 -j DROP']]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'an error that goes through a tunnel is another connection to whoever tracks them',
    world: () =>
      build(VXLAN, [
        [NODE, 'ip rule add to 10.244.1.0/24 pref 100 prohibit'],
        [NODE, 'iptables -A INPUT -m conntrack --ctstate INVALID -j DROP'],
        [NODE_2, 'iptables -A INPUT -m conntrack --ctstate INVALID -j DROP'],
      ]),
    probe: tcp(POD, '10.244.2.1', { dport: 10250 }),
    disposition: 'reply-lost',
    symptom: 'timeout',
    legs: ['syn', 'synack', 'icmp-error'],
  },
  {
    name: 'a question that goes through a tunnel is another connection to whoever tracks them',
    world: () =>
      build(VXLAN, [
        [NODE, 'ip neigh del 10.244.2.0 dev flannel.1'],
        [NODE, `bridge fdb append ${ZERO_MAC} dev flannel.1 dst ${nodeIp(2)}`],
        [NODE_2, 'iptables -A INPUT -m conntrack --ctstate INVALID -j DROP'],
      ]),
    probe: udp(POD, OTHER_IP),
    ...OK,
    legs: ['datagram', 'datagram'],
  },
  {
    name: 'a wire that loses the tunnel',
    world: () => cut(build(VXLAN), 'node-1', 'node-2', { protocol: 'udp', port: 8472 }),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['wire-cut', 'eth0'],
  },
  {
    name: 'a wire that loses the tunnel on the way back',
    world: () => cut(build(VXLAN), 'node-2', 'node-1', { protocol: 'udp', port: 8472 }),
    probe: tcp(POD, OTHER_IP),
    disposition: 'reply-lost',
    symptom: 'timeout',
    legs: ['syn', 'synack'],
    drop: ['wire-cut', 'eth0'],
  },
  {
    name: 'a wire that is cut altogether: not even ARP comes through',
    world: () => cut(build(VXLAN), 'node-1', 'node-2', 'all'),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'eth0'],
  },
];

/** The Pod sends by its router what its neighbour could have at once. */
const SHORTER: Typed = [
  [POD, `ip addr del ${POD_IP}/24 dev eth0`],
  [POD, `ip addr add ${POD_IP}/32 dev eth0`],
  [POD, 'ip route add 10.244.1.1/32 dev eth0'],
  [POD, 'ip route add default via 10.244.1.1'],
];

const routers: readonly Case[] = [
  {
    name: 'a router that does not forward',
    world: () => build(ROUTES, [[NODE, 'sysctl -w net.ipv4.ip_forward=0']]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['forwarding-off', 'cni0'],
  },
  {
    name: 'a router that does not forward what comes in by one device',
    world: () => build(ROUTES, [[NODE_2, 'sysctl -w net.ipv4.conf.eth0.forwarding=0']]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['forwarding-off', 'eth0'],
  },
  {
    name: 'the TTL ends on the second router',
    world: () => build(ROUTES),
    probe: tcp(POD, OTHER_IP, { ttl: 2 }),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
    drop: ['ttl-exceeded', 'eth0'],
  },
  {
    name: 'the TTL of an echo ends on the first router',
    world: () => build(VXLAN),
    probe: ping(POD, OTHER_IP, { ttl: 1 }),
    ...NO_ROUTE,
    legs: ['echo', 'icmp-error'],
    drop: ['ttl-exceeded', 'cni0'],
  },
  {
    name: 'a router without a route says so',
    world: () =>
      build(ROUTES, [
        [NODE, 'ip route del 10.244.2.0/24'],
        [NODE, 'ip route del default'],
      ]),
    probe: tcp(POD, OTHER_IP),
    disposition: 'rejected',
    symptom: 'network unreachable',
    legs: ['syn', 'icmp-error'],
    drop: ['IP_INNOROUTES', 'cni0'],
  },
  {
    name: 'a blackhole route is silent',
    world: () => build(ROUTES, [[NODE, `ip route add blackhole ${OTHER_IP}/32`]]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['NOT_SPECIFIED', 'cni0'],
  },
  {
    name: 'a prohibit route says so',
    world: () => build(ROUTES, [[NODE, `ip route add prohibit ${OTHER_IP}/32`]]),
    probe: tcp(POD, OTHER_IP),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
  },
  {
    name: 'a prohibit route of the sender is an errno at once',
    world: () => build(ROUTES, [[POD, `ip route add prohibit ${OTHER_IP}/32`]]),
    probe: tcp(POD, OTHER_IP),
    disposition: 'rejected',
    symptom: 'permission denied',
    legs: ['syn'],
  },
  {
    name: 'the sender has no route',
    world: () => build(ROUTES, [[POD, 'ip route del default']]),
    probe: udp(POD, OTHER_IP),
    disposition: 'rejected',
    symptom: 'network unreachable',
    legs: ['datagram'],
  },
  {
    name: 'the listener has no way back',
    world: () => build(ROUTES, [[OTHER, 'ip route del default']]),
    probe: tcp(POD, OTHER_IP),
    disposition: 'reply-lost',
    symptom: 'timeout',
    legs: ['syn', 'synack'],
  },
  {
    name: 'strict rp_filter drops what comes in by the wrong device',
    world: () =>
      build({ ...ROUTES, gatewayRoutes: true }, [
        [NODE_2, 'sysctl -w net.ipv4.conf.all.rp_filter=1'],
        [NODE_2, 'ip route replace 10.244.1.0/24 via 10.244.2.2 dev cni0'],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['IP_RPFILTER', 'eth0'],
  },
  {
    name: 'a route that leads round in circles: told by whoever sees the TTL end',
    unproved: 'a trace ends where the circle closes',
    world: () =>
      build({ ...ROUTES, gatewayRoutes: true }, [
        [NODE_2, 'ip addr del 10.244.2.1/24 dev cni0'],
        [NODE_2, 'ip route add 10.244.2.0/24 via 192.168.10.1'],
      ]),
    probe: tcp(POD, OTHER_IP),
    disposition: 'looped',
    symptom: 'no route to host',
    legs: ['syn', 'icmp-error'],
    drop: ['looped', 'eth0'],
  },
  {
    name: 'a host that could go the shorter way is told so',
    world: () => build(ROUTES, SHORTER),
    probe: tcp(POD, NEIGHBOUR_IP),
    ...OK,
    legs: ['syn', 'synack', 'icmp-error'],
  },
];

const sizes: readonly Case[] = [
  {
    name: 'data goes after the handshake',
    world: () => build(VXLAN),
    probe: tcp(POD, OTHER_IP, { size: 1000 }),
    ...OK,
    legs: ['syn', 'synack', 'data', 'ack'],
  },
  {
    name: 'data is cut to what the other end takes',
    world: () => build(VXLAN, [[OTHER, 'ip link set eth0 mtu 1000']]),
    probe: tcp(POD, OTHER_IP, { size: 900 }),
    ...OK,
    legs: ['syn', 'synack', 'data', 'ack'],
  },
  {
    name: 'a router tells the MTU, and the data goes in smaller pieces',
    world: () => build(ROUTES, [[NODE, 'ip link set eth0 mtu 1300']]),
    probe: tcp(POD, OTHER_IP, { size: 1400 }),
    ...OK,
    legs: ['syn', 'synack', 'data', 'icmp-error', 'data', 'ack'],
  },
  {
    name: 'a router tells the MTU, and a filter eats the message: large data hangs',
    world: () =>
      build(ROUTES, [
        [NODE, 'ip link set eth0 mtu 1300'],
        [NODE, 'iptables -A OUTPUT -p icmp -j DROP'],
      ]),
    probe: tcp(POD, OTHER_IP, { size: 1400 }),
    disposition: 'dropped',
    symptom: 'hangs on large data',
    legs: ['syn', 'synack', 'data', 'icmp-error'],
    drop: ['PKT_TOO_BIG', 'eth0'],
  },
  {
    name: 'a veth whose other end is smaller loses large data without a word',
    world: () => build(VXLAN, [[NODE, 'ip link set veth1 mtu 1300']]),
    probe: tcp(POD, OTHER_IP, { size: 1398 }),
    disposition: 'dropped',
    symptom: 'hangs on large data',
    legs: ['syn', 'synack', 'data'],
    drop: ['NOT_SPECIFIED', 'eth0'],
  },
  {
    name: 'four bytes more than the MTU still go through a veth',
    unproved: 'fragments',
    world: () => build(ROUTES, [[OTHER, 'ip link set eth0 mtu 1000']]),
    probe: ping(POD, OTHER_IP, { size: 1004 - 28 }),
    disposition: 'inconclusive',
    symptom: 'unknown',
    legs: ['echo', 'echo-reply'],
    drop: ['not-modelled', 'eth0'],
  },
  {
    name: 'five bytes more than the MTU do not',
    world: () => build(ROUTES, [[OTHER, 'ip link set eth0 mtu 1000']]),
    probe: ping(POD, OTHER_IP, { size: 1005 - 28 }),
    disposition: 'dropped',
    symptom: 'timeout',
    legs: ['echo'],
    drop: ['NOT_SPECIFIED', 'veth1'],
  },
  {
    name: 'a datagram that is told an MTU fails with it',
    world: () => build(ROUTES, [[NODE, 'ip link set eth0 mtu 1300']]),
    probe: udp(POD, OTHER_IP, { size: 1372 }),
    disposition: 'rejected',
    symptom: 'message too long',
    legs: ['datagram', 'icmp-error'],
    drop: ['PKT_TOO_BIG', 'eth0'],
  },
  {
    name: 'the MTU of a route binds as a device does',
    world: () =>
      build(ROUTES, [[NODE, `ip route add ${OTHER_IP}/32 via ${nodeIp(2)} dev eth0 mtu 900`]]),
    probe: udp(POD, OTHER_IP, { size: 1000 }),
    disposition: 'rejected',
    symptom: 'message too long',
    legs: ['datagram', 'icmp-error'],
    drop: ['PKT_TOO_BIG', 'eth0'],
  },
  {
    name: 'what would leave in fragments is not modelled',
    unproved: 'fragments',
    world: () => build(ROUTES),
    probe: udp(POD, OTHER_IP, { size: 2000 }),
    disposition: 'inconclusive',
    symptom: 'unknown',
    legs: ['datagram'],
    drop: ['not-modelled', 'eth0'],
  },
];

const filtered = { ...ROUTES, bridgeNf: true };

const firewalls: readonly Case[] = [
  {
    name: 'FORWARD drops between nodes',
    world: () => build(VXLAN, [[NODE, 'iptables -P FORWARD DROP']]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'a bridge without br_netfilter passes FORWARD by',
    world: () => build(ROUTES, [[NODE, 'iptables -P FORWARD DROP']]),
    probe: tcp(POD, NEIGHBOUR_IP),
    ...HANDSHAKE,
  },
  {
    name: 'a bridge with br_netfilter asks FORWARD',
    world: () => build(filtered, [[NODE, 'iptables -P FORWARD DROP']]),
    probe: tcp(POD, NEIGHBOUR_IP),
    ...SILENT,
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'physdev tells the ports of a bridged frame',
    world: () =>
      build(filtered, [
        [
          NODE,
          'iptables -A FORWARD -m physdev --physdev-in veth1 --physdev-out veth2 -j REJECT --reject-with icmp-admin-prohibited',
        ],
      ]),
    probe: tcp(POD, NEIGHBOUR_IP),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'a RST on a bridge comes from the MAC that was asked',
    world: () =>
      build(filtered, [[NODE, 'iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset']]),
    probe: tcp(POD, NEIGHBOUR_IP),
    disposition: 'rejected',
    symptom: 'connection refused',
    legs: ['syn', 'rst'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'a RST about a packet that came through a bridge leaves by its port',
    world: () =>
      build({ ...VXLAN, bridgeNf: true }, [
        [NODE, 'iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset'],
      ]),
    probe: tcp(POD, OTHER_IP),
    disposition: 'rejected',
    symptom: 'connection refused',
    legs: ['syn', 'rst'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'a RST of a router without br_netfilter is routed',
    world: () =>
      build(VXLAN, [[NODE_2, 'iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset']]),
    probe: tcp(POD, OTHER_IP),
    disposition: 'rejected',
    symptom: 'connection refused',
    legs: ['syn', 'rst'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'a rule of the own OUTPUT drops a datagram: the call fails',
    world: () => build(ROUTES, [[POD, 'iptables -A OUTPUT -p udp -j DROP']]),
    probe: udp(POD, OTHER_IP),
    disposition: 'rejected',
    symptom: 'permission denied',
    legs: ['datagram'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'a rule of the own OUTPUT drops a SYN: nobody says so',
    world: () => build(ROUTES, [[POD, 'iptables -A OUTPUT -p tcp -j DROP']]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'a masqueraded packet is answered to the node',
    world: () =>
      build(ROUTES, [
        [NODE, 'iptables -t nat -A POSTROUTING -s 10.244.1.0/24 -o eth0 -j MASQUERADE'],
        [NODE_2, 'ip route del 10.244.1.0/24'],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...HANDSHAKE,
  },
  {
    name: 'an error about a masqueraded packet finds the Pod',
    world: () =>
      build(ROUTES, [
        [NODE, 'iptables -t nat -A POSTROUTING -s 10.244.1.0/24 -o eth0 -j MASQUERADE'],
      ]),
    probe: tcp(POD, '10.244.2.98'),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'cni0'],
  },
  {
    name: 'replies that are not ESTABLISHED to anybody are let through by a rule only',
    world: () =>
      build({ ...VXLAN, bridgeNf: true }, [
        [NODE, 'iptables -P FORWARD DROP'],
        [NODE, 'iptables -A FORWARD -s 10.244.1.0/24 -j ACCEPT'],
      ]),
    probe: tcp(POD, OTHER_IP),
    disposition: 'reply-lost',
    symptom: 'timeout',
    legs: ['syn', 'synack'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'a mark in PREROUTING sends the packet to another table',
    world: () =>
      build(ROUTES, [
        [NODE, 'iptables -t mangle -A PREROUTING -i cni0 -j MARK --set-mark 0x10'],
        [NODE, 'ip rule add fwmark 0x10 pref 60 lookup 60'],
        [NODE, `ip route add prohibit ${OTHER_IP}/32 table 60`],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...NO_ROUTE,
    legs: ['syn', 'icmp-error'],
  },
  {
    name: 'a mark in OUTPUT routes the packet anew',
    world: () =>
      build(ROUTES, [
        [POD, 'iptables -t mangle -A OUTPUT -p tcp -j MARK --set-mark 1'],
        [POD, 'ip rule add fwmark 1 pref 60 lookup 60'],
        [POD, `ip route add ${OTHER_IP}/32 via ${NEIGHBOUR_IP} dev eth0 table 60`],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['forwarding-off', 'eth0'],
  },
];

const smallPorts: readonly Case[] = [
  {
    name: 'a bridge gives a port four bytes more than its MTU',
    world: () => build(ROUTES, [[NODE, 'ip link set veth2 mtu 1300']]),
    probe: udp(POD, NEIGHBOUR_IP, { size: 1304 - 28, sport: 40001 }),
    ...OK,
    legs: ['datagram', 'datagram'],
  },
  {
    name: 'br_netfilter does not',
    world: () => build(filtered, [[NODE, 'ip link set veth2 mtu 1300']]),
    probe: udp(POD, NEIGHBOUR_IP, { size: 1304 - 28, sport: 40001 }),
    disposition: 'dropped',
    symptom: 'timeout',
    legs: ['datagram'],
    drop: ['NOT_SPECIFIED', 'veth2'],
  },
];

/** Makes a tunnel device anew, with other settings. */
const retunnel =
  (node: number, settings: { vni?: number; dstport?: number; learning?: boolean }) =>
  (made: Draft): void => {
    const netns = made.get(`node-${node}/host`);
    if (!netns) throw new RangeError(`node-${node}`);
    linkDel(netns, 'flannel.1');
    linkAdd(netns, {
      kind: 'vxlan',
      ifname: 'flannel.1',
      mac: `06:00:00:00:00:0${node}`,
      mtu: 1450,
      vni: 1,
      local: nodeIp(node),
      lower: 'eth0',
      dstport: 8472,
      learning: false,
      ...settings,
    });
    linkSet(netns, 'flannel.1', { up: true });
    addrAdd(netns, 'flannel.1', { ip: `10.244.${node}.0`, prefix: 32 });
    const other = 3 - node;
    const via = `10.244.${other}.0`;
    routeAdd(netns, { dst: `10.244.${other}.0/24`, via, dev: 'flannel.1', onlink: true });
    const lladdr = `06:00:00:00:00:0${other}`;
    neighAdd(netns, { ip: via, dev: 'flannel.1', lladdr });
    if (settings.learning !== true)
      fdbAppend(netns, { mac: lladdr, dev: 'flannel.1', dst: nodeIp(other) });
    else fdbAppend(netns, { mac: ZERO_MAC, dev: 'flannel.1', dst: nodeIp(other) });
  };

const otherTunnels: readonly Case[] = [
  {
    name: 'the other end has another VNI',
    world: () => build(VXLAN, [], retunnel(2, { vni: 2 })),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['VXLAN_VNI_NOT_FOUND', 'eth0'],
  },
  {
    name: 'the other end listens on another port, and its machine says so to the tunnel',
    world: () => build(VXLAN, [], retunnel(2, { dstport: 4789 })),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    legs: ['syn', 'icmp-error'],
  },
  {
    name: 'tunnels that learn find their way back',
    world: () =>
      build(VXLAN, [], (made) => {
        retunnel(1, { learning: true })(made);
        retunnel(2, { learning: true })(made);
      }),
    probe: tcp(POD, OTHER_IP),
    ...HANDSHAKE,
  },
  {
    name: 'a tunnel that learns throws away what contradicts a row written by hand',
    world: () =>
      build(
        VXLAN,
        [[NODE_2, 'bridge fdb append 06:00:00:00:00:01 dev flannel.1 dst 192.168.10.1']],
        retunnel(2, { learning: true }),
      ),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    drop: ['VXLAN_ENTRY_EXISTS', 'flannel.1'],
  },
  {
    name: 'a tunnel row that leads to the machine itself: round until the TTL ends',
    unproved: 'a trace ends where the circle closes',
    world: () =>
      build(VXLAN, [
        [NODE, 'bridge fdb del 06:00:00:00:00:02 dev flannel.1'],
        [NODE, `bridge fdb append 06:00:00:00:00:02 dev flannel.1 dst ${nodeIp(1)}`],
      ]),
    probe: tcp(POD, OTHER_IP),
    disposition: 'looped',
    symptom: 'no route to host',
    legs: ['syn', 'icmp-error'],
    drop: ['looped', 'flannel.1'],
  },
  {
    name: 'a tunnel whose outer packets would go into itself',
    world: () =>
      build(VXLAN, [
        [NODE, 'bridge fdb del 06:00:00:00:00:02 dev flannel.1'],
        [NODE, 'bridge fdb append 06:00:00:00:00:02 dev flannel.1 dst 10.244.2.9'],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...SILENT,
    disposition: 'looped',
    drop: ['looped', 'flannel.1'],
  },
  {
    name: 'a tunnel as a port of a bridge carries ARP as well',
    world: () =>
      build(VXLAN, [
        [NODE, 'ip route del 10.244.2.0/24'],
        [NODE, 'ip link set flannel.1 master cni0'],
        [NODE, `bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst ${nodeIp(2)}`],
        [NODE_2, 'ip route del 10.244.1.0/24'],
        [NODE_2, 'ip link set flannel.1 master cni0'],
        [NODE_2, `bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst ${nodeIp(1)}`],
        [POD, 'ip route add 10.244.2.0/24 dev eth0'],
        [OTHER, 'ip route add 10.244.1.0/24 dev eth0'],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...HANDSHAKE,
    via: ['eth0', 'veth1', 'flannel.1', 'eth0', 'eth0', 'flannel.1', 'veth1', 'eth0'],
  },
  {
    name: 'a tunnel with a TTL of its own',
    world: () => build(VXLAN, [[NODE, 'sysctl -w net.ipv4.ip_default_ttl=7']]),
    probe: udp(POD, OTHER_IP, { size: 3 }),
    ...OK,
    legs: ['datagram', 'datagram'],
  },
];

const odd: readonly Case[] = [
  {
    name: 'a datagram by the long way: its socket hears of the shorter one',
    world: () => build(ROUTES, SHORTER),
    probe: udp(POD, NEIGHBOUR_IP),
    ...OK,
    legs: ['datagram', 'datagram', 'icmp-error'],
  },
  {
    name: 'the error of a router comes from the device that the packet came in by',
    world: () =>
      build(ROUTES, [
        [NODE, 'sysctl -w net.ipv4.icmp_errors_use_inbound_ifaddr=1'],
        [NODE, `ip route add prohibit ${OTHER_IP}/32`],
        [NODE, 'ip addr add 10.77.0.1/24 dev cni0'],
      ]),
    probe: ping(POD, OTHER_IP),
    ...NO_ROUTE,
    legs: ['echo', 'icmp-error'],
  },
  {
    name: 'arp_announce 2 asks from the address of the link',
    world: () =>
      build(ROUTES, [
        [NODE, 'sysctl -w net.ipv4.conf.all.arp_announce=2'],
        [NODE, `ip route replace 10.244.2.0/24 via ${nodeIp(2)} dev eth0 src 10.244.1.1`],
      ]),
    probe: tcp(NODE, OTHER_IP),
    ...HANDSHAKE,
  },
  {
    name: 'without arp_announce it asks from the address of the packet',
    world: () =>
      build(ROUTES, [
        [NODE, `ip route replace 10.244.2.0/24 via ${nodeIp(2)} dev eth0 src 10.244.1.1`],
      ]),
    probe: tcp(NODE, OTHER_IP),
    ...HANDSHAKE,
  },
  {
    name: 'a sender may choose its address',
    world: () => build(ROUTES),
    probe: tcp(NODE, OTHER_IP, { src: '10.244.1.1' }),
    ...HANDSHAKE,
  },
  {
    name: 'a Pod that forwards passes on what was sent to it by mistake',
    world: () =>
      build(ROUTES, [
        [POD, `ip route replace default via ${NEIGHBOUR_IP}`],
        [NEIGHBOUR, 'sysctl -w net.ipv4.ip_forward=1'],
      ]),
    probe: tcp(POD, OTHER_IP),
    ...OK,
    legs: ['syn', 'synack', 'icmp-error'],
  },
  {
    name: 'a node reaches its own Pod',
    world: () => build(VXLAN),
    probe: tcp(NODE, POD_IP),
    ...HANDSHAKE,
    via: ['cni0', 'veth1', 'eth0'],
  },
  {
    name: 'a Pod reaches the bridge',
    world: () => build(VXLAN),
    probe: ping(POD, '10.244.1.1', { size: 100 }),
    ...OK,
    legs: ['echo', 'echo-reply'],
  },
  {
    name: 'a Pod reaches the bridge of another node',
    world: () => build(VXLAN),
    probe: tcp(POD, '10.244.2.1', { dport: 10250 }),
    ...HANDSHAKE,
  },
  {
    name: 'an ignored echo',
    world: () => build(VXLAN, [[OTHER, 'sysctl -w net.ipv4.icmp_echo_ignore_all=1']]),
    probe: ping(POD, OTHER_IP),
    disposition: 'dropped',
    symptom: 'timeout',
    legs: ['echo'],
    drop: ['echo-ignored'],
  },
  {
    name: 'a destination that is everybody',
    world: () => build(ROUTES),
    probe: udp(POD, '10.244.1.255'),
    disposition: 'rejected',
    symptom: 'permission denied',
    legs: ['datagram'],
  },
  {
    name: 'a connection to everybody',
    world: () => build(ROUTES),
    probe: tcp(POD, '10.244.1.255'),
    disposition: 'rejected',
    symptom: 'network unreachable',
    legs: ['syn'],
  },
  {
    name: 'an echo to everybody behind a router, which is one of them and ignores it',
    world: () => build(ROUTES),
    probe: ping(POD, NODES),
    ...SILENT,
    legs: ['echo'],
    drop: ['INVALID_PROTO'],
  },
  {
    name: 'an echo to everybody that is answered, from the address on the way back',
    world: () => build(ROUTES, [[NODE, 'sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=0']]),
    probe: ping(POD, NODES),
    ...OK,
    legs: ['echo', 'echo-reply'],
  },
  {
    name: 'a closed port refuses nothing that is for everybody',
    world: () => build(ROUTES),
    probe: tcp(POD, NODES, { dport: 81 }),
    ...SILENT,
    drop: ['NO_SOCKET'],
  },
  {
    name: 'a listener takes no connection to everybody',
    world: () => build(ROUTES),
    probe: tcp(POD, NODES, { dport: 10250 }),
    ...SILENT,
    drop: ['connection-to-everybody'],
  },
  {
    name: 'a closed port refuses no datagram that is for everybody',
    world: () => build(ROUTES),
    probe: udp(POD, NODES),
    ...SILENT,
    legs: ['datagram'],
    drop: ['NOT_SPECIFIED'],
  },
  {
    name: 'a listener answers a datagram to everybody, and the sender asked somebody else',
    world: () =>
      build(ROUTES, [], (made) =>
        listen(made, NODE, { protocol: 'udp', ip: '0.0.0.0', port: 69, process: 'tftpd' }),
      ),
    probe: udp(POD, NODES, { dport: 69, size: 9 }),
    disposition: 'reply-lost',
    symptom: 'timeout',
    legs: ['datagram', 'datagram', 'icmp-error'],
  },
  {
    name: 'where anything is taken to listen, still nobody else does on the port of the sender',
    world: () =>
      build(ROUTES, [], (made) => {
        listen(made, NODE, { protocol: 'udp', ip: '0.0.0.0', port: 69, process: 'tftpd' });
        const pod = made.get(POD);
        if (pod) made.set(POD, { ...pod, listeners: { unlisted: 'assumed-open' } });
      }),
    probe: udp(POD, NODES, { dport: 69, size: 9 }),
    disposition: 'reply-lost',
    symptom: 'timeout',
    legs: ['datagram', 'datagram', 'icmp-error'],
  },
  {
    name: 'a listener on one address hears nothing that is for everybody',
    world: () =>
      build(ROUTES, [], (made) =>
        listen(made, NODE, { protocol: 'udp', ip: nodeIp(1), port: 69, process: 'tftpd' }),
      ),
    probe: udp(POD, NODES, { dport: 69 }),
    ...SILENT,
    legs: ['datagram'],
    drop: ['NOT_SPECIFIED'],
  },
  {
    name: 'a tunnel port is no place for other datagrams',
    world: () => build(VXLAN),
    probe: udp(POD, nodeIp(2), { dport: 8472, size: 40 }),
    disposition: 'dropped',
    symptom: 'timeout',
    legs: ['datagram'],
  },
  {
    name: 'SNAT to an address that is nobody’s loses the answer',
    world: () =>
      build(ROUTES, [
        [NODE, 'iptables -t nat -A POSTROUTING -p tcp -o eth0 -j SNAT --to-source 192.168.10.200'],
      ]),
    probe: tcp(POD, OTHER_IP),
    disposition: 'reply-lost',
    symptom: 'timeout',
    legs: ['syn', 'synack', 'icmp-error'],
  },
  {
    name: 'a rule that rejects at the receiver',
    world: () => build(VXLAN, [[OTHER, 'iptables -A INPUT -p udp -j REJECT']]),
    probe: udp(POD, OTHER_IP, { size: 10 }),
    disposition: 'rejected',
    symptom: 'connection refused',
    legs: ['datagram', 'icmp-error'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'a rule of the own OUTPUT rejects a connection',
    world: () => build(VXLAN, [[POD, 'iptables -A OUTPUT -p tcp -j REJECT']]),
    probe: tcp(POD, OTHER_IP),
    disposition: 'rejected',
    symptom: 'connection refused',
    legs: ['syn', 'icmp-error'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'a rule of the own OUTPUT that resets a connection drops its own RST as well',
    world: () =>
      build(VXLAN, [[POD, 'iptables -A OUTPUT -p tcp -j REJECT --reject-with tcp-reset']]),
    probe: tcp(POD, OTHER_IP),
    disposition: 'rejected',
    symptom: 'timeout',
    legs: ['syn', 'rst'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'protocol unreachable has an errno of its own',
    world: () =>
      build(VXLAN, [[NODE, 'iptables -A FORWARD -j REJECT --reject-with icmp-proto-unreachable']]),
    probe: udp(POD, OTHER_IP),
    disposition: 'rejected',
    symptom: 'protocol not available',
    legs: ['datagram', 'icmp-error'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'an error about the first packet of a connection is RELATED, not INVALID',
    world: () =>
      build(ROUTES, [
        [NODE, 'iptables -A FORWARD -p udp -j REJECT'],
        [NODE, 'iptables -A OUTPUT -m conntrack --ctstate INVALID -j DROP'],
      ]),
    probe: udp(POD, OTHER_IP),
    disposition: 'rejected',
    symptom: 'connection refused',
    legs: ['datagram', 'icmp-error'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'an error about a delivered datagram is RELATED by what it quotes',
    world: () =>
      build(ROUTES, [
        [OTHER, 'iptables -P OUTPUT DROP'],
        [OTHER, 'iptables -A OUTPUT -m conntrack --ctstate RELATED -j ACCEPT'],
      ]),
    probe: udp(POD, OTHER_IP, { dport: 54 }),
    disposition: 'refused',
    symptom: 'connection refused',
    legs: ['datagram', 'icmp-error'],
  },
  {
    name: 'an error about the first packet to a translated address speaks of the address asked for',
    world: () =>
      build(ROUTES, [
        [
          NODE,
          `iptables -t nat -A PREROUTING -d 10.96.0.1 -p udp --dport 53 -j DNAT --to-destination ${OTHER_IP}:5353`,
        ],
        [NODE, 'iptables -A FORWARD -p udp -j REJECT'],
      ]),
    probe: udp(POD, '10.96.0.1', { dport: 53 }),
    disposition: 'rejected',
    symptom: 'connection refused',
    legs: ['datagram', 'icmp-error'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'a router that translates anything throws its own redirects away',
    world: () =>
      build(ROUTES, [...SHORTER, [NODE, 'iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE']]),
    probe: udp(POD, NEIGHBOUR_IP, { size: 10 }),
    ...OK,
    legs: ['datagram', 'datagram', 'icmp-error'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'a router that only tracks connections sends its redirects',
    world: () =>
      build(ROUTES, [
        ...SHORTER,
        [NODE, 'iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP'],
      ]),
    probe: udp(POD, NEIGHBOUR_IP, { size: 10 }),
    ...OK,
    legs: ['datagram', 'datagram', 'icmp-error'],
  },
  {
    name: 'DNAT in OUTPUT sends a connection elsewhere',
    world: () =>
      build(ROUTES, [
        [
          POD,
          `iptables -t nat -A OUTPUT -d 10.96.0.1 -p tcp --dport 80 -j DNAT --to-destination ${OTHER_IP}:8080`,
        ],
      ]),
    probe: tcp(POD, '10.96.0.1', { dport: 80 }),
    ...HANDSHAKE,
  },
  {
    name: 'DNAT in PREROUTING of a router',
    world: () =>
      build(ROUTES, [
        [
          NODE,
          `iptables -t nat -A PREROUTING -d 10.96.0.1 -p tcp --dport 80 -j DNAT --to-destination ${OTHER_IP}:8080`,
        ],
      ]),
    probe: tcp(POD, '10.96.0.1', { dport: 80 }),
    ...HANDSHAKE,
  },
  {
    name: 'a service that is not rewritten back on the bridge: the client resets the answer',
    world: () =>
      build(ROUTES, [
        [
          NODE,
          `iptables -t nat -A PREROUTING -d 10.96.0.1 -p tcp --dport 80 -j DNAT --to-destination ${NEIGHBOUR_IP}:8080`,
        ],
      ]),
    probe: tcp(POD, '10.96.0.1', { dport: 80 }),
    disposition: 'reply-lost',
    symptom: 'timeout',
    legs: ['syn', 'synack', 'rst', 'icmp-error'],
  },
];

const third: readonly Case[] = [
  {
    name: 'two Pods answer for one address',
    unproved: 'which one answers first is chance',
    world: () =>
      build({ ...ROUTES, pods: 3 }, [[podName(1, 3), `ip addr add ${NEIGHBOUR_IP}/24 dev eth0`]]),
    probe: tcp(POD, NEIGHBOUR_IP),
    disposition: 'ambiguous',
    symptom: 'connected',
    legs: ['syn', 'synack'],
  },
  {
    name: 'a bridge with the address of one of its Pods answers before that Pod does',
    world: () => build(ROUTES, [[NODE, `ip addr add ${NEIGHBOUR_IP}/32 dev cni0`]]),
    probe: tcp(POD, NEIGHBOUR_IP),
    disposition: 'ambiguous',
    symptom: 'connection refused',
    legs: ['syn', 'rst'],
  },
  {
    name: 'an address of a third machine that nobody routes',
    world: () => build({ ...ROUTES, gatewayRoutes: true }),
    probe: tcp(POD, '203.0.113.10'),
    disposition: 'rejected',
    symptom: 'network unreachable',
    legs: ['syn', 'icmp-error'],
    drop: ['IP_INNOROUTES', 'eth0'],
  },
  {
    name: 'a Pod of a third node',
    world: () => build({ ...VXLAN, nodes: 3 }),
    probe: udp(POD, podIp(3, 2), { size: 1 }),
    ...OK,
    legs: ['datagram', 'datagram'],
  },
];

export const CASES: readonly Case[] = [
  ...plain,
  ...sockets,
  ...neighbours,
  ...bridges,
  ...links,
  ...tunnels,
  ...routers,
  ...sizes,
  ...firewalls,
  ...smallPorts,
  ...otherTunnels,
  ...odd,
  ...third,
  ...SERVICES,
  ...NFT_TABLES,
];
