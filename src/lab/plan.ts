/** What has to be typed so that a real kernel holds exactly the state of a World. */

import type { FibEntry, FibRule, Nexthop } from '../kernel/fib.ts';
import type { IfAddr, Netdev, Netns, Segment, World } from '../kernel/world.ts';
import { cidrContains } from '../wire/ip.ts';

/** The namespace that holds all wires, and nothing else. */
export const WIRES = 'wires';

/**
 * Milliseconds between two ARP requests: a neighbour that nobody answers for fails in 0.3 s. Who
 * answers for another (proxy_arp) would wait up to 0.8 s, and must not.
 */
const ARP_RETRANS_MS = 100;

/** Everything a lab needs to know of one namespace of the World. */
export interface SpacePlan {
  /** Its name under `ip netns`. */
  readonly name: string;
  readonly netns: Netns;
  /** Input of `ip -batch`: devices whose creation is this namespace's task. */
  readonly create: readonly string[];
  /** Input of `ip -batch`, once all devices of all namespaces exist. */
  readonly configure: readonly string[];
  /** Input of `bridge -batch`. */
  readonly bridge: readonly string[];
  /** Input of `ip -batch`, once all devices of all namespaces are up. */
  readonly route: readonly string[];
}

export interface LabPlan {
  readonly spaces: readonly SpacePlan[];
  readonly names: ReadonlyMap<string, string>;
  readonly wires: {
    readonly create: readonly string[];
    readonly configure: readonly string[];
    readonly bridge: readonly string[];
    /** Input of `nft -f`; empty when no wire is cut. */
    readonly cuts: string;
  };
}

/** All namespaces of a World, every host compiled, in the World's order. */
export const netnsesOf = (world: World): Netns[] =>
  world.hostNames.flatMap((name) => [...world.host(name).netns.values()]);

/** Index, address and MTU of a device are the World's, never left to the kernel. */
const head = (dev: Netdev, mtu = dev.mtu): string =>
  `name ${dev.ifname} index ${dev.ifindex} address ${dev.mac} mtu ${mtu}`;

/** Outer headers of a VXLAN frame and the inner Ethernet header, in bytes. */
const VXLAN_OVERHEAD = 50;

/**
 * A tunnel is never made larger than its lower device carries, but may be left so when that device
 * shrinks afterwards: the lower device starts with room for it.
 */
const roomBelow = ({ ifname, mtu }: Netdev, { devices }: Netns): number =>
  Math.max(
    mtu,
    ...devices.flatMap((dev) =>
      dev.kind === 'vxlan' && dev.lower === ifname ? [dev.mtu + VXLAN_OVERHEAD] : [],
    ),
  );

const end = (dev: Netdev, netns: string): string => `${head(dev)} netns ${netns}`;

/** A veth pair is made by the end that comes first; `first` says which that is. */
const createVeth = (
  dev: Netdev & { kind: 'veth' },
  first: boolean,
  lookUp: (id: string, ifname: string) => Netdev | undefined,
  names: ReadonlyMap<string, string>,
  lonely: () => string,
): string[] => {
  const peer = dev.peer && lookUp(dev.peer.netns, dev.peer.ifname);
  if (dev.peer === undefined || peer === undefined) {
    return [`link add ${head(dev)} type veth peer name ${lonely()} netns ${WIRES}`];
  }
  if (!first) return [];
  return [`link add ${head(dev)} type veth peer ${end(peer, names.get(dev.peer.netns) ?? '')}`];
};

const createVxlan = (dev: Netdev & { kind: 'vxlan' }): string =>
  [
    `link add ${head(dev)} type vxlan id ${dev.vni} dstport ${dev.dstport}`,
    dev.local === undefined ? '' : `local ${dev.local}`,
    dev.lower === undefined ? '' : `dev ${dev.lower}`,
    dev.learning ? 'learning' : 'nolearning',
    dev.ttl === 0 ? '' : `ttl ${dev.ttl}`,
  ].join(' ');

const createBridge = (dev: Netdev & { kind: 'bridge' }): string =>
  `link add ${head(dev)} type bridge forward_delay 0 mcast_snooping 0 stp_state 0` +
  `${dev.vlanFiltering ? ' vlan_filtering 1' : ''} ageing_time ${dev.ageingSeconds * 100}`;

const onOff = (value: boolean): string => (value ? 'on' : 'off');

