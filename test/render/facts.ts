/** Traces written by hand, for what words and layout do with them; no engine is involved. */
import type { FdbEntry } from '../../src/kernel/fdb.ts';
import type { FibEntry } from '../../src/kernel/fib.ts';
import type { Neigh } from '../../src/kernel/neigh.ts';
import type { Origin } from '../../src/kernel/origin.ts';
import type { Hop, Leg, Step, Tap, TraceEvent, TraceFacts } from '../../src/trace/trace.ts';
import type { Layer } from '../../src/wire/packet.ts';

const POD_A = '10.244.1.2';
const POD_B = '10.244.2.2';
const MAC = {
  podA: '9e:a4:1d:00:00:0a',
  podB: '9e:a4:1d:00:00:0b',
  cni1: '9e:a4:1d:00:01:01',
  cni2: '9e:a4:1d:00:02:01',
  tunnel1: '9e:a4:1d:00:01:02',
  tunnel2: '9e:a4:1d:00:02:02',
  nic1: '9e:a4:1d:00:01:03',
  nic2: '9e:a4:1d:00:02:03',
} as const;

type Event = {
  [K in TraceEvent['kind']]: Omit<Extract<TraceEvent, { kind: K }>, 'netns'>;
}[TraceEvent['kind']];

/** Numbers events into steps. */
const stepper = () => {
  let n = 0;
  return (event: Event): Step => {
    n += 1;
    return { n, ...event };
  };
};

const cni: Origin = {
  by: 'cni',
  why: 'peer-route',
  object: { kind: 'Node', name: 'node-2', field: 'spec.podCIDR' },
  at: { file: 'two-nodes.yaml', line: 12, column: 7 },
};

const route = (dst: string, dev: string, rest: Partial<FibEntry> = {}): FibEntry => ({
  table: 254,
  type: 'unicast',
  dst,
  dev,
  scope: rest.via === undefined ? 'link' : 'global',
  metric: 0,
  protocol: 'boot',
  ...rest,
});

const syn = (src: string, dst: string, ttl: number, reply = false): Layer[] => {
  const [from, to] = reply ? [MAC.podB, MAC.cni2] : [MAC.podA, MAC.cni1];
  return [
    { type: 'ethernet', src: from, dst: to },
    { type: 'ipv4', src, dst, ttl, protocol: 'tcp', df: true, length: 60 },
    {
      type: 'tcp',
      sport: reply ? 8080 : 40000,
      dport: reply ? 40000 : 8080,
      flags: reply ? ['syn', 'ack'] : ['syn'],
      mss: 1410,
      length: 40,
    },
  ];
};

const inTunnel = (inner: Layer[], reply = false): Layer[] => {
  const ends = ['192.168.10.11', '192.168.10.12'] as const;
  const [src, dst] = reply ? [ends[1], ends[0]] : ends;
  return [
    { type: 'ethernet', src: MAC.nic1, dst: MAC.nic2 },
    { type: 'ipv4', src, dst, ttl: 64, protocol: 'udp', df: false, length: 110 },
    {
      type: 'udp',
      sport: { unknown: 'flow-hash', range: [32768, 60999] },
      dport: 8472,
      length: 90,
    },
    { type: 'vxlan', vni: 1 },
    ...inner,
  ];
};

const arp = (
  direction: Tap['direction'],
  netns: string,
  device: string,
  request: boolean,
): Tap => ({
  netns,
  device,
  direction,
  packet: [
    {
      type: 'ethernet',
      src: request ? MAC.podA : MAC.cni1,
      dst: request ? 'ff:ff:ff:ff:ff:ff' : MAC.podA,
    },
    {
      type: 'arp',
      op: request ? 'request' : 'reply',
      sha: request ? MAC.podA : MAC.cni1,
      spa: request ? POD_A : '10.244.1.1',
      tha: request ? '00:00:00:00:00:00' : MAC.podA,
      tpa: request ? '10.244.1.1' : POD_A,
    },
  ],
});

const tunnelNeigh: Neigh = {
  ip: '10.244.2.0',
  dev: 'flannel.1',
  lladdr: MAC.tunnel2,
  state: 'PERMANENT',
};
const tunnelFdb: FdbEntry = {
  mac: MAC.tunnel2,
  dev: 'flannel.1',
  dst: '192.168.10.12',
  state: 'permanent',
};

