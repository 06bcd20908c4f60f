import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findDev } from '../../../src/kernel/netdev.ts';
import { netnsOf } from '../../../src/kernel/netns.ts';
import type { Netns, NetnsDynamic, NetnsId, World } from '../../../src/kernel/world.ts';
import { withDynamic } from '../../../src/kernel/world-build.ts';
import { applyCommand } from '../../../src/userland/edit/apply-command.ts';
import { ipRoute } from '../../../src/userland/print/show.ts';
import { cluster, worldOf } from '../../kernel/hand-made.ts';
import { NODE, POD, SCRIPT } from './script.ts';

const OTHER_POD = 'node-1/default/pod-2';

const base = (): World => worldOf(cluster({ nodes: 2, pods: 2, join: 'vxlan' }));

const worldAfter = (world: World, id: NetnsId, ...commands: string[]): World => {
  let next = world;
  for (const command of commands) {
    const outcome = applyCommand(next, id, command);
    if (!outcome.ok) throw new Error(`${command}: ${outcome.message}`);
    next = outcome.world;
  }
  return next;
};

const refusal = (id: NetnsId, text: string): { message: string; hint?: string } => {
  const outcome = applyCommand(base(), id, text);
  if (outcome.ok) throw new Error(`${text} was understood`);
  const { ok: _, ...rest } = outcome;
  return rest;
};

/** Everything that a namespace is configured with. */
const stateOf = (netns: Netns): string =>
  JSON.stringify(netns, (_, value: unknown) => (value instanceof Map ? [...value] : value));

const worldState = (world: World): string =>
  world.hostNames
    .flatMap((name) => [...world.host(name).netns.values()].map(stateOf))
    .concat(JSON.stringify([...world.segments]), JSON.stringify([...world.dynamic]))
    .join('\n');

describe('a command', () => {
  it('changes a copy: the World that was given stays as it was', () => {
    const world = base();
    const before = worldState(world);
    let next = world;
    for (const [id, line] of SCRIPT) {
      const outcome = applyCommand(next, id, line.replace(/^! /, ''));
      if (outcome.ok) next = outcome.world;
    }
    expect(worldState(world)).toBe(before);
    expect(worldState(next)).not.toBe(before);
  });

  it('that is refused half-way applies nothing', () => {
    const world = base();
    const before = worldState(world);
    for (const [id, text] of [
      [NODE, 'ip link set veth1 down mtu 1400 master nope'],
      [NODE, 'sysctl -w net.ipv4.ip_forward=0 net.ipv4.conf.nope.rp_filter=1'],
      [NODE, 'bridge link set dev veth1 hairpin on state 9'],
      [NODE, 'iptables -A FORWARD -s 10.0.0.0/8 -j NOWHERE'],
    ] as const)
      expect(applyCommand(world, id, text)).toMatchObject({ ok: false });
    expect(worldState(world)).toBe(before);
  });

  it('leaves its origin on what it makes', () => {
    const outcome = applyCommand(base(), NODE, 'ip route add 10.9.0.0/16 via 192.168.10.1', {
      by: 'fault',
      why: 'fault-command',
      at: { file: 'a.yaml', line: 3, column: 5 },
    });
    const row =
      outcome.ok && netnsOf(outcome.world, NODE).routes.find((one) => one.dst === '10.9.0.0/16');
    expect(row).toMatchObject({ origin: { by: 'fault', at: { line: 3 } } });
  });

  it('that gives a network card another address tells the wire', () => {
    const world = worldAfter(
      base(),
      NODE,
      'ip link set eth0 address 02:00:00:00:ff:01',
      'ip addr add 192.168.10.50/24 dev eth0',
    );
    const here = world.segments.get('underlay')?.attachments.find((one) => one.netns === NODE);
    expect(here).toMatchObject({ mac: '02:00:00:00:ff:01' });
    expect(here?.ips).toContain('192.168.10.50');
  });

  it('that deletes a veth takes the other end along, in its own namespace', () => {
    const world = worldAfter(base(), NODE, 'ip link del veth1');
    expect(findDev(netnsOf(world, NODE), 'veth1')).toBeUndefined();
    expect(findDev(netnsOf(world, POD), 'eth0')).toBeUndefined();
    expect(ipRoute(world, netnsOf(world, POD))).toEqual([]);
    expect(findDev(netnsOf(world, OTHER_POD), 'eth0')).toBeDefined();
  });

  it('reaches the ruleset of iptables', () => {
    const world = worldAfter(base(), NODE, 'iptables -I FORWARD -d 10.244.2.0/24 -p tcp -j DROP');
    const chain = netnsOf(world, NODE).netfilter.tables[0]?.chains.find(
      ({ name }) => name === 'FORWARD',
    );
    expect(chain?.rules).toMatchObject([
      { target: { kind: 'DROP' }, origin: { by: 'fault', why: 'fault-command' } },
    ]);
    expect(refusal(NODE, 'iptables -A NOPE -j DROP').message).toMatch(/^iptables: No chain/);
  });
});

