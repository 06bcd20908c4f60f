/**
 * Which server a new connection goes to (ip_vs_schedule, ip_vs_sched_persist; ip_vs_core.c). What a
 * scheduler picks depends on the connections before, on the order in which servers were added, or on
 * both: it is left to chance here, among those that may be picked at all.
 */
import {
  connectionIn,
  forgetConnection,
  type IpvsConnection,
  type IpvsFlow,
  invertIpvsFlow,
  templateOf,
} from './connection.ts';
import type { IpVsEnv } from './ip-vs-env.ts';
import type { IpvsPick } from './told.ts';
import type { RealServer, VirtualServer } from './virtual-server.ts';

/** Servers that get new connections. */
export const pickable = ({ servers }: VirtualServer): readonly RealServer[] =>
  servers.filter(({ weight }) => weight > 0);

const schedule = (env: IpVsEnv, virtual: VirtualServer): RealServer | undefined => {
  const servers = pickable(virtual);
  if (servers.length < 2) return servers[0];
  const picked = env.choose({
    by: 'ipvs',
    netns: env.netns.id,
    options: servers.length,
    at: `${virtual.ip}:${virtual.port}`,
  });
  return servers[picked];
};

const isServer = (one: IpvsConnection, { ip, port }: RealServer): boolean =>
  one.server.ip === ip && one.server.port === port;

/** The server of a connection as it is configured now; undefined: it was taken away. */
export const serverOf = ({ servers }: VirtualServer, one: IpvsConnection): RealServer | undefined =>
  servers.find((server) => isServer(one, server));

/** ip_vs_check_template: the template's server is still there, and quiescent ones do not count. */
const usable = (
  virtual: VirtualServer,
  template: IpvsConnection,
  expireQuiescent: boolean,
): boolean => {
  const server = serverOf(virtual, template);
  return server !== undefined && (server.weight > 0 || !expireQuiescent);
};

export type Scheduled =
  | { readonly kind: 'server'; readonly to: IpvsConnection; readonly pick: IpvsPick }
  /** It is a server's answer on its way out, and nothing to spread. */
  | { readonly kind: 'not-new' }
  | { readonly kind: 'none' };

/** IP_VS_CONN_F_TEMPLATE: a client is held by its address. */
const ANY_PORT = 0;

const persist = (
  env: IpVsEnv,
  virtual: VirtualServer,
  flow: IpvsFlow,
  expireQuiescent: boolean,
): Scheduled => {
  const { connections } = env;
  const { protocol, src, dst } = flow;
  let template = templateOf(connections, flow);
  let pick: IpvsPick = 'template';
  if (!template || !usable(virtual, template, expireQuiescent)) {
    const server = schedule(env, virtual);
    if (!server) return { kind: 'none' };
    if (template) forgetConnection(connections, template);
    const client = { ip: src.ip, port: ANY_PORT };
    const { ip, port } = server;
    template = { protocol, client, virtual: dst, server: { ip, port }, template: true };
    pick = 'scheduler';
    connections.push(template);
  }
  const { server } = template;
  const to: IpvsConnection = { protocol, client: src, virtual: dst, server, controlled: true };
  connections.push(to);
  return { kind: 'server', to, pick };
};

/**
 * Makes the connection of a first packet.
 * @param fromHere the packet was made on this machine, or came back to it over lo
 * @param expireQuiescent net.ipv4.vs.expire_quiescent_template
 */
export const ipVsSchedule = (
  env: IpVsEnv,
  virtual: VirtualServer,
  flow: IpvsFlow,
  { fromHere, expireQuiescent }: { readonly fromHere: boolean; readonly expireQuiescent: boolean },
): Scheduled => {
  const { connections } = env;
  if (fromHere && connectionIn(connections, invertIpvsFlow(flow))) return { kind: 'not-new' };
  if (virtual.persistent !== undefined) return persist(env, virtual, flow, expireQuiescent);
  const server = schedule(env, virtual);
  if (!server) return { kind: 'none' };
  const { ip, port } = server;
  const to: IpvsConnection = {
    protocol: flow.protocol,
    client: flow.src,
    virtual: flow.dst,
    server: { ip, port },
  };
  connections.push(to);
  return { kind: 'server', to, pick: 'scheduler' };
};
