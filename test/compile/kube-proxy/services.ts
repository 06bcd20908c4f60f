/** Services for tests: what is not given is as the API server would default it. */
import type {
  EndpointSlice,
  KubeProxyConfig,
  Service,
  ServicePort,
  SliceEndpoint,
} from '../../../src/cluster/cluster.ts';

export const endpoint = (
  address: string,
  nodeName?: string,
  more: Partial<SliceEndpoint> = {},
): SliceEndpoint => ({
  address,
  ...(nodeName !== undefined && { nodeName }),
  ready: true,
  serving: true,
  terminating: false,
  ...more,
});

export const slice = (
  name: string,
  endpoints: readonly SliceEndpoint[],
  more: Partial<EndpointSlice> = {},
): EndpointSlice => ({
  name,
  family: 4,
  source: 'computed',
  ports: [{ port: 8080, protocol: 'tcp' }],
  endpoints,
  ...more,
});

export const servicePort = (port: number, more: Partial<ServicePort> = {}): ServicePort => ({
  port,
  protocol: 'tcp',
  targetPort: 8080,
  ...more,
});

export const service = (name: string, more: Partial<Service> = {}): Service => ({
  namespace: 'default',
  name,
  type: 'ClusterIP',
  headless: false,
  selector: {},
  clusterIPs: [{ ip: '10.96.0.20', family: 4, invented: false }],
  ports: [servicePort(80)],
  externalIPs: [],
  ingress: [],
  sourceRanges: [],
  externalTrafficPolicy: 'Cluster',
  internalTrafficPolicy: 'Cluster',
  publishNotReadyAddresses: false,
  slices: [],
  ...more,
});

/** A load balancer that sends packets on as they are. */
export const vip = (ip: string): Service['ingress'][number] => ({
  ip,
  ipMode: 'VIP',
  assumed: false,
});

export const proxyConfig = (more: Partial<KubeProxyConfig> = {}): KubeProxyConfig => ({
  mode: 'iptables',
  clusterCIDR: ['10.244.0.0/16'],
  detectLocalMode: 'ClusterCIDR',
  detectLocal: { bridgeInterface: '', interfaceNamePrefix: '' },
  nodePortAddresses: [],
  masqueradeAll: false,
  masqueradeBit: 14,
  localhostNodePorts: true,
  ipvs: { scheduler: 'rr', strictARP: false, excludeCIDRs: [] },
  tcpBeLiberal: false,
  ...more,
});
