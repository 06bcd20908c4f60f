/** The trace as data: `-o json` prints exactly this (design contract `k8snet/v1`). */
import type { NearMiss, RuleMiss, Tap, WireBroadcast } from '../kernel/event.ts';
import type { FdbEntry } from '../kernel/fdb.ts';
import type { FibEntry, FibRule } from '../kernel/fib.ts';
import type { Neigh } from '../kernel/neigh.ts';
import type { Origin } from '../kernel/origin.ts';
import type { Assumption } from '../kernel/probe.ts';
import type { DnsQuestion, DnsRcode, DnsRecord } from '../wire/dns.ts';
import type { Cidr, Ip, Layer, Mac, Unknown } from '../wire/packet.ts';
import type { Fix, Remedy } from './remedy.ts';
import type { StepKind, TraceEvent } from './trace-event.ts';

export type { NearMiss, RuleMiss, StepKind, Tap, TraceEvent, WireBroadcast };

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
  readonly detail: TraceEvent['detail'];
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

/** Rows of a namespace's tables, and an address of a device with its prefix. */
export interface CauseRows {
  readonly address?: Cidr;
  readonly route?: FibEntry;
  readonly ipRule?: FibRule;
  readonly neighbour?: Neigh;
  readonly fdb?: FdbEntry;
}

/** What is to be looked at and mended, as far as it is known by name, and where it is. */
export interface CauseSubject {
  readonly node: string;
  readonly netns: string;
  readonly device?: string;
  /** The bridge that the device is, or should be, a port of. */
  readonly bridge?: string;
  /** The machine at the other end of the wire. */
  readonly peer?: string;
  /** The link-layer address that the tunnel has no node for. */
  readonly mac?: Mac;
  /** The Service that was asked. */
  readonly service?: { readonly namespace: string; readonly name: string };
  /** Of rules for a Service: nobody writes any (mode none), or they were there before the faults. */
  readonly rules?: 'never-written' | 'gone';
  /** What decided, and should not. */
  readonly wrong?: CauseRows;
  /** What is not there because of the scenario's faults, or a route that would lead on. */
  readonly missing?: CauseRows;
}

/** A question to a name server, and what came of it. */
export interface DnsQuery extends DnsQuestion {
  readonly server: Ip;
  readonly transport: 'udp';
  /** Where a name server took it. */
  readonly takenBy?: { readonly node: string; readonly netns: string };
  /** Absent: no answer came, or nobody knows which. */
  readonly rcode?: DnsRcode;
  readonly answers: readonly DnsRecord[];
  /** The name server asks outside, where no input leads: the name that it asks for. */
  readonly forwarded?: string;
  /** How the packets fared, and what the resolver sees of it. */
  readonly disposition: Disposition;
  readonly symptom: Symptom;
  readonly cause?: CauseFact;
  readonly legs: readonly Leg[];
  /** Where chance picks the name server's Pod: which one the legs tell, and how the others fare. */
  readonly told?: Forks;
  readonly alternatives?: readonly Alternative[];
}

/** How a name became addresses, before the connection. */
export interface Resolution {
  readonly name: string;
  /** Where it was found, or looked for: a line of /etc/hosts, a name server, the records alone. */
  readonly by: 'hosts' | 'dns' | 'records';
  readonly resolvConf: {
    /** The Pod's dnsPolicy; `Node`: a machine that is no Pod. */
    readonly policy: 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None' | 'Node';
    readonly nameservers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
    readonly ndots: number;
    /** It begins with what the node's own file has, which no input shows. */
    readonly node: boolean;
  };
  readonly queries: readonly DnsQuery[];
  readonly outcome:
    | 'found'
    /** Every name that was asked for does not exist, or has no address. */
    | 'not-found'
    | 'unreachable'
    /** A fact is missing, or something on the way is not modelled. */
    | 'unknown';
  /** What the client may connect to, in the order of the answer. */
  readonly addresses: readonly Ip[];
  /** Names of the cluster that the name may have been meant to be. */
  readonly near?: readonly string[];
}

/** Filled by trace/: the code and the step. */
export interface CauseFact {
  readonly code: CauseCode;
  readonly step?: number;
  readonly origin?: Origin;
  readonly about?: CauseSubject;
  /** Of a name server that cannot be reached: why the query fails. */
  readonly inner?: CauseCode;
  /** With MODEL_UNSUPPORTED, where no packet was sent: what the question asks for. */
  readonly unmodelled?: UnmodelledQuestion;
}

/** What a question may ask for that has no answer here. */
export type UnmodelledQuestion =
  | 'sctp'
  | 'ipv6'
  | 'special-address'
  | 'balancer-proxy'
  | 'external-name'
  | 'range-too-small'
  | 'dns-over-tcp';