const there = (step: (event: Event) => Step): Hop[] => [
  {
    node: 'node-1',
    netns: 'default/pod-a',
    steps: [
      step({
        kind: 'socket',
        action: 'send',
        detail: {
          protocol: 'tcp',
          src: POD_A,
          sport: 40000,
          dst: POD_B,
          dport: 8080,
          process: 'app',
        },
      }),
      step({
        kind: 'route',
        action: 'lookup',
        device: 'eth0',
        detail: {
          dst: POD_B,
          chosenSource: POD_A,
          purpose: 'output',
          row: route('0.0.0.0/0', 'eth0', { via: '10.244.1.1' }),
          result: 'unicast',
        },
        origin: { by: 'cni', why: 'pod-default-route', object: { kind: 'Pod', name: 'pod-a' } },
      }),
      step({
        kind: 'neighbour',
        action: 'resolved',
        device: 'eth0',
        detail: {
          ip: '10.244.1.1',
          lladdr: MAC.cni1,
          asked: 1,
          exchange: [
            arp('transmit', 'node-1/default/pod-a', 'eth0', true),
            arp('receive', 'node-1/host', 'veth1f3a9c2e', true),
            arp('receive', 'node-1/host', 'cni0', true),
            arp('transmit', 'node-1/host', 'cni0', false),
            arp('transmit', 'node-1/host', 'veth1f3a9c2e', false),
            arp('receive', 'node-1/default/pod-a', 'eth0', false),
          ],
        },
      }),
      step({
        kind: 'transmit',
        action: 'xmit',
        device: 'eth0',
        detail: { via: 'veth', peer: { netns: 'node-1/host', device: 'veth1f3a9c2e' } },
        packet: syn(POD_A, POD_B, 64),
      }),
    ],
  },
  {
    node: 'node-1',
    netns: 'host',
    steps: [
      step({
        kind: 'receive',
        action: 'to-bridge',
        device: 'veth1f3a9c2e',
        detail: { from: 'veth' },
        packet: syn(POD_A, POD_B, 64),
      }),
      step({
        kind: 'bridge',
        action: 'local',
        device: 'cni0',
        detail: {
          mac: MAC.cni1,
          inPort: 'veth1f3a9c2e',
          row: { mac: MAC.cni1, dev: 'cni0', state: 'permanent', local: true },
          learned: { mac: MAC.podA, port: 'veth1f3a9c2e' },
        },
      }),
      step({
        kind: 'receive',
        action: 'from-bridge',
        device: 'cni0',
        detail: { from: 'bridge' },
        packet: syn(POD_A, POD_B, 64),
      }),
      step({
        kind: 'route',
        action: 'lookup',
        device: 'flannel.1',
        detail: {
          dst: POD_B,
          src: POD_A,
          iif: 'cni0',
          purpose: 'input',
          row: route('10.244.2.0/24', 'flannel.1', { via: '10.244.2.0', onlink: true }),
          nearMiss: {
            row: route('0.0.0.0/0', 'eth0', { via: '192.168.10.1' }),
            reason: 'shorter-prefix',
          },
          result: 'unicast',
        },
        origin: cni,
      }),
      step({
        kind: 'forward',
        action: 'forward',
        device: 'cni0',
        detail: { from: 'cni0', to: 'flannel.1', ttlBefore: 64, ttlAfter: 63 },
      }),
      step({
        kind: 'neighbour',
        action: 'known',
        device: 'flannel.1',
        detail: { ip: '10.244.2.0', lladdr: MAC.tunnel2, row: tunnelNeigh },
        origin: { by: 'cni', why: 'tunnel-neighbour', object: { kind: 'Node', name: 'node-2' } },
      }),
      step({
        kind: 'transmit',
        action: 'xmit',
        device: 'flannel.1',
        detail: { via: 'tunnel' },
        packet: syn(POD_A, POD_B, 63),
      }),
      step({
        kind: 'encapsulate',
        action: 'vxlan',
        device: 'flannel.1',
        detail: {
          vni: 1,
          local: '192.168.10.11',
          remote: '192.168.10.12',
          dport: 8472,
          overhead: 50,
          row: tunnelFdb,
          lower: 'eth0',
        },
        origin: { by: 'cni', why: 'tunnel-fdb', object: { kind: 'Node', name: 'node-2' } },
      }),
      step({
        kind: 'transmit',
        action: 'xmit',
        device: 'eth0',
        detail: { via: 'wire' },
        packet: inTunnel(syn(POD_A, POD_B, 63)),
      }),
      step({
        kind: 'wire',
        action: 'carry',
        detail: { segment: 'underlay', from: 'node-1', to: 'node-2' },
      }),
    ],
  },
  {
    node: 'node-2',
    netns: 'host',
    steps: [
      step({
        kind: 'receive',
        action: 'accept',
        device: 'eth0',
        detail: { from: 'wire' },
        packet: inTunnel(syn(POD_A, POD_B, 63)),
      }),
      step({
        kind: 'decapsulate',
        action: 'vxlan',
        device: 'flannel.1',
        detail: { vni: 1, remote: '192.168.10.11' },
      }),
      step({
        kind: 'receive',
        action: 'accept',
        device: 'flannel.1',
        detail: { from: 'tunnel' },
        packet: syn(POD_A, POD_B, 63),
      }),
      step({
        kind: 'forward',
        action: 'forward',
        device: 'flannel.1',
        detail: { from: 'flannel.1', to: 'cni0', ttlBefore: 63, ttlAfter: 62 },
      }),
      step({
        kind: 'transmit',
        action: 'xmit',
        device: 'vethc0ffee00',
        detail: { via: 'veth', peer: { netns: 'node-2/default/pod-b', device: 'eth0' } },
        packet: syn(POD_A, POD_B, 62),
      }),
    ],
  },
  {
    node: 'node-2',
    netns: 'default/pod-b',
    steps: [
      step({
        kind: 'receive',
        action: 'accept',
        device: 'eth0',
        detail: { from: 'veth' },
        packet: syn(POD_A, POD_B, 62),
      }),
      step({
        kind: 'deliver',
        action: 'socket',
        detail: { protocol: 'tcp', ip: POD_B, port: 8080, process: 'web' },
      }),
    ],
  },
];

