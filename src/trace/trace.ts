/** The trace as data: `-o json` prints exactly this (design contract `k8snet/v1`). */
import type { KernelEvent, NearMiss, StepKind, Tap, WireBroadcast } from '../kernel/event.ts';
import type { Origin } from '../kernel/origin.ts';
import type { Assumption } from '../kernel/probe.ts';
import type { Layer } from '../wire/packet.ts';

export type { KernelEvent, NearMiss, StepKind, Tap, WireBroadcast };

export type Disposition =
  | 'delivered'
  | 'refused'
  | 'rejected'
  | 'dropped'
  | 'looped'
  | 'reply-lost'
  | 'ambiguous'
  | 'inconclusive';

/** What the application sees. */
export type Symptom =
  | 'connected'
  | 'timeout'
  | 'connection refused'
  | 'connection reset'
  | 'no route to host'
  | 'network unreachable'
  | 'invalid argument'
  | 'permission denied'
  | 'message too long'
  | 'name not found'
  | 'hangs on large data'
  | 'protocol not available'
  /** Only with an inconclusive disposition: nobody knows. */
  | 'unknown';

/** One visit to one namespace, and what happened there. */
export interface Step {
  /** Runs through all legs, from 1, without gaps. */
  readonly n: number;
  readonly kind: StepKind;
  readonly device?: string;
  readonly action: string;
  readonly detail: KernelEvent['detail'];
  readonly origin?: Origin;
  /** On `transmit` and `receive`: what a non-promiscuous capture on `device` shows. */
  readonly packet?: readonly Layer[];
}

export interface Hop {
  readonly node: string;
  /** `host` or `namespace/pod`. */
  readonly netns: string;
  readonly steps: readonly Step[];
}

export type LegPacket =
  | 'syn'
  | 'synack'
  | 'rst'
  | 'ack'
  | 'data'
  | 'datagram'
  | 'echo'
  | 'echo-reply'
  | 'icmp-error';

export interface Leg {
  readonly direction: 'request' | 'reply';
  readonly packet: LegPacket;
  readonly disposition: Disposition;
  readonly hops: readonly Hop[];
}

/** What a person named, and what it turned out to be. */
export interface EndpointRef {
  /** As typed. */
  readonly text: string;
  readonly kind: 'pod' | 'node' | 'service' | 'ip' | 'external' | 'name';
  readonly namespace?: string;
  readonly name?: string;
  readonly container?: string;
  readonly ip?: string;
  readonly node?: string;
  /** When a workload stood for its first Pod. */
  readonly workload?: { readonly kind: string; readonly name: string; readonly replicas: number };
}

export interface TraceProbe {
  readonly from: EndpointRef;
  readonly to: EndpointRef;
  readonly protocol: string;
  readonly port?: number;
  readonly sourcePort?: number;
  readonly size?: number;
}

/** Filled by trace/: the code and the step. */
export interface CauseFact {
  readonly code: CauseCode;
  readonly step?: number;
  readonly origin?: Origin;
  /** With MODEL_UNSUPPORTED, where no packet was sent: what the question asks for. */
  readonly unmodelled?: UnmodelledQuestion;
}

/** What a question may ask for that has no answer here. */
export type UnmodelledQuestion =
  | 'sctp'
  | 'ipv6'
  | 'special-address'
  | 'service-address'
  | 'host-port'
  | 'node-port'
  | 'range-too-small';

/** A question that contradicts itself, or leaves out what nobody else can say. */
export type Misuse =
  | { readonly code: 'unknown-source'; readonly from: string }
  | { readonly code: 'source-port'; readonly from: string }
  | { readonly code: 'port-needed'; readonly to: string; readonly protocol: string }
  | { readonly code: 'port-for-echo' }
  | { readonly code: 'two-ports'; readonly to: string; readonly port: number }
  /** An expectation names a backend, and its target is no Service. */
  | { readonly code: 'backend-without-service'; readonly to: string };

/** What the JSON shows: the fact with the sentences that explain/ adds. */
export interface Cause extends CauseFact {
  readonly message: string;
  readonly fix: string;
  readonly check: string;
}

export interface Alternative {
  readonly choice: 'backend' | 'node' | 'path';
  readonly name: string;
  readonly disposition: Disposition;
  readonly cause?: string;
}

/** A trace before anybody wrote a sentence about it. */
export interface TraceFacts {
  readonly scenario: string;
  readonly probe: TraceProbe;
  readonly disposition: Disposition;
  readonly symptom: Symptom;
  readonly cause?: CauseFact;
  readonly legs: readonly Leg[];
  readonly alternatives?: readonly Alternative[];
  readonly assumptions: readonly Assumption[];
}

/** What `-o json` prints. */
export interface Trace {
  readonly apiVersion: 'k8snet/v1';
  readonly kind: 'Trace';
  readonly scenario: string;
  readonly probe: TraceProbe;
  readonly disposition: Disposition;
  readonly symptom: Symptom;
  readonly cause?: Cause;
  readonly legs: readonly Leg[];
  readonly alternatives?: readonly Alternative[];
  readonly assumptions: readonly string[];
}

/** The closed list of causes (docs/causes.md has a page on each that can occur). */
export type CauseCode =
  | 'SRC_NOT_RUNNING'
  | 'DST_NOT_RUNNING'
  | 'UNKNOWN_DST_IP'
  | 'DUPLICATE_IP'
  | 'LINK_MISSING'
  | 'LINK_DOWN'
  | 'VETH_PEER_BROKEN'
  | 'BRIDGE_DETACHED'
  | 'BRIDGE_PORT_STATE'
  | 'NO_ROUTE'
  | 'ROUTE_BLACKHOLE'
  | 'ROUTE_UNREACHABLE'
  | 'ROUTE_PROHIBIT'
  | 'ROUTE_THROW'
  | 'ROUTE_WRONG_DEV'
  | 'ROUTE_WRONG_NEXTHOP'
  | 'ROUTE_WRONG_NET'
  | 'ROUTE_SHADOWED'
  | 'POLICY_RULE_DIVERTED'
  | 'NEIGH_FAILED'
  | 'IP_FORWARD_OFF'
  | 'IF_FORWARD_OFF'
  | 'RP_FILTER_DROP'
  | 'MARTIAN_OR_NONROUTABLE'
  | 'TTL_EXCEEDED'
  | 'MTU_EXCEEDED_DF'
  | 'PMTU_BLACKHOLE'
  | 'TUNNEL_MISSING'
  | 'VTEP_NEIGH_MISSING'
  | 'VTEP_FDB_MISSING'
  | 'VTEP_FDB_WRONG'
  | 'ENCAP_ENDPOINT_MISMATCH'
  | 'UNDERLAY_BLOCKED'
  | 'FIREWALL_DROP'
  | 'FIREWALL_REJECT'
  | 'CHAIN_POLICY_DROP'
  | 'NO_LISTENER'
  | 'LISTENER_WRONG_ADDR'
  | 'NO_SNAT_FOR_EGRESS'
  | 'CT_INVALID'
  | 'REPLY_ASYMMETRIC'
  | 'REPLY_NO_ROUTE'
  | 'MODEL_UNSUPPORTED'
  | 'FACT_MISSING';
