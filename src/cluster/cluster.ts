/** A cluster resolved: every Pod on a node with its IP, every container with its ports. */
import type { Cidr, Ip } from '../wire/packet.ts';
import type { Place } from './place.ts';
import type { Policy } from './policy/policy.ts';

export { type Place, placeText } from './place.ts';

export interface ObjectRef {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export interface Cluster {
  readonly name: string;
  readonly description?: string;
  readonly network: Network;
  readonly underlay: { readonly cidr: Cidr; readonly mtu: number; readonly gateway: Ip };
  readonly nodes: readonly ClusterNode[];
  /** In order of (namespace, kind, name, ordinal). Running or not. */
  readonly pods: readonly Pod[];
  readonly workloads: readonly Workload[];
  readonly namespaces: readonly string[];
  /** Of every one of `namespaces`; always with `kubernetes.io/metadata.name`. */
  readonly namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** In order of (namespace, name). */
  readonly services: readonly Service[];
  /** Where Ingress objects send, in order of (namespace, ingress), each as often as it is written. */
  readonly ingressBackends: readonly IngressBackend[];
  readonly kubeProxy: KubeProxyConfig;
  /** Of all kinds, in the order of tier, priority, namespace and name. */
  readonly policies: readonly Policy[];
  /** What enforces policies beside the plugin; neither flannel nor the bridge does. */
  readonly policyEngine: 'none' | 'nftables';
  readonly external: { readonly ip: Ip };
  readonly notes: readonly ClusterNote[];
}

export interface Network {
  readonly plugin: 'bridge' | 'flannel';
  readonly backend: 'static-routes' | 'cloud-routes' | 'vxlan' | 'host-gw';
  readonly podCIDR: Cidr;
  readonly serviceCIDR: Cidr;
  /** The plugin's own keys, checked, with its manifest's defaults filled in by compile. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly place?: Place;
}

export interface ClusterNode {
  readonly name: string;
  readonly index: number;
  readonly ip: Ip;
  /** Where the plugin takes the node's gateway and new Pods' addresses from. */
  readonly podCIDR: Cidr;
  /** More ranges that Pods of this node, and of no other, have addresses in; absent: none. */
  readonly otherPodCIDRs?: readonly Cidr[];
  /** Addresses of `podCIDR` that Pods of other nodes have; absent: none. */
  readonly lentIps?: readonly Ip[];
  /** The only address that the input shows; `ip` is made up then, and nothing is told of it. */
  readonly onlyIpv6?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly {
    readonly key: string;
    readonly value?: string;
    readonly effect: string;
  }[];
  /** What the scenario says beyond the defaults. */
  readonly sysctl: Readonly<Record<string, string>>;
  readonly ready: boolean;
  readonly invented: { readonly node: boolean; readonly ip: boolean; readonly podCIDR: boolean };
  readonly place?: Place;
}

export interface Pod {
  readonly namespace: string;
  readonly name: string;
  /** Absent: not scheduled, with the reason in `phase`. */
  readonly node?: string | undefined;
  readonly ip?: Ip | undefined;
  /** The Pod runs with this address and has no IPv4 one. */
  readonly onlyIpv6?: string;
  /** Its IPv6 address beside `ip`, where the input shows one. */
  readonly ipv6?: string;
  /** Its host name in the domain of a headless Service; absent: its own name, in no domain. */
  readonly hostname?: string;
  /** The headless Service in whose domain it is. */
  readonly subdomain?: string;
  readonly hostNetwork: boolean;
  /** What it says about its resolver; absent: nothing that is not usual. */
  readonly dns?: PodDns;
  readonly phase: 'Running' | 'Pending' | 'Succeeded' | 'Failed' | 'Unknown';
  /** Why a Pending Pod is pending, when we decided it. */
  readonly pendingReason?: string;
  readonly ready: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Ordinary containers and restartable init containers (sidecars), in order. Never empty. */
  readonly containers: readonly Container[];
  /** Names of init containers that have ended before the others start; absent: none. */
  readonly initContainers?: readonly string[];
  /** The direct controller, then its controller, … */
  readonly owners: readonly ObjectRef[];
  readonly ordinal: number;
  readonly invented: { readonly name: boolean; readonly ip: boolean; readonly node: boolean };
  readonly listeners: Listeners;
  readonly place?: Place;
}

/** dnsPolicy, dnsConfig and hostAliases of a Pod's spec. */
export interface PodDns {
  readonly policy: 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None';
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly DnsOption[];
  readonly hostAliases: readonly HostAlias[];
}

export interface DnsOption {
  readonly name: string;
  readonly value?: string;
}

export interface HostAlias {
  readonly ip: string;
  readonly hostnames: readonly string[];
}

export interface Container {
  readonly name: string;
  readonly sidecar: boolean;
  readonly ports: readonly ContainerPort[];
  readonly place?: Place;
}

export interface ContainerPort {
  readonly name?: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostPort?: number;
  readonly hostIP?: Ip;
}

/** What the input says about who listens where (design: the order of evidence). */
export interface Listeners {
  readonly rows: readonly Listener[];
  /** Ports that no row covers: an exact annotation refuses, declared ports leave it unknown, … */
  readonly unlisted: 'refused' | 'unknown' | 'assumed-open';
}

export interface Listener {
  readonly container: string;
  readonly protocol: 'tcp' | 'udp';
  readonly ip: Ip;
  readonly port: number;
  readonly evidence: 'annotation' | 'containerPort' | 'probe' | 'service';
  readonly place?: Place;
}

export interface Workload {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Indexes into `pods`, in name order. */
  readonly pods: readonly number[];
  readonly place?: Place;
}

/** A Service as the API server holds it, with what the input leaves out filled in. */
export interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
  /** `clusterIP: None`. */
  readonly headless: boolean;
  /** Empty: its endpoints are written by somebody else. */
  readonly selector: Readonly<Record<string, string>>;
  readonly externalName?: string;
  /** In order of `ipFamilies`, canonical. Empty: headless, or an ExternalName. */
  readonly clusterIPs: readonly ServiceAddress[];
  readonly ports: readonly ServicePort[];
  /** Canonical, both families. */
  readonly externalIPs: readonly string[];
  /** `status.loadBalancer.ingress`; of a LoadBalancer without one, an assumed VIP. */
  readonly ingress: readonly LoadBalancerIngress[];
  /** Canonical CIDRs, both families; empty: no restriction. */
  readonly sourceRanges: readonly string[];
  readonly externalTrafficPolicy: 'Cluster' | 'Local';
  readonly internalTrafficPolicy: 'Cluster' | 'Local';
  /** ClientIP affinity, in seconds; absent: none. */
  readonly affinitySeconds?: number;
  readonly healthCheckNodePort?: number;
  readonly publishNotReadyAddresses: boolean;
  readonly trafficDistribution?: string;
  /** Given, mirrored from Endpoints, or computed as the EndpointSlice controller would. */
  readonly slices: readonly EndpointSlice[];
  readonly place?: Place;
}

