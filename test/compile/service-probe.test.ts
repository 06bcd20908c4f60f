import { describe, expect, it } from 'vitest';
import type { Cluster, Service, Target } from '../../src/cluster/cluster.ts';
import { compileWorld } from '../../src/compile/compile.ts';
import { type ProbeOptions, type ProbePlan, probeFor } from '../../src/compile/probe.ts';
import { cluster, pod, service } from './cluster.ts';

const web = (more: Partial<Service> = {}): Service =>
  service('web', {
    namespace: 'shop',
    ports: [
      { name: 'http', port: 80, protocol: 'tcp', targetPort: 8080, nodePort: 30080 },
      { name: 'admin', port: 9000, protocol: 'tcp', targetPort: 9000 },
      { name: 'dns', port: 53, protocol: 'udp', targetPort: 53 },
    ],
    ...more,
  });

const given = (one: Service): Cluster =>
  cluster({
    pods: [
      pod('client', 'node-1', '10.244.1.2'),
      pod('web-a', 'node-1', '10.244.1.3', { namespace: 'shop' }),
      pod('web-b', 'node-2', '10.244.2.3', { namespace: 'shop' }),
    ],
    services: [one],
  });

const CLIENT: Target = { kind: 'container', pod: 0 };
const OUTSIDE: Target = { kind: 'external' };
const WEB: Target = { kind: 'service', service: 0 };

const ask = (from: Target, to: Target, one: Service, options: ProbeOptions = {}): ProbePlan => {
  const all = given(one);
  return probeFor(all, compileWorld(all), from, to, options);
};

/** `tcp 10.96.0.2:80`, one for each address that may be chosen. */
const sent = (...args: Parameters<typeof ask>): string[] => {
  const plan = ask(...args);
  if (plan.kind !== 'probe') return [plan.kind === 'unsupported' ? plan.why : plan.kind];
  return [{ probe: plan.probe, chosen: plan.chosen }, ...(plan.others ?? [])].map(
    ({ probe: { protocol, dst, dport }, chosen }) =>
      `${protocol} ${dst}${dport === undefined ? '' : `:${dport}`}${chosen ? ` ${chosen.choice} ${chosen.name}` : ''}`,
  );
};