describe('what packets left behind', () => {
  const learned: NetnsDynamic = {
    neighbours: [
      { ip: '10.244.1.2', dev: 'cni0', lladdr: '0a:00:00:00:01:01', state: 'REACHABLE' },
      { ip: '192.168.10.1', dev: 'eth0', lladdr: '02:00:00:00:00:fe', state: 'REACHABLE' },
    ],
    fdb: new Map([
      [
        'cni0',
        new Map([
          ['0a:00:00:00:01:01', { mac: '0a:00:00:00:01:01', dev: 'veth1', state: 'learned' }],
          ['0a:00:00:00:01:02', { mac: '0a:00:00:00:01:02', dev: 'veth2', state: 'learned' }],
        ]),
      ],
    ]),
    conntrack: [],
    ipvs: [],
    pmtu: new Map([['10.244.2.2', 1400]]),
    flowHashes: new Map(),
  };
  const podLearned: NetnsDynamic = {
    neighbours: [{ ip: '10.244.1.1', dev: 'eth0', lladdr: '0a:58:0a:f4:01:01', state: 'STALE' }],
    fdb: new Map(),
    conntrack: [],
    ipvs: [],
    pmtu: new Map(),
    flowHashes: new Map(),
  };
  const warm = (): World =>
    withDynamic(
      base(),
      new Map([
        [NODE, learned],
        [POD, podLearned],
      ]),
    );
  const left = (id: NetnsId, command: string, where = id): string[] => {
    const state = worldAfter(warm(), id, command).dynamic.get(where);
    return [
      ...(state?.neighbours ?? []).map(({ ip, dev }) => `${ip} ${dev}`),
      ...[...(state?.fdb.get('cni0')?.keys() ?? [])],
    ];
  };
  const everything = [
    '10.244.1.2 cni0',
    '192.168.10.1 eth0',
    '0a:00:00:00:01:01',
    '0a:00:00:00:01:02',
  ];

  it('outlives an edit that does not touch it', () => {
    const world = worldAfter(warm(), NODE, 'ip route add 10.9.0.0/16 via 192.168.10.1');
    expect(world.dynamic.get(NODE)).toEqual(learned);
    expect(world.dynamic.get(POD)).toEqual(podLearned);
  });

  it.each<[string, string[]]>([
    ['ip link set veth1 down', everything.filter((row) => row !== '0a:00:00:00:01:01')],
    ['ip link set veth2 nomaster', everything.slice(0, 3)],
    ['ip link set eth0 down', everything.filter((row) => !row.includes('eth0'))],
    ['ip link set cni0 down', ['192.168.10.1 eth0']],
    ['ip link set cni0 address 02:00:00:00:00:99', everything.slice(1)],
    ['ip neigh del 10.244.1.2 dev cni0', everything.slice(1)],
    ['ip neigh flush dev eth0', everything.filter((row) => !row.includes('eth0'))],
    ['ip neigh flush all', everything.slice(2)],
    ['ip neigh replace 10.244.1.2 lladdr 02:00:00:00:00:01 dev cni0', everything.slice(1)],
    ['bridge fdb del 0a:00:00:00:01:02 dev veth2 master', everything.slice(0, 3)],
    ['bridge fdb replace 0a:00:00:00:01:02 dev veth1 master static', everything.slice(0, 3)],
  ])('after "%s" is what the kernel would keep', (command, expected) => {
    expect(left(NODE, command)).toEqual(expected);
  });

  it('goes at the far end too, when that loses its carrier', () => {
    expect(left(NODE, 'ip link set veth1 down', POD)).toEqual([]);
    expect(left(NODE, 'ip link set veth2 down', POD)).toEqual(['10.244.1.1 eth0']);
  });

  it('is in the way of adding, not of replacing', () => {
    const outcome = applyCommand(
      warm(),
      NODE,
      'ip neigh add 10.244.1.2 lladdr 02:00:00:00:00:01 dev cni0',
    );
    expect(outcome).toEqual({
      ok: false,
      message: 'RTNETLINK answers: File exists',
      hint: 'it is there already; replace changes it',
    });
  });
});

