import { describe, expect, it } from 'vitest';
import { createBook } from '../../src/kernel/book.ts';
import type { KernelEvent } from '../../src/kernel/event.ts';
import type { PolicyFacts, PolicyQuery, PolicyView } from '../../src/trace/policies.ts';
import { type Way, withPolicySteps } from '../../src/trace/policy-steps.ts';
import type { Ip, Layer } from '../../src/wire/packet.ts';

const A = '10.244.1.2';
const B = '10.244.1.3';
const C = '10.244.2.2';
const VIP = '10.96.0.20';
const NODE = '192.168.10.11';
const HOST = 'node-1/host';
const FAR = 'node-2/host';
const TABLE = 'inet k8snet-policy';

const owner = (ip: Ip, netns: string) => ({
  ip,
  owner: () => ({ ip, netns, host: netns.split('/')[0] ?? '', name: netns, invented: false }),
});
const book = createBook(
  [],
  [
    owner(A, 'node-1/default/a'),
    owner(B, 'node-1/default/b'),
    owner(C, 'node-2/default/c'),
    owner(NODE, HOST),
  ],
);

const frame = (src: Ip, dst: Ip, dport = 8080): Layer[] => [
  { type: 'ethernet', src: '02:00:00:00:00:01', dst: '02:00:00:00:00:02' },
  { type: 'ipv4', src, dst, ttl: 64, protocol: 'tcp', df: true, length: 60 },
  { type: 'tcp', sport: 40_000, dport, flags: ['syn'], length: 40 },
];

const receive = (netns: string, packet: Layer[], device = 'veth1'): KernelEvent => ({
  kind: 'receive',
  netns,
  device,
  action: 'accept',
  detail: {},
  packet,
});
const transmit = (
  netns: string,
  packet: Layer[],
  via: 'veth' | 'tunnel' = 'veth',
): KernelEvent => ({
  kind: 'transmit',
  netns,
  device: 'veth2',
  action: 'xmit',
  detail: { via },
  packet,
});
const forward = (netns: string): KernelEvent => ({
  kind: 'forward',
  netns,
  action: 'forward',
  detail: { from: 'cni0', to: 'x', ttlBefore: 64, ttlAfter: 63 },
});
const switched: KernelEvent = {
  kind: 'bridge',
  netns: HOST,
  device: 'cni0',
  action: 'forward',
  detail: { mac: '02:00:00:00:00:02', inPort: 'veth1', outPort: 'veth2' },
};
const local: KernelEvent = {
  kind: 'route',
  netns: HOST,
  action: 'lookup',
  detail: { dst: NODE, purpose: 'input', result: 'local' },
};
const hook = (
  netns: string,
  name: 'FORWARD' | 'INPUT' | 'OUTPUT',
  tables: readonly ('filter' | typeof TABLE)[] = [TABLE],
  action: 'accept' | 'drop' = 'accept',
): KernelEvent => ({
  kind: 'hook',
  netns,
  action,
  detail: {
    hook: name,
    bridged: false,
    chains: tables.map((table) => ({ table, chain: name, rules: 1, policy: 'ACCEPT' as const })),
  },
});
const conntrack = (netns: string, action: 'new' | 'established'): KernelEvent => ({
  kind: 'conntrack',
  netns,
  action,
  detail: { state: action === 'new' ? 'NEW' : 'ESTABLISHED', dir: 'original' },
});
const dnat = (to: Ip): KernelEvent => ({
  kind: 'nat',
  netns: HOST,
  action: 'dnat',
  detail: {
    hook: 'PREROUTING',
    field: 'dst',
    before: { ip: VIP, port: 80 },
    after: { ip: to, port: 8080 },
    entry: {} as never,
  },
});

const ipvs = (to: Ip): KernelEvent => ({
  kind: 'nat',
  netns: HOST,
  action: 'ipvs',
  detail: {
    hook: 'INPUT',
    field: 'dst',
    before: { ip: VIP, port: 80 },
    after: { ip: to, port: 8080 },
    entry: {} as never,
  },
});
const output = (dst: Ip, result: 'unicast' | 'local'): KernelEvent => ({
  kind: 'route',
  netns: HOST,
  action: 'lookup',
  detail: { dst, purpose: 'output', result },
});

