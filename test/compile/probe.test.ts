import { describe, expect, it } from 'vitest';
import type { Cluster, Listener, Target } from '../../src/cluster/cluster.ts';
import { compileWorld } from '../../src/compile/compile.ts';
import { type ProbeOptions, type ProbePlan, probeFor } from '../../src/compile/probe.ts';
import { netnsOf } from '../../src/kernel/netns.ts';
import type { EndpointRef } from '../../src/trace/trace.ts';
import { cluster, container, listener, network, node, pod, service } from './cluster.ts';

const place = { file: 'pods.yaml', line: 7, column: 3 };

const SHOP = cluster({
  pods: [
    pod('client', 'node-1', '10.244.1.2'),
    pod('shop', 'node-1', '10.244.1.3', {
      containers: [container('web'), container('cache')],
      listeners: {
        rows: [
          listener(53, { container: 'web', protocol: 'udp' }),
          listener(8080, { container: 'web', place }),
          listener(6379, { container: 'cache', evidence: 'annotation' }),
        ],
        unlisted: 'unknown',
      },
    }),
    pod('db', 'node-2', '10.244.2.2', {
      namespace: 'data',
      listeners: { rows: [listener(5432, { ip: '127.0.0.1' })], unlisted: 'refused' },
    }),
    pod('dns', 'node-2', '10.244.2.3', {
      listeners: { rows: [listener(5353, { protocol: 'udp' })], unlisted: 'unknown' },
    }),
    pod('agent', 'node-2', '192.168.10.12', {
      hostNetwork: true,
      containers: [container('agent')],
      listeners: { rows: [listener(9100, { container: 'agent' })], unlisted: 'unknown' },
    }),
    pod('silent', 'node-2', '192.168.10.12', { hostNetwork: true }),
    pod('done', 'node-1', '10.244.1.9', { phase: 'Succeeded' }),
    pod('waits', 'node-1', '10.244.1.9', { phase: 'Pending', pendingReason: 'no node fits' }),
  ],
});

const at = (name: string, more: { container?: string; port?: number } = {}): Target => ({
  kind: 'container',
  pod: SHOP.pods.findIndex((one) => one.name === name),
  ...more,
});
const client = at('client');

const ask = (
  from: Target,
  to: Target,
  options: ProbeOptions = {},
  given: Cluster = SHOP,
): ProbePlan => probeFor(given, compileWorld(given), from, to, options);

type Sent = Extract<ProbePlan, { kind: 'probe' }>;

const sent = (...args: Parameters<typeof ask>): Sent => {
  const plan = ask(...args);
  if (plan.kind !== 'probe') throw new Error(`no probe: ${JSON.stringify(plan)}`);
  return plan;
};

const codes = ({ assumptions }: ProbePlan): string[] =>
  assumptions.map(({ code, subject, values }) =>
    [code, subject, ...Object.values(values ?? {})].join(' '),
  );

const unsupported = (...args: Parameters<typeof ask>): string => {
  const plan = ask(...args);
  return plan.kind === 'unsupported' ? plan.why : plan.kind;
};

