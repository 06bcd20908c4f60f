/** What a command does to one namespace, through netlink and procfs as the real tools do it. */

import { TABLE_MAIN } from '../../kernel/fib.ts';
import { findDev, hasCarrier, portsOf, vethPeer } from '../../kernel/netdev.ts';
import {
  addrAdd,
  addrDel,
  fdbAdd,
  fdbDel,
  linkAdd,
  linkAddVeth,
  linkDel,
  linkSet,
  NetlinkError,
  neighAdd,
  neighDel,
  portSet,
  type RouteSpec,
  routeAdd,
  routeDel,
  ruleAdd,
  ruleDel,
} from '../../kernel/netlink.ts';
import { netnsOf } from '../../kernel/netns.ts';
import type { Origin } from '../../kernel/origin.ts';
import type { BridgePort, Netdev, Netns, World } from '../../kernel/world.ts';
import { runIptables } from '../iptables/command.ts';
import type { FdbCommand } from './bridge-fdb.ts';
import { CommandError } from './command-error.ts';
import type { NeighCommand } from './ip-neigh.ts';
import type { Command } from './parse-command.ts';
import { writeSysctls } from './write-sysctl.ts';

/** Where a command runs: a namespace that may be changed, in a World that finds its neighbours. */
export interface Place {
  readonly world: World;
  readonly netns: Netns;
  readonly origin: Origin;
}

const needDev = (
  { netns }: Place,
  ifname: string,
  message = `Cannot find device "${ifname}"`,
): Netdev => {
  const dev = findDev(netns, ifname);
  if (!dev)
    throw new CommandError(
      message,
      `devices here: ${netns.devices.map((one) => one.ifname).join(', ')}`,
    );
  return dev;
};

const setPort = (place: Place, ifname: string, port: Partial<BridgePort>): void => {
  const { world, netns, origin } = place;
  const dev = needDev(place, ifname, `Cannot find bridge device "${ifname}"`);
  if (dev.master === undefined)
    throw new CommandError(
      'RTNETLINK answers: Operation not supported',
      `${ifname} is not a port of a bridge`,
    );
  const { state } = port;
  // br_set_port_state (net/bridge/br_netlink.c).
  if (state !== undefined && (!dev.up || (state !== 'disabled' && !hasCarrier(world, netns, dev))))
    throw new CommandError('RTNETLINK answers: Network is down', `${ifname} has no link`);
  // Without STP br_port_state_selection lets a blocking port forward at once.
  portSet(netns, ifname, state === 'blocking' ? { ...port, state: 'forwarding' } : port, origin);
};

/** fdb_add and fdb_delete ask either the device itself or the bridge that it is a port of. */
const checkFdb = (place: Place, { side, spec }: FdbCommand): void => {
  const dev = needDev(place, spec.dev);
  if (side === 'master' && dev.master === undefined)
    throw new CommandError(
      'RTNETLINK answers: Operation not supported',
      `${spec.dev} is not a port of a bridge`,
    );
  if (side === 'self' && dev.kind === 'vxlan' && spec.dst === undefined && dev.master !== undefined)
    throw new CommandError('RTNETLINK answers: Invalid argument', 'a row of a tunnel has a dst');
  if (side === 'self' && dev.kind !== 'vxlan' && dev.kind !== 'bridge')
    throw new CommandError(
      `a row of ${spec.dev} itself is no row of a bridge, and is not modelled`,
      'for a row of the bridge add the word master',
    );
  if (dev.kind !== 'vxlan' && spec.dst !== undefined)
    throw new CommandError(
      'RTNETLINK answers: Operation not supported',
      'dst is for vxlan devices',
    );
  if (dev.kind === 'bridge' && spec.state === 'static')
    throw new CommandError(
      'RTNETLINK answers: Invalid argument',
      'a row of the bridge itself is permanent',
    );
};

/** Whether the row is one that packets left behind; it goes with the World's dynamic state. */
const learnedFdb = (place: Place, { side, spec }: FdbCommand): boolean => {
  const { world, netns } = place;
  const dev = needDev(place, spec.dev);
  const owner = side === 'master' ? dev.master : dev.ifname;
  const row = world.dynamic
    .get(netns.id)
    ?.fdb.get(owner ?? '')
    ?.get(spec.mac);
  return row !== undefined && row.dev === spec.dev && (spec.dst ?? row.dst) === row.dst;
};

