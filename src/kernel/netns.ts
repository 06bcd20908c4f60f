/** Network namespaces: how one starts, how it is found, and how it is copied before an edit. */
import { ZERO_MAC } from '../wire/packet.ts';
import type { FibRule } from './fib.ts';
import { TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN } from './fib.ts';

import { cloneIpSets } from './netfilter/ipset.ts';
import { cloneNftTable } from './netfilter/nft-table.ts';

import type { Origin } from './origin.ts';
import type { ListenerPolicy, Netns, NetnsId, Process, World } from './world.ts';

const DEFAULT_RULE: Origin = { by: 'kernel', why: 'default-rule' };

/** The three rules that every namespace starts with (fib_default_rules_init, net/ipv4/fib_rules.c). */
export const DEFAULT_RULES: readonly FibRule[] = (
  [
    [0, TABLE_LOCAL],
    [32766, TABLE_MAIN],
    [32767, TABLE_DEFAULT],
  ] as const
).map(([priority, table]) => ({
  priority,
  action: { kind: 'table', table },
  origin: DEFAULT_RULE,
}));

export interface NetnsSpec {
  readonly host: string;
  /** `host` for the machine's own namespace, else what people call it (`default/pod-a`). */
  readonly name: string;
  readonly holder?: Process;
  readonly members?: readonly Process[];
  /** Absent: every port without a socket refuses, as the kernel does. */
  readonly listeners?: ListenerPolicy;
}

/**
 * A new namespace as the kernel makes it (setup_net, net/core/net_namespace.c): a loopback device
 * that is down and has no address, the three default rules, and nothing else. Sysctls are the
 * kernel's defaults, never those of a parent namespace.
 */
export const createNetns = (spec: NetnsSpec): Netns => ({
  id: `${spec.host}/${spec.name}`,
  host: spec.host,
  name: spec.name,
  ...(spec.holder && { holder: spec.holder }),
  members: [...(spec.members ?? [])],
  devices: [
    {
      kind: 'loopback',
      ifindex: 1,
      ifname: 'lo',
      mac: ZERO_MAC,
      mtu: 65536,
      up: false,
      addresses: [],
      origin: { by: 'kernel', why: 'loopback' },
    },
  ],
  rules: [...DEFAULT_RULES],
  routes: [],
  neighbours: [],
  sysctls: new Map(),
  netfilter: { tables: [] },
  netfilter6: { tables: [] },
  ipsets: new Map(),
  ipvs: new Map(),
  sockets: [],
  listeners: spec.listeners ?? { unlisted: 'refused' },
});

type Hosts = Pick<World, 'host'>;

// Asked at every hop of every packet; taking the id apart each time costs more than the answer.
const found = new WeakMap<Hosts, Map<NetnsId, Netns>>();

const findNetns = (world: Hosts, id: NetnsId): Netns => {
  const slash = id.indexOf('/');
  const netns = world.host(id.slice(0, slash)).netns.get(id.slice(slash + 1));
  if (!netns) throw new RangeError(`no network namespace ${id}`);
  return netns;
};

/**
 * The namespace of an id; compiles its host if nobody needed it yet.
 * @throws {RangeError} when there is no such host or namespace
 */
export const netnsOf = (world: Hosts, id: NetnsId): Netns => {
  let known = found.get(world);
  if (!known) {
    known = new Map();
    found.set(world, known);
  }
  const netns = known.get(id) ?? findNetns(world, id);
  known.set(id, netns);
  return netns;
};

/** A copy that netlink may change while the original stays as it is. */
export const cloneNetns = (netns: Netns): Netns => ({
  ...netns,
  members: [...netns.members],
  devices: [...netns.devices],
  rules: [...netns.rules],
  routes: [...netns.routes],
  neighbours: [...netns.neighbours],
  sysctls: new Map(netns.sysctls),
  netfilter: {
    ...netns.netfilter,
    tables: netns.netfilter.tables.map((table) => ({
      ...table,
      chains: table.chains.map((chain) => ({ ...chain, rules: [...chain.rules] })),
    })),
    ...(netns.netfilter.nft && { nft: netns.netfilter.nft.map(cloneNftTable) }),
  },
  ipsets: cloneIpSets(netns.ipsets),
  ipvs: new Map(netns.ipvs),
  sockets: [...netns.sockets],
});