describe('what is not understood', () => {
  it.each<[string, RegExp, RegExp]>([
    [
      'tc qdisc add dev eth0 root netem loss 10%',
      /^k8snet does not understand "tc"/,
      /ip, bridge, sysctl/,
    ],
    ['ip6tables -A INPUT -j DROP', /^k8snet does not understand "ip6tables"/, /iptables/],
    ['', /^k8snet does not understand ""/, /ip, bridge/],
    ['ip', /^k8snet does not understand "ip"/, /ip link\|addr/],
    ['ip -6 route add default dev eth0', /^k8snet does not understand "ip -6"/, /ip link/],
    ['ip netns add x', /^k8snet does not understand "ip netns"/, /ip link/],
    ['ip route', /^k8snet does not understand "ip route list"/, /add\|change/],
    ['ip route show', /^k8snet does not understand "ip route show"/, /add\|change/],
    ['ip route get 10.0.0.1', /^k8snet does not understand "ip route get"/, /add\|change/],
    [
      'ip route add default dev eth0 advmss 1300',
      /^k8snet does not understand "advmss"/,
      /PREFIX, via/,
    ],
    [
      'ip route add 10.9.0.0/24 nexthop via 192.168.10.1 metric 5',
      /^Error: "nexthop" or end of line is expected instead of "metric"/,
      /weight/,
    ],
    ['ip route add default dev eth0 mtu lock 1300', /a locked MTU is not modelled/, /./],
    ['ip route add fd00::/64 dev eth0', /IPv6 is not modelled/, /./],
    ['ip route add 10.1/16 dev eth0', /inet prefix is expected/, /four decimal parts/],
    ['ip route flush cache', /^k8snet does not understand "cache"/, /table X/],
    ['ip route flush scope link', /^k8snet does not understand "scope"/, /table X/],
    ['ip route del', /^k8snet does not understand "ip route" without a route|without/, /PREFIX/],
    ['ip rule add from 10.0.0.0/8 goto 100', /^k8snet does not understand "goto"/, /from, to/],
    ['ip rule add not from 10.0.0.0/8 table 5', /^k8snet does not understand "not"/, /from, to/],
    ['ip rule add ipproto tcp table 5', /^k8snet does not understand "ipproto"/, /from, to/],
    ['ip neigh add proxy 10.0.0.1 dev eth0', /^k8snet does not understand "proxy"/, /lladdr/],
    ['ip addr add 10.0.0.1/24 dev eth0 label eth0:1', /^k8snet does not understand "label"/, /brd/],
    ['ip addr add 10.0.0.1 peer 10.0.0.2 dev eth0', /^k8snet does not understand "peer"/, /brd/],
    ['ip link set eth0 name eth1', /^k8snet does not understand "name"/, /up, down/],
    ['ip link set eth0 netns x', /^k8snet does not understand "netns"/, /up, down/],
    ['ip link set eth0 arp off', /^k8snet does not understand "arp"/, /up, down/],
    ['ip link set eth0', /changes nothing/, /up, down/],
    ['ip link set veth1 type bridge_slave cost 5', /^k8snet does not understand "cost"/, /hairpin/],
    [
      'ip link add d0 address 02:00:00:00:00:01 type ipvlan',
      /^k8snet does not understand "type ipvlan"/,
      /bridge, dummy, vxlan, veth/,
    ],
    ['ip link add br5 type bridge', /no address/, /at random/],
    [
      'ip link add v0 address 02:00:00:00:00:01 type veth peer name v1',
      /v1 has no address/,
      /random/,
    ],
    ['ip link del eth0', /network card/, /down/],
    ['bridge fdb add 02:00:00:00:00:01 dev veth1', /is no row of a bridge/, /master/],
    [
      'bridge fdb add 02:00:00:00:00:01 dev veth1 master vlan 5',
      /^k8snet does not understand "vlan"/,
      /self, master/,
    ],
    ['bridge link set dev veth1 guard on', /^k8snet does not understand "guard"/, /hairpin/],
    ['bridge vlan add vid 5 dev veth1', /^k8snet does not understand "bridge vlan"/, /fdb\|link/],
    ['sysctl -w net.ipv4.tcp_rmem=1', /cannot stat/, /not modelled/],
    ['sysctl -p', /^k8snet does not understand "-p"/, /-w/],
    ['sysctl -w net.ipv4.ip_forward', /name=value/, /=/],
    ['ip route add default via $GW', /"\$" is for a shell/, /one command/],
    ['ip link set eth0 down; ip link set eth0 up', /";" is for a shell/, /one command/],
    ['sysctl -w net.ipv4.ip_forward=0 > /dev/null', /">" is for a shell/, /one command/],
    ['iptables -A INPUT -m comment --comment "open', /not closed/, /^$/],
  ])('%j is refused by name', (text, message, hint) => {
    const refused = refusal(NODE, text);
    expect(refused.message).toMatch(message);
    expect(refused.hint ?? '').toMatch(hint);
  });

  it('says which devices there are, when it is not one of them', () => {
    expect(refusal(POD, 'ip link set eth1 down')).toEqual({
      message: 'Cannot find device "eth1"',
      hint: 'devices here: lo, eth0',
    });
  });

  it('throws for a namespace that does not exist', () => {
    expect(() => applyCommand(base(), 'node-1/nope', 'ip rule flush')).toThrow(RangeError);
    expect(() => applyCommand(base(), 'node-9/host', 'ip rule flush')).toThrow(RangeError);
  });

  it('is a refusal, never an accident, whatever is typed', () => {
    const world = base();
    const words = [...new Set(SCRIPT.flatMap(([, line]) => line.replace(/^! /, '').split(' ')))];
    const line = fc
      .tuple(
        fc.constantFrom(
          'ip route',
          'ip addr',
          'ip link',
          'ip rule',
          'ip neigh',
          'bridge fdb',
          'bridge link',
          'sysctl',
          'iptables',
        ),
        fc.constantFrom('add', 'del', 'set', 'replace', 'flush', '-w', '-A', ''),
        fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 6 })), {
          maxLength: 8,
        }),
      )
      .map(([tool, command, rest]) => [tool, command, ...rest].join(' '));
    fc.assert(
      fc.property(line, (text) => {
        const outcome = applyCommand(world, NODE, text);
        if (!outcome.ok) expect(outcome.message).not.toBe('');
      }),
      { numRuns: 3000 },
    );
  });
});
