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
import { type Chooser, chooserFrom, randomCommands, rulesetOf } from './random-rules.ts';
import { missing } from './requirements.ts';
import {
  ADDRESSES,
  type Counter,
  type Flow,
  OPEN_PORT,
  type Place,
  routerModel,
} from './router-model.ts';

const TOOLS = ['unshare', 'nsenter', 'ip', 'iptables', 'nft', 'conntrack', 'ping', 'sysctl'];

const lacking = missing(TOOLS);

const SETUP = `
for n in client router server; do ip netns add $n; ip -n $n link set lo up
  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv4.icmp_ratelimit=0 \\
    net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=100000 net.ipv4.tcp_synack_retries=0 \\
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.tcp_challenge_ack_limit=100000
done
ip link add eth0 netns client type veth peer name toc netns router
ip link add eth0 netns server type veth peer name tos netns router
ip -n client addr add 10.1.0.2/24 dev eth0; ip -n router addr add 10.1.0.1/24 dev toc
ip -n server addr add 10.2.0.2/24 dev eth0; ip -n server addr add 10.2.0.3/24 dev eth0
ip -n router addr add 10.2.0.1/24 dev tos; ip -n router addr add 10.2.0.9/32 dev tos
ip -n client link set eth0 up; ip -n server link set eth0 up
ip -n router link set toc up; ip -n router link set tos up
ip -n client route add default via 10.1.0.1; ip -n server route add default via 10.2.0.1
ip -n router route add default via 10.2.0.2
ip netns exec router sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 \\
  net.ipv4.conf.toc.send_redirects=0 net.ipv4.conf.tos.send_redirects=0
mac() { ip netns exec $1 cat /sys/class/net/$2/address; }
ip -n router neigh replace 10.1.0.2 lladdr $(mac client eth0) dev toc
ip -n router neigh replace 10.2.0.2 lladdr $(mac server eth0) dev tos
ip -n router neigh replace 10.2.0.3 lladdr $(mac server eth0) dev tos
ip -n client neigh replace 10.1.0.1 lladdr $(mac router toc) dev eth0
for a in 10.2.0.1 10.2.0.9; do ip -n server neigh replace $a lladdr $(mac router tos) dev eth0; done
`;

const TIMEOUT = 150;

const randomFlow = (choose: Chooser, n: number): Flow => {
  const from: Place = choose.pick(['client', 'client', 'client', 'router', 'server']);
  const dst = {
    client: ['10.2.0.2', '10.2.0.3', '10.9.9.9', '10.1.0.1', '10.2.0.9'],
    router: ['10.2.0.2', '10.2.0.3', '10.9.9.9', '10.1.0.1', '10.1.0.2', '10.2.0.9'],
    server: ['10.1.0.2', '10.2.0.1', '10.1.0.1'],
  }[from];
  const protocol = choose.pick(['tcp', 'tcp', 'udp', 'icmp'] as const);
  return {
    n,
    from,
    protocol,
    dst: choose.pick(dst),
    sport: 30000 + n,
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

describe.skipIf(lacking.length > 0)(
  `netfilter against this kernel${lacking.length > 0 ? ` (missing: ${lacking.join(', ')})` : ''}`,
  () => {
    let network: PrivateNetwork;
    let router: Shell;
    const agents: Partial<Record<Place, ReturnType<PrivateNetwork['agent']>>> = {};

    beforeAll(async () => {
      network = await openPrivateNetwork();
      await network.root.run(SETUP);
      router = network.shell('router');
      const file = join(import.meta.dirname, 'flow-agent.js');
      for (const place of ['client', 'router', 'server'] as const)
        agents[place] = network.agent(place, file);
      for (const [at, dst] of ADDRESSES.server.entries()) {
        const listen = { n: -at, protocol: 'listen', dst, dport: OPEN_PORT };
        expect(await agents.server?.(listen)).toBe('listening');
      }
    });

    afterAll(async () => {
      await network?.close();
    });

    const load = async (ruleset: Ruleset): Promise<void> => {
      const input = iptablesRestoreInput(ruleset).join('\n');
      await router.run('nft flush ruleset; iptables-restore', input);
      await router.run('conntrack -F 2>/dev/null || true');
    };

    const send = async (flow: Flow): Promise<string> => {
      const agent = agents[flow.from];
      if (!agent) throw new Error(`no agent in ${flow.from}`);
      const command = { ...flow, timeout: TIMEOUT };
      return await agent(command);
    };

    const check = async (commands: readonly string[], flows: readonly Flow[]): Promise<number> => {
      const ruleset = rulesetOf(commands);
      await load(ruleset);
      // Loading registers every chain that is named, so what is printed back names all of them.
      const saved = await router.run('iptables-save');
      expect(withoutComments(saved)).toEqual(iptablesSave(ruleset));

      const model = routerModel(ruleset);
      const expected = flows.map((flow) => `${flow.n} ${model.send(flow)}`);
      const results = await Promise.all(flows.map((flow) => send(flow)));
      await new Promise((resolve) => setTimeout(resolve, 20));
      const counted = countersFrom(await router.run('iptables-save -c'));
      const tracked = await router.run('conntrack -L -o extended 2>/dev/null');
      const context = [...iptablesSave(ruleset), ...flows.map((flow) => JSON.stringify(flow))];

      expect(sorted(counted), context.join('\n')).toEqual(sorted(model.counters));
      const seen = flows.map(({ n }, at) => `${n} ${results[at]}`);
      expect(seen, context.join('\n')).toEqual(expected);
      const kernel = tracked.split('\n').filter((line) => line.startsWith('ipv4'));
      expect(
        sameConnections(kernel.map(kernelEntry), model.conntrack.map(modelEntry)),
        context.join('\n'),
      ).toEqual([]);
      return [...counted.values()].reduce((sum, { packets }) => sum + packets, 0);
    };

    let flowNumber = 0;

    it.each(Array.from({ length: Number(process.env['N'] ?? 25) }, (_, at) => at + 1))(
      'random ruleset %i',
      async (seed) => {
        const choose = chooserFrom(seed);
        const flows = Array.from({ length: 14 }, () => {
          flowNumber += 1;
          return randomFlow(choose, flowNumber);
        });
        await check(randomCommands(choose), flows);
      },
    );
  },
);
