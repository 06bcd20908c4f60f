/** Random changes of a namespace: as words for `ip`, and as calls of our netlink. */
import fc from 'fast-check';
import type { RouteType } from '../../src/kernel/fib.ts';
import type { NexthopSpec, RouteMode, RouteSpec, RuleSpec } from '../../src/kernel/netlink.ts';
import {
  addrAdd,
  addrDel,
  linkAddVeth,
  linkSet,
  NetlinkError,
  neighAdd,
  neighDel,
  routeAdd,
  routeDel,
  ruleAdd,
  ruleDel,
  sysctlSet,
} from '../../src/kernel/netlink.ts';
import { createNetns } from '../../src/kernel/netns.ts';
import type { Netns } from '../../src/kernel/world.ts';
import { cidrOf } from '../../src/wire/ip.ts';

export interface Operation {
  readonly text: string;
  readonly run: (netns: Netns) => void;
}

export const DEVICES = ['eth0', 'eth1', 'eth2'] as const;

const mac = (n: number): string => `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`;

/** The same namespace for both: three veth pairs, of which the third has no carrier. */
export const SETUP: readonly string[] = [
  ...DEVICES.map(
    (dev, n) =>
      `link add ${dev} address ${mac(n)} type veth peer name peer${n} address ${mac(16 + n)}`,
  ),
  'link set lo up',
  'link set peer0 up',
  'link set peer1 up',
];

export const setUp = (): Netns => {
  const netns = createNetns({ host: 'h', name: 'host' });
  DEVICES.forEach((dev, n) => {
    linkAddVeth(netns, dev, netns, `peer${n}`, { mac: mac(n), peerMac: mac(16 + n) });
  });
  for (const ifname of ['lo', 'peer0', 'peer1']) linkSet(netns, ifname, { up: true });
  return netns;
};

/** Few addresses, so that they meet. */
export const address = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(1, 2, 3, 9, 129, 255))
  .map(([net, host]) => `10.0.${net}.${host}`);

const device = fc.constantFrom(...DEVICES);
const prefix = fc.constantFrom(0, 8, 22, 23, 24, 25, 30, 31, 32);

const subnet = fc.tuple(address, prefix).map(([ip, length]) => cidrOf(ip, length));

const table = fc.constantFrom(100, 253, 254, 254, 254, 255);

const words = (...parts: readonly (string | number | false | undefined)[]): string =>
  parts
    .filter((part) => part !== undefined && part !== '' && part !== 0 && part !== false)
    .join(' ');

const linkUp = fc.tuple(device, fc.boolean()).map(
  ([dev, up]): Operation => ({
    text: `link set ${dev} ${up ? 'up' : 'down'}`,
    run: (netns) => {
      linkSet(netns, dev, { up });
    },
  }),
);

const addressAdd = fc
  .record({
    ip: fc.oneof(
      { weight: 9, arbitrary: address },
      { weight: 1, arbitrary: fc.constant('127.0.0.5') },
    ),
    prefix: fc.constantFrom(8, 16, 24, 24, 24, 25, 30, 31, 32),
    dev: fc.oneof(device, device, device, fc.constant('lo')),
    brd: fc.boolean(),
    scope: fc.constantFrom(undefined, undefined, undefined, 'link' as const, 'host' as const),
  })
  .map(({ ip, prefix: length, dev, brd, scope }): Operation => {
    const broadcast = brd ? '10.0.1.255' : undefined;
    return {
      text: words(
        `addr add ${ip}/${length}`,
        broadcast && `brd ${broadcast}`,
        scope && `scope ${scope}`,
        `dev ${dev}`,
      ),
      run: (netns) => {
        addrAdd(netns, dev, {
          ip,
          prefix: length,
          ...(broadcast !== undefined && { broadcast }),
          ...(scope !== undefined && { scope }),
        });
      },
    };
  });

const addressDel = fc.tuple(address, fc.constantFrom(16, 24, 24, 24, 25, 32), device).map(
  ([ip, length, dev]): Operation => ({
    text: `addr del ${ip}/${length} dev ${dev}`,
    run: (netns) => {
      addrDel(netns, dev, ip, length);
    },
  }),
);

const maybe = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });

const routeWords = (spec: Partial<RouteSpec>): string =>
  words(
    spec.type,
    spec.dst,
    spec.via && `via ${spec.via}`,
    spec.dev && `dev ${spec.dev}`,
    spec.table && `table ${spec.table}`,
    spec.metric && `metric ${spec.metric}`,
    spec.src && `src ${spec.src}`,
    spec.scope && `scope ${spec.scope}`,
    spec.mtu && `mtu ${spec.mtu}`,
    spec.onlink && 'onlink',
    ...(spec.nexthops ?? []).map(({ via, dev, weight, onlink }) =>
      words(
        'nexthop',
        via && `via ${via}`,
        dev && `dev ${dev}`,
        weight && `weight ${weight}`,
        onlink && 'onlink',
      ),
    ),
  );

