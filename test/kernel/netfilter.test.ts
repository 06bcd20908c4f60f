/**
 * The kernel decides: random rulesets are loaded for real, real flows are sent through them, and
 * every rule's counter and every connection must be what the model says.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConntrackEntry, CtTuple } from '../../src/kernel/netfilter/conntrack.ts';
import type { Ruleset } from '../../src/kernel/netfilter/ruleset.ts';
import { iptablesRestoreInput, iptablesSave } from '../../src/userland/iptables/print.ts';
import { openPrivateNetwork, type PrivateNetwork, type Shell } from './private-network.ts';
import {
  BRIDGED_WORDS,
  type Chooser,
  chooserFrom,
  ROUTED_WORDS,
  randomCommands,
  recentCommands,
  rulesetOf,
} from './random-rules.ts';
import { missing } from './requirements.ts';
import {
  BRIDGED,
  type Counter,
  type Flow,
  type Net,
  OPEN_PORT,
  type Place,
  ROUTED,
  type RouterModel,
  routerModel,
} from './router-model.ts';
import { ownSeeds, seedsOf } from './seeds.ts';

const TOOLS = ['unshare', 'nsenter', 'ip', 'iptables', 'nft', 'conntrack', 'python3', 'sysctl'];

const lacking = missing(TOOLS);

const SETUP = `
for n in client router server left bridge right; do ip netns add $n; ip -n $n link set lo up
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv4.icmp_ratelimit=0 \\
    net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=100000 net.ipv4.tcp_synack_retries=0 \\
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \\
    net.ipv4.tcp_challenge_ack_limit=100000
done
mac() { ip netns exec $1 cat /sys/class/net/$2/address; }
pair() { ip link add eth0 netns $1 type veth peer name $3 netns $2; ip -n $1 link set eth0 up
  ip -n $2 link set $3 up; }
knows() { ip -n $1 neigh replace $2 lladdr $(mac $3 $4) dev $5; }
address() { ip -n $1 addr add $2 dev $3; }

pair client router toc; pair server router tos
for a in 10.1.0.2/24 10.1.0.3/24; do address client $a eth0; done
for a in 10.2.0.2/24 10.2.0.3/24; do address server $a eth0; done
address router 10.1.0.1/24 toc; address router 10.2.0.1/24 tos; address router 10.2.0.9/32 tos
ip -n client route add default via 10.1.0.1; ip -n server route add default via 10.2.0.1
ip -n router route add default via 10.2.0.2
ip netns exec router sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 \\
  net.ipv4.conf.toc.send_redirects=0 net.ipv4.conf.tos.send_redirects=0
for a in 10.1.0.2 10.1.0.3; do knows router $a client eth0 toc; done
for a in 10.2.0.2 10.2.0.3; do knows router $a server eth0 tos; done
knows client 10.1.0.1 router toc eth0
for a in 10.2.0.1 10.2.0.9; do knows server $a router tos eth0; done

ip -n bridge link add br0 type bridge; ip -n bridge link set br0 up
pair left bridge pc; pair right bridge ps
for p in pc ps; do ip -n bridge link set $p master br0; done
address left 10.3.0.2/24 eth0; address right 10.3.0.3/24 eth0; address bridge 10.3.0.1/24 br0
ip netns exec bridge sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.ipv4.ip_forward=1
knows left 10.3.0.3 right eth0 eth0; knows left 10.3.0.1 bridge br0 eth0
knows right 10.3.0.2 left eth0 eth0; knows right 10.3.0.1 bridge br0 eth0
knows bridge 10.3.0.2 left eth0 br0; knows bridge 10.3.0.3 right eth0 br0
`;

/** Milliseconds that a flow waits to stay without an answer; and for one, on a busy machine. */
const SILENCE = 150;
const PATIENCE = 5000;

/** Where flows of a net start, and where they may go. */
type Ways = Readonly<Record<Place, readonly string[]>>;

const ROUTED_WAYS: Ways = {
  client: ['10.2.0.2', '10.2.0.3', '10.9.9.9', '10.1.0.1', '10.2.0.9'],
  router: ['10.2.0.2', '10.2.0.3', '10.9.9.9', '10.1.0.1', '10.1.0.2', '10.2.0.9'],
  server: ['10.1.0.2', '10.2.0.1', '10.1.0.1'],
};

