/** The state of a namespace as an operator reads it, for expectations written by hand. */
import { findTable, type TableName } from '../../src/kernel/netfilter/ruleset.ts';
import { netnsOf } from '../../src/kernel/netns.ts';
import type { Netns, World } from '../../src/kernel/world.ts';
import { iptablesSave, printRule } from '../../src/userland/iptables/print.ts';
import { bridgeFdb, ipNeigh, ipRoute } from '../../src/userland/print/show.ts';

/** `ifname flags mtu MTU [master M] address…`, in order of ifindex. */
export const devices = (netns: Netns): string[] =>
  netns.devices.map((dev) =>
    [
      dev.ifname,
      dev.up ? 'up' : 'down',
      ...(dev.promisc ? ['promisc'] : []),
      `mtu ${dev.mtu}`,
      ...(dev.master === undefined ? [] : [`master ${dev.master}`]),
      ...(dev.port?.hairpin ? ['hairpin'] : []),
      ...(dev.port?.isolated ? ['isolated'] : []),
      ...dev.addresses.map(
        ({ ip, prefix, broadcast }) => `${ip}/${prefix}${broadcast ? ` brd ${broadcast}` : ''}`,
      ),
    ].join(' '),
  );

export const routes = (world: World, id: string): string[] => ipRoute(world, netnsOf(world, id));

export const localRoutes = (world: World, id: string): string[] =>
  ipRoute(world, netnsOf(world, id), 255);

export const neighbours = (world: World, id: string): string[] =>
  ipNeigh(world, netnsOf(world, id));

export const fdb = (world: World, id: string): string[] => bridgeFdb(world, netnsOf(world, id));

/** The rules without the lines that every table has, and without those of kubelet and kube-proxy. */
export const rules = (netns: Netns): string[] =>
  iptablesSave(netns.netfilter).filter(
    (line) => (line.startsWith('-A') || /^:[^ ]+ -/.test(line)) && !/[ :]KUBE-/.test(line),
  );

/** The rules of one chain, in their order. */
export const rulesOf = (netns: Netns, table: TableName, chain: string): string[] =>
  (findTable(netns.netfilter, table)?.chains.find(({ name }) => name === chain)?.rules ?? []).map(
    printRule,
  );

export const sysctls = (netns: Netns): string[] =>
  [...netns.sysctls].map(([key, { value }]) => `${key} = ${value}`);