const learnedNeigh = ({ world, netns }: Place, ip: string, dev: string): boolean =>
  world.dynamic.get(netns.id)?.neighbours.some((row) => row.ip === ip && row.dev === dev) ?? false;

const runNeigh = (place: Place, command: NeighCommand): void => {
  const { netns, origin } = place;
  switch (command.kind) {
    case 'neigh-add': {
      const { mode, spec } = command;
      needDev(place, spec.dev);
      const known =
        learnedNeigh(place, spec.ip, spec.dev) ||
        netns.neighbours.some((row) => row.ip === spec.ip && row.dev === spec.dev);
      if (mode === 'add' && known) throw new NetlinkError('EEXIST');
      if (mode === 'change' && !known) throw new NetlinkError('ENOENT');
      neighAdd(netns, spec, origin, 'replace');
      return;
    }
    case 'neigh-del': {
      const { ip, dev } = command;
      needDev(place, dev);
      // The learned entry goes with the World's dynamic state (apply-command.ts).
      const written = netns.neighbours.some((row) => row.ip === ip && row.dev === dev);
      if (written || !learnedNeigh(place, ip, dev)) neighDel(netns, ip, dev);
      return;
    }
    case 'neigh-flush': {
      if (command.dev !== undefined) needDev(place, command.dev);
      for (const { ip, dev, state } of [...netns.neighbours])
        if (
          (command.dev ?? dev) === dev &&
          (command.ip ?? ip) === ip &&
          state !== 'PERMANENT' &&
          state !== 'NOARP'
        )
          neighDel(netns, ip, dev);
      return;
    }
    default: {
      const never: never = command;
      throw new TypeError(`not a command: ${never}`);
    }
  }
};

const flushRoutes = (place: Place, wanted: Partial<RouteSpec>): void => {
  const { netns } = place;
  if (wanted.dev !== undefined) needDev(place, wanted.dev);
  const table = wanted.table ?? TABLE_MAIN;
  if (table !== TABLE_MAIN && !netns.routes.some((row) => row.table === table))
    throw new CommandError('Error: ipv4: FIB table does not exist.', 'nothing is in that table');
  for (const row of [...netns.routes])
    if (
      row.table === table &&
      (wanted.dev ?? row.dev) === row.dev &&
      (wanted.protocol ?? row.protocol) === row.protocol &&
      (wanted.dst ?? row.dst) === row.dst
    )
      routeDel(netns, row);
};

const flushAddresses = ({ netns }: Place, ifname: string): void => {
  for (let dev = findDev(netns, ifname); dev?.addresses[0]; dev = findDev(netns, ifname)) {
    const { ip, prefix } = dev.addresses[0];
    addrDel(netns, ifname, ip, prefix);
  }
};

const addAddress = (
  place: Place,
  { dev, spec, replace }: Extract<Command, { kind: 'addr-add' }>,
): void => {
  const { addresses } = needDev(place, dev);
  const known = addresses.some(({ ip, prefix }) => ip === spec.ip && prefix === spec.prefix);
  if (!replace || !known) addrAdd(place.netns, dev, spec, place.origin);
};

/**
 * br_stp_enable_port (net/bridge/br_stp_if.c): a port whose link comes back starts anew, whatever
 * state was written before. That is the device itself, a bridge's ports, and a veth's other end.
 */
const restartPorts = ({ world, netns, origin }: Place, dev: Netdev): readonly string[] => {
  const end = vethPeer(world, dev);
  const ports = [
    ...[dev, ...portsOf(netns, dev.ifname)].map((port) => ({ netns, port })),
    ...(end ? [{ netns: end.netns, port: end.dev }] : []),
  ];
  return ports.flatMap(({ netns: home, port }) => {
    if (port.master === undefined || (port.port?.state ?? 'forwarding') === 'forwarding') return [];
    portSet(home, port.ifname, { state: 'forwarding' }, origin);
    return [home.id];
  });
};

const setLink = (
  place: Place,
  { dev, change, port }: Extract<Command, { kind: 'link-set' }>,
): readonly string[] => {
  const { netns, origin } = place;
  const { up } = needDev(place, dev);
  const { master } = change;
  if (typeof master === 'string')
    needDev(place, master, `Error: argument "${master}" is wrong: Device does not exist`);
  if (port) setPort(place, dev, port);
  if (Object.keys(change).length === 0) return [];
  const changed = linkSet(netns, dev, change, origin);
  return changed.up === up ? [] : restartPorts(place, changed);
};