const back = (step: (event: Event) => Step): Hop[] => [
  {
    node: 'node-2',
    netns: 'default/pod-b',
    steps: [
      step({
        kind: 'socket',
        action: 'kernel-send',
        detail: { protocol: 'tcp', what: 'syn-ack', src: POD_B, dst: POD_A },
      }),
      step({
        kind: 'transmit',
        action: 'xmit',
        device: 'eth0',
        detail: { via: 'veth', peer: { netns: 'node-2/host', device: 'vethc0ffee00' } },
        packet: syn(POD_B, POD_A, 64, true),
      }),
    ],
  },
  {
    node: 'node-2',
    netns: 'host',
    steps: [
      step({
        kind: 'receive',
        action: 'to-bridge',
        device: 'vethc0ffee00',
        detail: { from: 'veth' },
        packet: syn(POD_B, POD_A, 64, true),
      }),
      step({
        kind: 'transmit',
        action: 'xmit',
        device: 'eth0',
        detail: { via: 'wire' },
        packet: inTunnel(syn(POD_B, POD_A, 63, true), true),
      }),
    ],
  },
  {
    node: 'node-1',
    netns: 'default/pod-a',
    steps: [
      step({
        kind: 'receive',
        action: 'accept',
        device: 'eth0',
        detail: { from: 'veth' },
        packet: syn(POD_B, POD_A, 62, true),
      }),
      step({
        kind: 'deliver',
        action: 'socket',
        detail: { protocol: 'tcp', ip: POD_A, port: 40000, process: 'app' },
      }),
    ],
  },
];

const leg = (
  direction: Leg['direction'],
  packet: Leg['packet'],
  hops: Hop[],
  disposition: Leg['disposition'] = 'delivered',
): Leg => ({ direction, packet, disposition, hops });

