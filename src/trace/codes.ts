/** The closed lists of a trace as values: for schemas, and to check what people write. */
import type { CauseCode, Disposition, StepKind, Symptom } from './trace.ts';

/** A list that the compiler holds to be complete. */
const allOf =
  <Union extends string>() =>
  <const List extends readonly Union[]>(
    list: [Union] extends [List[number]] ? List : never,
  ): readonly Union[] =>
    list;

export const DISPOSITIONS = allOf<Disposition>()([
  'delivered',
  'refused',
  'rejected',
  'dropped',
  'looped',
  'reply-lost',
  'ambiguous',
  'inconclusive',
]);

export const SYMPTOMS = allOf<Symptom>()([
  'connected',
  'timeout',
  'connection refused',
  'connection reset',
  'no route to host',
  'network unreachable',
  'invalid argument',
  'permission denied',
  'message too long',
  'name not found',
  'hangs on large data',
  'protocol not available',
  'unknown',
]);

export const STEP_KINDS = allOf<StepKind>()([
  'socket',
  'route',
  'neighbour',
  'transmit',
  'receive',
  'bridge',
  'encapsulate',
  'decapsulate',
  'hook',
  'rule',
  'nat',
  'conntrack',
  'policy',
  'forward',
  'size',
  'wire',
  'deliver',
  'drop',
]);

export const CAUSE_CODES = allOf<CauseCode>()([
  'SRC_NOT_RUNNING',
  'DST_NOT_RUNNING',
  'UNKNOWN_DST_IP',
  'DUPLICATE_IP',
  'LINK_MISSING',
  'LINK_DOWN',
  'VETH_PEER_BROKEN',
  'BRIDGE_DETACHED',
  'BRIDGE_PORT_STATE',
  'NO_ROUTE',
  'ROUTE_BLACKHOLE',
  'ROUTE_UNREACHABLE',
  'ROUTE_PROHIBIT',
  'ROUTE_THROW',
  'ROUTE_WRONG_DEV',
  'ROUTE_WRONG_NEXTHOP',
  'ROUTE_WRONG_NET',
  'ROUTE_SHADOWED',
  'POLICY_RULE_DIVERTED',
  'NEIGH_FAILED',
  'PROXY_ARP_OFF',
  'IP_FORWARD_OFF',
  'IF_FORWARD_OFF',
  'RP_FILTER_DROP',
  'MARTIAN_OR_NONROUTABLE',
  'TTL_EXCEEDED',
  'MTU_EXCEEDED_DF',
  'PMTU_BLACKHOLE',
  'TUNNEL_MISSING',
  'VTEP_NEIGH_MISSING',
  'VTEP_FDB_MISSING',
  'VTEP_FDB_WRONG',
  'ENCAP_ENDPOINT_MISMATCH',
  'UNDERLAY_BLOCKED',
  'FIREWALL_DROP',
  'FIREWALL_REJECT',
  'CHAIN_POLICY_DROP',
  'ECHO_IGNORED',
  'NO_LISTENER',
  'LISTENER_WRONG_ADDR',
  'NO_SNAT_FOR_EGRESS',
  'CT_INVALID',
  'REPLY_ASYMMETRIC',
  'REPLY_NO_SESSION',
  'REPLY_NO_ROUTE',
  'MODEL_UNSUPPORTED',
  'FACT_MISSING',
]);