const BRIDGED_WAYS: Ways = {
  client: ['10.3.0.3', '10.3.0.1'],
  router: ['10.3.0.2', '10.3.0.3'],
  server: ['10.3.0.2', '10.3.0.1'],
};

let flowNumber = 0;

const randomFlow = (choose: Chooser, ways: Ways): Flow => {
  flowNumber += 1;
  const from: Place = choose.pick(['client', 'client', 'client', 'router', 'server']);
  const protocol = choose.pick(['tcp', 'tcp', 'udp', 'icmp'] as const);
  return {
    n: flowNumber,
    from,
    protocol,
    dst: choose.pick(ways[from]),
    sport: 30000 + flowNumber,
    dport: protocol === 'icmp' ? 0 : choose.pick([OPEN_PORT, OPEN_PORT, 81]),
    size: protocol === 'tcp' ? 0 : choose.pick([16, 56, 100]),
  };
};

type Counters = ReadonlyMap<string, Counter>;

/** `table chain number` → counter, from iptables-save -c. */
const countersFrom = (saved: string): Counters => {
  const counters = new Map<string, Counter>();
  const numbers = new Map<string, number>();
  let table = '';
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1);
    const [, packets, bytes, chain] = /^\[(\d+):(\d+)\] -A (\S+)/.exec(line) ?? [];
    if (chain === undefined) continue;
    const number = (numbers.get(`${table} ${chain}`) ?? 0) + 1;
    numbers.set(`${table} ${chain}`, number);
    if (packets !== '0')
      counters.set(`${table} ${chain} ${number}`, {
        packets: Number(packets),
        bytes: Number(bytes),
      });
  }
  return counters;
};

const sorted = (counters: Counters): string[] =>
  [...counters].map(([key, { packets, bytes }]) => `${key}: ${packets} ${bytes}`).sort();

/** One connection as text. A port that was picked at random is its range. */
const entryText = (
  protocol: string,
  state: string,
  original: string,
  reply: string,
  flags: string,
): string => [protocol, state, original, reply, flags].filter((word) => word !== '').join(' ');

const tupleText = ({ src, dst, protocol, sport, dport }: CtTuple): string => {
  const port = (value: CtTuple['sport']): string =>
    typeof value === 'number' ? `${value}` : `${value.range[0]}-${value.range[1]}`;
  return protocol === 'icmp'
    ? `${src}>${dst}#${port(sport)}`
    : `${src}:${port(sport)}>${dst}:${port(dport)}`;
};

const modelEntry = (entry: ConntrackEntry): string =>
  entryText(
    entry.original.protocol,
    entry.tcpState ?? '',
    tupleText(entry.original),
    tupleText(entry.reply),
    `${entry.seenReply ? '' : 'UNREPLIED'}${entry.assured ? 'ASSURED' : ''}`,
  );

const kernelEntry = (line: string): string => {
  const protocol = /ipv4\s+\d+\s+(\w+)/.exec(line)?.[1] ?? '';
  const state = /\d+ ([A-Z_]+\d?) src=/.exec(line)?.[1] ?? '';
  const all = (key: string): string[] =>
    [...line.matchAll(new RegExp(`\\b${key}=(\\S+)`, 'g'))].map((match) => match[1] ?? '');
  const tuple = (n: number): string =>
    protocol === 'icmp'
      ? `${all('src')[n]}>${all('dst')[n]}#${all('id')[n]}`
      : `${all('src')[n]}:${all('sport')[n]}>${all('dst')[n]}:${all('dport')[n]}`;
  const flags = [...line.matchAll(/\[(UNREPLIED|ASSURED)\]/g)].map((match) => match[1]).join('');
  return entryText(protocol, state, tuple(0), tuple(1), flags);
};

/** Whether the kernel's text is the model's, with a number of the range where the model has one. */
const fits = (kernel: string, model: string): boolean => {
  const pattern = model
    .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\b(\d+)-(\d+)\b/, '(?<port>\\d+)');
  const found = new RegExp(`^${pattern}$`).exec(kernel);
  const [, low, high] = /\b(\d+)-(\d+)\b/.exec(model) ?? [];
  const port = Number(found?.groups?.['port']);
  return !!found && (low === undefined || (port >= Number(low) && port <= Number(high)));
};

const sameConnections = (kernel: readonly string[], model: readonly string[]): string[] => {
  const left = [...kernel];
  const differences: string[] = [];
  for (const one of model) {
    const at = left.findIndex((text) => fits(text, one));
    if (at < 0) differences.push(`model only: ${one}`);
    else left.splice(at, 1);
  }
  return [...differences, ...left.map((text) => `kernel only: ${text}`)].sort();
};