/** A question that contradicts itself, or leaves out what nobody else can say. */
export type Misuse =
  | { readonly code: 'unknown-source'; readonly from: string }
  | { readonly code: 'source-port'; readonly from: string }
  | { readonly code: 'port-needed'; readonly to: string; readonly protocol: string }
  | { readonly code: 'port-for-echo' }
  | { readonly code: 'two-ports'; readonly to: string; readonly port: number }
  /** Several probes show all ways in turn, and one way is asked for. */
  | { readonly code: 'repeat-one-way'; readonly backend: string }
  /** A backend is named, and the target is no Service. */
  | { readonly code: 'backend-without-service'; readonly to: string }
  | {
      readonly code: 'unknown-backend';
      readonly to: string;
      readonly backend: string;
      /** Those that there are. */
      readonly backends: readonly string[];
    };

/** What the JSON shows: the fact with the sentences that explain/ adds, and the remedy as data. */
export interface Cause extends CauseFact {
  readonly message: string;
  readonly remedy: Remedy;
  readonly fix: string;
  readonly check: string;
}

/** One of several ways that a question may go. */
export interface Alternative {
  /** What differs: who answers, through which machine, or another thing that chance decides. */
  readonly choice: 'backend' | 'node' | 'path';
  readonly name: string;
  /** Of a backend: `IP:port`, where the destination was rewritten. */
  readonly address?: string;
  /** The machine that the packet was sent through, where several would do. */
  readonly node?: string;
  readonly disposition: Disposition;
  readonly symptom: Symptom;
  readonly cause?: string;
}

/** Which of several ways is told in full, and how that one fares. */
export interface Forks extends Alternative {
  /** How many others were walked; absent: nobody looked at them. */
  readonly others?: number;
}

/** An address with its port, or with the id of an echo. */
export interface Socketed {
  readonly ip: Ip;
  readonly port?: number | Unknown;
}

/** The source of the request as the server's socket sees it. */
export interface SeenSource extends Socketed {
  /** Absent: it is the client's own. */
  readonly rewritten?: {
    /** The last step that rewrote it. */
    readonly step: number;
    readonly node: string;
    readonly netns: string;
    readonly was: Socketed;
  };
}

/** Where the request was sent in the end. */
export interface ReachedTarget extends Socketed {
  /** The last step that rewrote the destination. */
  readonly step: number;
}

/** A step with where it happened, so that it can stand without its trace. */
export interface PlacedStep {
  readonly direction: Leg['direction'];
  readonly packet: LegPacket;
  readonly node: string;
  readonly netns: string;
  readonly step: Step;
}

/** The same question, put to the cluster as it was before it was changed. */
export interface Before {
  /** What it leaves out: faults, `--set`, or both. */
  readonly without: 'faults' | 'overrides' | 'faults-and-overrides';
  readonly disposition: Disposition;
  readonly symptom: Symptom;
  readonly cause?: CauseCode;
  /** The first steps that differ; absent: both traces take the same steps. */
  readonly parts?: {
    /** Of the trace before; absent: it has ended there. */
    readonly before?: PlacedStep;
    /** The number of this trace's step; absent: it has ended there. */
    readonly step?: number;
  };
}

/** What a probe cost the kernels on its way. */
export interface Cost {
  readonly steps: number;
  readonly arpExchanges: number;
  /** Frames that devices sent for them, flooded copies included. */
  readonly arpFrames: number;
  /** Bridges that did not know behind which port a MAC address is. */
  readonly floods: number;
  /** Hooks at which the nat table was consulted. */
  readonly natLookups: number;
  /** Connections that conntrack has remembered since. */
  readonly newConnections: number;
}

/** A step that is otherwise than its counterpart, is gone, or is new. */
export interface Change {
  readonly was?: PlacedStep;
  readonly is?: PlacedStep;
}

/** The second probe, held against the first. */
export interface Warm {
  readonly first: Cost;
  readonly second: Cost;
  readonly changes: readonly Change[];
}

/**
 * How it went. mended: delivered and answered. not-enough: applied, and there is another cause.
 * advice: nothing that could be applied. refused: a command or patch of it is not accepted.
 * repeated: the next cause has the same fix.
 */
export type FixOutcome = 'mended' | 'not-enough' | 'advice' | 'refused' | 'repeated';

/** A fix that was tried, on top of those before it. */
export interface FixRound {
  /** The cause that it is for. */
  readonly for: CauseCode;
  readonly fix: Fix;
  readonly outcome: FixOutcome;
  /** Of the trace with the fix; absent where it was not applied. */
  readonly disposition?: Disposition;
  readonly symptom?: Symptom;
  /** Why it is refused. */
  readonly problem?: string;
}

/** The same question, put to the cluster with the fixes of its causes. */
export interface WithFix {
  readonly mended: boolean;
  /** None: there was nothing to mend. */
  readonly rounds: readonly FixRound[];
}

