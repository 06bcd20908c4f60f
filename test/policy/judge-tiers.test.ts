/** Tiers, names that nobody can resolve offline, and why a rule does not match. */
import { describe, expect, it } from 'vitest';
import type { PolicyRule } from '../../src/cluster/policy/policy.ts';
import { connectionText } from '../../src/policy/connection-set.ts';
import { engineOf } from '../../src/policy/engine.ts';
import { ask, between, ingressOf, NAMESPACES, PODS } from './asking.ts';
import { block, clusterOf, node, podsHere, podsOf, rule, tcp, tierPolicy } from './parts.ts';

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