describe('the way to the target', () => {
  it('is its address, from the source’s namespace', () => {
    const plan = sent(client, at('db', { port: 5432 }));
    expect(plan.probe).toEqual({
      from: { netns: 'node-1/default/client', process: 'app' },
      protocol: 'tcp',
      dst: '10.244.2.2',
      dport: 5432,
      sport: 40000,
      expect: { netns: 'node-2/data/db' },
    });
    expect(plan.from).toEqual({
      text: 'client',
      kind: 'pod',
      namespace: 'default',
      name: 'client',
      node: 'node-1',
      ip: '10.244.1.2',
    });
    expect(plan.to).toMatchObject({ text: 'data/db', ip: '10.244.2.2', node: 'node-2' });
    expect(plan).toMatchObject({ protocol: 'tcp', port: 5432 });
    // The trace takes the ends as they are.
    const ends: EndpointRef[] = [plan.from, plan.to];
    expect(ends).toHaveLength(2);
  });

  it('is 127.0.0.1 to a container of the same Pod', () => {
    const web = at('shop', { container: 'web' });
    const plan = sent(web, at('shop', { container: 'cache' }));
    expect(plan.probe).toMatchObject({
      dst: '127.0.0.1',
      dport: 6379,
      from: { process: 'web' },
      expect: { netns: 'node-1/default/shop', process: 'cache' },
    });
    expect(plan.to).toMatchObject({ text: 'shop:cache', container: 'cache', ip: '127.0.0.1' });
    expect(sent(web, web).probe.dst).toBe('127.0.0.1');
  });

  it('is the Pod’s own address to the Pod itself', () => {
    const { probe } = sent(at('shop', { container: 'web' }), at('shop'));
    expect(probe).toMatchObject({ dst: '10.244.1.3', expect: { netns: 'node-1/default/shop' } });
    expect(probe.expect?.process).toBeUndefined();
  });

  it('is the node’s address to a Pod on its network, in the node’s namespace', () => {
    const { probe } = sent(client, at('agent'));
    expect(probe).toMatchObject({
      dst: '192.168.10.12',
      dport: 9100,
      expect: { netns: 'node-2/host', process: 'default/agent/agent' },
    });
    expect(sent(at('agent'), client).probe.from).toEqual({
      netns: 'node-2/host',
      process: 'default/agent/agent',
    });
  });

  it('is the same for two Pods on one node’s network: they are not one Pod', () => {
    expect(sent(at('silent'), at('agent', { container: 'agent' })).probe.dst).toBe('192.168.10.12');
  });

  it('leads to nodes, to the outside and to plain addresses', () => {
    const to = (target: Target) => sent(client, target, { protocol: 'icmp' }).probe;
    expect(to({ kind: 'node', node: 'node-2' })).toMatchObject({
      dst: '192.168.10.12',
      expect: { netns: 'node-2/host' },
    });
    expect(to({ kind: 'external' })).toMatchObject({
      dst: '203.0.113.10',
      expect: { netns: 'external/host' },
    });
    expect(to({ kind: 'ip', ip: '8.8.8.8' })).toMatchObject({
      dst: '8.8.8.8',
      expect: { netns: 'external/host' },
    });
    expect(to({ kind: 'ip', ip: '10.244.2.2' })).toMatchObject({
      expect: { netns: 'node-2/data/db' },
    });
    expect(to({ kind: 'ip', ip: '10.244.2.1' })).toMatchObject({
      expect: { netns: 'node-2/host' },
    });
    expect(to({ kind: 'ip', ip: '127.0.0.1' })).toMatchObject({
      expect: { netns: 'node-1/default/client' },
    });
  });

  it('to an address of a range that nobody has is tried all the same', () => {
    for (const ip of ['10.244.2.200', '10.244.1.9', '192.168.10.99', '203.0.113.77']) {
      const plan = sent(client, { kind: 'ip', ip, port: 80 });
      expect(plan.probe).toMatchObject({ dst: ip, dport: 80 });
      expect(plan.probe.expect).toBeUndefined();
      expect(plan.to).toEqual({ text: ip, kind: 'ip', ip });
    }
  });

  it('starts at nodes, outside, and at a plain address that is then bound', () => {
    const from = (source: Target) => sent(source, at('db', { port: 5432 })).probe;
    expect(from({ kind: 'node', node: 'node-1' }).from).toEqual({ netns: 'node-1/host' });
    expect(from({ kind: 'external' })).toMatchObject({ from: { netns: 'external/host' } });
    expect(from({ kind: 'external' }).src).toBeUndefined();
    expect(from({ kind: 'ip', ip: '10.244.1.0' })).toMatchObject({
      from: { netns: 'node-1/host' },
      src: '10.244.1.0',
    });
    expect(from({ kind: 'ip', ip: '8.8.8.8' })).toMatchObject({
      from: { netns: 'external/host' },
      src: '8.8.8.8',
    });
  });

  it('keeps what a person typed', () => {
    const plan = sent(client, at('db'), {
      protocol: 'icmp',
      text: { from: 'po/client', to: 'data/db' },
    });
    expect([plan.from.text, plan.to.text]).toEqual(['po/client', 'data/db']);
  });
});