describe('a Service asked by its name', () => {
  it('is its ClusterIP, on the first port unless one is asked for', () => {
    expect(sent(CLIENT, WEB, web())).toEqual(['tcp 10.96.0.2:80']);
    expect(sent({ kind: 'node', node: 'node-1' }, WEB, web())).toEqual(['tcp 10.96.0.2:80']);
    expect(sent(CLIENT, { ...WEB, port: 9000, portName: 'admin' }, web())).toEqual([
      'tcp 10.96.0.2:9000',
    ]);
    expect(sent(CLIENT, WEB, web(), { port: 53 })).toEqual(['udp 10.96.0.2:53']);
    expect(sent(CLIENT, WEB, web(), { protocol: 'udp' })).toEqual(['udp 10.96.0.2:53']);
    expect(sent(CLIENT, WEB, web(), { protocol: 'icmp' })).toEqual(['icmp 10.96.0.2']);
    // Nobody declares it: the rules say what comes of it.
    expect(sent(CLIENT, WEB, web(), { port: 81 })).toEqual(['tcp 10.96.0.2:81']);
  });

  it('says which port it is, and of which Service', () => {
    const plan = ask(CLIENT, WEB, web(), { text: { to: 'shop/svc/web' } });
    expect(plan.to).toEqual({
      text: 'shop/svc/web',
      kind: 'service',
      namespace: 'shop',
      name: 'web',
      ip: '10.96.0.2',
    });
    expect(plan.assumptions).toContainEqual({
      code: 'port-chosen',
      subject: 'shop/svc/web',
      values: { port: '80/tcp' },
    });
  });

  it('is what leads in, from outside: the balancer, an external IP, each node', () => {
    const balanced = web({
      type: 'LoadBalancer',
      externalIPs: ['198.51.100.9'],
      ingress: [
        { hostname: 'lb.example', ipMode: 'VIP', assumed: false },
        { ip: '198.51.100.1', ipMode: 'Proxy', assumed: false },
        { ip: '198.51.100.2', ipMode: 'VIP', assumed: false },
      ],
    });
    expect(sent(OUTSIDE, WEB, balanced)).toEqual(['tcp 198.51.100.2:80']);
    expect(sent(CLIENT, WEB, balanced)).toEqual(['tcp 10.96.0.2:80']);
    expect(sent(OUTSIDE, WEB, web({ externalIPs: ['fd00::1', '198.51.100.9'] }))).toEqual([
      'tcp 198.51.100.9:80',
    ]);
    const nodes = ['tcp 192.168.10.11:30080 node node-1', 'tcp 192.168.10.12:30080 node node-2'];
    expect(sent(OUTSIDE, WEB, web({ type: 'NodePort' }))).toEqual(nodes);
    expect(sent(OUTSIDE, WEB, web({ type: 'NodePort' }), { port: 30080 })).toEqual(nodes);
    // Nothing leads in: the ClusterIP is what is left to ask.
    expect(sent(OUTSIDE, WEB, web(), { port: 9000 })).toEqual(['tcp 10.96.0.2:9000']);
  });

  it('is each of its ready endpoints where it is headless', () => {
    const endpoint = { ready: true, serving: true, terminating: false };
    const headless = web({
      headless: true,
      clusterIPs: [],
      slices: [
        {
          name: 'web-1',
          family: 4,
          source: 'input',
          ports: [{ name: 'http', port: 8080, protocol: 'tcp' }],
          endpoints: [
            { ...endpoint, address: '10.244.2.3', pod: 2 },
            { ...endpoint, address: '10.244.1.3', pod: 1 },
            { ...endpoint, address: '10.244.1.9', ready: false },
            { ...endpoint, address: '10.244.1.10' },
          ],
        },
      ],
    });
    expect(sent(CLIENT, WEB, headless)).toEqual([
      'tcp 10.244.1.10:8080 backend 10.244.1.10',
      'tcp 10.244.1.3:8080 backend shop/web-a',
      'tcp 10.244.2.3:8080 backend shop/web-b',
    ]);
    expect(sent(CLIENT, WEB, { ...headless, slices: [] })).toEqual(['no-address']);
  });

  it('is not asked where nobody knows how', () => {
    expect(sent(CLIENT, WEB, web({ type: 'ExternalName', clusterIPs: [] }))).toEqual([
      'external-name',
    ]);
    expect(
      sent(CLIENT, WEB, web({ clusterIPs: [{ ip: 'fd00::1', family: 6, invented: false }] })),
    ).toEqual(['ipv6']);
    expect(
      sent(CLIENT, WEB, web({ ports: [{ port: 1, protocol: 'sctp', targetPort: 1 }] })),
    ).toEqual(['sctp']);
    expect(sent(CLIENT, WEB, web(), { protocol: 'sctp' })).toEqual(['sctp']);
    expect(sent(CLIENT, WEB, web(), { protocol: 'icmp', port: 80 })).toEqual(['port-for-echo']);
    expect(sent(CLIENT, WEB, web({ ports: [] }), { protocol: 'tcp' })).toEqual(['port-needed']);
  });
});

describe('a Service asked by an address', () => {
  it('has the protocol of the port that it declares', () => {
    const to = (ip: string, port?: number): Target => ({
      kind: 'ip',
      ip,
      ...(port !== undefined && { port }),
    });
    expect(sent(CLIENT, to('10.96.0.2'), web())).toEqual(['tcp 10.96.0.2:80']);
    expect(sent(CLIENT, to('10.96.0.2', 53), web())).toEqual(['udp 10.96.0.2:53']);
    expect(sent(CLIENT, to('10.96.0.2', 81), web())).toEqual(['tcp 10.96.0.2:81']);
    expect(sent(CLIENT, to('10.96.77.77', 80), web())).toEqual(['tcp 10.96.77.77:80']);
    expect(sent(OUTSIDE, to('198.51.100.9'), web({ externalIPs: ['198.51.100.9'] }))).toEqual([
      'tcp 198.51.100.9:80',
    ]);
    const udp = web({ ports: [{ port: 53, protocol: 'udp', targetPort: 53, nodePort: 30053 }] });
    const node: Target = { kind: 'node', node: 'node-2', port: 30_053 };
    expect(sent(OUTSIDE, node, udp)).toEqual(['udp 192.168.10.12:30053']);
  });
});