/** The namespaces that a command changed, by id: its own, and that of a veth's other end. */
const removeLink = (place: Place, ifname: string): readonly string[] => {
  const { world, netns } = place;
  const dev = needDev(place, ifname);
  if (dev.kind === 'physical')
    throw new CommandError(`${ifname} is a network card: it cannot be deleted`, 'set it down');
  const peer = vethPeer(world, dev);
  linkDel(netns, ifname, (id) => (id === netns.id ? netns : netnsOf(world, id)));
  return peer ? [peer.netns.id] : [];
};

/** vxlan_vni_in_use (drivers/net/vxlan/vxlan_core.c): one device a VNI and port. */
const checkVni = ({ netns }: Place, { spec }: Extract<Command, { kind: 'link-add' }>): void => {
  if (spec.kind !== 'vxlan') return;
  const dstport = spec.dstport ?? 8472;
  for (const dev of netns.devices)
    if (dev.kind === 'vxlan' && dev.vni === spec.vni && dev.dstport === dstport)
      throw new CommandError(
        'Error: A VXLAN device with the specified VNI already exists.',
        `${dev.ifname} has id ${spec.vni}`,
      );
};

/**
 * Runs a command on `place.netns`, in place.
 * @returns ids of other namespaces that it changed
 * @throws {CommandError | NetlinkError | IptablesError} for what iproute2 or the kernel would
 *   refuse; the namespace may be half changed then and is to be thrown away
 */
export const runCommand = (place: Place, command: Command): readonly string[] => {
  const { netns, origin } = place;
  switch (command.kind) {
    case 'link-set':
      return setLink(place, command);
    case 'link-add':
      if (command.spec.kind === 'vxlan' && command.spec.lower !== undefined)
        needDev(place, command.spec.lower);
      checkVni(place, command);
      if (netns.devices.some(({ ifindex }) => ifindex === command.spec.ifindex))
        throw new NetlinkError('EEXIST');
      linkAdd(netns, command.spec, origin);
      return [];
    case 'veth-add':
      linkAddVeth(netns, command.ifname, netns, command.peer, command.spec, origin);
      return [];
    case 'link-del':
      return removeLink(place, command.dev);
    case 'addr-add':
      addAddress(place, command);
      return [];
    case 'addr-del':
      needDev(place, command.dev);
      addrDel(netns, command.dev, command.ip, command.prefix);
      return [];
    case 'addr-flush':
      needDev(place, command.dev, `Device "${command.dev}" does not exist.`);
      flushAddresses(place, command.dev);
      return [];
    case 'route-add':
      if (command.spec.dev !== undefined) needDev(place, command.spec.dev);
      routeAdd(netns, command.spec, origin, command.mode);
      return [];
    case 'route-del':
      if (command.spec.dev !== undefined) needDev(place, command.spec.dev);
      routeDel(netns, command.spec);
      return [];
    case 'route-flush':
      flushRoutes(place, command.spec);
      return [];
    case 'rule-add':
      ruleAdd(netns, command.spec, origin);
      return [];
    case 'rule-del':
      ruleDel(netns, command.selector);
      return [];
    case 'rule-flush':
      for (const rule of netns.rules.filter(({ priority }) => priority !== 0)) ruleDel(netns, rule);
      return [];
    case 'neigh-add':
    case 'neigh-del':
    case 'neigh-flush':
      runNeigh(place, command);
      return [];
    case 'fdb-add':
      checkFdb(place, command);
      fdbAdd(netns, command.spec, origin, command.mode);
      return [];
    case 'fdb-del':
      checkFdb(place, command);
      if (!learnedFdb(place, command)) fdbDel(netns, command.spec);
      return [];
    case 'port-set':
      setPort(place, command.dev, command.port);
      return [];
    case 'sysctl':
      writeSysctls(netns, command.writes, origin);
      return [];
    case 'iptables':
      runIptables(netns.netfilter, command.words, origin);
      return [];
    default: {
      const never: never = command;
      throw new TypeError(`not a command: ${never}`);
    }
  }
};
