/** Addresses that a bridge's own machine rewrites: what a Service is made of. */
import { type ClusterSpec, nodeIp, podIp, podName } from '../../kernel/hand-made.ts';
import type { Case } from './case.ts';
import {
  build,
  NEIGHBOUR,
  NEIGHBOUR_IP,
  NODE,
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

const SERVICE = '10.96.0.1';

const HANDSHAKE = {
  disposition: 'delivered',
  symptom: 'connected',
  legs: ['syn', 'synack'],
} as const;
// The ACK is told apart from the SYN: the MAC is at hand by then, and no capture on cni0 sees it.
const TURNED = { ...HANDSHAKE, legs: ['syn', 'synack', 'ack'] } as const;
const DATAGRAMS = { ...HANDSHAKE, legs: ['datagram', 'datagram'] } as const;
const SILENT = { disposition: 'dropped', symptom: 'timeout', legs: ['syn'] } as const;

/** The bridge asks iptables. */
const ON: ClusterSpec = { ...ROUTES, bridgeNf: true };

const dnat = (to: string, protocol = 'tcp', port = 8080): Typed[number] => [
  NODE,
  `iptables -t nat -A PREROUTING -d ${SERVICE} -p ${protocol} --dport 80 -j DNAT --to-destination ${to}:${port}`,
];

const service = tcp(POD, SERVICE, { dport: 80 });

const masquerade = (source: string): Typed[number] => [
  NODE,
  `iptables -t nat -A POSTROUTING -s ${source} -j MASQUERADE`,
];

const PROMISCUOUS: Typed[number] = [NODE, 'ip link set cni0 promisc on'];

const knows = (ip: string, pod: number): Typed[number] => [
  NODE,
  `ip neigh add ${ip} lladdr 0a:00:00:00:01:0${pod} dev cni0`,
];

/** Answers of the other node take a way around, over a third one. */
const ASIDE: Typed = [
  ['node-2/host', `ip route replace 10.244.1.0/24 via ${nodeIp(3)} dev eth0`],
  ['node-3/host', 'sysctl -w net.ipv4.conf.all.send_redirects=0'],
  ['node-3/host', 'sysctl -w net.ipv4.conf.eth0.send_redirects=0'],
];

const INVALID: Typed[number] = [
  'node-3/host',
  'iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP',
];

export const SERVICES: readonly Case[] = [
  {
    name: 'a service with its backend on the same bridge: the node asks who it is, and bridges',
    world: () => build(ON, [dnat(NEIGHBOUR_IP)]),
    probe: service,
    ...TURNED,
    via: ['eth0', 'veth1', 'cni0', 'veth2', 'eth0'],
  },
  {
    name: 'a promiscuous bridge hands its own stack a copy too, and the backend gets a second one',
    unproved: 'packets that come twice',
    world: () => build(ON, [dnat(NEIGHBOUR_IP), PROMISCUOUS]),
    probe: service,
    disposition: 'inconclusive',
    symptom: 'unknown',
    legs: ['syn'],
    drop: ['not-modelled', 'cni0'],
  },
  {
    name: 'a promiscuous bridge: the copy belongs to no connection, and a rule ends it',
    world: () =>
      build(ON, [
        dnat(NEIGHBOUR_IP),
        PROMISCUOUS,
        [NODE, 'iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP'],
      ]),
    probe: service,
    ...TURNED,
  },
  {
    name: 'the same when the node knows the backend, but has never sent to it',
    world: () => build(ON, [dnat(NEIGHBOUR_IP), knows(NEIGHBOUR_IP, 2)]),
    probe: service,
    ...TURNED,
    via: ['eth0', 'veth1', 'cni0', 'veth2', 'eth0'],
  },
  {
    name: 'a datagram to a service on the same bridge',
    world: () => build(ON, [dnat(NEIGHBOUR_IP, 'udp', 5353)]),
    probe: udp(POD, SERVICE, { dport: 80, size: 30 }),
    ...DATAGRAMS,
  },
  {
    name: 'a service on the same bridge where the bridge asks nobody: the answer comes from elsewhere',
    world: () => build(ROUTES, [dnat(NEIGHBOUR_IP, 'udp', 5353)]),
    probe: udp(POD, SERVICE, { dport: 80, size: 30 }),
    disposition: 'reply-lost',
    symptom: 'timeout',
    legs: ['datagram', 'datagram', 'icmp-error', 'icmp-error'],
  },
  {
    name: 'a service with its backend on another node goes up the stack',
    world: () => build(ON, [dnat(OTHER_IP)]),
    probe: service,
    ...HANDSHAKE,
    via: ['eth0', 'veth1', 'cni0', 'eth0', 'eth0', 'cni0', 'veth1', 'eth0'],
  },
  {
    name: 'the same through the tunnel',
    world: () => build({ ...VXLAN, bridgeNf: true }, [dnat(OTHER_IP)]),
    probe: service,
    ...HANDSHAKE,
    via: ['eth0', 'veth1', 'cni0', 'flannel.1', 'eth0'],
  },
  {
    name: 'a service that is the Pod itself, masqueraded, with hairpin mode',
    world: () => build({ ...ON, hairpin: true }, [dnat(POD_IP), masquerade(POD_IP)]),
    probe: service,
    ...HANDSHAKE,
    via: ['eth0', 'veth1', 'cni0', 'veth1', 'eth0'],
  },
  {
    name: 'a service that is the Pod itself, masqueraded, without hairpin mode',
    world: () => build(ON, [dnat(POD_IP), masquerade(POD_IP)]),
    probe: service,
    ...SILENT,
    drop: ['NOT_SPECIFIED', 'veth1'],
  },
  {
    name: 'a service that is the Pod itself, with its own address as source',
    world: () => build({ ...ON, hairpin: true }, [dnat(POD_IP)]),
    probe: service,
    ...SILENT,
    drop: ['IP_LOCAL_SOURCE', 'eth0'],
  },
  {
    name: 'a service that is the Pod itself, masqueraded, where the bridge asks nobody',
    world: () => build({ ...ROUTES, hairpin: true }, [dnat(POD_IP), masquerade(POD_IP)]),
    probe: service,
    ...HANDSHAKE,
    legs: ['syn', 'synack', 'icmp-error'],
  },
  {
    name: 'a service that is the Pod itself, masqueraded, by a bridge without hairpin that asks nobody',
    world: () => build(ROUTES, [dnat(POD_IP), masquerade(POD_IP)]),
    probe: service,
    ...HANDSHAKE,
    legs: ['syn', 'synack', 'icmp-error'],
  },
  {
    name: 'a service on the same bridge, masqueraded: the answer is sent to the bridge and turned there',
    world: () => build(ON, [dnat(NEIGHBOUR_IP), masquerade(POD_IP)]),
    probe: service,
    ...TURNED,
    via: ['eth0', 'veth1', 'cni0', 'veth2', 'eth0'],
  },
  {
    name: 'a service whose backend is gone from the bridge',
    world: () => build(ON, [dnat('10.244.1.77')]),
    probe: service,
    disposition: 'rejected',
    symptom: 'no route to host',
    legs: ['syn', 'icmp-error'],
    drop: ['NEIGH_FAILED', 'cni0'],
  },
  {
    name: 'a service on a machine that does not forward',
    world: () => build(ON, [dnat(NEIGHBOUR_IP), [NODE, 'sysctl -w net.ipv4.ip_forward=0']]),
    probe: service,
    ...SILENT,
    drop: ['forwarding-off', 'cni0'],
  },
  {
    name: 'a service on another node, on a machine that does not forward',
    world: () => build(ON, [dnat(OTHER_IP), [NODE, 'sysctl -w net.ipv4.ip_forward=0']]),
    probe: service,
    ...SILENT,
    drop: ['forwarding-off', 'cni0'],
  },
  {
    name: 'a service that leads nowhere: the Pod is told',
    world: () => build(ON, [dnat('172.31.0.9'), [NODE, 'ip route add unreachable 172.31.0.0/16']]),
    probe: service,
    disposition: 'rejected',
    symptom: 'no route to host',
    legs: ['syn', 'icmp-error'],
  },
  {
    name: 'a service that is the node itself',
    world: () => build(ON, [dnat(nodeIp(1), 'tcp', 10250)]),
    probe: service,
    ...HANDSHAKE,
    via: ['eth0', 'veth1', 'cni0'],
  },
  {
    name: 'a service whose source the reverse path refuses',
    world: () =>
      build(ON, [
        dnat(NEIGHBOUR_IP),
        [NODE, 'sysctl -w net.ipv4.conf.cni0.rp_filter=1'],
        [POD, 'ip neigh add 10.244.1.1 lladdr 0a:58:0a:f4:01:01 dev eth0'],
        [NODE, `ip route add ${POD_IP}/32 via ${nodeIp(2)} dev eth0`],
      ]),
    probe: service,
    ...SILENT,
    drop: ['IP_RPFILTER', 'cni0'],
  },
  {
    name: 'a service on the same bridge that a rule refuses after the translation',
    world: () =>
      build(ON, [
        dnat(NEIGHBOUR_IP),
        [NODE, `iptables -A FORWARD -p tcp -d ${NEIGHBOUR_IP} --dport 8080 -j REJECT`],
      ]),
    probe: service,
    disposition: 'rejected',
    symptom: 'connection refused',
    legs: ['syn', 'icmp-error'],
  },
  {
    name: 'a service on the same bridge that nobody listens for',
    world: () => build(ON, [dnat(NEIGHBOUR_IP, 'tcp', 9)]),
    probe: service,
    disposition: 'refused',
    symptom: 'connection refused',
    legs: ['syn', 'rst'],
  },
  {
    name: 'a datagram to a service that nobody listens for: the error comes from the service',
    world: () => build(ON, [dnat(NEIGHBOUR_IP, 'udp', 9)]),
    probe: udp(POD, SERVICE, { dport: 80, size: 30 }),
    disposition: 'refused',
    symptom: 'connection refused',
    legs: ['datagram', 'icmp-error'],
  },
  {
    name: 'an echo to an address that is a neighbour',
    world: () =>
      build(ON, [
        [
          NODE,
          `iptables -t nat -A PREROUTING -d ${SERVICE} -j DNAT --to-destination ${NEIGHBOUR_IP}`,
        ],
      ]),
    probe: ping(POD, SERVICE),
    ...HANDSHAKE,
    legs: ['echo', 'echo-reply'],
  },
  {
    name: 'a Pod of another node reaches a service of this one, and the answer is turned on the bridge',
    world: () =>
      build(ON, [
        [
          NODE,
          `iptables -t nat -A PREROUTING -d ${nodeIp(1)} -p tcp --dport 30080 -j DNAT --to-destination ${POD_IP}:8080`,
        ],
        [NODE, `iptables -t nat -A POSTROUTING -d ${POD_IP} -j MASQUERADE`],
      ]),
    probe: tcp(OTHER, nodeIp(1), { dport: 30080 }),
    ...HANDSHAKE,
  },
  {
    name: 'an error about a translated datagram, from another node, comes home',
    world: () =>
      build(ON, [
        dnat(OTHER_IP, 'udp', 9),
        [NODE, `iptables -t nat -A POSTROUTING -d ${OTHER_IP} -j MASQUERADE`],
      ]),
    probe: udp(POD, SERVICE, { dport: 80, size: 30 }),
    disposition: 'refused',
    symptom: 'connection refused',
    legs: ['datagram', 'icmp-error'],
  },
  {
    name: 'a router on the way tells of a translated datagram',
    world: () =>
      build(ON, [
        dnat(OTHER_IP, 'udp', 5353),
        ['node-2/host', 'ip route add unreachable 10.244.2.2/32 table 255'],
      ]),
    probe: udp(POD, SERVICE, { dport: 80, size: 30 }),
    disposition: 'rejected',
    symptom: 'timeout',
    legs: ['datagram', 'icmp-error'],
  },
  {
    name: 'a service between the other two Pods of a bridge',
    world: () => build({ ...ON, pods: 3 }, [dnat(podIp(1, 3))]),
    probe: tcp(NEIGHBOUR, SERVICE, { dport: 80 }),
    ...TURNED,
  },
  {
    name: 'a service beyond the MTU of its backend on the bridge',
    world: () =>
      build(ON, [
        dnat(NEIGHBOUR_IP, 'udp', 5353),
        [NODE, 'ip link set veth2 mtu 1400'],
        [podName(1, 2), 'ip link set eth0 mtu 1400'],
      ]),
    probe: udp(POD, SERVICE, { dport: 80, size: 1400 }),
    disposition: 'dropped',
    symptom: 'timeout',
    legs: ['datagram'],
  },
  {
    name: 'copies of a flooded datagram share their connection: nat asks its rules about the first',
    world: () =>
      build({ ...ON, pods: 4 }, [
        [POD, 'ip neigh add 10.244.1.1 lladdr 02:00:00:00:99:99 dev eth0'],
        [NODE, 'iptables -t nat -A POSTROUTING -p udp -j MASQUERADE'],
      ]),
    probe: udp(POD, SERVICE, { dport: 80, size: 30 }),
    ...SILENT,
    legs: ['datagram'],
  },
  {
    name: 'a node that sends from localhost what a rule leads elsewhere: the new route takes none such',
    world: () =>
      build(ON, [
        [
          NODE,
          `iptables -t nat -A OUTPUT -p udp --dport 30080 -j DNAT --to-destination ${POD_IP}:5353`,
        ],
      ]),
    probe: udp(NODE, '127.0.0.1', { dport: 30080, size: 30 }),
    disposition: 'rejected',
    symptom: 'invalid argument',
    legs: ['datagram'],
  },
  {
    name: 'an answer by a third node, which never saw the connection: its SYN/ACK is INVALID there',
    world: () => build({ ...ROUTES, nodes: 3 }, [...ASIDE, INVALID]),
    probe: tcp(POD, OTHER_IP),
    disposition: 'reply-lost',
    symptom: 'timeout',
    legs: ['syn', 'synack'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'a datagram back by a third node starts a connection there',
    world: () => build({ ...ROUTES, nodes: 3 }, [...ASIDE, INVALID]),
    probe: udp(POD, OTHER_IP, { size: 10 }),
    ...DATAGRAMS,
  },
  {
    name: 'a datagram back by a third node that only lets through what it knows',
    world: () =>
      build({ ...ROUTES, nodes: 3 }, [
        ...ASIDE,
        ['node-3/host', 'iptables -A FORWARD -m conntrack ! --ctstate ESTABLISHED -j DROP'],
      ]),
    probe: udp(POD, OTHER_IP, { size: 10 }),
    disposition: 'reply-lost',
    symptom: 'timeout',
    legs: ['datagram', 'datagram'],
    drop: ['NETFILTER_DROP'],
  },
  {
    name: 'an echo reply by a third node is INVALID there',
    world: () => build({ ...ROUTES, nodes: 3 }, [...ASIDE, INVALID]),
    probe: ping(POD, OTHER_IP),
    disposition: 'reply-lost',
    symptom: 'timeout',
    legs: ['echo', 'echo-reply'],
    drop: ['NETFILTER_DROP'],
  },
];