/** Without the keys that are undefined. */
const given = <Value extends object>(value: Value): Value =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Value;

const nexthopSpec: fc.Arbitrary<NexthopSpec> = fc
  .record({
    via: maybe(address),
    dev: maybe(device),
    weight: fc.constantFrom(undefined, undefined, 1, 3, 256),
    onlink: fc.constantFrom(undefined, undefined, undefined, true as const),
  })
  .map((hop) => given(hop as NexthopSpec))
  // iproute2 has its own words for a `nexthop` that ends the line.
  .filter((hop) => Object.keys(hop).length > 0);

const routeSpec = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      dst: subnet,
      table: maybe(table),
      metric: maybe(fc.constantFrom(1, 5)),
      src: fc.constantFrom(undefined, undefined, undefined, '10.0.0.1', '10.0.1.1'),
      scope: fc.constantFrom(undefined, undefined, undefined, 'link' as const, 'host' as const),
      mtu: fc.constantFrom(undefined, undefined, 1400),
      // What the first next hop may contradict.
      dev: fc.constantFrom(undefined, undefined, undefined, undefined, 'eth0'),
      nexthops: fc.array(nexthopSpec, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc
      .record({
        dst: subnet,
        via: maybe(address),
        dev: maybe(device),
        table: maybe(table),
        metric: maybe(fc.constantFrom(1, 5)),
        src: fc.constantFrom(undefined, undefined, undefined, '10.0.0.1', '10.0.1.1'),
        onlink: fc.constantFrom(undefined, undefined, true),
        scope: fc.constantFrom(undefined, undefined, undefined, 'link' as const, 'global' as const),
        mtu: fc.constantFrom(undefined, undefined, 1400),
      })
      // Without a device and without a gateway iproute2 has its own words.
      .filter(({ via, dev }) => via !== undefined || dev !== undefined),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      dst: subnet,
      type: fc.constantFrom<RouteType>('blackhole', 'unreachable', 'prohibit', 'throw'),
      table: maybe(table),
      metric: maybe(fc.constantFrom(1, 5)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ dst: subnet, type: fc.constant<RouteType>('local'), dev: device }),
  },
);

const routeNew = fc
  .tuple(
    fc.constantFrom<RouteMode>('add', 'add', 'add', 'append', 'prepend', 'replace', 'change'),
    routeSpec,
  )
  .map(([mode, partial]): Operation => {
    const spec = given<RouteSpec>(partial as RouteSpec);
    return {
      text: `route ${mode} ${routeWords(spec)}`,
      run: (netns) => {
        routeAdd(netns, spec, undefined, mode);
      },
    };
  });

const routeGone = fc
  .record({ dst: subnet, dev: maybe(device), table: maybe(table) })
  .map((partial): Operation => {
    const spec = given(partial);
    return {
      text: `route del ${routeWords(spec as RouteSpec)}`,
      run: (netns) => {
        routeDel(netns, spec as RouteSpec);
      },
    };
  });

const ruleWords = ({ from, to, iif, oif, fwmark, action, priority }: RuleSpec): string =>
  words(
    priority !== undefined && `priority ${priority}`,
    `from ${from ?? 'all'}`,
    to && `to ${to}`,
    iif && `iif ${iif}`,
    oif && `oif ${oif}`,
    fwmark && `fwmark ${fwmark.mark}/${fwmark.mask}`,
    action.kind === 'table' ? `table ${action.table}` : action.kind,
  );

const ruleSpec = fc.record({
  from: maybe(subnet),
  to: maybe(subnet),
  iif: fc.constantFrom(undefined, undefined, undefined, 'lo', 'eth0', 'eth1'),
  oif: fc.constantFrom(undefined, undefined, undefined, 'eth0', 'eth1'),
  fwmark: fc.constantFrom(undefined, undefined, { mark: 4, mask: 4 }, { mark: 1, mask: 0xff }),
  priority: fc.constantFrom(undefined, 100, 100, 200, 40_000),
  action: fc.constantFrom<RuleSpec['action']>(
    { kind: 'table', table: 100 },
    { kind: 'table', table: 100 },
    { kind: 'table', table: 100 },
    { kind: 'table', table: 254 },
    { kind: 'blackhole' },
    { kind: 'unreachable' },
    { kind: 'prohibit' },
  ),
});

const ruleNew = ruleSpec.map((partial): Operation => {
  const spec = given<RuleSpec>(partial as RuleSpec);
  return {
    text: `rule add ${ruleWords(spec)}`,
    run: (netns) => {
      ruleAdd(netns, spec);
    },
  };
});

const ruleGone = fc.constantFrom(0, 100, 200, 299, 32_766).map(
  (priority): Operation => ({
    text: `rule del priority ${priority}`,
    run: (netns) => {
      ruleDel(netns, { priority });
    },
  }),
);