const addAddress = (addr: IfAddr, ifname: string): string =>
  `addr add ${addr.ip}/${addr.prefix}` +
  `${addr.broadcast === undefined ? '' : ` broadcast ${addr.broadcast}`}` +
  ` scope ${addr.scope} dev ${ifname}`;

const configureLink = (dev: Netdev): string[] => [
  ...(dev.master === undefined ? [] : [`link set ${dev.ifname} master ${dev.master}`]),
  ...dev.addresses.map((addr) => addAddress(addr, dev.ifname)),
  ...(dev.promisc === true ? [`link set ${dev.ifname} promisc on`] : []),
];

const STATES = { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 } as const;

/** `bridge` commands for one device: as a port, as a bridge, as a tunnel. */
const bridgeCommands = (dev: Netdev): string[] => {
  const lines: string[] = [];
  const { port } = dev;
  if (dev.master !== undefined && port !== undefined) {
    lines.push(
      `link set dev ${dev.ifname} hairpin ${onOff(port.hairpin)} learning ${onOff(port.learning)}` +
        ` flood ${onOff(port.flood)} isolated ${onOff(port.isolated)}`,
    );
    if (dev.up && port.state !== 'forwarding') {
      lines.push(`link set dev ${dev.ifname} state ${STATES[port.state]}`);
    }
  }
  if (dev.kind === 'bridge') {
    for (const row of dev.fdb) {
      const how = row.dev === dev.ifname ? 'self' : 'master';
      const state = row.local === true ? 'local' : row.state === 'static' ? 'static' : 'permanent';
      lines.push(`fdb replace ${row.mac} dev ${row.dev} ${how} ${state}`);
    }
  }
  if (dev.kind === 'vxlan') {
    for (const row of dev.fdb) {
      const to = row.dst === undefined ? '' : ` dst ${row.dst}`;
      lines.push(`fdb append ${row.mac} dev ${dev.ifname}${to} self permanent`);
    }
  }
  return lines;
};

/** One row as `ip route` takes it. */
export const routeText = (row: FibEntry): string =>
  [
    row.type,
    row.dst,
    row.via === undefined ? '' : `via ${row.via}`,
    row.dev === undefined ? '' : `dev ${row.dev}`,
    `table ${row.table} proto ${row.protocol} scope ${row.scope} metric ${row.metric}`,
    row.src === undefined ? '' : `src ${row.src}`,
    row.mtu === undefined || row.mtu === 0 ? '' : `mtu ${row.mtu}`,
    row.onlink === true ? 'onlink' : '',
    ...(row.nexthops ?? []).map(hopText),
  ]
    .filter((part) => part !== '')
    .join(' ');

const hopText = ({ via, dev, weight, onlink }: Nexthop): string =>
  `nexthop${via === undefined ? '' : ` via ${via}`} dev ${dev} weight ${weight}${onlink ? ' onlink' : ''}`;

/** fib_check_nh wants a gateway on a link: a row whose link row is gone borrows one for a moment. */
const appendRoute = (row: FibEntry, all: readonly FibEntry[]): string[] => {
  const add = `route append ${routeText(row)}`;
  const loans = (row.nexthops ?? [row]).flatMap(({ via, dev, onlink }) => {
    if (via === undefined || dev === undefined || onlink === true) return [];
    const reachable = all.some(
      (other) =>
        other.type === 'unicast' &&
        other.via === undefined &&
        !other.nexthops &&
        other.dev === dev &&
        other.table === row.table &&
        cidrContains(other.dst, via),
    );
    return reachable ? [] : [`${via}/32 dev ${dev} scope link proto 99 table ${row.table}`];
  });
  const lent = [...new Set(loans)];
  return [
    ...lent.map((loan) => `route append ${loan}`),
    add,
    ...lent.map((loan) => `route del ${loan}`),
  ];
};

/** Rows that others lean on come first; the order of insertion is kept within each step. */
const routeRank = (row: FibEntry): number => {
  if (row.type === 'local' || row.type === 'broadcast') return 0;
  return (row.nexthops ?? [row]).every(({ via }) => via === undefined) ? 1 : 2;
};

const byRank = (rows: readonly FibEntry[]): FibEntry[] =>
  [0, 1, 2].flatMap((rank) => rows.filter((row) => routeRank(row) === rank));

