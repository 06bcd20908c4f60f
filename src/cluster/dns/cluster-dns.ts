/** Who answers for the names of a cluster: its DNS Service, or one that is assumed. */
import { cidrAt, cidrSize } from '../../wire/ip.ts';
import type { Cidr, Ip } from '../../wire/packet.ts';
import type { Cluster, ClusterNode, EndpointSlice, Pod, Service } from '../cluster.ts';

const OWN_NAMESPACE = 'kube-system';

/** Where distributions of Kubernetes have it: `namespace/name`. */
const KNOWN = ['kube-system/kube-dns', 'kube-system/coredns', 'openshift-dns/dns-default'];

const servesDns = ({ namespace, ports }: Service): boolean =>
  namespace === OWN_NAMESPACE &&
  ports.some(({ port, protocol }) => port === 53 && protocol === 'udp');

/** The Service that kubelets give to Pods as their name server; undefined: the input has none. */
export const dnsServiceOf = ({ services }: Cluster): Service | undefined => {
  const byName = KNOWN.flatMap((known) =>
    services.filter(({ namespace, name }) => `${namespace}/${name}` === known),
  );
  return byName[0] ?? services.find(servesDns);
};

/** What kubelets have as clusterDNS: IPv4 addresses. */
export const clusterDnsOf = (cluster: Cluster): Ip[] =>
  (dnsServiceOf(cluster)?.clusterIPs ?? []).flatMap(({ ip, family }) => (family === 4 ? [ip] : []));

/** The Pods behind the DNS Service, ready or not. */
export const dnsPodsOf = (cluster: Cluster): Pod[] =>
  (dnsServiceOf(cluster)?.slices ?? []).flatMap(({ endpoints }) =>
    endpoints.flatMap(({ pod }) => (pod === undefined ? [] : (cluster.pods[pod] ?? []))),
  );

/** The first address of a range from the nth on that nobody has; its last one is for broadcasts. */
const firstFree = (cidr: Cidr, from: number, taken: ReadonlySet<string>): Ip | undefined => {
  const end = cidrSize(cidr) - 1;
  for (let at = from; at < end; at++) {
    const ip = cidrAt(cidr, at);
    if (!taken.has(ip)) return ip;
  }
  return undefined;
};

/** kubeadm's choice: the tenth address of the Services' range (GetDNSIP). */
const TENTH = 10;

const serviceAddress = ({ network, services }: Cluster): Ip | undefined =>
  firstFree(
    network.serviceCIDR,
    TENTH,
    new Set(services.flatMap(({ clusterIPs }) => clusterIPs.map(({ ip }) => ip))),
  );

/** Behind the network's own address and the plugin's. */
const FIRST_POD = 2;

const podAddress = ({ pods }: Cluster, { podCIDR, lentIps = [] }: ClusterNode): Ip | undefined =>
  firstFree(podCIDR, FIRST_POD, new Set([...lentIps, ...pods.flatMap(({ ip }) => ip ?? [])]));

const PORTS = [
  { name: 'dns', port: 53, protocol: 'udp' },
  { name: 'dns-tcp', port: 53, protocol: 'tcp' },
  { name: 'metrics', port: 9153, protocol: 'tcp' },
] as const;

const assumedPod = ({ name: node }: ClusterNode, ip: Ip): Pod => ({
  namespace: OWN_NAMESPACE,
  name: 'coredns',
  node,
  ip,
  hostNetwork: false,
  phase: 'Running',
  ready: true,
  labels: { 'k8s-app': 'kube-dns' },
  containers: [{ name: 'coredns', sidecar: false, ports: PORTS }],
  owners: [],
  ordinal: 0,
  invented: { name: true, ip: true, node: true },
  dns: {
    policy: 'Default',
    nameservers: [],
    searches: [],
    options: [],
    hostAliases: [],
  },
  listeners: {
    rows: PORTS.map(({ port, protocol }) => ({
      container: 'coredns',
      protocol,
      ip: '0.0.0.0',
      port,
      evidence: 'annotation',
    })),
    unlisted: 'refused',
  },
});

const assumedSlice = (pod: number, { name: nodeName }: ClusterNode, ip: Ip): EndpointSlice => ({
  name: 'kube-dns-assumed',
  family: 4,
  source: 'computed',
  ports: PORTS,
  endpoints: [{ address: ip, pod, nodeName, ready: true, serving: true, terminating: false }],
});

const assumedService = (ip: Ip, slice: EndpointSlice): Service => ({
  namespace: OWN_NAMESPACE,
  name: 'kube-dns',
  type: 'ClusterIP',
  headless: false,
  selector: { 'k8s-app': 'kube-dns' },
  clusterIPs: [{ ip, family: 4, invented: true }],
  ports: PORTS.map(({ port, ...rest }) => ({ ...rest, port, targetPort: port })),
  externalIPs: [],
  ingress: [],
  sourceRanges: [],
  externalTrafficPolicy: 'Cluster',
  internalTrafficPolicy: 'Cluster',
  publishNotReadyAddresses: false,
  slices: [slice],
});

/**
 * A cluster with the DNS that kubeadm sets up, on its first node that has room for a Pod: Service
 * kube-system/kube-dns and one Pod of CoreDNS. Objects of the input keep their places and
 * addresses. A cluster that has a DNS Service, or no room, is returned as it is.
 */
export const withClusterDns = (cluster: Cluster): Cluster => {
  if (dnsServiceOf(cluster)) return cluster;
  const address = serviceAddress(cluster);
  for (const node of cluster.nodes) {
    const ip = node.onlyIpv6 === undefined ? podAddress(cluster, node) : undefined;
    if (ip === undefined || address === undefined) continue;
    const pod = assumedPod(node, ip);
    const service = assumedService(address, assumedSlice(cluster.pods.length, node, ip));
    return {
      ...cluster,
      pods: [...cluster.pods, pod],
      services: [...cluster.services, service],
      namespaces: [...new Set([...cluster.namespaces, OWN_NAMESPACE])],
      notes: [
        ...cluster.notes,
        {
          code: 'dns-assumed',
          subject: `${OWN_NAMESPACE}/kube-dns`,
          values: { ip: address, pod: `${OWN_NAMESPACE}/${pod.name}`, node: node.name },
        },
      ],
    };
  }
  return cluster;
};