const neighNew = fc.tuple(fc.constantFrom('add' as const, 'replace' as const), address, device).map(
  ([mode, ip, dev]): Operation => ({
    text: `neigh ${mode} ${ip} lladdr 02:00:00:00:00:99 dev ${dev}`,
    run: (netns) => {
      neighAdd(netns, { ip, dev, lladdr: '02:00:00:00:00:99' }, undefined, mode);
    },
  }),
);

const neighGone = fc.tuple(address, device).map(
  ([ip, dev]): Operation => ({
    text: `neigh del ${ip} dev ${dev}`,
    run: (netns) => {
      neighDel(netns, ip, dev);
    },
  }),
);

/** The kernel remembers that there were custom rules once; the model sees those that are there. */
const LASTING_RULE: Operation = {
  text: 'rule add priority 300 from 10.0.3.0/24 table 100',
  run: (netns) => {
    ruleAdd(netns, {
      priority: 300,
      from: '10.0.3.0/24',
      action: { kind: 'table', table: 100 },
    });
  },
};

/** Operations in the order in which they are tried: addresses first, so that routes find gateways. */
export const operations = (withRules: boolean): fc.Arbitrary<Operation[]> =>
  fc
    .tuple(
      fc.array(addressAdd, { minLength: 4, maxLength: 8 }),
      fc.array(
        fc.oneof(
          { weight: 8, arbitrary: linkUp },
          { weight: 6, arbitrary: addressAdd },
          { weight: 4, arbitrary: addressDel },
          { weight: 24, arbitrary: routeNew },
          { weight: 6, arbitrary: routeGone },
          { weight: withRules ? 6 : 0, arbitrary: ruleNew },
          { weight: withRules ? 2 : 0, arbitrary: ruleGone },
          { weight: 3, arbitrary: neighNew },
          { weight: 2, arbitrary: neighGone },
        ),
        { minLength: 20, maxLength: 60 },
      ),
    )
    .map(([first, rest]) => [
      ...DEVICES.map(
        (dev): Operation => ({
          text: `link set ${dev} up`,
          run: (netns) => {
            linkSet(netns, dev, { up: true });
          },
        }),
      ),
      ...(withRules ? [LASTING_RULE] : []),
      ...first,
      ...rest,
    ]);

/** Settings that change what operations and lookups do; the rest as the kernel's defaults. */
export const settings = fc
  .record({
    'conf.all.promote_secondaries': fc.constantFrom(0, 0, 1),
    'conf.all.rp_filter': fc.constantFrom(0, 0, 1, 2),
    'conf.eth0.rp_filter': fc.constantFrom(0, 1, 2),
    'conf.eth1.accept_local': fc.constantFrom(0, 0, 1),
    'conf.eth0.route_localnet': fc.constantFrom(0, 0, 1),
    'conf.eth1.send_redirects': fc.constantFrom(0, 1),
    'conf.all.send_redirects': fc.constantFrom(0, 1),
    'conf.all.src_valid_mark': fc.constantFrom(0, 1),
    ip_forward: fc.constantFrom(0, 1, 1),
    'conf.eth1.forwarding': fc.constantFrom(0, 1, 1),
  })
  .map((values) =>
    Object.entries({ ...SYSCTLS, ...values }).map(
      ([key, value]) => [`net.ipv4.${key}`, String(value)] as const,
    ),
  );

/**
 * Settings for lookups only: netlink takes links as working when it judges an address, so they are
 * made after all operations.
 */
export const linkSettings = fc
  .record({
    'conf.all.ignore_routes_with_linkdown': fc.constantFrom(0, 0, 0, 1),
    'conf.eth2.ignore_routes_with_linkdown': fc.constantFrom(0, 0, 1),
  })
  .map((values) =>
    Object.entries(values).map(([key, value]) => [`net.ipv4.${key}`, String(value)] as const),
  );

/** A namespace inherits settings from the machine it is made on: all that matter are set. */
const SYSCTLS = Object.fromEntries(
  ['all', 'default', 'lo', ...DEVICES, 'peer0', 'peer1', 'peer2'].flatMap((dev) => [
    [`conf.${dev}.promote_secondaries`, 0],
    [`conf.${dev}.rp_filter`, 0],
    [`conf.${dev}.accept_local`, 0],
    [`conf.${dev}.route_localnet`, 0],
    [`conf.${dev}.send_redirects`, dev === 'all' ? 1 : 0],
    [`conf.${dev}.shared_media`, 1],
    [`conf.${dev}.ignore_routes_with_linkdown`, 0],
    [`conf.${dev}.src_valid_mark`, 0],
    [`conf.${dev}.bc_forwarding`, 0],
  ]),
);

export const applySettings = (
  netns: Netns,
  values: readonly (readonly [string, string])[],
): void => {
  for (const [key, value] of values) sysctlSet(netns, key, value);
};

/** Runs an operation on the model: what it refuses, in iproute2's words; undefined when it works. */
export const attempt = (netns: Netns, operation: Operation): string | undefined => {
  try {
    operation.run(netns);
    return undefined;
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    return error.message;
  }
};
