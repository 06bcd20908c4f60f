import { describe, expect, it } from 'vitest';
import type { Service, SliceEndpoint } from '../../../src/cluster/cluster.ts';
import { endpointChain, serviceChains } from '../../../src/compile/kube-proxy/chain-name.ts';
import { onNode } from '../../../src/compile/kube-proxy/node-service-port.ts';
import {
  type ProxyEndpoint,
  type ServicePortFacts,
  servicePorts,
} from '../../../src/compile/kube-proxy/service-port.ts';
import { node } from '../cluster.ts';
import { endpoint, service, servicePort, slice, vip } from './services.ts';

const only = (one: Service, family: 4 | 6 = 4): ServicePortFacts => {
  const [facts] = servicePorts([one], family);
  if (!facts) throw new Error('no Service port');
  return facts;
};

const texts = (endpoints: readonly ProxyEndpoint[]): string[] => endpoints.map(({ text }) => text);

const here = node('node-1', 0, { labels: { 'topology.kubernetes.io/zone': 'a' } });
const ENDING = { ready: false, terminating: true };

const withEndpoints = (endpoints: readonly SliceEndpoint[], more: Partial<Service> = {}) =>
  onNode(only(service('web', { slices: [slice('web-1', endpoints)], ...more })), here);

describe('a Service port', () => {
  it('is named by its port, where that has a name', () => {
    const two = service('web', { ports: [servicePort(80, { name: 'http' }), servicePort(81)] });
    expect(servicePorts([two], 4).map(({ name }) => name)).toEqual([
      'default/web:http',
      'default/web',
    ]);
  });

  it('is nothing of an ExternalName, a headless Service, or one without address of the family', () => {
    const none = [
      service('a', { type: 'ExternalName', clusterIPs: [] }),
      service('b', { headless: true, clusterIPs: [] }),
      service('c', { clusterIPs: [{ ip: 'fd00::1', family: 6, invented: false }] }),
    ];
    expect(servicePorts(none, 4)).toEqual([]);
    expect(servicePorts(none, 6).map(({ clusterIP }) => clusterIP)).toEqual(['fd00::1']);
  });

  it('has the addresses of its family, and VIPs alone', () => {
    const facts = only(
      service('web', {
        externalIPs: ['203.0.113.1', '2001:db8::1'],
        ingress: [vip('198.51.100.7'), { ip: '198.51.100.8', ipMode: 'Proxy', assumed: false }],
        sourceRanges: ['10.0.0.0/8', '2001:db8::/32'],
      }),
    );
    expect(facts).toMatchObject({
      externalIPs: ['203.0.113.1'],
      vips: ['198.51.100.7'],
      sourceRanges: ['10.0.0.0/8'],
    });
  });

  it('is open to everybody when a range holds everybody', () => {
    expect(
      only(service('web', { sourceRanges: ['10.0.0.0/8', '0.0.0.0/0'] })).sourceRanges,
    ).toEqual([]);
  });

  it('takes slice ports of its name and protocol, sorts by text and counts none twice', () => {
    const facts = only(
      service('web', {
        ports: [servicePort(80, { name: 'http' })],
        slices: [
          slice('web-1', [endpoint('10.244.1.9'), endpoint('10.244.1.10')], {
            ports: [
              { name: 'http', port: 8080, protocol: 'tcp' },
              { name: 'http', port: 8081, protocol: 'udp' },
              { name: 'other', port: 8082, protocol: 'tcp' },
              { name: 'http', protocol: 'tcp' },
            ],
          }),
          slice('web-2', [endpoint('10.244.1.9')], {
            ports: [{ name: 'http', port: 8080, protocol: 'tcp' }],
          }),
          slice('web-6', [endpoint('fd00::9')], {
            family: 6,
            ports: [{ name: 'http', port: 8080, protocol: 'tcp' }],
          }),
        ],
      }),
    );
    expect(texts(facts.endpoints)).toEqual(['10.244.1.10:8080', '10.244.1.9:8080']);
  });

  it('writes an IPv6 endpoint in brackets', () => {
    const six = service('web', {
      clusterIPs: [{ ip: 'fd00:10::1', family: 6, invented: false }],
      slices: [slice('web-6', [endpoint('fd00::9')], { family: 6 })],
    });
    expect(texts(only(six, 6).endpoints)).toEqual(['[fd00::9]:8080']);
  });

  it('is worked out once for a list of Services', () => {
    const all = [service('web')];
    expect(servicePorts(all, 4)).toBe(servicePorts(all, 4));
  });
});

