/** What a user sends: one question to a World. */
import type { Ip, Opaque } from '../wire/packet.ts';
import type { Origin } from './origin.ts';
import type { NetnsId } from './world.ts';

export interface Probe {
  /** The namespace whose socket sends, and the process (container) that holds the socket. */
  readonly from: { readonly netns: NetnsId; readonly process?: string };
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly dst: Ip;
  readonly dport?: number;
  /** Fixed, so that the trace shows the port that a real socket is bound to. Echo: the id. */
  readonly sport: number;
  /** Bound source address; absent: the route chooses. */
  readonly src?: Ip;
  /** Bytes of application data. TCP sends them after the handshake. Absent: 0 (echo 56). */
  readonly size?: number;
  /** UDP: what the datagram carries, in place of `size` bytes of nothing. */
  readonly payload?: Opaque;
  /** UDP: what whoever gets it answers; absent: as many bytes as it got. */
  readonly answer?: Opaque;
  /** The process that is meant to answer: another one's listener on that port is a refusal. */
  readonly expect?: { readonly netns: NetnsId; readonly process?: string };
  /** Initial TTL; absent: the namespace's ip_default_ttl. */
  readonly ttl?: number;
  /** What chance picks, in the order in which the kernels ask (`choice.ts`); then the first option. */
  readonly picks?: readonly number[];
}

/** Something about the input that the trace had to take for granted. Codes, not sentences. */
export interface Assumption {
  readonly code: AssumptionCode;
  readonly subject: string;
  readonly values?: Readonly<Record<string, string | number>>;
  readonly origin?: Origin;
}

export type AssumptionCode =
  | 'plugin-default'
  | 'plugin-found'
  | 'plugin-traced-as-bridge'
  | 'plugin-enforces'
  | 'nodes-default'
  | 'node-made'
  | 'address-invented'
  | 'cluster-ip-invented'
  | 'node-port-invented'
  | 'balancer-assumed'
  | 'placement-invented'
  | 'range-widened'
  | 'range-apart'
  | 'node-ranges'
  | 'node-listeners'
  | 'range-default'
  | 'listener-assumed'
  | 'listener-declared'
  | 'external-answers'
  | 'pod-template-hash'
  | 'dns-assumed'
  | 'dns-outside'
  | 'dns-root'
  | 'representative'
  | 'not-running-ready'
  | 'underlay-default'
  | 'config-not-modelled'
  | 'port-chosen';