describe('the port', () => {
  it('is that which a container wants, also where another one has it', () => {
    const port = { port: 8080, protocol: 'tcp' } as const;
    const twins = cluster({
      pods: [
        pod('twins', 'node-1', '10.244.1.2', {
          containers: [
            container('first', { ports: [port] }),
            container('second', { ports: [port] }),
          ],
          listeners: { rows: [listener(8080, { container: 'first' })], unlisted: 'unknown' },
        }),
      ],
    });
    const to = (name: string) =>
      sent(
        { kind: 'container', pod: 0, container: 'first' },
        { kind: 'container', pod: 0, container: name },
        {},
        twins,
      );
    expect(to('second').probe).toMatchObject({
      protocol: 'tcp',
      dport: 8080,
      expect: { process: 'second' },
    });
    expect(codes(to('second')).join()).not.toContain('listener-declared');
    expect(codes(to('first')).join()).toContain('listener-declared');
    expect(to('first').probe).toMatchObject({
      protocol: 'tcp',
      dport: 8080,
      expect: { process: 'first' },
    });
  });

  it('is a main container’s before a sidecar’s, which binds first', () => {
    const of = (rows: readonly Listener[]) =>
      sent(
        { kind: 'node', node: 'node-1' },
        { kind: 'container', pod: 0 },
        {},
        cluster({
          pods: [
            pod('web', 'node-1', '10.244.1.2', {
              containers: [container('app'), container('proxy', { sidecar: true })],
              listeners: { rows, unlisted: 'unknown' },
            }),
          ],
        }),
      ).probe;
    const proxy = listener(15001, { container: 'proxy' });
    expect(of([proxy, listener(8080)])).toMatchObject({ dport: 8080 });
    expect(of([proxy, listener(53, { protocol: 'udp' })])).toMatchObject({ dport: 53 });
    expect(of([proxy])).toMatchObject({ dport: 15001 });
  });

  it('is the first that shows evidence, TCP first', () => {
    const plan = sent(client, at('shop'));
    expect(plan.probe).toMatchObject({ protocol: 'tcp', dport: 8080 });
    expect(plan.portChosen).toMatchObject({
      port: 8080,
      evidence: 'containerPort',
      origin: { at: place },
    });
    expect(codes(plan)).toEqual([
      'port-chosen default/shop 8080/tcp',
      'listener-declared default/shop 8080/tcp',
    ]);
  });

  it('is the named container’s own', () => {
    expect(sent(client, at('shop', { container: 'cache' })).probe.dport).toBe(6379);
  });

  it('is UDP where that is all there is', () => {
    expect(sent(client, at('dns')).probe).toMatchObject({ protocol: 'udp', dport: 5353 });
    expect(sent(client, at('dns', { port: 5353 })).probe.protocol).toBe('udp');
    expect(sent(client, at('shop'), { protocol: 'udp' }).probe.dport).toBe(53);
  });

  it('is TCP where a port shows nothing', () => {
    const plan = sent(client, at('dns', { port: 80 }));
    expect(plan.probe).toMatchObject({ protocol: 'tcp', dport: 80 });
    expect(plan.portChosen).toBeUndefined();
  });

  it('prefers one that listens on the asked address', () => {
    const pods = [
      SHOP.pods[0] ?? pod('client', 'node-1', '10.244.1.2'),
      pod('two', 'node-1', '10.244.1.4', {
        listeners: {
          rows: [listener(1, { ip: '127.0.0.1' }), listener(2), listener(3)],
          unlisted: 'refused',
        },
      }),
    ];
    const two: Target = { kind: 'container', pod: 1 };
    expect(sent(client, two, {}, { ...SHOP, pods }).probe.dport).toBe(2);
  });

  it('is none for a Pod that shows none: an echo', () => {
    const plan = sent(at('shop'), client);
    expect(plan.probe).toMatchObject({ protocol: 'icmp', dst: '10.244.1.2', sport: 40000 });
    expect(plan.probe.dport).toBeUndefined();
    expect(plan).toMatchObject({ protocol: 'icmp' });
    expect(codes(plan)).toEqual([]);
  });

  it('is the kubelet’s on a node, and none outside', () => {
    expect(sent(client, { kind: 'node', node: 'node-1' }).probe.dport).toBe(10250);
    expect(sent(client, { kind: 'external' }).probe.protocol).toBe('icmp');
  });

  it('of the target wins over the option', () => {
    expect(sent(client, at('shop', { port: 81 }), { port: 82 }).probe.dport).toBe(81);
    expect(sent(client, at('shop'), { port: 82 }).probe.dport).toBe(82);
  });

  it('of the source is one that nobody listens on', () => {
    const busy = [
      pod('busy', 'node-1', '10.244.1.2', {
        listeners: { rows: [listener(40000), listener(40001)], unlisted: 'refused' },
      }),
      pod('b', 'node-1', '10.244.1.3'),
    ];
    const [a, b]: Target[] = [
      { kind: 'container', pod: 0 },
      { kind: 'container', pod: 1, port: 80 },
    ];
    if (!a || !b) throw new Error('no targets');
    const given = { ...SHOP, pods: busy };
    expect(sent(a, b, {}, given).probe.sport).toBe(40002);
    expect(sent(a, b, { protocol: 'udp' }, given).probe.sport).toBe(40000);
    expect(sent(a, b, { sport: 1234 }, given).probe.sport).toBe(1234);
  });
});

