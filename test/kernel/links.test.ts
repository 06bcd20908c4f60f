/** Random bridges, tunnels and veth pairs, made with `ip` and `bridge` and with our netlink: same devices, same rows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bridgeFdb, vxlanFdb } from '../../src/kernel/fdb-table.ts';
import { hasCarrier } from '../../src/kernel/netdev.ts';
import type { FdbMode } from '../../src/kernel/netlink.ts';
import {
  addrAdd,
  fdbAdd,
  fdbDel,
  linkAdd,
  linkAddVeth,
  linkDel,
  linkSet,
  neighAdd,
} from '../../src/kernel/netlink.ts';
import { createNetns } from '../../src/kernel/netns.ts';
import type { Netns } from '../../src/kernel/world.ts';
import type { Operation } from './ip-operations.ts';
import { attempt } from './ip-operations.ts';
import { answersOf, inPrivateNamespace, jsonOf, section, sections, tryLines } from './ip-oracle.ts';
import { inGroups, ourRow, realRow, worldOf } from './ip-state.ts';
import { missing } from './requirements.ts';
import { seedsOf } from './seeds.ts';

const lacking = missing(['ip', 'bridge', 'unshare', 'sysctl']);

const mac = (n: number): string => `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`;

const VETHS = ['va', 'vb', 'vc', 'vd'];
const BRIDGES = ['br0', 'br1'];
const TUNNELS = ['vx0', 'vx1'];
const dev = fc.constantFrom(...VETHS, ...BRIDGES, ...TUNNELS);
const someMac = fc.integer({ min: 1, max: 40 }).map(mac);
const mtu = fc.constantFrom(1300, 1400, 1450, 1500);

const operation = (text: string, run: (netns: Netns) => void): Operation => ({ text, run });

const addBridge = fc
  .tuple(fc.constantFrom(...BRIDGES), fc.option(someMac), fc.option(mtu))
  .map(([name, address, size]) =>
    operation(
      `ip link add ${name} ${address ? `address ${address}` : ''} ${size ? `mtu ${size}` : ''} type bridge`,
      (netns) => {
        linkAdd(netns, {
          kind: 'bridge',
          ifname: name,
          mac: address ?? mac(250),
          ...(address && { macSet: true }),
          ...(size && { mtu: size }),
        });
      },
    ),
  );

const addVeth = fc
  .tuple(
    fc.constantFrom(['va', 'vb'] as const, ['vc', 'vd'] as const),
    fc.option(mtu),
    fc.option(mtu),
  )
  .map(([[a, b], size, other]) => {
    const [one, two] = a === 'va' ? [mac(11), mac(12)] : [mac(13), mac(14)];
    return operation(
      `ip link add ${a} address ${one} ${size ? `mtu ${size}` : ''} type veth peer name ${b} address ${two} ${other ? `mtu ${other}` : 'mtu 1500'}`,
      (netns) => {
        linkAddVeth(netns, a, netns, b, {
          mac: one,
          peerMac: two,
          mtu: size ?? 1500,
          peerMtu: other ?? 1500,
        });
      },
    );
  });

const addTunnel = fc
  .tuple(
    fc.constantFrom(...TUNNELS),
    fc.constantFrom(1, 1, 2),
    fc.constantFrom('va', 'vc', 'br0', undefined),
    fc.option(mtu),
  )
  .map(([name, vni, lower, size]) =>
    operation(
      `ip link add ${name} address ${mac(name === 'vx0' ? 21 : 22)} ${size ? `mtu ${size}` : ''} type vxlan id ${vni} local 10.0.0.1 ${lower ? `dev ${lower}` : ''} dstport 8472 nolearning`,
      (netns) => {
        linkAdd(netns, {
          kind: 'vxlan',
          ifname: name,
          mac: mac(name === 'vx0' ? 21 : 22),
          vni,
          local: '10.0.0.1',
          ...(lower && { lower }),
          ...(size && { mtu: size }),
          learning: false,
        });
      },
    ),
  );

const set = fc
  .tuple(
    dev,
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom({ up: true }, { up: true }, { up: false }) },
      { weight: 2, arbitrary: fc.record({ mtu }) },
      { weight: 2, arbitrary: fc.record({ mac: someMac }) },
      {
        weight: 5,
        arbitrary: fc.record({ master: fc.constantFrom('br0', 'br0', 'br1', 'va', null) }),
      },
    ),
  )
  .map(([name, change]) => {
    const words = Object.entries(change).map(([key, value]) => {
      if (key === 'up') return value ? 'up' : 'down';
      if (key === 'mac') return `address ${value}`;
      return value === null ? 'nomaster' : `${key} ${value}`;
    });
    return operation(`ip link set dev ${name} ${words.join(' ')}`, (netns) => {
      linkSet(netns, name, change);
    });
  });

const del = dev.map((name) =>
  operation(`ip link del ${name}`, (netns) => {
    linkDel(netns, name);
  }),
);

const address = fc.tuple(dev, fc.integer({ min: 1, max: 4 })).map(([name, net]) =>
  operation(`ip addr add 10.0.${net}.1/24 dev ${name}`, (netns) => {
    addrAdd(netns, name, { ip: `10.0.${net}.1`, prefix: 24 });
  }),
);

const neighbour = fc.tuple(dev, fc.integer({ min: 1, max: 3 })).map(([name, n]) =>
  operation(`ip neigh replace 10.0.1.${n} lladdr ${mac(60)} dev ${name}`, (netns) => {
    neighAdd(netns, { ip: `10.0.1.${n}`, dev: name, lladdr: mac(60) }, undefined, 'replace');
  }),
);

const rowMac = fc.oneof(
  fc.integer({ min: 50, max: 53 }).map(mac),
  fc.constant('00:00:00:00:00:00'),
  fc.constant(mac(11)),
);

const tunnelRow = fc
  .tuple(
    fc.constantFrom<FdbMode | 'del'>('add', 'append', 'replace', 'del'),
    fc.constantFrom(...TUNNELS),
    rowMac,
    fc.constantFrom('10.9.0.1', '10.9.0.2'),
  )
  .map(([mode, name, address_, dst]) =>
    operation(`bridge fdb ${mode} ${address_} dev ${name} dst ${dst}`, (netns) => {
      const spec = { mac: address_, dev: name, dst };
      if (mode === 'del') fdbDel(netns, spec);
      else fdbAdd(netns, spec, undefined, mode);
    }),
  );

const portRow = fc
  .tuple(
    fc.constantFrom<FdbMode | 'del'>('add', 'append', 'replace', 'del'),
    fc.constantFrom(...VETHS),
    fc.integer({ min: 50, max: 53 }).map(mac),
    fc.constantFrom('static' as const, 'permanent' as const),
  )
  .map(([mode, name, address_, state]) =>
    operation(`bridge fdb ${mode} ${address_} dev ${name} master ${state}`, (netns) => {
      const spec = { mac: address_, dev: name, state };
      if (mode === 'del') fdbDel(netns, spec);
      else fdbAdd(netns, spec, undefined, mode);
    }),
  );

const operations = fc
  .tuple(
    fc.tuple(addBridge, addVeth, addVeth, addTunnel),
    fc.array(
      fc.oneof(
        { weight: 2, arbitrary: addBridge },
        { weight: 2, arbitrary: addVeth },
        { weight: 3, arbitrary: addTunnel },
        { weight: 20, arbitrary: set },
        { weight: 2, arbitrary: del },
        { weight: 4, arbitrary: address },
        { weight: 3, arbitrary: neighbour },
        { weight: 6, arbitrary: tunnelRow },
        { weight: 6, arbitrary: portRow },
      ),
      { minLength: 20, maxLength: 60 },
    ),
  )
  .map(([first, rest]) => [...first, ...rest]);

const realDevices = (devices: readonly Record<string, unknown>[], free: ReadonlySet<string>) =>
  devices.map((one) => ({
    ifname: one['ifname'],
    mac: free.has(String(one['ifname'])) ? '' : one['address'],
    mtu: one['mtu'],
    master: one['master'],
    up: (one['flags'] as string[]).includes('UP'),
    carrier: (one['flags'] as string[]).includes('LOWER_UP'),
  }));

const ourDevices = (netns: Netns, free: ReadonlySet<string>) => {
  const world = worldOf(netns);
  return netns.devices.map((one) => ({
    ifname: one.ifname,
    mac: free.has(one.ifname) ? '' : one.mac,
    mtu: one.mtu,
    master: one.master,
    up: one.up,
    carrier: one.up && hasCarrier(world, netns, one),
  }));
};

/** A bridge without ports and without a MAC of its own has a random one. */
const freeBridges = ({ devices }: Netns): ReadonlySet<string> =>
  new Set(
    devices.flatMap((one) =>
      one.kind === 'bridge' && !one.macSet && !one.hadPorts ? [one.ifname] : [],
    ),
  );

