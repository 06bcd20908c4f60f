/**
 * The same words, typed at a real kernel and applied to a World: both refuse alike, and afterwards
 * both hold the same devices, addresses, routes, rules, neighbours, forwarding rows and settings, and
 * print them alike.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { netnsOf } from '../../src/kernel/netns.ts';
import type { NetnsId, World } from '../../src/kernel/world.ts';
import type { Job, JobResult } from '../../src/lab/agent.ts';
import { buildLab, type Lab } from '../../src/lab/build.ts';
import { differences, readBack } from '../../src/lab/verify.ts';
import { applyCommand } from '../../src/userland/edit/apply-command.ts';
import { commandWords } from '../../src/userland/edit/words.ts';
import {
  bridgeFdb,
  bridgeLink,
  ipAddr,
  ipLink,
  ipNeigh,
  ipRoute,
  ipRule,
  sysctl,
} from '../../src/userland/print/show.ts';
import { cluster, worldOf } from './hand-made.ts';
import { missing } from './requirements.ts';

const lacking = missing(['ip', 'bridge', 'iptables', 'unshare', 'python3']);

const NODE = 'node-1/host';
const POD = 'node-1/default/pod-1';

/** Commands in order, each on the state that those before it left; `!` marks what both refuse. */
const SCRIPT: readonly (readonly [NetnsId, string])[] = [
  // Routes.
  [NODE, 'ip route add 10.9.0.0/16 via 192.168.10.1'],
  [NODE, '! ip route add 10.9.0.0/16 via 192.168.10.1'],
  [NODE, 'ip route append 10.9.0.0/16 via 192.168.10.7 dev eth0'],
  [NODE, 'ip r pre 10.9.0.0/16 via 192.168.10.8 dev eth0 proto static'],
  [NODE, 'ip route add 10.9.0.0/16 dev cni0 metric 50 mtu 1300'],
  [NODE, 'ip route add 10.9.0.0/16 dev cni0 priority 40 src 10.244.1.1'],
  [NODE, 'ip route replace 10.9.0.0/16 via 192.168.10.9 proto bird'],
  [NODE, 'ip route change 10.9.0.0/16 via 192.168.10.9 proto 80 onlink dev eth0'],
  [NODE, '! ip route change 10.10.0.0/16 via 192.168.10.9'],
  [NODE, 'ip -4 ro del 10.9.0.0/16 metric 50'],
  [NODE, 'ip route delete 10.9.0.0/16'],
  [NODE, 'ip route del 10.9.0.0/16 dev eth0 via 192.168.10.7'],
  [NODE, '! ip route del 10.9.0.0/16 dev eth0 proto static'],
  [NODE, '! ip route del 10.9.0.0/16 via 10.0.0.1'],
  [NODE, '! ip route del 10.77.0.0/16'],
  [NODE, 'ip route add blackhole 10.11.0.0/16'],
  [NODE, 'ip route add unreachable 10.12.0.0/16 metric 7'],
  [NODE, 'ip route add prohibit 10.13.0.0/16 table 100 proto static'],
  [NODE, 'ip route add throw 10.14.0.0/16 table 300'],
  [NODE, 'ip route add table 100 default via 192.168.10.1'],
  [NODE, 'ip route add 10.15.0.1 dev cni0 scope link'],
  [NODE, 'ip route add to 10.15.1.0/24 via inet 10.244.1.7 dev cni0'],
  [NODE, 'ip route add local 10.16.0.1 dev lo'],
  [NODE, 'ip route add 0.0.0.0/1 dev cni0'],
  [NODE, 'ip route add broadcast 10.16.0.255 dev cni0'],
  [NODE, '! ip route add 10.17.0.0/16 via 200.88.0.1 dev cni0'],
  [NODE, '! ip route add 10.17.0.5/16 dev eth0'],
  [NODE, '! ip route add 10.17.0.0/16 dev nope'],
  [NODE, '! ip route add 10.17.0.0/16'],
  [NODE, '! ip route add 10.17.0.0/16 via 192.168.10.1 scope fog'],
  [NODE, '! ip route add 10.17.0.0/16 dev eth0 src 10.99.0.1'],
  [NODE, 'ip route flush table 300'],
  [NODE, '! ip route flush table 301'],
  [NODE, 'ip route flush 10.15.0.1'],
  [POD, 'ip route del default'],
  [POD, 'ip route add default via 10.244.1.1'],
  [POD, 'ip route del 10.244.1.0/24'],
  [POD, '! ip route add 10.20.0.0/16 via 10.244.1.1'],
  [POD, 'ip route add 10.20.0.0/16 via 10.244.1.1 dev eth0 onlink'],
  [POD, 'ip route flush dev eth0'],
  [POD, 'ip route add 10.244.1.0/24 dev eth0 proto kernel scope link src 10.244.1.2'],
  [POD, 'ip route add default via 10.244.1.1 dev eth0'],
  // Rules.
  [NODE, 'ip rule add from 10.244.0.0/16 lookup 100'],
  [NODE, '! ip rule add from 10.244.0.0/16 lookup 100 pref 32765'],
  [NODE, 'ip rule add from 10.244.0.0/16 table 100'],
  [NODE, 'ip ru a to 10.0.0.5/24 prio 7 prohibit'],
  [NODE, 'ip rule add fwmark 0x10/0xf0 blackhole'],
  [NODE, 'ip rule add fwmark 16 type unreachable pref 60'],
  [NODE, 'ip rule add dev cni0 oif eth0 table local preference 9'],
  [NODE, 'ip rule add iif nope table 5 pref 10'],
  [NODE, 'ip rule add from all table 5 pref 33000'],
  [NODE, '! ip rule del pref 9999'],
  [NODE, '! ip rule add'],
  [NODE, 'ip rule del pref 7'],
  [NODE, 'ip rule del from 10.244.0.0/16'],
  [NODE, 'ip rule del fwmark 0x10/0xf0'],
  [NODE, 'ip rule del lookup default'],
  [POD, 'ip rule del pref 0'],
  [POD, 'ip rule add pref 0 lookup local'],
  [POD, 'ip rule flush'],
  [POD, 'ip rule add lookup main pref 32766'],
  // Neighbours.
  [NODE, 'ip neigh add 10.244.1.77 lladdr 02:00:00:00:00:77 dev cni0'],
  [NODE, '! ip neigh add 10.244.1.77 lladdr 02:00:00:00:00:78 dev cni0'],
  [NODE, 'ip neigh replace 10.244.1.77 lladdr 2:0:0:0:0:79 dev cni0'],
  [NODE, 'ip n change 10.244.1.77 lladdr 02:00:00:00:00:7A nud noarp dev cni0'],
  [NODE, '! ip neigh change 10.244.1.78 lladdr 02:00:00:00:00:7a dev cni0'],
  [NODE, 'ip neighbour add 10.244.1.78 lladdr 02:00:00:00:00:78 dev cni0 nud stale'],
  [NODE, '! ip neigh del 10.244.1.99 dev cni0'],
  [NODE, '! ip neigh add 10.244.1.80 dev nope lladdr 02:00:00:00:00:78'],
  [NODE, '! ip neigh add 10.244.1.81'],
  [NODE, 'ip neigh flush dev cni0'],
  [NODE, 'ip neigh del 10.244.1.77 dev cni0'],
  [NODE, 'ip neigh del 10.244.2.0 dev flannel.1'],
  [NODE, 'ip neigh add 10.244.2.0 lladdr 06:00:00:00:00:03 dev flannel.1 nud permanent'],
  // Forwarding rows.
  [NODE, 'bridge fdb del 06:00:00:00:00:02 dev flannel.1 dst 192.168.10.12'],
  [NODE, '! bridge fdb del 06:00:00:00:00:02 dev flannel.1'],
  [NODE, 'bridge fdb append 06:00:00:00:00:02 dev flannel.1 dst 192.168.10.99'],
  [NODE, '! bridge fdb add 06:00:00:00:00:02 dev flannel.1 dst 192.168.10.12'],
  [NODE, 'bridge fdb append 06:00:00:00:00:02 dev flannel.1 dst 192.168.10.12 self permanent'],
  [NODE, 'bridge fdb replace 06:00:00:00:00:02 dev flannel.1 dst 192.168.10.12'],
  [NODE, 'bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst 192.168.10.12'],
  [NODE, 'bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst 192.168.10.13'],
  [NODE, '! bridge fdb add 06:00:00:00:00:04 dev flannel.1'],
  [NODE, 'bridge fdb add 02:00:00:00:aa:01 dev veth1 master static'],
  [NODE, 'bridge fdb add 02:00:00:00:aa:02 dev veth1 master'],
  [NODE, '! bridge fdb add 02:00:00:00:aa:01 dev veth2 master static'],
  [NODE, 'bridge fdb replace 02:00:00:00:aa:01 dev veth2 master static'],
  [NODE, 'bridge fdb add 02:00:00:00:aa:03 dev cni0 self local'],
  [NODE, '! bridge fdb add 02:00:00:00:aa:04 dev cni0 self static'],
  [NODE, '! bridge fdb add 02:00:00:00:aa:05 dev eth0 master'],
  [NODE, '! bridge fdb add 02:00:00:00:aa:06 dev nope master'],
  [NODE, 'bridge fdb del 02:00:00:00:aa:02 dev veth1 master'],
  // Ports.
  [NODE, 'bridge link set dev veth1 hairpin on'],
  [NODE, 'bridge link set dev veth1 learning off flood off isolated on'],
  [NODE, 'bridge link set dev veth1 state disabled'],
  [NODE, 'bridge link set dev veth1 state 3'],
  [NODE, 'bridge link set dev veth1 state blocking'],
  [NODE, 'bridge link set dev veth2 state listening'],
  [NODE, '! bridge link set dev eth0 hairpin on'],
  [NODE, '! bridge link set dev nope hairpin on'],
  [NODE, '! bridge link set dev veth1 state 9'],
  [NODE, '! bridge link set dev veth1 hairpin maybe'],
  [NODE, 'ip link set veth1 type bridge_slave hairpin off learning on'],
  [NODE, '! ip link set eth0 type bridge_slave hairpin off'],
  // Addresses.
  [POD, 'ip addr add 10.244.1.3/24 dev eth0'],
  [POD, 'ip addr add 10.30.0.1/24 brd + dev eth0'],
  [POD, 'ip a add 10.30.1.1/24 brd 10.30.1.255 scope link dev eth0'],
  [POD, 'ip addr add 10.30.2.1 dev eth0'],
  [POD, 'ip addr add 127.0.0.5/8 dev lo'],
  [POD, '! ip addr add 10.30.0.1/24 dev eth0'],
  [POD, 'ip addr replace 10.30.0.1/24 dev eth0'],
  [POD, 'ip addr change 10.30.3.1/31 broadcast + dev eth0'],
  [POD, '! ip addr add 10.30.4.1/24'],
  [POD, '! ip addr add 10.30.4.1/24 dev nope'],
  [POD, '! ip addr del 10.30.9.1/24 dev eth0'],
  [POD, 'ip addr del 10.30.2.1/32 dev eth0'],
  [POD, 'ip addr del 10.244.1.2/24 dev eth0'],
  [POD, 'ip addr add 10.244.1.2/24 dev eth0'],
  [POD, 'ip addr flush dev eth0'],
  [POD, '! ip addr flush dev nope'],
  [POD, 'ip addr add 10.244.1.2/24 dev eth0'],
  [POD, 'ip route add default via 10.244.1.1 dev eth0'],
  // Devices.
  [NODE, 'ip link set flannel.1 down'],
  [NODE, 'ip link set flannel.1 up'],
  [NODE, 'ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink'],
  [NODE, 'ip link set dev veth1 down'],
  [NODE, '! bridge link set dev veth1 state 3'],
  [NODE, 'ip link set veth1 up mtu 1400'],
  [NODE, 'ip link set mtu 1300 dev veth2'],
  [NODE, 'ip link set veth1 nomaster'],
  [NODE, 'ip link set veth1 master cni0'],
  [NODE, 'ip link set veth2 promisc on'],
  [NODE, 'ip link set veth2 promisc off'],
  [NODE, 'ip link set cni0 address 02:00:00:00:c0:01'],
  [NODE, 'ip link set cni0 mtu 1200'],
  [NODE, 'ip link set cni0 down'],
  [NODE, 'ip link set cni0 up'],
  [POD, 'ip link set eth0 address 02:00:00:00:ee:01'],
  [POD, '! ip link set eth0 address 01:00:00:00:ee:01'],
  [POD, 'ip link set lo down'],
  [POD, 'ip link set lo up'],
  [POD, 'ip link set eth0 down'],
  [POD, 'ip link set eth0 up'],
  [NODE, '! ip link set nope up'],
  [NODE, '! ip link set veth1 master nope'],
  [NODE, '! ip link set eth0 mtu 20'],
  [NODE, '! ip link set eth0 mtu 70000'],
  [NODE, '! ip link set flannel.1 mtu 1451'],
  [NODE, '! ip link set eth0 mtu many'],
  [NODE, '! ip link set'],
  [NODE, '! ip link del nope'],
  [NODE, '! ip link del lo'],
  [NODE, 'ip link add br9 address 02:00:00:00:09:00 mtu 1400 index 90 type bridge ageing_time 100'],
  [NODE, '! ip link add br9 address 02:00:00:00:09:00 type bridge'],
  [NODE, '! ip link add br8 address 02:00:00:00:08:00 index 90 type bridge'],
  [NODE, '! ip link set br9 master cni0'],
  [NODE, 'ip link set br9 up'],
  [
    NODE,
    'ip link add vx9 address 02:00:00:00:09:01 index 91 type vxlan id 9 local 192.168.10.11 dev eth0 dstport 4789 nolearning ttl 64',
  ],
  [NODE, '! ip link add vx8 address 02:00:00:00:09:02 type vxlan id 9 dstport 4789'],
  [NODE, 'ip link set vx9 master br9 up'],
  [NODE, 'bridge fdb add 02:00:00:00:aa:09 dev vx9 master static'],
  [NODE, 'ip link set veth2 master br9'],
  [NODE, 'ip link del vx9'],
  [NODE, 'ip link delete dev br9'],
  [NODE, 'ip link del veth2'],
  [NODE, 'ip link set eth0 down'],
  [NODE, 'ip link set eth0 up'],
  // Settings.
  [NODE, 'sysctl -w net.ipv4.ip_forward=0'],
  [NODE, 'sysctl -w net.ipv4.conf.cni0.forwarding=1 net.ipv4.conf.all.rp_filter=1'],
  [NODE, 'sysctl -qw net.ipv4.conf.flannel/1.rp_filter=2'],
  [NODE, 'sysctl net/ipv4/conf/flannel.1/accept_local=1'],
  [NODE, 'sysctl -w net.ipv4.conf.default.rp_filter=2'],
  [NODE, 'sysctl -w "net.ipv4.ip_local_port_range=32000 33000"'],
  [NODE, '! sysctl -w net.ipv4.ip_default_ttl=0'],
  [NODE, '! sysctl -w net.ipv4.ip_forward=maybe'],
  [NODE, '! sysctl -w net.ipv4.conf.nope.rp_filter=1'],
  [NODE, 'sysctl -w net.ipv4.ip_forward=1'],
];

