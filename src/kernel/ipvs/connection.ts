/** Connections that IPVS spreads, and the templates that keep a client with its server (ip_vs_conn.c). */
import type { Ip, Ipv4, Unknown } from '../../wire/packet.ts';
import type { IpvsProtocol } from './virtual-server.ts';

type Port = number | Unknown;

export interface IpvsEnd {
  readonly ip: Ip;
  readonly port: Port;
}

export interface IpvsConnection {
  readonly protocol: IpvsProtocol;
  readonly client: IpvsEnd;
  readonly virtual: IpvsEnd;
  readonly server: IpvsEnd;
  /** Where a persistent client belongs; not a connection itself, and its client has no port. */
  readonly template?: true;
  /** Made after a template, which outlives it (IPVS: it has a `control`). */
  readonly controlled?: true;
  /** TCP: a RST went by (IP_VS_TCP_S_CLOSE). */
  readonly closed?: true;
}

/** What identifies a packet's connection: its ends, either way round. */
export interface IpvsFlow {
  readonly protocol: IpvsProtocol;
  readonly src: IpvsEnd;
  readonly dst: IpvsEnd;
}

/** Undefined for what IPVS has nothing to do with. */
export const ipvsFlowOf = ({ src, dst, payload }: Ipv4): IpvsFlow | undefined =>
  payload.type === 'tcp' || payload.type === 'udp'
    ? {
        protocol: payload.type,
        src: { ip: src, port: payload.sport },
        dst: { ip: dst, port: payload.dport },
      }
    : undefined;

export const invertIpvsFlow = ({ protocol, src, dst }: IpvsFlow): IpvsFlow => ({
  protocol,
  src: dst,
  dst: src,
});

/** A port that only a running kernel knows is the same value wherever packets carry it. */
const sameEnd = (a: IpvsEnd, b: IpvsEnd): boolean => a.ip === b.ip && a.port === b.port;

/** ip_vs_conn_in_get: from a client to a virtual server. */
export const connectionIn = (
  connections: readonly IpvsConnection[],
  { protocol, src, dst }: IpvsFlow,
): IpvsConnection | undefined =>
  connections.find(
    (one) =>
      one.template !== true &&
      one.protocol === protocol &&
      sameEnd(one.client, src) &&
      sameEnd(one.virtual, dst),
  );

/** ip_vs_conn_out_get: from a server back to the client. */
export const connectionOut = (
  connections: readonly IpvsConnection[],
  { protocol, src, dst }: IpvsFlow,
): IpvsConnection | undefined =>
  connections.find(
    (one) =>
      one.template !== true &&
      one.protocol === protocol &&
      sameEnd(one.server, src) &&
      sameEnd(one.client, dst),
  );

/** ip_vs_ct_in_get. */
export const templateOf = (
  connections: readonly IpvsConnection[],
  { protocol, src, dst }: IpvsFlow,
): IpvsConnection | undefined =>
  connections.find(
    (one) =>
      one.template === true &&
      one.protocol === protocol &&
      one.client.ip === src.ip &&
      sameEnd(one.virtual, dst),
  );

export const forgetConnection = (connections: IpvsConnection[], one: IpvsConnection): void => {
  const at = connections.indexOf(one);
  if (at >= 0) connections.splice(at, 1);
};

/** set_tcp_state, as far as it matters for a next connection from the same port. */
export const closeOnReset = (
  connections: IpvsConnection[],
  one: IpvsConnection,
  { payload }: Ipv4,
): void => {
  if (payload.type !== 'tcp' || !payload.flags.includes('rst')) return;
  const at = connections.indexOf(one);
  if (at >= 0) connections[at] = { ...one, closed: true };
};
