/** What a trace may ask about the policies of its cluster; whoever knows the objects answers. */
import type { Origin } from '../kernel/origin.ts';
import type { NetnsId } from '../kernel/world.ts';
import type { Ip } from '../wire/packet.ts';

/** One packet at one end, with the addresses that it carries there. */
export interface PolicyQuery {
  readonly direction: 'ingress' | 'egress';
  /** The Pod's own namespace. */
  readonly netns: NetnsId;
  /** The other end's address at this point. */
  readonly peer: Ip;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  /** Of the destination, after DNAT; absent: an echo. */
  readonly port?: number;
}

/** How the policies of one end see a packet. */
export interface PolicyFacts {
  readonly direction: 'ingress' | 'egress';
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
  /** The rule that matched, else the nearest one that did not; from 0. */
  readonly rule?: PolicyRuleRow;
  /** Where the policy stands. */
  readonly at?: Origin['at'];
}

export interface PolicyRuleRow {
  readonly index: number;
  readonly name?: string;
  readonly peer: boolean;
  readonly port: boolean;
  /** Of the rule as it is written, for people: `podSelector app=web`, `TCP 80-90`. */
  readonly peers: readonly string[];
  readonly ports: readonly string[];
  readonly at?: Origin['at'];
}

export interface PolicyView {
  /** Somebody enforces policies on the nodes (`policyEngine`). */
  readonly enforced: boolean;
  /** Undefined: no policy selects the Pod in this direction, or the namespace is no Pod's. */
  ask(query: PolicyQuery): PolicyFacts | undefined;
}