const sameNode: KernelEvent[] = [
  transmit('node-1/default/a', frame(A, B)),
  receive(HOST, frame(A, B)),
  switched,
  hook(HOST, 'FORWARD'),
  transmit(HOST, frame(A, B)),
  receive('node-1/default/b', frame(A, B)),
];
const otherNode: KernelEvent[] = [
  transmit('node-1/default/a', frame(A, C)),
  receive(HOST, frame(A, C)),
  forward(HOST),
  hook(HOST, 'FORWARD', ['filter', TABLE]),
  transmit(HOST, frame(A, C), 'tunnel'),
  receive(FAR, frame(A, C)),
  forward(FAR),
  hook(FAR, 'FORWARD'),
  transmit(FAR, frame(A, C)),
];

interface Given {
  readonly enforced?: boolean;
  readonly facts?: Partial<PolicyFacts>;
  readonly way?: Partial<Omit<Way, 'events'>>;
}

/** What is asked, and what steps are told where: the kind of event before and after each. */
const told = (events: readonly KernelEvent[], { enforced = true, facts = {}, way }: Given = {}) => {
  const queries: PolicyQuery[] = [];
  const view: PolicyView = {
    ...(enforced && { enforcedBy: TABLE }),
    ask: (query) => {
      queries.push(query);
      const { direction, netns, peer: ip, protocol } = query;
      return {
        direction,
        pod: netns,
        peer: { ip, kind: 'pod' },
        protocol,
        decision: 'deny',
        by: 'default-deny',
        policies: [
          { kind: 'NetworkPolicy', name: 'x', tier: 'network-policy', outcome: 'silent', rules: 0 },
        ],
        ...facts,
      };
    },
  };
  const all = withPolicySteps({ direction: 'request', packet: 'syn', ...way, events }, book, view);
  expect(all.filter(({ kind }) => kind !== 'policy')).toEqual(events);
  const steps = all.flatMap((event, at) =>
    event.kind === 'policy'
      ? [
          `${event.netns} ${event.action} ${event.detail.direction} ${event.detail.pod} behind ${all[at - 1]?.kind}`,
        ]
      : [],
  );
  return { steps, queries };
};

