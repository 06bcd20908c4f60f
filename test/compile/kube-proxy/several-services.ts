/** Services of every form on one node, and the node as kube-proxy leaves it. */
import type { ClusterNode, KubeProxyConfig, Service } from '../../../src/cluster/cluster.ts';
import { compileWorld } from '../../../src/compile/compile.ts';
import { netnsOf } from '../../../src/kernel/netns.ts';
import type { Netns } from '../../../src/kernel/world.ts';
import { cluster, network, node } from '../cluster.ts';
import { endpoint, proxyConfig, service, servicePort, slice, vip } from './services.ts';

const plain = network({ plugin: 'bridge', backend: 'cloud-routes' });

/** node-1 with these Services. */
export const nodeWith = (
  services: readonly Service[],
  config: Partial<KubeProxyConfig> = {},
  on: Partial<ClusterNode> = {},
): Netns =>
  netnsOf(
    compileWorld(
      cluster({
        network: plain,
        nodes: [node('node-1', 0, on), node('node-2', 1)],
        pods: [],
        services,
        kubeProxy: proxyConfig(config),
      }),
    ),
    'node-1/host',
  );

const both = [endpoint('10.244.1.5', 'node-1'), endpoint('10.244.2.7', 'node-2')];
const far = [endpoint('10.244.2.7', 'node-2')];
const http = [{ name: 'http', port: 8080, protocol: 'tcp' } as const];

/** default/web of the specification's worked example. */
export const web = (more: Partial<Service> = {}): Service =>
  service('web', {
    type: 'LoadBalancer',
    ports: [servicePort(80, { name: 'http', nodePort: 30080 })],
    ingress: [vip('198.51.100.7')],
    externalTrafficPolicy: 'Local',
    healthCheckNodePort: 31000,
    slices: [slice('web-1', both, { ports: http })],
    place: { file: 'web.yaml', line: 4 },
    ...more,
  });

const address = (ip: string): Service['clusterIPs'][number] => ({
  ip,
  family: ip.includes(':') ? 6 : 4,
  invented: false,
});

/** One of each form: policies, affinity, source ranges, nobody behind it, both families. */
export const severalServices = (): readonly Service[] => [
  web(),
  service('nobody', { clusterIPs: [address('10.96.0.21')], externalIPs: ['203.0.113.50'] }),
  service('dns', {
    namespace: 'kube-system',
    clusterIPs: [address('10.96.0.10')],
    ports: [
      servicePort(53, { name: 'dns', protocol: 'udp' }),
      servicePort(53, { name: 'dns-tcp' }),
      servicePort(9153, { name: 'metrics' }),
    ],
    slices: [
      slice('dns-1', both, {
        ports: [
          { name: 'dns', port: 53, protocol: 'udp' },
          { name: 'dns-tcp', port: 53, protocol: 'tcp' },
          { name: 'metrics', port: 9153, protocol: 'tcp' },
        ],
      }),
    ],
  }),
  service('sticky', {
    clusterIPs: [address('10.96.0.22')],
    affinitySeconds: 10800,
    slices: [slice('sticky-1', both)],
  }),
  service('local', {
    type: 'NodePort',
    clusterIPs: [address('10.96.0.23')],
    ports: [servicePort(80, { nodePort: 30081 })],
    internalTrafficPolicy: 'Local',
    externalTrafficPolicy: 'Local',
    slices: [slice('local-1', far)],
  }),
  service('ranges', {
    type: 'LoadBalancer',
    clusterIPs: [address('10.96.0.24')],
    ports: [servicePort(443, { nodePort: 30443 })],
    ingress: [vip('198.51.100.8'), vip('198.51.100.9')],
    sourceRanges: ['192.168.10.0/24', '203.0.113.0/25', '203.0.113.128/25'],
    slices: [slice('ranges-1', both)],
  }),
  service('sctp', {
    clusterIPs: [address('10.96.0.25')],
    ports: [servicePort(7777, { protocol: 'sctp' })],
    slices: [slice('sctp-1', both, { ports: [{ port: 7777, protocol: 'sctp' }] })],
  }),
  service('dual', {
    type: 'LoadBalancer',
    clusterIPs: [address('10.96.0.26'), address('fd00:10:96::1a')],
    ports: [servicePort(80, { nodePort: 30082 })],
    ingress: [vip('2001:db8::8')],
    sourceRanges: ['2001:db8:1::/48', '2001:db8:3::/48', '10.0.0.0/8'],
    affinitySeconds: 90,
    slices: [
      slice('dual-1', both),
      slice('dual-2', [endpoint('fd00:10:244:1::5', 'node-1'), endpoint('fd00:10:244:2::7')], {
        family: 6,
      }),
    ],
  }),
];
