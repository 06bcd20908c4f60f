/** What a trace may ask about the policies of its cluster; whoever knows the objects answers. */
import type { NftTableName } from '../kernel/netfilter/nft-table.ts';
import type { Origin } from '../kernel/origin.ts';
import type { NetnsId } from '../kernel/world.ts';
import type { Ip, Layer } from '../wire/packet.ts';

export type PolicySide = 'ingress' | 'egress';

/** One packet at one end, with the addresses that it carries there. */
export interface PolicyQuery {
  readonly direction: PolicySide;
  /** The Pod's own namespace. */
  readonly netns: NetnsId;
  /** The other end's address at this point. */
  readonly peer: Ip;
  /** A process of the Pod's own node has sent it, from whatever address of the node. */
  readonly fromOwnNode?: true;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  /** Of the destination, after DNAT; absent: an echo. */
  readonly port?: number;
}

/** How the policies of one end see a packet. */
export interface PolicyFacts {
  readonly direction: PolicySide;
  /** `namespace/name` of the Pod whose policies are asked. */
  readonly pod: string;
  /** What the peer is known as: `shop/web-1`, `node-1`, or the address alone. */
  readonly peer: {
    readonly ip: Ip;
    readonly name?: string;
    readonly kind: 'pod' | 'node' | 'outside';
  };
  readonly protocol: string;
  readonly port?: number;
  readonly decision: 'allow' | 'deny' | 'unknown';
  readonly by: 'self' | 'own-node' | 'host-network' | 'not-isolated' | 'rule' | 'default-deny';
  /** Every policy that selects the Pod in this direction, in the order of evaluation. */
  readonly policies: readonly PolicyRow[];
}

export interface PolicyRow {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly tier: 'admin' | 'network-policy' | 'baseline';
  readonly priority?: number;
  readonly outcome: 'accepts' | 'denies' | 'passes' | 'silent' | 'unknown' | 'not-asked';
  /** How many rules it has in this direction. */
  readonly rules: number;
  /** The rule that matched, else the nearest one that did not. */
  readonly rule?: PolicyRuleRow;
  /** Where the policy stands. */
  readonly at?: Origin['at'];
}

export interface PolicyRuleRow {
  /** From 0. */
  readonly index: number;
  readonly name?: string;
  /** Whether it has the peer, and the port. */
  readonly peer: boolean;
  readonly port: boolean;
  /** Of the rule as it is written, for people: `Pods app=web`, `TCP 80-90`; empty: every one. */
  readonly peers: readonly string[];
  readonly ports: readonly string[];
  /** Of a rule that does not match: what its nearest peer and port ask for and do not find. */
  readonly lacks?: readonly PolicyLack[];
  readonly at?: Origin['at'];
}

/** One condition that does not hold: what would have to change, there or here. */
export interface PolicyLack {
  readonly what:
    | 'pod-label'
    | 'namespace-label'
    /** It is about Pods of the policy's own namespace. */
    | 'namespace'
    | 'address'
    /** It is about Pods, or about nodes, and the peer is none. */
    | 'kind'
    | 'protocol'
    | 'port';
  /** As it is written: `app=web`, `10.0.0.0/8`, `TCP 80`. */
  readonly wanted: string;
  /** What there is; empty: nothing of that kind. */
  readonly found: string;
}

export interface PolicyView {
  /** The table that enforces policies on every node; absent: nobody does. */
  readonly enforcedBy?: NftTableName;
  /** Undefined: the namespace is no Pod's. Without a policy that selects it: `not-isolated`. */
  ask(query: PolicyQuery): PolicyFacts | undefined;
}

/**
 * What policies say where the packet of a new connection meets them. `escaped`: they are enforced,
 * and no hook on the packet's way has their rules. `not-isolated`: no policy selects the Pod.
 */
export interface PolicyEvent {
  readonly kind: 'policy';
  readonly netns: NetnsId;
  readonly action: 'allowed' | 'denied' | 'unknown' | 'not-enforced' | 'escaped' | 'not-isolated';
  readonly detail: PolicyFacts;
  readonly device?: string;
  readonly origin?: Origin;
  readonly packet?: readonly Layer[];
}
