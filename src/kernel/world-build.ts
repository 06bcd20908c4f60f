/** Worlds: how one is made, compiled host by host when needed, and copied before an edit. */
import { cloneNetns, netnsOf } from './netns.ts';
import { ipv4DevConf } from './sysctl.ts';
import type {
  Attachment,
  Book,
  Host,
  Netns,
  NetnsDynamic,
  NetnsId,
  Segment,
  WireCut,
  World,
} from './world.ts';

export interface WorldSpec {
  readonly name: string;
  /** Every host there is; the order is kept. */
  readonly hostNames: readonly string[];
  /** Makes a host; called at most once for each name. */
  compile(name: string): Host;
  readonly segments: Iterable<Segment>;
  readonly book: Book;
}

/** Calls `make` once for each name that is in the list, when it is first asked for. */
const once = (names: readonly string[], make: (name: string) => Host): ((name: string) => Host) => {
  const known = new Map<string, Host>();
  let allowed: ReadonlySet<string> | undefined;
  return (name) => {
    const made = known.get(name);
    if (made) return made;
    allowed ??= new Set(names);
    if (!allowed.has(name)) throw new RangeError(`no host ${name}`);
    const host = make(name);
    known.set(name, host);
    return host;
  };
};

/**
 * A cold World: no namespace has learned anything. Hosts are compiled when first asked for.
 * `host` throws a RangeError for a name that is not in `hostNames`.
 */
export const createWorld = (spec: WorldSpec): World => ({
  name: spec.name,
  hostNames: spec.hostNames,
  host: once(spec.hostNames, (name) => spec.compile(name)),
  segments: new Map([...spec.segments].map((segment) => [segment.name, segment])),
  book: spec.book,
  dynamic: new Map(),
});

/** A host from its namespaces. */
export const createHost = (
  name: string,
  netns: Iterable<Netns>,
  modules: Iterable<string> = [],
): Host => ({
  name,
  netns: new Map([...netns].map((one) => [one.name, one])),
  modules: new Set(modules),
});

const cloneHost = (host: Host): Host => ({
  ...host,
  netns: new Map([...host.netns].map(([name, netns]) => [name, cloneNetns(netns)])),
});

/**
 * A copy whose namespaces netlink may change while the original stays as it is. Hosts are copied
 * when first asked for. After an edit that touches addresses or MACs of a physical device call
 * `refreshSegments`.
 */
export const cloneWorld = (world: World): World => ({
  ...world,
  host: once(world.hostNames, (name) => cloneHost(world.host(name))),
});

/** The World with other dynamic state; nothing else changes. */
export const withDynamic = (world: World, dynamic: ReadonlyMap<NetnsId, NetnsDynamic>): World => ({
  ...world,
  dynamic,
});

/** The World with one host replaced. */
export const withHost = (world: World, host: Host): World => ({
  ...world,
  host: (name) => (name === host.name ? host : world.host(name)),
});

const withSegment = (world: World, segment: Segment): World => ({
  ...world,
  segments: new Map(world.segments).set(segment.name, segment),
});

/**
 * The World with more cuts in a wire.
 * @throws {RangeError} when there is no such segment
 */
export const withCuts = (world: World, segmentName: string, cuts: readonly WireCut[]): World => {
  const segment = world.segments.get(segmentName);
  if (!segment) throw new RangeError(`no segment ${segmentName}`);
  return withSegment(world, { ...segment, cuts: [...segment.cuts, ...cuts] });
};

/**
 * The addresses that a namespace answers ARP requests for on any of its devices (arp_process with
 * arp_ignore 0): every address it has but those of host scope.
 */
export const answeredAddresses = ({ devices }: Netns): readonly string[] => [
  ...new Set(
    devices.flatMap(({ addresses }) =>
      addresses.filter(({ scope }) => scope !== 'host').map(({ ip }) => ip),
    ),
  ),
];

/** How each physical device of a namespace is plugged in. */
export const attachmentsOf = (netns: Netns): readonly (Attachment & { segment: string })[] =>
  netns.devices.flatMap((dev) =>
    dev.kind === 'physical' && dev.segment !== undefined
      ? [
          {
            segment: dev.segment,
            host: netns.host,
            netns: netns.id,
            ifname: dev.ifname,
            mac: dev.mac,
            ips: answeredAddresses(netns),
            ...(ipv4DevConf(netns, dev.ifname, 'proxy_arp') !== 0 && { proxies: true as const }),
          },
        ]
      : [],
  );

const refreshed = (segment: Segment, netns: Netns): Segment => {
  const fresh = new Map(
    attachmentsOf(netns)
      .filter((one) => one.segment === segment.name)
      .map(({ segment: _, ...attachment }) => [attachment.ifname, attachment]),
  );
  const attachments = segment.attachments.flatMap((old) => {
    if (old.netns !== netns.id) return [old];
    const one = fresh.get(old.ifname);
    fresh.delete(old.ifname);
    return one ? [one] : [];
  });
  return { ...segment, attachments: [...attachments, ...fresh.values()] };
};

/** The World whose wires know the MACs and addresses that the given namespaces have now. */
export const refreshSegments = (world: World, touched: Iterable<NetnsId>): World => {
  let next = world;
  for (const id of touched) {
    const netns = netnsOf(next, id);
    const names = new Set(attachmentsOf(netns).map(({ segment }) => segment));
    for (const segment of next.segments.values())
      if (names.has(segment.name) || segment.attachments.some((one) => one.netns === id))
        next = withSegment(next, refreshed(segment, netns));
  }
  return next;
};