/** A trace before anybody wrote a sentence about it. */
export interface TraceFacts {
  readonly scenario: string;
  readonly probe: TraceProbe;
  readonly disposition: Disposition;
  readonly symptom: Symptom;
  readonly cause?: CauseFact;
  /** Where a name was asked for: how it was resolved before. Its steps come first. */
  readonly resolution?: Resolution;
  readonly legs: readonly Leg[];
  /** Where the cluster was changed (faults, `--set`): how the question fares without that. */
  readonly before?: Before;
  /** Only on the second probe (`--warm`): what the first one left behind changes. */
  readonly warm?: Warm;
  /** Only with `--with-fix`: what comes of the fix that the cause has. */
  readonly withFix?: WithFix;
  /** Absent: there is one way only. */
  readonly told?: Forks;
  readonly alternatives?: readonly Alternative[];
  /** Ways that nobody walked, since there are too many: so many at least. */
  readonly notWalked?: number;
  /** Absent: nothing took the request. */
  readonly sourceSeen?: SeenSource;
  /** Absent: nobody rewrote its destination. */
  readonly dnat?: ReachedTarget;
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
  /** Where a name was asked for: how it was resolved before. Its steps come first. */
  readonly resolution?: Resolution;
  readonly legs: readonly Leg[];
  /** Where the cluster was changed (faults, `--set`): how the question fares without that. */
  readonly before?: Before;
  /** Only on the second probe (`--warm`): what the first one left behind changes. */
  readonly warm?: Warm;
  /** Only with `--with-fix`: what comes of the fix that the cause has. */
  readonly withFix?: WithFix;
  /** Absent: there is one way only. */
  readonly told?: Forks;
  readonly alternatives?: readonly Alternative[];
  /** Ways that nobody walked, since there are too many: so many at least. */
  readonly notWalked?: number;
  /** Absent: nothing took the request. */
  readonly sourceSeen?: SeenSource;
  /** Absent: nobody rewrote its destination. */
  readonly dnat?: ReachedTarget;
  readonly assumptions: readonly string[];
}

/** How many of several probes ended so. */
export interface FateCount {
  readonly disposition: Disposition;
  readonly probes: number;
}

/** A backend, or a machine on the way, with the probes that came to it. */
export interface RepeatTarget extends Pick<Alternative, 'choice' | 'name' | 'address' | 'node'> {
  readonly probes: number;
  readonly fates: readonly FateCount[];
}

/**
 * Whether a probe goes where the one before it went. pinned: chance picked once, and a later probe is
 * held to that. none: chance, or the client, picks each time. no-choice: it never had a choice.
 */
export type Affinity = 'pinned' | 'none' | 'no-choice';

/** What several probes, one after the other, come to. */
export interface RepeatSummary {
  readonly probes: number;
  readonly fates: readonly FateCount[];
  /** In the order in which they were met first; none where all probes go one way. */
  readonly targets: readonly RepeatTarget[];
  /** Absent: no two probes came the same way to where a backend is picked. */
  readonly affinity?: Affinity;
}

/** What `--repeat` prints as JSON. */
export interface TraceList {
  readonly apiVersion: 'k8snet/v1';
  readonly kind: 'TraceList';
  readonly items: readonly Trace[];
  readonly summary: RepeatSummary;
}

/** The closed list of causes (docs/causes.md has a page on each that can occur). */
export type CauseCode =
  | 'SRC_NOT_RUNNING'
  | 'DST_NOT_RUNNING'
  | 'UNKNOWN_DST_IP'
  | 'DUPLICATE_IP'
  | 'DNS_NXDOMAIN'
  | 'DNS_UNREACHABLE'
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
  | 'PROXY_ARP_OFF'
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
  | 'NETPOL_INGRESS_DEFAULT_DENY'
  | 'NETPOL_EGRESS_DEFAULT_DENY'
  | 'NETPOL_EXPLICIT_DENY'
  | 'FIREWALL_DROP'
  | 'FIREWALL_REJECT'
  | 'CHAIN_POLICY_DROP'
  | 'ECHO_IGNORED'
  | 'NO_LISTENER'
  | 'LISTENER_WRONG_ADDR'
  | 'NO_SNAT_FOR_EGRESS'
  | 'CT_INVALID'
  | 'CT_TABLE_FULL'
  | 'REPLY_ASYMMETRIC'
  | 'REPLY_NO_SESSION'
  | 'REPLY_NO_ROUTE'
  | 'STALE_ENDPOINT'
  | 'SVC_NOT_FOUND'
  | 'SVC_PORT_MISMATCH'
  | 'SVC_CLUSTER_ONLY'
  | 'SVC_NO_ENDPOINTS'
  | 'SVC_TARGET_PORT_UNRESOLVED'
  | 'SVC_NO_LOCAL_ENDPOINT'
  | 'SVC_SOURCE_RANGE_DENIED'
  | 'SVC_PROXY_NOT_PROGRAMMED'
  | 'SVC_PROXY_STALE'
  | 'SVC_HAIRPIN_NO_MASQ'
  | 'HAIRPIN_MODE_OFF'
  | 'SVC_FAMILY_MISMATCH'
  | 'BRIDGE_NF_OFF'
  | 'MODEL_UNSUPPORTED'
  | 'FACT_MISSING';
