/** Reads back what the kernel holds after a build, and tells where that is not the World. */

import type { FibEntry } from '../kernel/fib.ts';
import { operstate } from '../kernel/netdev.ts';
import type { Netdev, Netns, World } from '../kernel/world.ts';
import { parseCidr } from '../wire/ip.ts';
import type { Job } from './agent.ts';

/** What to run in a namespace so that `differences` can judge it. */
export const readBack = (ns: string): readonly Job[] => [
  {
    ns,
    argv: ['ip', '-j', '-d', '-4', '-batch', '-'],
    input: [
      'link show',
      'addr show',
      'route show table all',
      'rule show',
      'neigh show nud all',
      '',
    ].join('\n'),
  },
  { ns, argv: ['bridge', '-j', 'fdb', 'show'] },
];

interface LinkJson {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly master?: string;
  readonly operstate: string;
  readonly address?: string;
  readonly linkinfo?: {
    readonly info_data?: {
      readonly id?: number;
      readonly local?: string;
      readonly link?: string;
      readonly port?: number;
      readonly learning?: boolean;
    };
    readonly info_slave_data?: {
      readonly state: string;
      readonly hairpin: boolean;
      readonly learning: boolean;
      readonly flood: boolean;
      readonly isolated: boolean;
    };
  };
  readonly addr_info?: readonly {
    readonly local?: string;
    readonly prefixlen?: number;
    readonly broadcast?: string;
    readonly scope?: string;
    readonly secondary?: boolean;
  }[];
}

interface RouteJson {
  readonly type: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly table?: string;
  readonly protocol: string;
  readonly scope: string;
  readonly prefsrc?: string;
  readonly metric?: number;
  readonly flags: readonly string[];
  readonly nexthops?: readonly {
    readonly gateway?: string;
    readonly dev: string;
    readonly weight: number;
    readonly flags: readonly string[];
  }[];
  readonly metrics?: readonly { readonly mtu?: number }[];
}

interface RuleJson {
  readonly priority: number;
  readonly src?: string;
  readonly srclen?: number;
  readonly dst?: string;
  readonly dstlen?: number;
  readonly iif?: string;
  readonly oif?: string;
  readonly fwmark?: string;
  readonly fwmask?: string;
  readonly table?: string;
  readonly action?: string;
}

interface NeighJson {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
  readonly state: readonly string[];
}

interface FdbJson {
  readonly mac: string;
  readonly ifname: string;
  readonly dst?: string;
  readonly flags: readonly string[];
  readonly master?: string;
  readonly state: string;
}

const TABLES: Readonly<Record<string, number>> = { local: 255, main: 254, default: 253 };

const cidr = (ip: string): string => (ip.includes('/') ? ip : `${ip}/32`);

const routeOf = (row: RouteJson): string =>
  [
    row.type,
    row.dst === 'default' ? '0.0.0.0/0' : cidr(row.dst),
    row.gateway ?? '-',
    row.dev ?? '-',
    TABLES[row.table ?? 'main'] ?? row.table,
    row.scope,
    row.metric ?? 0,
    row.prefsrc ?? '-',
    row.flags.includes('onlink') ? 'onlink' : '-',
    row.metrics?.[0]?.mtu ?? 0,
    ...(row.nexthops ?? []).map(({ gateway = '-', dev, weight, flags }) =>
      [gateway, dev, weight, ...(flags.includes('onlink') ? ['onlink'] : [])].join(' '),
    ),
  ].join(' ');

const worldRoute = (row: FibEntry): string =>
  [
    row.type,
    row.dst,
    row.via ?? '-',
    row.dev ?? '-',
    row.table,
    row.scope,
    row.metric,
    row.src ?? '-',
    row.onlink === true ? 'onlink' : '-',
    row.mtu ?? 0,
    ...(row.nexthops ?? []).map(({ via = '-', dev, weight, onlink }) =>
      [via, dev, weight, ...(onlink ? ['onlink'] : [])].join(' '),
    ),
  ].join(' ');

const ruleOf = (row: RuleJson): string =>
  [
    row.priority,
    row.src === undefined || row.src === 'all' ? 'all' : `${row.src}/${row.srclen ?? 32}`,
    row.dst === undefined || row.dst === 'all' ? 'all' : `${row.dst}/${row.dstlen ?? 32}`,
    row.iif ?? '-',
    row.oif ?? '-',
    Number(row.fwmark ?? 0),
    row.table === undefined ? row.action : (TABLES[row.table] ?? row.table),
  ].join(' ');

const worldRule = (row: Netns['rules'][number]): string =>
  [
    row.priority,
    row.from === undefined || parseCidr(row.from).prefix === 0 ? 'all' : row.from,
    row.to === undefined || parseCidr(row.to).prefix === 0 ? 'all' : row.to,
    row.iif ?? '-',
    row.oif ?? '-',
    row.fwmark?.mark ?? 0,
    row.action.kind === 'table' ? row.action.table : row.action.kind,
  ].join(' ');

const linkOf = (row: LinkJson): string =>
  [
    row.ifindex,
    row.ifname,
    row.address ?? '-',
    row.mtu,
    row.flags.includes('UP') ? 'up' : 'down',
    row.master ?? '-',
    row.linkinfo?.info_data?.id ?? '-',
    row.linkinfo?.info_data?.local ?? '-',
    row.linkinfo?.info_data?.port ?? '-',
  ].join(' ');