/** One rule as `ip rule` takes it. */
const ruleText = (rule: FibRule): string =>
  [
    `pref ${rule.priority} from ${rule.from ?? 'all'}`,
    rule.to === undefined ? '' : `to ${rule.to}`,
    rule.iif === undefined ? '' : `iif ${rule.iif}`,
    rule.oif === undefined ? '' : `oif ${rule.oif}`,
    rule.fwmark === undefined ? '' : `fwmark ${rule.fwmark.mark}/${rule.fwmark.mask}`,
    rule.action.kind === 'table' ? `table ${rule.action.table}` : rule.action.kind,
  ]
    .filter((part) => part !== '')
    .join(' ');

/** The three rules that every namespace is born with. */
const BORN_WITH = [
  'pref 0 from all table 255',
  'pref 32766 from all table 254',
  'pref 32767 from all table 253',
];

const ruleCommands = (rules: readonly FibRule[]): string[] => {
  const wanted = rules.map(ruleText);
  return [
    ...BORN_WITH.filter((line) => !wanted.includes(line)).map((line) => `rule del ${line}`),
    ...wanted.filter((line) => !BORN_WITH.includes(line)).map((line) => `rule add ${line}`),
  ];
};

const routeCommands = (netns: Netns): string[] => [
  'route flush table 255',
  'route flush table 254',
  ...byRank(netns.routes).flatMap((row) => appendRoute(row, netns.routes)),
  ...ruleCommands(netns.rules),
  ...netns.neighbours.map(
    (row) =>
      `neigh replace ${row.ip} ${row.lladdr === undefined ? '' : `lladdr ${row.lladdr} `}` +
      `dev ${row.dev} nud ${row.state.toLowerCase()}`,
  ),
  ...netns.devices.map(
    (dev) =>
      `ntable change name arp_cache dev ${dev.ifname} retrans ${ARP_RETRANS_MS} proxy_delay 0`,
  ),
];

/** Devices in an order in which each finds what it stands on. */
const bringUpOrder = (devices: readonly Netdev[]): Netdev[] =>
  [
    (dev: Netdev) => dev.kind !== 'bridge' && dev.kind !== 'vxlan',
    (dev: Netdev) => dev.kind === 'bridge',
    (dev: Netdev) => dev.kind === 'vxlan',
  ].flatMap((kind) => devices.filter(kind));

interface Wiring {
  readonly create: string[];
  readonly configure: string[];
  readonly bridge: string[];
  readonly ports: Map<string, string>;
}

const portKey = (netns: string, ifname: string): string => `${netns} ${ifname}`;

/**
 * A bridge that knows every MAC beforehand, learns nothing, and floods broadcast alone. It floods to
 * the port it got last first (br_add_if): in the order of the World, the first attachment is last.
 */
const wireUp = (segment: Segment, number: number, wiring: Wiring): void => {
  const bridge = `w${number}`;
  wiring.create.push(
    `link add name ${bridge} type bridge forward_delay 0 mcast_snooping 0 stp_state 0`,
  );
  wiring.configure.push(`link set ${bridge} up`);
  const known = new Set<string>();
  const plugged: string[] = [];
  for (const { netns, ifname, mac } of segment.attachments) {
    const port = `p${wiring.ports.size}`;
    wiring.ports.set(portKey(netns, ifname), port);
    plugged.unshift(`link set ${port} mtu ${segment.mtu} master ${bridge} up`);
    wiring.bridge.push(`link set dev ${port} learning off flood off mcast_flood on`);
    if (!known.has(mac)) wiring.bridge.push(`fdb replace ${mac} dev ${port} master static`);
    known.add(mac);
  }
  wiring.configure.push(...plugged);
};

const cutLine = (from: string, to: string, drop: Segment['cuts'][number]['drop']): string => {
  const ports = `iifname "${from}" oifname "${to}"`;
  if (drop === 'all') return `add rule bridge cuts forward ${ports} drop`;
  const what =
    drop.port === undefined || drop.protocol === 'icmp'
      ? `ip protocol ${drop.protocol}`
      : `${drop.protocol} dport ${drop.port}`;
  return `add rule bridge cuts forward ${ports} ether type ip ${what} drop`;
};

