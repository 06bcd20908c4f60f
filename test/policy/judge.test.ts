/** The rows of the reference page, one by one, on clusters that are written down here. */
import { describe, expect, it } from 'vitest';
import type { PolicyRule } from '../../src/cluster/policy/policy.ts';
import { engineOf } from '../../src/policy/engine.ts';
import type { PolicyQuestion } from '../../src/policy/verdict.ts';
import { ask, between, CART, egressOf, ingressOf, NAMESPACES, PODS, WEB } from './asking.ts';
import {
  block,
  clusterOf,
  container,
  networkPolicy,
  pod,
  podsHere,
  podsOf,
  rule,
  tcp,
} from './parts.ts';

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
