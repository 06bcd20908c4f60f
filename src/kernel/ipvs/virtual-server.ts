/** Virtual servers and what is behind them (net/netfilter/ipvs/ip_vs_ctl.c; Linux 6.1). */
import type { Ip } from '../../wire/packet.ts';
import type { Origin } from '../origin.ts';

/** Schedulers of Linux 6.1 that kube-proxy and ipvsadm know by these names. */
export const SCHEDULERS = [
  'rr',
  'wrr',
  'lc',
  'wlc',
  'lblc',
  'lblcr',
  'sh',
  'dh',
  'sed',
  'nq',
  'mh',
  'fo',
  'ovf',
] as const;

export type Scheduler = (typeof SCHEDULERS)[number];

export type IpvsProtocol = 'tcp' | 'udp' | 'sctp';

export interface RealServer {
  readonly ip: Ip;
  readonly port: number;
  /** Of new connections; with 0 it gets none. */
  readonly weight: number;
  readonly origin?: Origin;
}

/** One address and port that connections are spread from. Servers are reached by NAT. */
export interface VirtualServer {
  readonly protocol: IpvsProtocol;
  readonly ip: Ip;
  readonly port: number;
  readonly scheduler: Scheduler;
  /** IP_VS_SVC_F_PERSISTENT: for how many seconds a client stays with its server. */
  readonly persistent?: number;
  /** IP_VS_SVC_F_SCHED1 and the like, of the scheduler's own meaning. */
  readonly flags?: readonly ('sh-fallback' | 'sh-port' | 'mh-fallback' | 'mh-port')[];
  /** In the order in which they were added; a kernel's own list is the other way round. */
  readonly servers: readonly RealServer[];
  readonly origin?: Origin;
}

/** By `virtualServerKey`. Empty: no hook is registered. */
export type VirtualServers = Map<string, VirtualServer>;

export const virtualServerKey = (protocol: IpvsProtocol, ip: Ip, port: number): string =>
  `${protocol} ${ip}:${port}`;

/** `ipvsadm -A` with all of its `ipvsadm -a`; takes the place of one with the same address and port. */
export const virtualServerSet = (servers: VirtualServers, server: VirtualServer): void => {
  servers.set(virtualServerKey(server.protocol, server.ip, server.port), server);
};