/** The tables that `ip route show table all` puts side by side, and everything else that is printed. */
const SETTINGS = [
  'net.ipv4.ip_forward',
  'net.ipv4.conf.all.rp_filter',
  'net.ipv4.conf.default.rp_filter',
  'net.ipv4.conf.cni0.forwarding',
  'net.ipv4.conf.cni0.rp_filter',
  'net.ipv4.conf.eth0.forwarding',
  'net.ipv4.conf.eth0.rp_filter',
  'net.ipv4.conf.flannel/1.rp_filter',
  'net.ipv4.conf.flannel/1.accept_local',
  'net.ipv4.ip_local_port_range',
];

/** What differs for a reason: who queues, and how the lab calls namespaces and its wires. */
const plain = (line: string): string =>
  line
    .trimEnd()
    .replace(/ qdisc \w+/, '')
    .replace(/ link-netns(?:id)? \S+/, '')
    .replace(/^(\d+: eth0)@\S+:/, '$1:')
    .replace('LOWERLAYERDOWN', 'DOWN');

const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(plain);

const isGroup = (line: string): boolean => Number.parseInt(line.slice(0, 2), 16) % 2 === 1;

/** What tools print, by the command that prints it; unordered lists are sorted on both sides. */
const PRINTED: Readonly<
  Record<string, { argv: string[]; ours: (world: World, id: NetnsId) => string[]; sorted?: true }>
