import { describe, expect, it } from 'vitest';
import type { Cluster, Service } from '../../src/cluster/cluster.ts';
import { balancedAddresses } from '../../src/compile/balancer.ts';
import { compileWorld } from '../../src/compile/compile.ts';
import { probeFor } from '../../src/compile/probe.ts';
import { cluster, node } from './cluster.ts';
import { endpoint, service, servicePort, slice, vip } from './kube-proxy/services.ts';
import { routes } from './state.ts';

const VIP = '198.51.100.7';
const slices = [slice('web-1', [endpoint('10.244.2.2', 'node-2')])];

const web = (more: Partial<Service> = {}): Service =>
  service('web', {
    type: 'LoadBalancer',
    ports: [servicePort(80, { nodePort: 30080 })],
    ingress: [vip(VIP)],
    slices,
    ...more,
  });

const served = (services: readonly Service[], more: Partial<Cluster> = {}) =>
  balancedAddresses(cluster({ services, ...more })).map(({ ip, nodes }) => [
    ip,
    ...nodes.map(({ name }) => name),
  ]);

describe('the load balancer', () => {
  it('sends to every ready node under the policy Cluster', () => {
    expect(served([web()])).toEqual([[VIP, 'node-1', 'node-2']]);
    const nodes = [node('node-1', 0, { ready: false }), node('node-2', 1)];
    expect(served([web()], { nodes })).toEqual([[VIP, 'node-2']]);
  });

  it('sends to nodes with a ready endpoint of their own under the policy Local', () => {
    expect(served([web({ externalTrafficPolicy: 'Local' })])).toEqual([[VIP, 'node-2']]);
    expect(served([web({ externalTrafficPolicy: 'Local', slices: [] })])).toEqual([[VIP]]);
  });

  it('leaves out nodes that are labelled so', () => {
    const labels = { 'node.kubernetes.io/exclude-from-external-load-balancers': '' };
    const nodes = [node('node-1', 0, { labels }), node('node-2', 1)];
    expect(served([web()], { nodes })).toEqual([[VIP, 'node-2']]);
  });

  it('knows external IPs, but not addresses of nodes, and none that a proxy has', () => {
    const mixed = web({
      externalIPs: ['203.0.113.99', '192.168.10.11'],
      ingress: [{ ip: VIP, ipMode: 'Proxy', assumed: false }],
    });
    expect(served([mixed]).map(([ip]) => ip)).toEqual(['203.0.113.99']);
  });

  it('is the router: one route for each address, none where no node takes it', () => {
    const world = compileWorld(
      cluster({
        services: [
          web({ externalTrafficPolicy: 'Local' }),
          web({ name: 'wide', ingress: [vip('198.51.100.9')] }),
          web({
            name: 'gone',
            ingress: [vip('198.51.100.8')],
            externalTrafficPolicy: 'Local',
            slices: [],
          }),
        ],
      }),
    );
    expect(routes(world, 'gw/host')).toEqual(
      expect.arrayContaining([
        '198.51.100.9 proto static',
        '\tnexthop via 192.168.10.11 dev eth0 weight 1',
        '\tnexthop via 192.168.10.12 dev eth0 weight 1',
        '198.51.100.7 via 192.168.10.12 dev eth0 proto static',
        'blackhole 198.51.100.8 proto static',
      ]),
    );
  });

  it('is named in the book', () => {
    const { book } = compileWorld(cluster({ services: [web({ externalIPs: ['203.0.113.99'] })] }));
    for (const ip of ['10.96.0.20', VIP, '203.0.113.99'])
      expect(book.serviceName(ip)).toBe('default/svc/web');
    expect(book.serviceName('10.96.0.21')).toBeUndefined();
  });

  it('that is a proxy has no answer', () => {
    const one = cluster({
      services: [web({ ingress: [{ ip: VIP, ipMode: 'Proxy', assumed: false }] })],
    });
    const plan = probeFor(
      one,
      compileWorld(one),
      { kind: 'external' },
      { kind: 'ip', ip: VIP, port: 80 },
    );
    expect(plan).toMatchObject({ kind: 'unsupported', why: 'balancer-proxy' });
  });
});