const withoutComments = (saved: string): string[] =>
  saved.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

const title = lacking.length > 0 ? ` (missing: ${lacking.join(', ')})` : '';

/** One of the two nets for real. */
interface Lab {
  readonly net: Net;
  readonly router: Shell;
  /** @param expected is waited for with patience, unless it is silence */
  send(flow: Flow, expected: string): Promise<string>;
}

const openLab = async (
  network: PrivateNetwork,
  net: Net,
  netns: Readonly<Record<Place, string>>,
): Promise<Lab> => {
  const file = join(import.meta.dirname, 'flow-agent.js');
  const agents = {
    client: network.agent(netns.client, file),
    router: network.agent(netns.router, file),
    server: network.agent(netns.server, file),
  };
  for (const [at, dst] of net.addresses.server.entries()) {
    const listen = { n: -at, protocol: 'listen', dst, dport: OPEN_PORT };
    expect(await agents.server(listen)).toBe('listening');
  }
  return {
    net,
    router: network.shell(netns.router),
    send: (flow, expected) => {
      const timeout = expected === 'silent' ? SILENCE : PATIENCE;
      return agents[flow.from]({ ...flow, timeout } as Flow);
    },
  };
};

/** Loads the ruleset and compares how it is printed back. */
const load = async ({ router }: Lab, ruleset: Ruleset): Promise<void> => {
  const input = iptablesRestoreInput(ruleset).join('\n');
  await router.run('nft flush ruleset; iptables-restore; conntrack -F 2>/dev/null || true', input);
  expect(withoutComments(await router.run('iptables-save'))).toEqual(iptablesSave(ruleset));
};

/** How often a packet met a rule that the kernel counted. */
let decisions = 0;

/** What the kernel has counted and tracked, against the model. */
const compare = async (
  { router }: Lab,
  model: RouterModel,
  context: readonly string[],
): Promise<void> => {
  const counted = countersFrom(await router.run('iptables-save -c'));
  for (const { packets } of counted.values()) decisions += packets;
  const tracked = await router.run('conntrack -L -o extended 2>/dev/null');
  expect(sorted(counted), context.join('\n')).toEqual(sorted(model.counters));
  const kernel = tracked.split('\n').filter((line) => line.startsWith('ipv4'));
  expect(
    sameConnections(kernel.map(kernelEntry), model.conntrack.map(modelEntry)),
    context.join('\n'),
  ).toEqual([]);
};

