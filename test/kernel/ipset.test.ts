/**
 * The kernel decides: random sets and rules that ask them are loaded for real, packets are sent, and
 * every rule's counter must be what the model says. Sets are printed back as the model prints them.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileWorld } from '../../src/compile/compile.ts';
import {
  type IpSets,
  type IpSetType,
  ipsetAdd,
  ipsetCreate,
} from '../../src/kernel/netfilter/ipset.ts';
import { type MatchContext, ruleMatches } from '../../src/kernel/netfilter/match.ts';
import { emptyRuleset, nfAppend, type Rule } from '../../src/kernel/netfilter/ruleset.ts';
import { netnsOf } from '../../src/kernel/netns.ts';
import { ipsetList, ipsetRestoreInput, ipsetSave } from '../../src/userland/ipset/print.ts';
import { parseRule } from '../../src/userland/iptables/parse.ts';
import { iptablesRestoreInput, iptablesSave } from '../../src/userland/iptables/print.ts';
import type { Ipv4 } from '../../src/wire/packet.ts';
import { cluster, node } from '../compile/cluster.ts';
import {
  endpoint,
  proxyConfig,
  service,
  servicePort,
  slice,
  vip,
} from '../compile/kube-proxy/services.ts';
import { icmp, tcp, udp } from '../kernel-model/netfilter/bench-router.ts';
import { openPrivateNetwork, type PrivateNetwork, type Shell } from './private-network.ts';
import { type Chooser, chooserFrom } from './random-rules.ts';
import { missing } from './requirements.ts';
import { ownSeeds, seedsOf } from './seeds.ts';

const lacking = missing(['unshare', 'nsenter', 'ip', 'iptables', 'ipset', 'python3', 'sysctl']);
const title = lacking.length > 0 ? ` (missing: ${lacking.join(', ')})` : '';

const SETUP = `
for n in client router; do ip netns add $n; ip -n $n link set lo up
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv4.icmp_ratelimit=0
done
ip link add eth0 netns client type veth peer name eth0 netns router
for n in client router; do ip -n $n link set eth0 up; done
for a in 2 3 4; do ip -n client addr add 10.1.0.$a/24 dev eth0; done
for a in 1 5 6; do ip -n router addr add 10.1.0.$a/24 dev eth0; done
`;

const CLIENTS = ['10.1.0.2', '10.1.0.3', '10.1.0.4'];
const ROUTERS = ['10.1.0.1', '10.1.0.5', '10.1.0.6'];
const PORTS = [53, 80, 443];

type Sent = readonly [
  protocol: 'tcp' | 'udp' | 'icmp',
  src: string,
  sport: number,
  dst: string,
  dport: number,
];

const packetOf = ([protocol, src, sport, dst, dport]: Sent): Ipv4 => {
  if (protocol === 'udp') return udp(src, sport, dst, dport);
  if (protocol === 'tcp') return tcp(src, sport, dst, dport, 'syn');
  return icmp(src, dst, 'echo-request', { id: sport });
};

const TYPES: readonly IpSetType[] = [
  'hash:ip',
  'hash:ip,port',
  'hash:ip,port,ip',
  'hash:ip,port,net',
  'hash:net',
  'bitmap:port',
];

const NETS = ['10.0.0.0/8', '10.1.0.0/16', '10.1.0.0/24', '10.1.0.2/31', '10.1.0.4/30', '10.1.0.3'];

const address = (choose: Chooser): string => choose.pick([...CLIENTS, ...ROUTERS, '192.0.2.1']);

const portText = (choose: Chooser, sports: readonly number[]): string =>
  `${choose.pick(['tcp', 'udp', 'sctp'])}:${choose.pick([...PORTS, ...sports])}`;

const memberOf = (choose: Chooser, type: IpSetType, sports: readonly number[]): string => {
  switch (type) {
    case 'hash:ip':
      return address(choose);
    case 'hash:net':
      return choose.pick(NETS);
    case 'bitmap:port':
      return String(choose.pick([...PORTS, ...sports]));
    case 'hash:ip,port':
      return `${address(choose)},${portText(choose, sports)}`;
    case 'hash:ip,port,ip':
      return `${address(choose)},${portText(choose, sports)},${address(choose)}`;
    case 'hash:ip,port,net':
      return `${address(choose)},${portText(choose, sports)},${choose.pick(NETS)}`;
    default: {
      const never: never = type;
      return never;
    }
  }
};

const hasNets = (type: IpSetType): boolean => type === 'hash:net' || type === 'hash:ip,port,net';

const randomSets = (choose: Chooser, sports: readonly number[]): IpSets => {
  const sets: IpSets = new Map();
  for (const [at, type] of [...TYPES, choose.pick(TYPES)].entries()) {
    const family = type !== 'bitmap:port' && choose.chance(0.05) ? 'inet6' : 'inet';
    const set = ipsetCreate(sets, { name: `S${at}`, type, family });
    if (family === 'inet6') continue;
    for (let n = choose.upTo(hasNets(type) ? 6 : 30); n > 0; n--) {
      const nomatch = hasNets(type) && choose.chance(0.25);
      ipsetAdd(set, memberOf(choose, type, sports), nomatch ? { nomatch: true } : {});
    }
  }
  return sets;
};

/** iptables refuses to ask a set of the other family. */
const asked = (sets: IpSets): string[] =>
  [...sets.values()].filter(({ family }) => family === 'inet').map(({ name }) => name);

const condition = (choose: Chooser, sets: IpSets): string => {
  const dirs = Array.from({ length: 1 + choose.upTo(choose.chance(0.1) ? 5 : 2) }, () =>
    choose.pick(['src', 'dst', 'dst']),
  );
  const not = choose.chance(0.25) ? '! ' : '';
  return `-m set ${not}--match-set ${choose.pick(asked(sets))} ${dirs.join(',')}`;
};