const worldLink = (dev: Netdev): string => {
  const tunnel = dev.kind === 'vxlan' ? dev : undefined;
  return [
    dev.ifindex,
    dev.ifname,
    dev.mac,
    dev.mtu,
    dev.up ? 'up' : 'down',
    dev.master ?? '-',
    tunnel?.vni ?? '-',
    tunnel?.local ?? '-',
    tunnel?.dstport ?? '-',
  ].join(' ');
};

const portOf = ({ ifname, linkinfo }: LinkJson): string[] => {
  const port = linkinfo?.info_slave_data;
  if (port === undefined) return [];
  return [[ifname, port.hairpin, port.learning, port.flood, port.isolated].join(' ')];
};

const worldPort = ({ ifname, master, port }: Netdev): string[] =>
  master === undefined || port === undefined
    ? []
    : [[ifname, port.hairpin, port.learning, port.flood, port.isolated].join(' ')];

const addressesOf = (row: LinkJson): string[] =>
  (row.addr_info ?? []).flatMap((addr) =>
    addr.local === undefined
      ? []
      : [
          `${row.ifname} ${addr.local}/${addr.prefixlen} ${addr.broadcast ?? '-'} ${addr.scope}` +
            `${addr.secondary === true ? ' secondary' : ''}`,
        ],
  );

const worldAddresses = (dev: Netdev): string[] =>
  dev.addresses.map(
    (addr) =>
      `${dev.ifname} ${addr.ip}/${addr.prefix} ${addr.broadcast ?? '-'} ${addr.scope}` +
      `${addr.secondary === true ? ' secondary' : ''}`,
  );

/** A physical device is a veth here, which calls the same state by another name. */
const stateName = (text: string): string => (text === 'LOWERLAYERDOWN' ? 'DOWN' : text);

const compareSets = (
  where: string,
  what: string,
  world: readonly string[],
  kernel: readonly string[],
): string[] => {
  const spare = [...kernel];
  const absent: string[] = [];
  for (const row of world) {
    const at = spare.indexOf(row);
    if (at < 0) absent.push(row);
    else spare.splice(at, 1);
  }
  return [
    ...absent.map((row) => `${where}: ${what} only in the World: ${row}`),
    ...spare.map((row) => `${where}: ${what} only in the kernel: ${row}`),
  ];
};

/** MACs that bridges and filters hold rows of; the zero MAC of loopback is a tunnel's default row. */
const ownMacs = ({ devices }: Netns): ReadonlySet<string> =>
  new Set(devices.filter(({ kind }) => kind !== 'loopback').map(({ mac }) => mac));

/** Rows of multicast and of the devices' own MACs come and go with the devices; nobody wrote them. */
const fdbOf = (rows: readonly FdbJson[], netns: Netns): string[] => {
  const own = new Set(netns.devices.map(({ mac }) => mac));
  return rows
    .filter(
      ({ mac, dst, state }) =>
        (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0 &&
        state !== '' &&
        (dst !== undefined || !own.has(mac)),
    )
    .map(({ mac, ifname, dst }) => `${mac} ${ifname} ${dst ?? '-'}`);
};

const worldFdb = (dev: Netdev, netns: Netns): string[] => {
  if (dev.kind !== 'bridge' && dev.kind !== 'vxlan') return [];
  const own = ownMacs(netns);
  return dev.fdb
    .filter(({ mac }) => dev.kind === 'vxlan' || !own.has(mac))
    .map((row) => `${row.mac} ${row.dev} ${row.dst ?? '-'}`);
};

/**
 * What the kernel holds and the World does not, or the other way round, one line each.
 * @param outputs standard output of the two jobs of `readBack`
 */
export const differences = (
  world: World,
  netns: Netns,
  outputs: readonly [ip: string, fdb: string],
): string[] => {
  const [links = [], addrs = [], routes = [], rules = [], neighs = []] = outputs[0]
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown) as [
    LinkJson[]?,
    LinkJson[]?,
    RouteJson[]?,
    RuleJson[]?,
    NeighJson[]?,
  ];
  const fdb = JSON.parse(outputs[1] === '' ? '[]' : outputs[1]) as FdbJson[];
  const { id, devices } = netns;
  const set = (what: string, wanted: readonly string[], found: readonly string[]): string[] =>
    compareSets(id, what, wanted, found);
  return [
    ...set('link', devices.map(worldLink), links.map(linkOf)),
    ...set(
      'state',
      devices.map((dev) => `${dev.ifname} ${stateName(operstate(world, netns, dev))}`),
      links.map((row) => `${row.ifname} ${stateName(row.operstate)}`),
    ),
    ...set('port', devices.flatMap(worldPort), links.flatMap(portOf)),
    ...set('address', devices.flatMap(worldAddresses), addrs.flatMap(addressesOf)),
    ...set('route', netns.routes.map(worldRoute), routes.map(routeOf)),
    ...set('rule', netns.rules.map(worldRule), rules.map(ruleOf)),
    ...set(
      'neighbour',
      netns.neighbours.map((row) => `${row.ip} ${row.dev} ${row.lladdr ?? '-'} ${row.state}`),
      neighs
        .filter(({ dst }) => !dst.startsWith('224.'))
        .map((row) => `${row.dst} ${row.dev} ${row.lladdr ?? '-'} ${row.state.join()}`),
    ),
    ...set(
      'fdb',
      devices.flatMap((dev) => worldFdb(dev, netns)),
      fdbOf(fdb, netns),
    ),
  ];
};