/** All flows at once; none has to do with another. */
const check = async (
  lab: Lab,
  commands: readonly string[],
  flows: readonly Flow[],
): Promise<void> => {
  const ruleset = rulesetOf(commands);
  await load(lab, ruleset);
  const model = routerModel(ruleset, lab.net);
  const expected = flows.map((flow) => model.send(flow));
  const results = await Promise.all(
    flows.map((flow, at) => lab.send(flow, expected[at] ?? 'silent')),
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  const context = [...iptablesSave(ruleset), ...flows.map((flow) => JSON.stringify(flow))];
  await compare(lab, model, context);
  expect(results, context.join('\n')).toEqual(expected);
};

/** One flow after the other: what the first one left behind decides about the next. */
const inTurn = async (
  lab: Lab,
  commands: readonly string[],
  flows: readonly Omit<Flow, 'n'>[],
): Promise<RouterModel> => {
  const ruleset = rulesetOf(commands);
  await load(lab, ruleset);
  const model = routerModel(ruleset, lab.net);
  for (const given of flows) {
    flowNumber += 1;
    const flow = { n: flowNumber, ...given };
    const expected = model.send(flow);
    expect(await lab.send(flow, expected), JSON.stringify(flow)).toBe(expected);
  }
  await compare(lab, model, [...commands, ...flows.map((flow) => JSON.stringify(flow))]);
  return model;
};

const FLOWS = 14;

describe.skipIf(lacking.length > 0)(`netfilter against this kernel${title}`, () => {
  let network: PrivateNetwork;
  let routed: Lab;
  let bridged: Lab;

  beforeAll(async () => {
    network = await openPrivateNetwork();
    await network.root.run(SETUP);
    routed = await openLab(network, ROUTED, {
      client: 'client',
      router: 'router',
      server: 'server',
    });
    bridged = await openLab(network, BRIDGED, {
      client: 'left',
      router: 'bridge',
      server: 'right',
    });
  });

  afterAll(async () => {
    await network?.close();
  });

  it.each(seedsOf(40))('routed, random ruleset %i', async (seed) => {
    const choose = chooserFrom(seed);
    const flows = Array.from({ length: FLOWS }, () => randomFlow(choose, ROUTED_WAYS));
    await check(routed, randomCommands(choose, ROUTED_WORDS), flows);
  });

  it.each(seedsOf(20))('bridged, random ruleset %i', async (seed) => {
    const choose = chooserFrom(seed);
    const flows = Array.from({ length: FLOWS }, () => randomFlow(choose, BRIDGED_WAYS));
    await check(bridged, randomCommands(choose, BRIDGED_WORDS), flows);
  });

  it.each(seedsOf(15))('lists of addresses that rules saw, random ruleset %i', async (seed) => {
    const choose = chooserFrom(seed);
    const commands = recentCommands(choose, ROUTED_WORDS);
    const flows = Array.from({ length: 10 }, () => randomFlow(choose, ROUTED_WAYS));
    await inTurn(
      routed,
      commands,
      flows.map(({ n: _, ...flow }) => flow),
    );
  });

  const tcp = { from: 'client', protocol: 'tcp', dport: OPEN_PORT, size: 0 } as const;
  const udp = { from: 'client', protocol: 'udp', dport: OPEN_PORT, size: 20 } as const;
  const echo = { from: 'client', protocol: 'icmp', dport: 0, size: 56 } as const;
  const MASQUERADE = '-t nat -A POSTROUTING -o tos -j MASQUERADE';
  const TWO_CLIENTS = ['10.1.0.2', '10.1.0.3'];

  it('masquerades: a port that is taken moves within its class, and keeps what it got', async () => {
    const ports = [5000, 700, 300].flatMap((sport) => TWO_CLIENTS.map((src) => ({ src, sport })));
    const model = await inTurn(
      routed,
      [MASQUERADE],
      [
        ...ports.map((from) => ({ ...udp, ...from, dst: '10.2.0.2' })),
        ...ports.map((from) => ({ ...tcp, ...from, dst: '10.2.0.2' })),
        { ...udp, src: '10.1.0.3', sport: 5000, dst: '10.2.0.3' },
        ...TWO_CLIENTS.map((src) => ({ ...echo, src, sport: 77, dst: '10.2.0.2' })),
      ],
    );
    const moved = model.conntrack.flatMap(({ original, reply: { dport } }) =>
      original.protocol === 'udp' && typeof dport === 'object' ? [dport.range] : [],
    );
    expect(moved).toEqual([
      [1024, 65535],
      [600, 1023],
      [1, 511],
      [1024, 65535],
    ]);
    const tracked = await routed.router.run(
      'conntrack -L -o extended -s 10.1.0.3 -p udp 2>/dev/null',
    );
    const [first, second] = [...tracked.matchAll(/dst=10.2.0.[23] sport=5000 .* dport=(\d+)/g)];
    expect(first?.[1]).toBe(second?.[1]);
    expect(Number(first?.[1])).not.toBe(5000);
  });

  it('masquerades at random', async () => {
    await inTurn(
      routed,
      [`${MASQUERADE} --random-fully`],
      [
        { ...udp, sport: 5001, dst: '10.2.0.2' },
        { ...tcp, sport: 5001, dst: '10.2.0.2' },
        { ...tcp, sport: 5001, dport: 81, dst: '10.2.0.2' },
        { ...udp, sport: 5001, dport: 81, dst: '10.2.0.3' },
        { ...echo, sport: 99, dst: '10.2.0.2' },
        { ...tcp, sport: 500, dst: '10.2.0.3' },
      ],
    );
  });

  it('moves the source port when two translated destinations are one', async () => {
    const dnat = '-t nat -A PREROUTING -d 10.9.9.0/24 -p udp -j DNAT --to-destination 10.2.0.2:80';
    await inTurn(
      routed,
      [dnat],
      ['10.9.9.9', '10.9.9.8'].map((dst) => ({ ...udp, sport: 5002, dst })),
    );
  });

  it('drops what would have to share the one port of SNAT', async () => {
    const snat = '-t nat -A POSTROUTING -p udp -o tos -j SNAT --to-source 10.2.0.9:6000';
    await inTurn(
      routed,
      [snat],
      [5003, 5004].map((sport) => ({ ...udp, sport, dst: '10.2.0.2' })),
    );
  });

  it('forgets a refused connection, and lets an aborted one start again', async () => {
    await inTurn(
      routed,
      ['-A FORWARD -m conntrack --ctstate NEW', '-A FORWARD -m conntrack --ctstate ESTABLISHED'],
      [
        { ...tcp, sport: 5005, dport: 81, dst: '10.2.0.2' },
        { ...tcp, sport: 5005, dport: 81, dst: '10.2.0.2' },
        { ...tcp, sport: 5006, dst: '10.2.0.2' },
        { ...tcp, sport: 5006, dst: '10.2.0.2' },
        { ...echo, sport: 5, dst: '10.2.0.2' },
        { ...echo, sport: 5, dst: '10.2.0.2' },
        { ...echo, sport: 5, dst: '10.2.0.2', src: '10.1.0.3' },
      ],
    );
  });

  it('translates the errors of routers on the way, back to who sent', async () => {
    const count = '-m conntrack --ctstate RELATED';
    await inTurn(
      routed,
      [
        MASQUERADE,
        '-t nat -A PREROUTING -d 10.9.9.9 -j DNAT --to-destination 10.2.0.2',
        `-A OUTPUT ${count}`,
        `-A FORWARD ${count}`,
        `-t mangle -A POSTROUTING -s 10.9.9.9 ${count}`,
        `-t mangle -A POSTROUTING -d 10.1.0.2 -p icmp ${count}`,
      ],
      [
        { ...echo, sport: 6, dst: '10.9.9.9', ttl: 1 },
        { ...udp, sport: 5007, dport: 81, dst: '10.9.9.9' },
        { ...udp, sport: 5008, dport: 81, dst: '10.2.0.3' },
      ],
    );
  });

  it('does not ask nat chains while nothing needs conntrack', async () => {
    const model = await inTurn(
      routed,
      ['-t nat -A PREROUTING -j ACCEPT', '-A FORWARD -j ACCEPT'],
      [{ ...udp, sport: 5009, dst: '10.2.0.2' }],
    );
    expect([...model.counters.keys()]).toEqual(['filter FORWARD 1']);
    expect(model.conntrack).toEqual([]);
  });

  it('tracks where a rule needs it, used or not', async () => {
    const flow = { ...udp, dst: '10.2.0.2', sport: 5010 };
    const rules = [
      '-A lonely -m conntrack --ctstate NEW',
      '-A lonely -m state --state NEW',
      '-A lonely -m connmark --mark 0x1',
      '-A lonely -m connlimit --connlimit-above 9 --connlimit-mask 32 --connlimit-saddr -j DROP',
      '-A lonely -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff',
    ];
    for (const rule of rules)
      expect((await inTurn(routed, ['-N lonely', rule], [flow])).conntrack).toHaveLength(1);
    const idle = [
      '-j REJECT',
      '-m addrtype --dst-type LOCAL',
      '-m physdev --physdev-is-in',
      '-p 77',
    ];
    for (const rule of idle)
      expect((await inTurn(routed, ['-N lonely', `-A lonely ${rule}`], [flow])).conntrack).toEqual(
        [],
      );
  });

  it('knows ports of a bridge where the packet has one', async () => {
    const every = ['--physdev-in pc', '! --physdev-in pc', '--physdev-in zz', '! --physdev-in zz'];
    const ports = [
      '--physdev-out ps',
      '! --physdev-out ps',
      '--physdev-is-out',
      '! --physdev-is-out',
    ];
    const isBridged = ['--physdev-is-bridged', '! --physdev-is-bridged', '! --physdev-is-in'];
    const commands = ['PREROUTING', 'INPUT', 'FORWARD', 'POSTROUTING'].flatMap((chain) =>
      [...every, ...ports, ...isBridged].map(
        (match) => `-t mangle -A ${chain} -m physdev ${match}`,
      ),
    );
    await inTurn(
      bridged,
      [...commands, ...every.map((match) => `-t mangle -A OUTPUT -m physdev ${match}`)],
      [
        { ...udp, sport: 5011, dst: '10.3.0.3' },
        { ...udp, sport: 5012, dst: '10.3.0.1' },
        { ...udp, sport: 5013, dst: '10.3.0.2', from: 'router' },
      ],
    );
  });

  it.skipIf(ownSeeds)('has met rules often enough to tell', () => {
    expect(decisions).toBeGreaterThan(2000);
  });
});