describe('a Service port on a node', () => {
  it('goes to every ready endpoint', () => {
    const web = withEndpoints([
      endpoint('10.244.1.5', 'node-1'),
      endpoint('10.244.2.7', 'node-2'),
      endpoint('10.244.2.8', 'node-2', { ready: false, serving: false }),
    ]);
    expect(texts(web.clusterEndpoints)).toEqual(['10.244.1.5:8080', '10.244.2.7:8080']);
    expect(web).toMatchObject({ localEndpoints: [], hasEndpoints: true, hasInternal: true });
  });

  it('falls back on endpoints that end and still serve', () => {
    const web = withEndpoints([
      endpoint('10.244.1.5', 'node-1', ENDING),
      endpoint('10.244.2.7', 'node-2', { ...ENDING, serving: false }),
    ]);
    expect(texts(web.clusterEndpoints)).toEqual(['10.244.1.5:8080']);
  });

  it('has its own under a policy Local, ready or, without one, ending', () => {
    const local = { type: 'NodePort', externalTrafficPolicy: 'Local' } as const;
    const port = { ports: [servicePort(80, { nodePort: 30080 })] };
    const ready = endpoint('10.244.2.7', 'node-2');
    const own = withEndpoints([endpoint('10.244.1.5', 'node-1', ENDING), ready], {
      ...local,
      ...port,
    });
    expect(texts(own.localEndpoints)).toEqual(['10.244.1.5:8080']);
    expect(texts(own.clusterEndpoints)).toEqual(['10.244.2.7:8080']);
    expect(texts(own.reachable)).toEqual(['10.244.1.5:8080', '10.244.2.7:8080']);
    const none = withEndpoints([ready], { ...local, ...port });
    expect(none).toMatchObject({ hasInternal: true, hasExternal: false, usesExternal: true });
  });

  it('has nobody under iTP Local without an endpoint of its own', () => {
    const web = withEndpoints([endpoint('10.244.2.7', 'node-2')], {
      internalTrafficPolicy: 'Local',
    });
    expect(web).toMatchObject({ hasEndpoints: true, hasInternal: false, clusterEndpoints: [] });
  });

  it('minds no external policy of a Service that nobody outside can reach', () => {
    const web = withEndpoints([endpoint('10.244.2.7', 'node-2')], {
      externalTrafficPolicy: 'Local',
    });
    expect(web.facts.externalLocal).toBe(false);
    expect(web.hasExternal).toBe(true);
  });

  it('is checked for health only as a load balancer under eTP Local', () => {
    const port = { ports: [servicePort(80, { nodePort: 30080 })], healthCheckNodePort: 31000 };
    const local = { externalTrafficPolicy: 'Local', ...port } as const;
    const ports = [
      service('a', { type: 'LoadBalancer', ...local }),
      service('b', { type: 'NodePort', ...local }),
      service('c', { type: 'LoadBalancer', ...port }),
    ].map((one) => only(one).healthCheckNodePort);
    expect(ports).toEqual([31000, undefined, undefined]);
  });

  it.each([
    ['this node first', ['node-1', 'node-2'], ['a', 'a'], ['10.244.1.5:8080']],
    ['the zone when no hint names the node', ['node-2', 'node-3'], ['a', 'b'], ['10.244.1.5:8080']],
    [
      'everybody when no hint names the zone',
      ['node-2', 'node-3'],
      ['b', 'c'],
      ['10.244.1.5:8080', '10.244.2.7:8080'],
    ],
    [
      'everybody when a ready endpoint has no hint',
      ['', ''],
      ['a', ''],
      ['10.244.1.5:8080', '10.244.2.7:8080'],
    ],
  ])('follows hints: %s', (_, nodes, zones, expected) => {
    const hints = (at: number) => ({
      nodes: nodes[at] ? [nodes[at]] : [],
      zones: zones[at] ? [zones[at]] : [],
    });
    const web = withEndpoints([
      endpoint('10.244.1.5', 'node-1', { hints: hints(0) }),
      endpoint('10.244.2.7', 'node-2', { hints: hints(1) }),
    ]);
    expect(texts(web.clusterEndpoints)).toEqual(expected);
  });

  it('takes its own of two entries with one address', () => {
    const twice = service('web', {
      internalTrafficPolicy: 'Local',
      slices: [
        slice('web-1', [endpoint('10.244.1.5', 'node-2')]),
        slice('web-2', [endpoint('10.244.1.5', 'node-1')]),
      ],
    });
    expect(texts(onNode(only(twice), here).localEndpoints)).toEqual(['10.244.1.5:8080']);
    expect(onNode(only(twice), node('node-3', 2)).localEndpoints).toEqual([]);
  });
});

describe('chain names', () => {
  it('are those that kube-proxy gives', () => {
    const named = { name: 'default/web:http', protocol: 'tcp' } as const;
    expect(serviceChains(named)).toEqual({
      cluster: 'KUBE-SVC-CDGGSHYLG3RE2FKL',
      local: 'KUBE-SVL-CDGGSHYLG3RE2FKL',
      external: 'KUBE-EXT-CDGGSHYLG3RE2FKL',
      firewall: 'KUBE-FW-CDGGSHYLG3RE2FKL',
    });
    expect(endpointChain(named, { text: '10.244.1.5:8080' })).toBe('KUBE-SEP-AFGSLHOD2HFNCBX4');
  });

  it('of Services that every cluster has are well known', () => {
    const chain = (name: string, protocol: 'tcp' | 'udp') =>
      serviceChains({ name, protocol }).cluster;
    expect(chain('default/kubernetes:https', 'tcp')).toBe('KUBE-SVC-NPX46M4PTMTKRN6Y');
    expect(chain('kube-system/kube-dns:dns', 'udp')).toBe('KUBE-SVC-TCOU7JCQXEZGVUNU');
    expect(chain('kube-system/kube-dns:dns-tcp', 'tcp')).toBe('KUBE-SVC-ERIFXISQEP7F7OF4');
  });
});