describe('Pods that do not run', () => {
  it('send nothing and get nothing', () => {
    expect(ask(client, at('done'))).toMatchObject({
      kind: 'not-running',
      cause: 'DST_NOT_RUNNING',
      pod: { name: 'done' },
      to: { text: 'done' },
    });
    expect(ask(at('waits'), client)).toMatchObject({
      kind: 'not-running',
      cause: 'SRC_NOT_RUNNING',
      pod: { pendingReason: 'no node fits' },
    });
    // Whoever cannot send comes first.
    expect(ask(at('waits'), at('done'))).toMatchObject({ cause: 'SRC_NOT_RUNNING' });
  });
});

describe('what has no answer', () => {
  it('is said, and nothing is sent', () => {
    const to = (ip: string) => unsupported(client, { kind: 'ip', ip, port: 80 });
    expect(to('fd00::1')).toBe('ipv6');
    expect(to('224.0.0.1')).toBe('special-address');
    expect(to('255.255.255.255')).toBe('special-address');
    expect(to('0.0.0.0')).toBe('special-address');
    expect(unsupported(client, at('db'), { protocol: 'sctp' })).toBe('sctp');
    expect(unsupported(client, at('db', { port: 80 }), { protocol: 'icmp' })).toBe('port-for-echo');
    expect(unsupported(at('db'), client, { protocol: 'tcp' })).toBe('port-needed');
    expect(unsupported({ kind: 'ip', ip: '10.244.1.200' }, client)).toBe('no-such-source');
    expect(unsupported({ kind: 'ip', ip: '127.0.0.1' }, client)).toBe('no-such-source');
  });

  it('includes ports of a node that rules lead elsewhere', () => {
    const mapped = cluster({
      pods: [
        pod('client', 'node-1', '10.244.1.2'),
        pod('web', 'node-2', '10.244.2.2', {
          containers: [
            container('app', { ports: [{ port: 80, protocol: 'tcp', hostPort: 8080 }] }),
          ],
        }),
      ],
      services: [service('web')],
    });
    const to = (target: Target) => unsupported({ kind: 'container', pod: 0 }, target, {}, mapped);
    expect(to({ kind: 'node', node: 'node-2', port: 8080 })).toBe('probe');
    expect(to({ kind: 'ip', ip: '192.168.10.12', port: 8080 })).toBe('probe');
    expect(to({ kind: 'node', node: 'node-1', port: 8080 })).toBe('probe');
    expect(to({ kind: 'node', node: 'node-1', port: 30080 })).toBe('probe');
    expect(to({ kind: 'container', pod: 1, port: 30080 })).toBe('probe');
  });

  it('includes Pods and nodes that the input shows with an IPv6 address alone', () => {
    const { ip: _, ...six } = pod('six', 'node-1', '', { onlyIpv6: 'fd00::7' });
    const given = cluster({
      nodes: [node('node-1', 0), node('node-2', 1, { onlyIpv6: 'fd00::2' })],
      pods: [
        six,
        pod('four', 'node-1', '10.244.1.2'),
        pod('host', 'node-2', '192.168.10.12', { hostNetwork: true }),
      ],
    });
    const four = { kind: 'container', pod: 1 } as const;
    for (const one of [
      { kind: 'container', pod: 0 },
      { kind: 'container', pod: 2 },
      { kind: 'node', node: 'node-2' },
    ] as const) {
      expect(unsupported(four, one, {}, given)).toBe('ipv6');
      expect(unsupported(one, four, {}, given)).toBe('ipv6');
    }
  });

  it('includes Pods of a range without room for a gateway', () => {
    const tight = cluster({
      nodes: [node('node-1', 0, { podCIDR: '10.244.1.2/32' }), node('node-2', 1)],
    });
    expect(
      unsupported({ kind: 'container', pod: 0 }, { kind: 'container', pod: 1 }, {}, tight),
    ).toBe('range-too-small');
  });

  it('throws for what the cluster does not have', () => {
    expect(() => ask(client, { kind: 'node', node: 'node-9' })).toThrow(RangeError);
    expect(() => ask(client, { kind: 'container', pod: 99 })).toThrow(RangeError);
  });
});

