/** Who programmed a piece of kernel state, for which object, from which line. */
export interface Origin {
  readonly by:
    | 'kernel'
    | 'kubelet'
    | 'cni'
    | 'kube-proxy'
    | 'policy'
    | 'fault'
    | 'scenario'
    | 'dump';
  readonly why: OriginWhy;
  readonly object?: OriginObject;
  /** Without a line for what the command line says. */
  readonly at?: { readonly file: string; readonly line?: number; readonly column?: number };
}

/** The Kubernetes object (opaque to the kernel) that a row was made for. */
export interface OriginObject {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly field?: string;
}

/** Why the row exists: a closed list. Explanations map it to sentences; nobody parses it. */
export type OriginWhy =
  | 'loopback'
  | 'address'
  | 'connected-route'
  | 'local-route'
  | 'broadcast-route'
  | 'default-rule'
  | 'sysctl-default'
  | 'pod-container'
  | 'pod-veth'
  | 'pod-address'
  | 'pod-default-route'
  | 'pod-cluster-route'
  | 'pod-range-route'
  | 'pod-sysctl'
  | 'bridge-device'
  | 'bridge-gateway'
  | 'bridge-port'
  | 'ip-masq'
  | 'tunnel-device'
  | 'tunnel-address'
  | 'tunnel-neighbour'
  | 'tunnel-fdb'
  | 'peer-route'
  | 'blackhole-route'
  | 'forward-accept'
  | 'masquerade-rule'
  | 'localnet-guard'
  | 'proxy-chain'
  | 'proxy-mark'
  | 'proxy-masquerade'
  | 'proxy-invalid-drop'
  | 'proxy-forward'
  | 'node-port-entry'
  | 'service-cluster-ip'
  | 'service-external-ip'
  | 'service-load-balancer'
  | 'service-node-port'
  | 'service-health-check'
  | 'service-no-endpoints'
  | 'service-no-local-endpoints'
  | 'service-port-undefined'
  | 'cluster-ip-unallocated'
  | 'service-source-range'
  | 'service-firewall'
  | 'service-cluster-masquerade'
  | 'service-external-masquerade'
  | 'service-local-pod'
  | 'service-local-node'
  | 'service-external-policy'
  | 'service-affinity'
  | 'service-backend'
  | 'endpoint-hairpin'
  | 'endpoint-address'
  | 'host-port-entry'
  | 'host-port'
  | 'host-port-masquerade'
  | 'balancer-route'
  | 'service-address'
  | 'node-nic'
  | 'node-address'
  | 'node-default-route'
  | 'node-sysctl'
  | 'gateway-route'
  /** The network's router knows that the range is the cluster's, and has no way to it. */
  | 'unrouted-range'
  | 'listener'
  | 'node-listener'
  | 'external-listener'
  /** Of an agent that enforces NetworkPolicies by rules. */
  | 'policy-established'
  | 'policy-own-node'
  | 'policy-self'
  | 'policy-dispatch'
  | 'policy-accept'
  | 'policy-pass'
  | 'policy-deny'
  | 'policy-ingress-default-deny'
  | 'policy-egress-default-deny'
  | 'policy-undecided'
  | 'fault-command'
  | 'break-command'
  | 'arp-learned'
  | 'bridge-learned';
