/** A command that an operator types on a node or in a Pod, applied to a World. */
import { findDev, hasCarrier, portState } from '../../kernel/netdev.ts';
import { type NetlinkErrno, NetlinkError } from '../../kernel/netlink.ts';
import { cloneNetns, netnsOf } from '../../kernel/netns.ts';
import type { Origin } from '../../kernel/origin.ts';
import type { Netns, NetnsDynamic, NetnsId, World } from '../../kernel/world.ts';
import { createHost, refreshSegments, withDynamic, withHost } from '../../kernel/world-build.ts';
import { IPTABLES_COMMANDS } from '../iptables/command.ts';
import { IptablesError } from '../iptables/error.ts';
import { CommandError } from './command-error.ts';
import { type Command, parseCommand } from './parse-command.ts';
import { runCommand } from './run-command.ts';

export type CommandOutcome =
  | { readonly ok: true; readonly world: World }
  | {
      readonly ok: false;
      /** What the real tool prints where it would refuse too, else what is not understood. */
      readonly message: string;
      /** What to type instead. */
      readonly hint?: string;
    };

/** What to do about a refusal of the kernel, where its errno says so little. */
const HINTS: Readonly<Partial<Record<NetlinkErrno, string>>> = {
  EADDRNOTAVAIL: 'the addresses here: ip addr',
  EEXIST: 'it is there already; replace changes it',
  ENETDOWN: 'set the device up first: ip link set NAME up',
  ENETUNREACH: 'the gateway is on no link of this namespace; onlink takes it all the same',
  ENOENT: 'there is no such row',
  ESRCH: 'there is no such route: ip route show table all',
};

const FAULT: Origin = { by: 'fault', why: 'fault-command' };

/** What a learned row needs in order to stay: the device as it was, with a link. */
const settleNeighbours = (
  world: World,
  before: Netns,
  after: Netns,
  rows: NetnsDynamic['neighbours'],
): NetnsDynamic['neighbours'] =>
  rows.filter(({ ip, dev: ifname }) => {
    const dev = findDev(after, ifname);
    return (
      dev?.up === true &&
      dev.mac === findDev(before, ifname)?.mac &&
      hasCarrier(world, after, dev) &&
      !after.neighbours.some((row) => row.ip === ip && row.dev === ifname)
    );
  });

const settleFdb = (
  world: World,
  netns: Netns,
  fdb: NetnsDynamic['fdb'],
  gone?: { readonly mac: string; readonly dev: string },
): NetnsDynamic['fdb'] => {
  const settled: NetnsDynamic['fdb'] = new Map();
  for (const [owner, rows] of fdb) {
    const dev = findDev(netns, owner);
    if ((dev?.kind !== 'bridge' && dev?.kind !== 'vxlan') || !dev.up) continue;
    const written = new Set(dev.fdb.map(({ mac }) => mac));
    const kept = [...rows].filter(([mac, row]) => {
      if (written.has(mac) || (mac === gone?.mac && row.dev === gone.dev)) return false;
      if (dev.kind === 'vxlan') return true;
      const port = findDev(netns, row.dev);
      return port?.master === owner && portState(world, netns, port) !== 'disabled';
    });
    settled.set(owner, new Map(kept));
  }
  return settled;
};

/** Rows that a command asks to forget, though no program wrote them. */
const isForgotten = (command: Command, ip: string, dev: string): boolean => {
  switch (command.kind) {
    case 'neigh-del':
      return command.ip === ip && command.dev === dev;
    case 'neigh-flush':
      return (command.dev ?? dev) === dev && (command.ip ?? ip) === ip;
    default:
      return false;
  }
};

/**
 * What packets left behind, as far as it outlives the edit: neighbours go with a link or a MAC
 * (neigh_ifdown, neigh_carrier_down, neigh_changeaddr), bridge rows with their port
 * (br_fdb_delete_by_port), a tunnel's with the tunnel, and everything with a row written in its
 * place. Connections and path MTUs stay.
 */
const settle = (before: World, after: World, id: NetnsId, command: Command): World => {
  const host = after.host(netnsOf(after, id).host);
  const dynamic = new Map(after.dynamic);
  for (const netns of host.netns.values()) {
    const state = dynamic.get(netns.id);
    if (!state) continue;
    const rows = settleNeighbours(after, netnsOf(before, netns.id), netns, state.neighbours);
    dynamic.set(netns.id, {
      ...state,
      neighbours:
        netns.id === id ? rows.filter(({ ip, dev }) => !isForgotten(command, ip, dev)) : rows,
      fdb: settleFdb(
        after,
        netns,
        state.fdb,
        netns.id === id && command.kind === 'fdb-del' ? command.spec : undefined,
      ),
    });
  }
  return withDynamic(after, dynamic);
};

const edit = (world: World, id: NetnsId, command: Command, origin: Origin): World => {
  const host = world.host(netnsOf(world, id).host);
  const copy = createHost(host.name, [...host.netns.values()].map(cloneNetns), host.modules);
  const edited = withHost(world, copy);
  const others = runCommand({ world: edited, netns: netnsOf(edited, id), origin }, command);
  return settle(world, refreshSegments(edited, [id, ...others]), id, command);
};

/**
 * Applies one command (`ip link|addr|route|neigh|rule`, `bridge fdb|link`, `sysctl -w`, `iptables`)
 * in a namespace. The World given stays as it is; on failure nothing is applied. Rows that the
 * command makes carry the origin.
 * @throws {RangeError} when there is no such namespace
 */
export const applyCommand = (
  world: World,
  id: NetnsId,
  text: string,
  origin: Origin = FAULT,
): CommandOutcome => {
  try {
    return { ok: true, world: edit(world, id, parseCommand(text), origin) };
  } catch (error) {
    if (error instanceof CommandError)
      return {
        ok: false,
        message: error.message,
        ...(error.hint !== undefined && { hint: error.hint }),
      };
    if (error instanceof NetlinkError) {
      const hint = HINTS[error.errno];
      return { ok: false, message: error.message, ...(hint !== undefined && { hint }) };
    }
    if (error instanceof IptablesError)
      return {
        ok: false,
        message: error.line,
        ...(error.by === 'k8snet' && { hint: `understood: ${IPTABLES_COMMANDS}` }),
      };
    throw error;
  }
};