> = {
  'ip addr': { argv: ['ip', 'addr'], ours: (world, id) => ipAddr(world, netnsOf(world, id)) },
  'ip link': { argv: ['ip', 'link'], ours: (world, id) => ipLink(world, netnsOf(world, id)) },
  'ip route': {
    argv: ['ip', '-4', 'route'],
    ours: (world, id) => ipRoute(world, netnsOf(world, id)),
  },
  'ip route show table all': {
    argv: ['ip', '-4', 'route', 'show', 'table', 'all'],
    ours: (world, id) => ipRoute(world, netnsOf(world, id), 'all'),
  },
  'ip route show table 100': {
    argv: ['ip', '-4', 'route', 'show', 'table', '100'],
    ours: (world, id) => ipRoute(world, netnsOf(world, id), 100),
  },
  'ip rule': { argv: ['ip', '-4', 'rule'], ours: (world, id) => ipRule(netnsOf(world, id)) },
  'ip neigh': {
    argv: ['ip', '-4', 'neigh'],
    ours: (world, id) => ipNeigh(world, netnsOf(world, id)),
    sorted: true,
  },
  'bridge -d link': {
    argv: ['bridge', '-d', 'link'],
    ours: (world, id) => bridgeLink(world, netnsOf(world, id), true),
  },
  'bridge fdb': {
    argv: ['bridge', 'fdb'],
    ours: (world, id) => bridgeFdb(world, netnsOf(world, id)),
    sorted: true,
  },
};

