/** The rows of the reference page, one by one, on clusters that are written down here. */
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../src/cluster/cluster.ts';
import type { Policy, PolicyRule } from '../../src/cluster/policy/policy.ts';
import { connectionText } from '../../src/policy/connection-set.ts';
import { engineOf } from '../../src/policy/engine.ts';
import type { EngineOptions } from '../../src/policy/policy-engine.ts';
import type { PolicyQuestion, Verdict } from '../../src/policy/verdict.ts';
import {
  block,
  clusterOf,
  container,
  networkPolicy,
  node,
  pod,
  podsHere,
  podsOf,
  rule,
  tcp,
  tierPolicy,
} from './parts.ts';

const WEB = pod('shop/web', { app: 'web' }, { ip: '10.244.1.2', ports: ['http:80', 'dns:53/udp'] });
const CART = pod('shop/cart', { app: 'cart' }, { ip: '10.244.1.3' });
const DB = pod('data/db', { app: 'db' }, { ip: '10.244.2.2', node: 'node-2' });
const PODS = [WEB, CART, DB];
const NAMESPACES = { shop: { team: 'a' }, data: { team: 'b' } };

interface Asked {
  readonly pods?: readonly Pod[];
  readonly options?: EngineOptions;
  readonly protocol?: PolicyQuestion['protocol'];
  readonly port?: number | undefined;
}

/** @param ends names of Pods, `node-1`, or an address */
const ask = (
  policies: readonly Policy[],
  direction: PolicyQuestion['direction'],
  [from, to]: readonly [string, string],
  { pods = PODS, options, ...rest }: Asked = {},
): Verdict => {
  const engine = engineOf(clusterOf(pods, policies, NAMESPACES), options);
  const indexOf = (name: string): number => pods.findIndex((each) => each.name === name);
  const [own, other] = direction === 'ingress' ? [to, from] : [from, to];
  const peer: PolicyQuestion['peer'] =
    indexOf(other) >= 0
      ? { kind: 'pod', pod: indexOf(other) }
      : other.startsWith('node-')
        ? { kind: 'node', node: other }
        : { kind: 'address', ip: other };
  return engine.judge({
    direction,
    subject: indexOf(own),
    peer,
    protocol: 'tcp',
    port: 80,
    ...rest,
  });
};

const between = (
  policies: readonly Policy[],
  [from, to]: readonly [string, string],
  { pods = PODS, options }: Asked = {},
): string => {
  const engine = engineOf(clusterOf(pods, policies, NAMESPACES), options);
  const classOf = (name: string): number =>
    engine.classOf(pods.findIndex((each) => each.name === name)) ?? -1;
  return connectionText(engine.between(classOf(from), classOf(to)));
};

const ingressOf = (...ingress: readonly PolicyRule[]): Policy =>
  networkPolicy('shop/p', { app: 'web' }, { ingress });
const egressOf = (...egress: readonly PolicyRule[]): Policy =>
  networkPolicy('shop/p', { app: 'cart' }, { egress });

describe('isolation', () => {
  it('comes from a policy of the own namespace that selects the Pod, per direction', () => {
    const denied = ingressOf();
    expect(ask([denied], 'ingress', ['cart', 'web'])).toMatchObject({
      decision: 'deny',
      by: { kind: 'default-deny', policies: [denied] },
      outcomes: [{ policy: denied, outcome: 'silent', misses: [] }],
    });
    expect(ask([denied], 'egress', ['web', 'cart']).by.kind).toBe('not-isolated');
    expect(ask([denied], 'ingress', ['web', 'cart'])).toMatchObject({
      decision: 'allow',
      by: { kind: 'not-isolated' },
      outcomes: [],
    });
    const elsewhere = networkPolicy('data/p', { app: 'web' }, { ingress: [] });
    expect(ask([elsewhere], 'ingress', ['cart', 'web']).by.kind).toBe('not-isolated');
  });

  it('names all policies that isolate together, never one of them', () => {
    const all = networkPolicy('shop/all', {}, { ingress: [] });
    const web = ingressOf(rule({ peers: [podsHere({ app: 'gone' })] }));
    expect(ask([all, web], 'ingress', ['cart', 'web']).by).toEqual({
      kind: 'default-deny',
      policies: [all, web],
    });
  });

  it('is lifted by any rule of any policy', () => {
    const all = networkPolicy('shop/all', {}, { ingress: [], egress: [] });
    const opened = ingressOf(rule());
    expect(ask([all, opened], 'ingress', ['db', 'web'])).toMatchObject({
      decision: 'allow',
      by: { kind: 'rule', policy: opened, rule: 0, tier: 'network-policy' },
    });
    // The other side has its say too.
    expect(between([all, opened], ['db', 'web'])).toBe('all');
    expect(between([all, opened], ['cart', 'web'])).toBe('none');
  });

  it('is told of classes', () => {
    const engine = engineOf(clusterOf(PODS, [ingressOf()], NAMESPACES));
    expect(engine.classes.map(({ pods, isolated }) => [pods, isolated])).toEqual([
      [[0], { ingress: true, egress: false }],
      [[1], { ingress: false, egress: false }],
      [[2], { ingress: false, egress: false }],
    ]);
  });
});