/** pod-a to pod-b on another node through flannel's tunnel, answered. Some steps are left out. */
export const crossNode = (): TraceFacts => {
  const step = stepper();
  return {
    scenario: 'two-nodes',
    probe: {
      from: {
        text: 'pod-a',
        kind: 'pod',
        namespace: 'default',
        name: 'pod-a',
        container: 'app',
        ip: POD_A,
        node: 'node-1',
      },
      to: {
        text: 'pod-b',
        kind: 'pod',
        namespace: 'default',
        name: 'pod-b',
        container: 'web',
        ip: POD_B,
        node: 'node-2',
      },
      protocol: 'tcp',
      port: 8080,
      sourcePort: 40000,
    },
    disposition: 'delivered',
    symptom: 'connected',
    legs: [leg('request', 'syn', there(step)), leg('reply', 'synack', back(step))],
    assumptions: [
      { code: 'port-chosen', subject: 'pod-b', values: { port: 8080, evidence: 'containerPort' } },
      { code: 'listener-declared', subject: 'pod-b', values: { port: 8080 } },
    ],
  };
};

/** The same, ended by a rule of node-2. */
export const dropped = (): TraceFacts => {
  const step = stepper();
  const hops = there(step).slice(0, 3);
  const last = hops[2] as Hop;
  const cut = last.steps.slice(0, 3);
  const n = (cut.at(-1)?.n ?? 0) + 1;
  const rule: Step = {
    n,
    kind: 'rule',
    action: 'drop',
    detail: {
      hook: 'FORWARD',
      table: 'filter',
      chain: 'FORWARD',
      number: 1,
      rule: {
        matches: [{ kind: 'src', cidr: '10.244.1.0/24', negate: false }],
        target: { kind: 'DROP' },
      },
      bridged: false,
    },
    origin: {
      by: 'fault',
      why: 'fault-command',
      at: { file: 'broken.yaml', line: 9, column: 5 },
    },
  };
  const facts = crossNode();
  return {
    ...facts,
    disposition: 'dropped',
    symptom: 'timeout',
    cause: { code: 'FIREWALL_DROP', step: n },
    legs: [
      leg('request', 'syn', [...hops.slice(0, 2), { ...last, steps: [...cut, rule] }], 'dropped'),
    ],
  };
};

/** Two containers of one Pod over lo. */
export const onePod = (): TraceFacts => {
  const step = stepper();
  const packet: Layer[] = [
    { type: 'ethernet', src: '00:00:00:00:00:00', dst: '00:00:00:00:00:00' },
    {
      type: 'ipv4',
      src: '127.0.0.1',
      dst: '127.0.0.1',
      ttl: 64,
      protocol: 'tcp',
      df: true,
      length: 60,
    },
    { type: 'tcp', sport: 40000, dport: 6379, flags: ['syn'], mss: 65495, length: 40 },
  ];
  const endpoint = { kind: 'pod', namespace: 'default', name: 'shop', ip: '10.244.1.2' } as const;
  return {
    scenario: 'one-pod',
    probe: {
      from: { ...endpoint, text: 'shop:app', container: 'app' },
      to: { ...endpoint, text: 'shop:cache', container: 'cache' },
      protocol: 'tcp',
      port: 6379,
      sourcePort: 40000,
    },
    disposition: 'delivered',
    symptom: 'connected',
    legs: [
      leg('request', 'syn', [
        {
          node: 'node-1',
          netns: 'default/shop',
          steps: [
            step({
              kind: 'socket',
              action: 'send',
              detail: {
                protocol: 'tcp',
                src: '127.0.0.1',
                sport: 40000,
                dst: '127.0.0.1',
                dport: 6379,
                process: 'app',
              },
            }),
            step({
              kind: 'transmit',
              action: 'xmit',
              device: 'lo',
              detail: { via: 'loopback' },
              packet,
            }),
            step({
              kind: 'receive',
              action: 'accept',
              device: 'lo',
              detail: { from: 'loopback' },
              packet,
            }),
            step({
              kind: 'deliver',
              action: 'socket',
              detail: { protocol: 'tcp', ip: '127.0.0.1', port: 6379, process: 'cache' },
            }),
          ],
        },
      ]),
    ],
    assumptions: [],
  };
};