describe('steps of policies', () => {
  it('stand where a bridged frame is about to pass FORWARD, for both Pods of one node', () => {
    const { steps, queries } = told(sameNode, { facts: { decision: 'allow', by: 'rule' } });
    expect(steps).toEqual([
      'node-1/host allowed egress node-1/default/a behind bridge',
      'node-1/host allowed ingress node-1/default/b behind policy',
    ]);
    // Denied, it goes no further.
    expect(told(sameNode.slice(0, 4)).steps).toEqual([
      'node-1/host denied egress node-1/default/a behind bridge',
    ]);
    expect(queries).toEqual([
      { direction: 'egress', netns: 'node-1/default/a', peer: B, protocol: 'tcp', port: 8080 },
      { direction: 'ingress', netns: 'node-1/default/b', peer: A, protocol: 'tcp', port: 8080 },
    ]);
  });

  it('stand on each node for its own Pod', () => {
    expect(told(otherNode).steps).toEqual([
      'node-1/host denied egress node-1/default/a behind forward',
      'node-2/host denied ingress node-2/default/c behind forward',
    ]);
  });

  it('are at the same places where nobody enforces, and whatever hooks there are', () => {
    const bare = otherNode.filter(({ kind }) => kind !== 'hook');
    expect(told(bare, { enforced: false }).steps).toEqual([
      'node-1/host not-enforced egress node-1/default/a behind forward',
      'node-2/host not-enforced ingress node-2/default/c behind forward',
    ]);
  });

  it.each([
    ['without the hook', sameNode.filter(({ kind }) => kind !== 'hook')],
    [
      'with a hook that lacks the table',
      sameNode.map((event) => (event.kind === 'hook' ? hook(HOST, 'FORWARD', ['filter']) : event)),
    ],
  ])('say that a frame escapes, %s', (_, events) => {
    expect(told(events).steps).toEqual([
      'node-1/host escaped egress node-1/default/a behind bridge',
      'node-1/host escaped ingress node-1/default/b behind policy',
    ]);
    expect(told(events, { facts: { by: 'self', decision: 'allow' } }).steps[0]).toContain(
      'allowed',
    );
  });

  it('are left out where another table ended the packet before', () => {
    const ended = sameNode
      .slice(0, 4)
      .map((event) => (event.kind === 'hook' ? hook(HOST, 'FORWARD', ['filter'], 'drop') : event));
    expect(told(ended).steps).toEqual([]);
  });

  it('ask about the destination that DNAT has chosen', () => {
    const events = [
      receive(HOST, frame(A, VIP, 80)),
      dnat(C),
      forward(HOST),
      hook(HOST, 'FORWARD'),
    ];
    expect(told(events).queries).toEqual([
      { direction: 'egress', netns: 'node-1/default/a', peer: C, protocol: 'tcp', port: 8080 },
    ]);
  });

  it('ask for egress alone where the packet is for the node itself', () => {
    const events = [receive(HOST, frame(A, NODE)), local, hook(HOST, 'INPUT')];
    expect(told(events).steps).toEqual(['node-1/host denied egress node-1/default/a behind route']);
  });

  it("ask for ingress alone where the node sends to its own Pod, before the Pod's veth", () => {
    const send: KernelEvent = {
      kind: 'socket',
      netns: HOST,
      action: 'send',
      detail: { protocol: 'tcp', src: NODE, dst: A, dport: 8080 },
    };
    const { steps } = told([send, transmit(HOST, frame(NODE, A))], {
      facts: { by: 'own-node', decision: 'allow' },
    });
    expect(steps).toEqual(['node-1/host allowed ingress node-1/default/a behind socket']);
    // Whatever address it sends from.
    const byService = told([
      { ...send, detail: { protocol: 'tcp', src: VIP, dst: A, dport: 8080 } } as KernelEvent,
      transmit(HOST, frame(VIP, A)),
    ]);
    expect(byService.queries).toEqual([
      expect.objectContaining({ direction: 'ingress', peer: VIP, fromOwnNode: true }),
    ]);
  });

  const toVip = [receive(HOST, frame(A, VIP, 80)), local, hook(HOST, 'INPUT', ['filter']), ipvs(B)];

  it('stand at the output hook for what IPVS sends on, with the server that it has picked', () => {
    const events = [
      ...toVip,
      output(B, 'unicast'),
      hook(HOST, 'OUTPUT'),
      transmit(HOST, frame(A, B)),
    ];
    const { steps, queries } = told(events, { facts: { decision: 'allow', by: 'rule' } });
    expect(steps).toEqual([
      'node-1/host allowed egress node-1/default/a behind route',
      'node-1/host allowed ingress node-1/default/b behind policy',
    ]);
    expect(queries).toEqual([
      { direction: 'egress', netns: 'node-1/default/a', peer: B, protocol: 'tcp', port: 8080 },
      { direction: 'ingress', netns: 'node-1/default/b', peer: A, protocol: 'tcp', port: 8080 },
    ]);
    expect(told(events, { enforced: false }).steps).toEqual([
      'node-1/host not-enforced egress node-1/default/a behind route',
      'node-1/host not-enforced ingress node-1/default/b behind policy',
    ]);
  });

  it('are left out where IPVS cannot send it on', () => {
    for (const enforced of [true, false])
      expect(told([...toVip, output(B, 'unicast')], { enforced }).steps).toEqual([]);
  });

  it('ask for egress alone where IPVS has picked a server on the node itself', () => {
    const events = [...toVip.slice(0, 3), ipvs(NODE), output(NODE, 'local'), hook(HOST, 'INPUT')];
    const { steps, queries } = told(events);
    expect(steps).toEqual(['node-1/host denied egress node-1/default/a behind route']);
    expect(queries.map(({ peer, port }) => [peer, port])).toEqual([[NODE, 8080]]);
  });

  it('tell of a connection only how it begins', () => {
    const known = [
      receive(HOST, frame(A, C)),
      conntrack(HOST, 'established'),
      forward(HOST),
      hook(HOST, 'FORWARD'),
    ];
    expect(told(known).steps).toEqual([]);
    expect(told(otherNode, { enforced: false, way: { packet: 'ack' } }).steps).toEqual([]);
    expect(told(otherNode, { enforced: false, way: { direction: 'reply' } }).steps).toEqual([]);
  });

  it('tell of an answer that a table takes for new', () => {
    const back = [
      receive(HOST, frame(A, C)),
      conntrack(HOST, 'new'),
      forward(HOST),
      hook(HOST, 'FORWARD'),
    ];
    expect(told(back, { way: { direction: 'reply', packet: 'synack' } }).steps).toEqual([
      'node-1/host denied egress node-1/default/a behind forward',
    ]);
  });

  it('say that no policy selects a Pod', () => {
    expect(told(otherNode, { facts: { policies: [], by: 'not-isolated' } }).steps).toEqual([
      'node-1/host not-isolated egress node-1/default/a behind forward',
      'node-2/host not-isolated ingress node-2/default/c behind forward',
    ]);
  });
});