describe('peers', () => {
  const both = { ...podsOf({ team: 'b' }, { app: 'db' }) };
  it.each<[string, PolicyRule['peers'], string[]]>([
    ['podSelector alone: the own namespace', [podsHere({ app: 'cart' })], ['cart']],
    ['podSelector {}: all of the own namespace', [podsHere()], ['cart']],
    ['podSelector of another namespace’s Pod', [podsHere({ app: 'db' })], []],
    ['namespaceSelector alone: all Pods there', [podsOf({ team: 'b' })], ['db']],
    ['namespaceSelector {}: every namespace', [podsOf({})], ['cart', 'db']],
    ['both in one item: and', [both], ['db']],
    ['both, and one does not hold', [podsOf({ team: 'b' }, { app: 'cart' })], []],
    ['two items: or', [podsOf({ team: 'b' }), podsHere({ app: 'cart' })], ['cart', 'db']],
    [
      'by the name that every namespace carries',
      [podsOf({ 'kubernetes.io/metadata.name': 'data' })],
      ['db'],
    ],
    ['missing: everyone, also outside', 'everyone', ['cart', 'db', '203.0.113.9', 'node-2']],
    ['ipBlock: Pods by their addresses too', [block('10.244.0.0/16')], ['cart', 'db']],
    ['ipBlock: nodes', [block('192.168.0.0/16')], ['node-2']],
    ['ipBlock outside', [block('203.0.113.0/24')], ['203.0.113.9']],
    [
      'ipBlock with except',
      [block('0.0.0.0/0', '10.244.2.0/24')],
      ['cart', '203.0.113.9', 'node-2'],
    ],
    [
      'an exception cuts its own block only',
      [block('0.0.0.0/0', '10.0.0.0/8', '192.168.0.0/16'), block('10.244.2.0/24')],
      ['db', '203.0.113.9'],
    ],
  ])('%s', (_title, peers, admitted) => {
    const policy = ingressOf(rule({ peers }));
    for (const from of ['cart', 'db', '203.0.113.9', 'node-2'])
      expect(ask([policy], 'ingress', [from, 'web']).decision, from).toBe(
        admitted.includes(from) ? 'allow' : 'deny',
      );
    for (const from of ['cart', 'db'])
      expect(between([policy], [from, 'web']), from).toBe(admitted.includes(from) ? 'all' : 'none');
  });

  it.each<[string, string, string[], string[]]>([
    ['In', 'app', ['cart', 'db'], ['cart']],
    ['NotIn', 'app', ['cart'], ['bare']],
    ['Exists', 'app', [], ['cart']],
    ['DoesNotExist', 'app', [], ['bare']],
  ])('%s, where a key may be absent', (operator, key, values, admitted) => {
    const bare = pod('shop/bare', {}, { ip: '10.244.1.9' });
    const requirement = { key, operator: operator as 'In', values };
    const policy = ingressOf(
      rule({ peers: [{ kind: 'pods', namespaces: 'own', pods: [requirement] }] }),
    );
    for (const from of ['cart', 'bare'])
      expect(
        ask([policy], 'ingress', [from, 'web'], { pods: [...PODS, bare] }).decision,
        from,
      ).toBe(admitted.includes(from) ? 'allow' : 'deny');
  });

  it('are known by the address that the packet carries, where it is another', () => {
    const policy = ingressOf(rule({ peers: [block('192.168.10.0/24')] }));
    const engine = engineOf(clusterOf(PODS, [policy], NAMESPACES));
    const asked = {
      direction: 'ingress',
      subject: 0,
      peer: { kind: 'pod', pod: 2 },
      protocol: 'tcp',
      port: 80,
    } as const;
    expect(engine.judge(asked).decision).toBe('deny');
    expect(engine.judge({ ...asked, peerIp: '192.168.10.12' }).decision).toBe('allow');
  });

  it('of two families are judged by each address', () => {
    const dual = { ...CART, ipv6: 'fd00::3' };
    const target = { ...WEB, ipv6: 'fd00::2' };
    const policy = ingressOf(rule({ peers: [block('fd00::/64')], ports: [tcp(80)] }));
    expect(between([policy], ['cart', 'web'], { pods: [target, dual] })).toBe('TCP 80');
    expect(between([policy], ['cart', 'web'], { pods: [WEB, dual] })).toBe('none');
    const engine = engineOf(clusterOf([target, dual], [policy]));
    expect(engine.blocks.map(({ from, to }) => `${from} ${to}`)).toEqual([
      '0.0.0.0 255.255.255.255',
      ':: fcff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      'fd00:: fd00::ffff:ffff:ffff:ffff',
      'fd00:0:0:1:: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    ]);
  });

  it('without an address are known by their labels, not by blocks', () => {
    const pending = pod('shop/cart', { app: 'cart' }, { phase: 'Pending', node: undefined });
    const pods = [WEB, pending];
    expect(between([ingressOf(rule({ peers: [podsHere()] }))], ['cart', 'web'], { pods })).toBe(
      'all',
    );
    expect(
      between([ingressOf(rule({ peers: [block('0.0.0.0/0')] }))], ['cart', 'web'], { pods }),
    ).toBe('none');
  });
});

describe('ports', () => {
  const admits = (
    ports: PolicyRule['ports'],
    protocol: PolicyQuestion['protocol'],
    port?: number,
  ): boolean =>
    ask([ingressOf(rule({ ports }))], 'ingress', ['cart', 'web'], { protocol, port }).decision ===
    'allow';

  it('missing admit every protocol, echoes too', () => {
    expect([admits('all', 'udp', 9), admits('all', 'sctp', 9), admits('all', 'icmp')]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('are of their protocol only, and admit no echo', () => {
    expect([
      admits([tcp()], 'tcp', 9),
      admits([tcp()], 'sctp', 9),
      admits([tcp()], 'icmp'),
    ]).toEqual([true, false, false]);
  });

  it('reach up to endPort', () => {
    const range = [tcp(80, 90)];
    expect([79, 80, 90, 91].map((port) => admits(range, 'tcp', port))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('with a name are those of the destination, by name and protocol', () => {
    const http = [tcp('http')];
    expect([admits(http, 'tcp', 80), admits(http, 'udp', 80), admits(http, 'tcp', 81)]).toEqual([
      true,
      false,
      false,
    ]);
    expect([admits([tcp('dns')], 'tcp', 53), admits([tcp('nobody')], 'tcp', 80)]).toEqual([
      false,
      false,
    ]);
  });

  it('with one name are other numbers on other Pods, in both directions', () => {
    const other = pod('shop/other', { app: 'web' }, { ip: '10.244.1.7', ports: ['http:8080'] });
    const sidecar = pod(
      'shop/side',
      { app: 'web' },
      {
        ip: '10.244.1.8',
        containers: [container([]), { ...container(['http:9000']), sidecar: true }],
      },
    );
    const pods = [...PODS, other, sidecar];
    const named = rule({ ports: [tcp('http')] });
    for (const policy of [ingressOf(named), egressOf(named)])
      expect(
        ['web', 'other', 'side'].map((name) => between([policy], ['cart', name], { pods })),
      ).toEqual(['TCP 80', 'TCP 8080', 'TCP 9000']);
    // A name says nothing of an address outside.
    expect(ask([egressOf(named)], 'egress', ['cart', '203.0.113.9']).decision).toBe('deny');
    expect(ask([ingressOf(named)], 'ingress', ['203.0.113.9', 'web']).decision).toBe('allow');
  });
});

describe('what policies have no say in', () => {
  const denied = networkPolicy('shop/p', {}, { ingress: [], egress: [] });
  it('is a Pod to itself', () => {
    expect(ask([denied], 'ingress', ['web', 'web'])).toMatchObject({
      decision: 'allow',
      by: { kind: 'exempt', why: 'self' },
      outcomes: [{ policy: denied, outcome: 'not-asked' }],
    });
    expect(ask([denied], 'egress', ['web', 'web']).by).toEqual({ kind: 'exempt', why: 'self' });
  });

  it('is the own node to its Pod, not the way back and not another node', () => {
    expect(ask([denied], 'ingress', ['node-1', 'web']).by).toEqual({
      kind: 'exempt',
      why: 'own-node',
    });
    expect(ask([denied], 'ingress', ['node-2', 'web']).decision).toBe('deny');
    expect(ask([denied], 'egress', ['web', 'node-1']).decision).toBe('deny');
  });

  const agent = pod(
    'shop/agent',
    { app: 'agent' },
    {
      hostNetwork: true,
      node: 'node-2',
      ip: '192.168.10.12',
    },
  );
  const pods = [...PODS, agent];
  it('is a Pod on its node’s network; as a peer it is the node', () => {
    expect(ask([denied], 'ingress', ['web', 'agent'], { pods }).by).toEqual({
      kind: 'exempt',
      why: 'host-network',
    });
    const byLabels = ingressOf(rule({ peers: [podsHere({ app: 'agent' })] }));
    const byAddress = ingressOf(rule({ peers: [block('192.168.10.12/32')] }));
    expect(between([byLabels], ['agent', 'web'], { pods })).toBe('none');
    expect(between([byAddress], ['agent', 'web'], { pods })).toBe('all');
  });

  it('unless such Pods are to be Pods', () => {
    const options = { hostNetwork: 'pods' } as const;
    const byLabels = ingressOf(rule({ peers: [podsHere({ app: 'agent' })] }));
    expect(between([byLabels], ['agent', 'web'], { pods, options })).toBe('all');
    expect(ask([denied], 'ingress', ['db', 'agent'], { pods, options }).decision).toBe('deny');
  });

  it('is a Pod that has ended: it is in no class, unless it is kept', () => {
    const ended = { ...CART, phase: 'Succeeded' } as const;
    const cluster = clusterOf([WEB, ended], []);
    expect(engineOf(cluster).classOf(1)).toBeUndefined();
    expect(engineOf(cluster, { finished: 'pods' }).classOf(1)).toBe(0);
  });
});

describe('tiers', () => {
  const from = (action: PolicyRule['action'], labels = {}): PolicyRule =>
    rule({ action, peers: [podsOf({}, labels)] });

  it('are asked in the order of priority, rules in theirs; the first match decides', () => {
    const late = tierPolicy('admin', 20, { ingress: [from('accept')] });
    const early = tierPolicy('admin', 10, {
      ingress: [from('accept', { app: 'db' }), from('deny', { app: 'cart' }), from('accept')],
    });
    const verdict = ask([late, early], 'ingress', ['cart', 'web']);
    expect(verdict).toMatchObject({
      decision: 'deny',
      by: { kind: 'rule', tier: 'admin', policy: early, rule: 1 },
      outcomes: [
        {
          policy: early,
          outcome: 'denies',
          rule: 1,
          misses: [{ rule: 0, peer: false, port: true }],
        },
        { policy: late, outcome: 'not-asked' },
      ],
    });
    expect(between([late, early], ['db', 'web'])).toBe('all');
  });

  it('have the last word over NetworkPolicies, unless they pass', () => {
    const closed = ingressOf();
    const accepts = tierPolicy('admin', 1, { ingress: [from('accept')] });
    const passes = tierPolicy('admin', 0, { ingress: [from('pass', { app: 'cart' })] });
    expect(ask([accepts, closed], 'ingress', ['cart', 'web'])).toMatchObject({
      decision: 'allow',
      outcomes: [{ outcome: 'accepts' }, { policy: closed, outcome: 'not-asked' }],
    });
    expect(ask([accepts, passes, closed], 'ingress', ['cart', 'web'])).toMatchObject({
      decision: 'deny',
      by: { kind: 'default-deny', policies: [closed] },
      outcomes: [{ outcome: 'passes' }, { outcome: 'not-asked' }, { outcome: 'silent' }],
    });
    expect(between([accepts, passes, closed], ['cart', 'web'])).toBe('none');
    expect(between([accepts, passes, closed], ['db', 'web'])).toBe('all');
  });

  it('of the baseline are asked only where no NetworkPolicy isolates', () => {
    const baseline = tierPolicy('baseline', 0, { ingress: [from('deny')] });
    expect(ask([baseline], 'ingress', ['cart', 'web'])).toMatchObject({
      decision: 'deny',
      by: { kind: 'rule', tier: 'baseline', policy: baseline, rule: 0 },
    });
    expect(ask([baseline, ingressOf(rule())], 'ingress', ['cart', 'web'])).toMatchObject({
      decision: 'allow',
      outcomes: [{ outcome: 'accepts' }, { policy: baseline, outcome: 'not-asked' }],
    });
    expect(ask([baseline], 'ingress', ['203.0.113.9', 'web']).by.kind).toBe('not-isolated');
  });

  it('know nodes by their labels, and addresses by networks', () => {
    const nodes = [node('node-1', '192.168.10.11', { zone: 'x' }), node('node-2', '192.168.10.12')];
    const policy = tierPolicy('admin', 0, {
      egress: [
        rule({
          action: 'deny',
          peers: [{ kind: 'nodes', nodes: [{ key: 'zone', operator: 'Exists', values: [] }] }],
        }),
      ],
    });
    const engine = engineOf(clusterOf(PODS, [policy], NAMESPACES, nodes));
    const decisions = ['node-1', 'node-2'].map(
      (name) =>
        engine.judge({
          direction: 'egress',
          subject: 0,
          peer: { kind: 'node', node: name },
          protocol: 'tcp',
          port: 22,
        }).decision,
    );
    expect(decisions).toEqual(['deny', 'allow']);
    const at = (peerIp: string) =>
      engine.judge({
        direction: 'egress',
        subject: 0,
        peer: { kind: 'node', node: 'node-1' },
        peerIp,
        protocol: 'tcp',
        port: 22,
      }).decision;
    expect(at('192.168.10.11')).toBe('deny');
    // The bridge of the node: no Node object shows it.
    expect(at('10.244.1.1')).toBe('allow');
  });

  it('reach all protocols with a port’s name', () => {
    const policy = tierPolicy('admin', 0, {
      ingress: [
        rule({ action: 'deny', peers: [podsOf({})], ports: [{ protocol: 'any', port: 'dns' }] }),
      ],
    });
    expect(between([policy], ['cart', 'web'])).toBe('TCP 1-65535; UDP 1-52,54-65535; SCTP 1-65535');
  });
});

describe('names of domains', () => {
  const names = rule({ peers: [{ kind: 'domain-names', names: ['example.com'] }] });
  const denyAll = rule({ action: 'deny', peers: [block('0.0.0.0/0')] });
  const policy = tierPolicy('admin', 0, { egress: [names, denyAll] });

  it('leave a connection undecided where they would decide', () => {
    expect(ask([policy], 'egress', ['web', '203.0.113.9'])).toMatchObject({
      decision: 'unknown',
      by: { kind: 'rule', policy, rule: 0 },
    });
    const engine = engineOf(clusterOf(PODS, [policy]));
    expect(connectionText(engine.toBlock(0, 0))).toBe('none');
    expect(engine.undecided).toEqual([{ policy, direction: 'egress', rule: 0 }]);
  });

  it('do not matter where everything else says the same', () => {
    const open = tierPolicy('admin', 0, { egress: [names] });
    expect(ask([open], 'egress', ['web', '203.0.113.9'])).toMatchObject({
      decision: 'allow',
      by: { kind: 'not-isolated' },
      outcomes: [{ outcome: 'unknown', rule: 0 }],
    });
  });

  it('outside the cluster are no Pod’s', () => {
    expect(ask([policy], 'egress', ['web', 'db']).decision).toBe('deny');
    const inside = tierPolicy('admin', 0, {
      egress: [
        rule({ peers: [{ kind: 'domain-names', names: ['*.data.svc.cluster.local'] }] }),
        denyAll,
      ],
    });
    expect(ask([inside], 'egress', ['web', 'db']).decision).toBe('unknown');
    expect(between([inside], ['web', 'db'])).toBe('none');
  });
});

describe('misses', () => {
  it('say what does not match, and which peer and port come closest', () => {
    const policy = ingressOf(
      rule({ peers: [podsHere({ app: 'cart' })], ports: [tcp(443), tcp(81)] }),
      rule({
        peers: [
          block('203.0.113.0/24'),
          podsHere({ app: 'db', tier: 'x' }),
          podsOf({ team: 'b' }, { app: 'd' }),
        ],
        ports: [tcp(80)],
      }),
      rule({
        peers: [block('192.168.0.0/16'), block('10.0.0.0/8')],
        ports: [{ protocol: 'udp', port: 80 }, tcp(8080)],
      }),
    );
    expect(ask([policy], 'ingress', ['cart', 'web']).outcomes[0]?.misses).toEqual([
      { rule: 0, peer: true, port: false, nearestPort: 1 },
      { rule: 1, peer: false, port: true, nearestPeer: 1 },
      { rule: 2, peer: true, port: false, nearestPort: 1 },
    ]);
    expect(ask([policy], 'ingress', ['db', 'web']).outcomes[0]?.misses[1]).toEqual({
      rule: 1,
      peer: false,
      port: true,
      nearestPeer: 2,
    });
    expect(
      ask([policy], 'ingress', ['10.9.9.9', 'web'], { port: 1 }).outcomes[0]?.misses[0],
    ).toEqual({
      rule: 0,
      peer: false,
      port: false,
      nearestPeer: 0,
      nearestPort: 1,
    });
  });
});