export interface ServiceAddress {
  readonly ip: string;
  readonly family: 4 | 6;
  readonly invented: boolean;
}

export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly targetPort: number | string;
  readonly nodePort?: number;
  readonly nodePortInvented?: boolean;
}

export interface LoadBalancerIngress {
  readonly ip?: string;
  readonly hostname?: string;
  readonly ipMode: 'VIP' | 'Proxy';
  /** The input has no status: the address is from 198.51.100.0/24. */
  readonly assumed: boolean;
}

/** discovery.k8s.io/v1, of one Service. Slices of type FQDN are left out. */
export interface EndpointSlice {
  readonly name: string;
  readonly family: 4 | 6;
  readonly source: 'input' | 'endpoints' | 'computed';
  readonly ports: readonly {
    readonly name?: string;
    readonly port?: number;
    readonly protocol: 'tcp' | 'udp' | 'sctp';
  }[];
  readonly endpoints: readonly SliceEndpoint[];
  readonly place?: Place;
}

export interface SliceEndpoint {
  /** addresses[0], canonical. */
  readonly address: string;
  /** Index into `Cluster.pods`; absent: it names no Pod of the input. */
  readonly pod?: number;
  readonly nodeName?: string;
  readonly hostname?: string;
  readonly zone?: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly hints?: { readonly zones: readonly string[]; readonly nodes: readonly string[] };
}

/** A Service, and the port of it, that an Ingress sends to; neither needs to exist. */
export interface IngressBackend {
  readonly namespace: string;
  readonly ingress: string;
  readonly service: string;
  /** The Service's port, by number or by name. */
  readonly port: number | string;
  readonly place?: Place;
}

/** The fields of KubeProxyConfiguration that are modelled, with its defaults filled in. */
export interface KubeProxyConfig {
  readonly mode: 'iptables' | 'nftables' | 'ipvs' | 'none';
  /** Absent: ClusterCIDR detection degrades to none. One CIDR a family at most. */
  readonly clusterCIDR: readonly string[];
  readonly detectLocalMode:
    | 'ClusterCIDR'
    | 'NodeCIDR'
    | 'BridgeInterface'
    | 'InterfaceNamePrefix'
    | 'none';
  readonly detectLocal: {
    readonly bridgeInterface: string;
    readonly interfaceNamePrefix: string;
  };
  /** CIDRs, or `primary`; empty: not set. */
  readonly nodePortAddresses: readonly string[];
  /** Of the section of its mode (iptables, nftables, ipvs uses iptables'). */
  readonly masqueradeAll: boolean;
  readonly masqueradeBit: number;
  readonly localhostNodePorts: boolean;
  readonly ipvs: {
    readonly scheduler: string;
    readonly strictARP: boolean;
    readonly excludeCIDRs: readonly string[];
  };
  readonly tcpBeLiberal: boolean;
  readonly place?: Place;
}

/** Something the resolver had to decide or widen; becomes an assumption of the trace. */
export interface ClusterNote {
  readonly code:
    | 'plugin-default'
    | 'plugin-found'
    | 'plugin-traced-as-bridge'
    | 'plugin-enforces'
    | 'nodes-default'
    | 'node-made'
    | 'placement-invented'
    | 'address-invented'
    | 'cluster-ip-invented'
    | 'node-port-invented'
    | 'balancer-assumed'
    | 'range-widened'
    | 'range-apart'
    | 'node-ranges'
    | 'range-default'
    | 'underlay-default'
    | 'pod-template-hash'
    | 'dns-assumed';
  readonly subject: string;
  readonly values?: Readonly<Record<string, string | number>>;
  readonly place?: Place;
}

/** A resolved endpoint of a question. */
export type Target =
  | {
      readonly kind: 'container';
      readonly pod: number;
      readonly container?: string;
      readonly port?: number;
      readonly workload?: {
        readonly kind: string;
        readonly name: string;
        readonly replicas: number;
      };
    }
  | { readonly kind: 'node'; readonly node: string; readonly port?: number }
  | { readonly kind: 'ip'; readonly ip: Ip; readonly port?: number }
  /** Only of a destination. */
  | {
      readonly kind: 'service';
      /** Index into `services`. */
      readonly service: number;
      readonly port?: number;
      /** The name of one of its ports, as it was typed. */
      readonly portName?: string;
    }
  /** Only of a destination: a name that the source looks up. */
  | { readonly kind: 'name'; readonly name: string; readonly port?: number }
  | { readonly kind: 'external'; readonly port?: number };