const firstLine = (text: string): string => text.trim().split('\n')[0]?.trim() ?? '';

describe.skipIf(lacking.length > 0)(
  `an operator's commands${lacking.length ? ` (lacks ${lacking})` : ''}`,
  () => {
    let lab: Lab;
    let world: World;
    const nameOf = (id: NetnsId): string => lab.plan.names.get(id) ?? '';

    const run = async (jobs: readonly Job[]): Promise<readonly JobResult[]> =>
      await lab.agent.ask('run', { jobs });

    /** Waits for what the kernel does a moment later: the state of a link that lost its carrier. */
    const settled = async (problems: () => Promise<string[]>): Promise<string[]> => {
      let found = await problems();
      for (let tries = 0; tries < 30 && found.length > 0; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        found = await problems();
      }
      return found;
    };

    const stateProblems = async (): Promise<string[]> => {
      const touched = [NODE, POD];
      const results = await run(touched.flatMap((id) => readBack(nameOf(id))));
      return touched.flatMap((id, n) =>
        differences(world, netnsOf(world, id), [
          results[2 * n]?.[1] ?? '',
          results[2 * n + 1]?.[1] ?? '',
        ]),
      );
    };

    const printed = async (
      id: NetnsId,
    ): Promise<readonly (readonly [string, string[], string[]])[]> => {
      const all = Object.entries(PRINTED);
      const results = await run(all.map(([, { argv }]) => ({ ns: nameOf(id), argv })));
      return all.map(([name, { ours, sorted }], n) => {
        // Ports count only where there is a bridge: `bridge fdb` lists the filters of all devices.
        const theirs = linesOf(results[n]?.[1] ?? '').filter(
          (line) => name !== 'bridge fdb' || !isGroup(line),
        );
        const mine = ours(world, id).map(plain);
        return [name, sorted ? mine.toSorted() : mine, sorted ? theirs.toSorted() : theirs];
      });
    };

    beforeAll(async () => {
      world = worldOf(cluster({ nodes: 2, pods: 2, join: 'vxlan' }));
      lab = await buildLab(world, 'root');
    });
    afterAll(async () => {
      await lab?.stop();
    });

    it('do to a World what they do to a kernel, step by step', async () => {
      const problems: string[] = [];
      for (const [id, line] of SCRIPT) {
        const refused = line.startsWith('! ');
        const text = refused ? line.slice(2) : line;
        const [result] = await run([{ ns: nameOf(id), argv: commandWords(text) }]);
        const [code = -1, , err = ''] = result ?? [];
        const outcome = applyCommand(world, id, text);
        if ((code !== 0) !== refused) problems.push(`${text}: the kernel said ${code} ${err}`);
        if (outcome.ok === refused)
          problems.push(`${text}: we said ${outcome.ok ? 'yes' : outcome.message}`);
        if (!outcome.ok && refused && outcome.message !== firstLine(err))
          problems.push(`${text}: we said "${outcome.message}", the tool "${firstLine(err)}"`);
        if (outcome.ok) world = outcome.world;
        const found = await settled(stateProblems);
        problems.push(...found.map((problem) => `after ${text}: ${problem}`));
        if (found.length > 0) break;
      }
      expect(problems).toEqual([]);
    });

    it('leave what the tools of the node print, line by line', async () => {
      for (const id of [NODE, POD])
        for (const [name, mine, theirs] of await printed(id))
          expect([`${id}: ${name}`, ...mine]).toEqual([`${id}: ${name}`, ...theirs]);
    });

    it('leave the settings that the kernel reads', async () => {
      const [result] = await run([{ ns: nameOf(NODE), argv: ['sysctl', ...SETTINGS] }]);
      const mine = SETTINGS.map((key) => sysctl(netnsOf(world, NODE), key));
      expect(mine).toEqual(linesOf(result?.[1] ?? ''));
    });
  },
);