/** Whose row a MAC has that a bridge and its port share depends on who had it first. */
const sharedMacs = ({ devices }: Netns): ReadonlySet<string> =>
  new Set(devices.flatMap((one) => (one.kind === 'bridge' ? [one.mac] : [])));

const realFdb = (
  rows: readonly Record<string, unknown>[],
  free: ReadonlySet<string>,
  shared: ReadonlySet<string>,
): string[] =>
  rows
    .filter(
      (row) =>
        // Groups that the host itself joined.
        (Number.parseInt(String(row['mac']).slice(0, 2), 16) & 1) === 0 &&
        !free.has(String(row['ifname'])),
    )
    .map(
      (row) =>
        `${row['mac']} ${shared.has(String(row['mac'])) ? '' : row['ifname']} ${row['dst'] ?? ''} ${row['state']}`,
    )
    .sort();

const ourFdb = (netns: Netns, free: ReadonlySet<string>, shared: ReadonlySet<string>): string[] =>
  netns.devices
    .flatMap((one) =>
      one.kind === 'bridge'
        ? bridgeFdb(netns, one, undefined)
        : one.kind === 'vxlan'
          ? vxlanFdb(one, undefined)
          : [],
    )
    .filter((row) => !free.has(row.dev))
    .map((row) => `${row.mac} ${shared.has(row.mac) ? '' : row.dev} ${row.dst ?? ''} ${row.state}`)
    .sort();