const randomRule = (choose: Chooser, sets: IpSets): Rule => {
  const parts = Array.from({ length: 1 + choose.upTo(1) }, () => condition(choose, sets));
  if (choose.chance(0.3)) parts.unshift(`-p ${choose.pick(['tcp', 'udp'])}`);
  if (choose.chance(0.3)) parts.push(`-m comment --comment "of ${choose.upTo(9)}"`);
  return parseRule(parts.join(' '));
};

let port = 20_000;

const randomPackets = (choose: Chooser): Sent[] =>
  Array.from({ length: 24 }, () => {
    port += 1;
    const protocol = choose.pick(['tcp', 'udp', 'icmp'] as const);
    return [protocol, choose.pick(CLIENTS), port, choose.pick(ROUTERS), choose.pick(PORTS)];
  });

const matchesOf = (rule: Rule, packet: Ipv4, ipsets: IpSets): boolean => {
  const context: MatchContext = {
    skb: { packet, mark: 0 },
    state: { hook: 'PREROUTING', in: 'eth0', bridged: false },
    addrType: () => 'UNICAST',
    ipsets,
  };
  return ruleMatches(rule, context, 'PREROUTING', 1) === true;
};

const RULES = 40;

/** What differs from kernel to kernel, or from one start to the next. */
const comparable = (printed: string): string[] =>
  printed
    .split('\n')
    .map((line) => line.replace(/initval 0x[0-9a-f]+/, 'initval').trim())
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('Size in memory'));

/** How often a rule matched a packet. */
let matched = 0;

describe.skipIf(lacking.length > 0)(`ipset against this kernel${title}`, () => {
  let network: PrivateNetwork;
  let client: Shell;
  let router: Shell;

  beforeAll(async () => {
    network = await openPrivateNetwork();
    await network.root.run(SETUP);
    client = network.shell('client');
    router = network.shell('router');
  });

  afterAll(async () => {
    await network?.close();
  });

  it.each(seedsOf(40))('random sets and rules %i', async (seed) => {
    const choose = chooserFrom(seed);
    const packets = randomPackets(choose);
    const sets = randomSets(
      choose,
      packets.slice(0, 4).map(([, , sport]) => sport),
    );
    const rules = Array.from({ length: RULES }, () => randomRule(choose, sets));
    const ruleset = emptyRuleset();
    for (const rule of rules) nfAppend(ruleset, 'raw', 'PREROUTING', rule);

    await router.run(
      'iptables -t raw -F; ipset destroy; ipset restore',
      ipsetRestoreInput(sets).join('\n'),
    );
    await router.run('iptables-restore', iptablesRestoreInput(ruleset).join('\n'));
    const saved = comparable(await router.run('iptables-save -t raw'));
    expect(saved.map((line) => line.replace(/\[.*\]/, '[0:0]'))).toEqual(iptablesSave(ruleset));
    const list = (await router.run('ipset -sorted list')).split(/\n(?=Name: )/).sort();
    const save = await router.run('ipset -sorted save');
    expect(comparable(list.join('\n'))).toEqual(comparable(ipsetList(sets, ruleset).join('\n')));
    expect(comparable(save).sort()).toEqual(comparable(ipsetSave(sets).join('\n')).sort());

    const file = join(import.meta.dirname, 'packet-agent.py');
    await client.run(
      `python3 ${file} <<'EOF'\n${packets.map((one) => JSON.stringify(one)).join('\n')}\nEOF`,
    );
    const counted = (await router.run('iptables-save -c -t raw'))
      .split('\n')
      .flatMap((line) => /^\[(\d+):/.exec(line)?.[1] ?? [])
      .map(Number);
    const expected = rules.map(
      (rule) => packets.filter((sent) => matchesOf(rule, packetOf(sent), sets)).length,
    );
    for (const count of counted) matched += count;
    const context = [...iptablesSave(ruleset), ...ipsetSave(sets)].join('\n');
    expect(counted, context).toEqual(expected);
  });

  it('takes the sets and rules of kube-proxy in IPVS mode, and prints them back', async () => {
    const both = [endpoint('10.244.1.5', 'node-1'), endpoint('10.244.2.7', 'node-2')];
    const ports = [{ port: 8080, protocol: 'tcp' as const }];
    const world = compileWorld(
      cluster({
        nodes: [node('node-1', 0), node('node-2', 1)],
        pods: [],
        kubeProxy: proxyConfig({ mode: 'ipvs' }),
        services: [
          service('web', {
            type: 'LoadBalancer',
            ports: [servicePort(80, { nodePort: 30080 })],
            ingress: [vip('198.51.100.7')],
            externalIPs: ['192.0.2.50'],
            externalTrafficPolicy: 'Local',
            healthCheckNodePort: 31000,
            sourceRanges: ['192.168.0.0/16', '203.0.113.9/32'],
            slices: [slice('web-1', both, { ports })],
          }),
        ],
      }),
    );
    const { ipsets, netfilter } = netnsOf(world, 'node-1/host');
    await router.run(
      'nft flush ruleset; ipset destroy; ipset restore',
      ipsetRestoreInput(ipsets).join('\n'),
    );
    await router.run('iptables-restore', iptablesRestoreInput(netfilter).join('\n'));
    const printed = (await router.run('iptables-save'))
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(printed).toEqual(iptablesSave(netfilter));
    const save = comparable(await router.run('ipset -sorted save')).sort();
    expect(save).toEqual(comparable(ipsetSave(ipsets).join('\n')).sort());
    await router.run('nft flush ruleset; ipset destroy');
  });

  it.skipIf(ownSeeds)('has met rules that match', () => {
    expect(matched).toBeGreaterThan(2000);
  });
});