const cutText = (world: World, ports: ReadonlyMap<string, string>): string => {
  const lines: string[] = [];
  for (const segment of world.segments.values()) {
    const portsOf = (host: string): string[] =>
      segment.attachments
        .filter((end) => end.host === host)
        .map((end) => ports.get(portKey(end.netns, end.ifname)) ?? '');
    for (const cut of segment.cuts) {
      for (const from of portsOf(cut.from)) {
        for (const to of portsOf(cut.to)) lines.push(cutLine(from, to, cut.drop));
      }
    }
  }
  if (lines.length === 0) return '';
  const chain = '{ type filter hook forward priority 0; policy accept; }';
  return ['add table bridge cuts', `add chain bridge cuts forward ${chain}`, ...lines, ''].join(
    '\n',
  );
};

/**
 * Everything that builds `world`. Pure: the commands depend on the World alone.
 *
 * Three rounds, because a device must exist before another names it, and the kernel takes routes
 * only over links that are up: create, configure (addresses, masters, up), route.
 */
export const planLab = (world: World): LabPlan => {
  const netnses = netnsesOf(world);
  const names = new Map(netnses.map((netns, n) => [netns.id, `n${n}`]));
  const byId = new Map(netnses.map((netns) => [netns.id, netns]));
  const lookUp = (id: string, ifname: string): Netdev | undefined =>
    byId.get(id)?.devices.find((dev) => dev.ifname === ifname);
  const wiring: Wiring = { create: [], configure: [], bridge: [], ports: new Map() };
  [...world.segments.values()].forEach((segment, n) => {
    wireUp(segment, n, wiring);
  });
  let lonelies = 0;
  const lonely = (): string => `x${lonelies++}`;
  const made = new Set<string>();
  const create = (dev: Netdev, netns: Netns): string[] => {
    switch (dev.kind) {
      case 'loopback':
        return dev.mtu === 65536 ? [] : [`link set lo mtu ${dev.mtu}`];
      case 'veth': {
        const first = !made.has(portKey(netns.id, dev.ifname));
        if (dev.peer !== undefined) made.add(portKey(dev.peer.netns, dev.peer.ifname));
        return createVeth(dev, first, lookUp, names, lonely);
      }
      case 'physical': {
        const room = roomBelow(dev, netns);
        const port = wiring.ports.get(portKey(netns.id, dev.ifname)) ?? lonely();
        return [`link add ${head(dev, room)} type veth peer name ${port} netns ${WIRES}`];
      }
      case 'dummy':
        // This kernel has none: a veth that is down and asks nobody keeps the same addresses.
        if (dev.up) throw new RangeError(`${dev.ifname}: no dummy device here that is up`);
        return [`link add ${head(dev)} arp off type veth peer name ${lonely()} netns ${WIRES}`];
      case 'bridge':
        return [createBridge(dev)];
      case 'vxlan':
        return [createVxlan(dev)];
      default:
        return dev satisfies never;
    }
  };
  const spaces = netnses.map((netns): SpacePlan => {
    const devices = bringUpOrder(netns.devices);
    return {
      name: names.get(netns.id) ?? '',
      netns,
      create: devices.flatMap((dev) => create(dev, netns)),
      configure: [
        ...devices
          .filter((dev) => dev.kind === 'physical' && dev.mtu < roomBelow(dev, netns))
          .map((dev) => `link set ${dev.ifname} mtu ${dev.mtu}`),
        ...devices.flatMap(configureLink),
        ...devices.filter((dev) => dev.up).map((dev) => `link set ${dev.ifname} up`),
        // A bridge that lost its last port has no carrier; one that never had a port has.
        ...devices.flatMap((dev) =>
          dev.kind === 'bridge' &&
          dev.hadPorts === true &&
          !devices.some((port) => port.master === dev.ifname)
            ? [
                `link add once0 type veth peer name once1`,
                `link set once0 master ${dev.ifname} up`,
                'link del once0',
              ]
            : [],
        ),
        // Segments go and come one by one, as on a wire: neither sent as one nor merged on receipt.
        ...devices.map(({ ifname }) => `link set dev ${ifname} gso_max_segs 1 gro_max_size 1`),
        // A bridge follows the MTU of its ports until it is told one.
        ...devices
          .filter((dev) => dev.kind === 'bridge')
          .map((dev) => `link set ${dev.ifname} mtu ${dev.mtu}`),
      ],
      bridge: devices.flatMap(bridgeCommands),
      route: routeCommands(netns),
    };
  });
  return {
    spaces,
    names,
    wires: {
      create: wiring.create,
      configure: wiring.configure,
      bridge: wiring.bridge,
      cuts: cutText(world, wiring.ports),
    },
  };
};