/** Which of several missing devices iproute2 names, and how, is its own business. */
const sameWords = (error: string | undefined): string =>
  error === undefined
    ? 'ok'
    : /Cannot find device|Device does not exist/.test(error)
      ? 'no device'
      : error;

describe.skipIf(lacking.length > 0)(`links${lacking.length ? ` (lacks ${lacking})` : ''}`, () => {
  it.each(seedsOf(40))('are what the kernel makes of them, seed %i', (seed) => {
    const [steps] = fc.sample(operations, { seed, numRuns: 1 });
    if (!steps) throw new Error('no sample');
    const output = sections(
      inPrivateNamespace(
        tryLines(
          'steps',
          steps.map(({ text }) => text),
        ) +
          section('link', 'ip -j link') +
          section('fdb', 'bridge -j fdb') +
          section('route', 'ip -j route show table all') +
          section('neigh', 'ip -j neigh'),
      ),
    );
    const netns = createNetns({ host: 'h', name: 'host' });
    const answers = answersOf(output, 'steps');
    expect(steps.map((step, n) => `${n} ${step.text}: ${sameWords(attempt(netns, step))}`)).toEqual(
      steps.map((step, n) => `${n} ${step.text}: ${sameWords(answers[n]?.error)}`),
    );
    const free = freeBridges(netns);
    expect(ourDevices(netns, free)).toEqual(realDevices(jsonOf(output, 'link'), free));
    const shared = sharedMacs(netns);
    expect(ourFdb(netns, free, shared)).toEqual(realFdb(jsonOf(output, 'fdb'), free, shared));
    expect(inGroups(netns.routes.map(ourRow))).toEqual(
      inGroups(jsonOf(output, 'route').map(realRow)),
    );
    expect(netns.neighbours.map((row) => `${row.ip} ${row.dev} ${row.lladdr}`).sort()).toEqual(
      jsonOf(output, 'neigh')
        .map((row) => `${row['dst']} ${row['dev']} ${row['lladdr']}`)
        .sort(),
    );
  });
});