describe('assumptions', () => {
  it('name who is assumed to listen', () => {
    expect(codes(sent(at('shop'), at('client', { port: 80 })))).toEqual([
      'listener-assumed default/client 80/tcp',
    ]);
    expect(codes(sent(client, at('shop', { port: 6379 })))).toEqual([]);
    expect(codes(sent(client, { kind: 'ip', ip: '8.8.8.8', port: 53 }))).toEqual([
      'external-answers 8.8.8.8',
    ]);
  });

  it('let a Pod on its node’s network listen where it shows nothing, and the node not', () => {
    const plan = sent(client, at('silent', { port: 7777 }));
    expect(codes(plan)).toEqual([
      'node-listeners node-2 10250/tcp (kubelet) and 10256/tcp (kube-proxy)',
      'listener-assumed default/silent 7777/tcp',
    ]);
    expect(netnsOf(plan.world, 'node-2/host').sockets.at(-1)).toMatchObject({
      port: 7777,
      process: 'default/silent/app',
      assumed: true,
    });
    const world = compileWorld(SHOP);
    probeFor(SHOP, world, client, at('silent', { port: 7777 }));
    expect(netnsOf(world, 'node-2/host').sockets.map(({ port }) => port)).not.toContain(7777);
    // A port that somebody else has stays theirs.
    expect(sent(client, at('silent', { port: 10250 })).world.host('node-2')).toBeDefined();
    expect(
      netnsOf(sent(client, at('silent', { port: 10250 })).world, 'node-2/host').sockets.find(
        ({ port }) => port === 10250,
      )?.process,
    ).toBe('kubelet');
  });

  it('say what a node is taken to listen on, whatever comes of it', () => {
    const says = 'node-listeners node-2 10250/tcp (kubelet) and 10256/tcp (kube-proxy)';
    for (const port of [22, 10250])
      for (const to of [
        { kind: 'node', node: 'node-2', port } as const,
        { kind: 'ip', ip: '192.168.10.12', port } as const,
      ])
        expect(codes(sent(client, to))).toEqual([says]);
    expect(codes(sent(client, { kind: 'node', node: 'node-2' }, { protocol: 'icmp' }))).toEqual([]);
  });

  it('carry the notes of reading that touch an endpoint', () => {
    const noted: Cluster = {
      ...SHOP,
      nodes: [node('node-1', 0), node('node-2', 1)],
      notes: [
        { code: 'plugin-default', subject: 'flannel vxlan' },
        { code: 'node-made', subject: 'node-2' },
        { code: 'address-invented', subject: 'Pods', values: { count: 1, of: 3 }, place },
      ],
    };
    const toDb = codes(sent(client, at('db', { port: 5432 }), {}, noted));
    expect(toDb).toContain('plugin-default flannel vxlan');
    expect(toDb).toContain('node-made node-2');
    expect(toDb.join()).not.toContain('address-invented');
    expect(codes(sent(client, at('shop'), {}, noted)).join()).not.toContain('node-made');
    const pods = SHOP.pods.map((one) =>
      one.name === 'client' ? { ...one, invented: { ...one.invented, ip: true } } : one,
    );
    expect(codes(sent(client, at('shop'), {}, { ...noted, pods }))).toContain(
      'address-invented Pods 1 3',
    );
  });

  it('say what stands for a workload, and what is not ready', () => {
    const workload = { kind: 'Deployment', name: 'shop', replicas: 3 };
    const given: Cluster = {
      ...SHOP,
      pods: SHOP.pods.map((one) => (one.name === 'shop' ? { ...one, ready: false } : one)),
    };
    const plan = sent(client, { kind: 'container', pod: 1, port: 6379, workload }, {}, given);
    expect(codes(plan)).toEqual([
      'representative Deployment/shop 3 default/shop',
      'not-running-ready default/shop',
    ]);
    expect(plan.to.workload).toEqual(workload);
    const one = { ...workload, replicas: 1 };
    expect(codes(sent(client, { kind: 'container', pod: 1, port: 6379, workload: one }))).toEqual(
      [],
    );
  });

  it('say which settings are not modelled', () => {
    const given: Cluster = {
      ...SHOP,
      network: network({ config: { EnableNFTables: true } }),
      nodes: [node('node-1', 0, { sysctl: { 'vm.swappiness': '1' } }), node('node-2', 1)],
    };
    expect(codes(sent(client, at('shop', { port: 6379 }), {}, given))).toEqual([
      'config-not-modelled network.config.EnableNFTables',
      'config-not-modelled vm.swappiness of node-1',
    ]);
  });
});
