/**
 * A client, a router and a server as real namespaces, routed and on one bridge: the rules under test
 * are the router's. `router-model.ts` is what the model makes of the same flows.
 */
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ConntrackEntry, CtTuple } from '../../src/kernel/netfilter/conntrack.ts';
import type { PrivateNetwork, Shell } from './private-network.ts';
import type { Chooser } from './random-rules.ts';
import { type Counter, type Flow, type Net, OPEN_PORT, type Place } from './router-model.ts';

export const TOOLS = [
  'unshare',
  'nsenter',
  'ip',
  'iptables',
  'nft',
  'conntrack',
  'python3',
  'sysctl',
];

export const SETUP = `
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
export type Ways = Readonly<Record<Place, readonly string[]>>;

export const ROUTED_WAYS: Ways = {
  client: ['10.2.0.2', '10.2.0.3', '10.9.9.9', '10.1.0.1', '10.2.0.9'],
  router: ['10.2.0.2', '10.2.0.3', '10.9.9.9', '10.1.0.1', '10.1.0.2', '10.2.0.9'],
  server: ['10.1.0.2', '10.2.0.1', '10.1.0.1'],
};

export const BRIDGED_WAYS: Ways = {
  client: ['10.3.0.3', '10.3.0.1'],
  router: ['10.3.0.2', '10.3.0.3'],
  server: ['10.3.0.2', '10.3.0.1'],
};

let flowNumber = 0;

/** Every flow of a run has a number of its own. */
export const nextNumber = (): number => {
  flowNumber += 1;
  return flowNumber;
};

export const randomFlow = (choose: Chooser, ways: Ways): Flow => {
  const from: Place = choose.pick(['client', 'client', 'client', 'router', 'server']);
  const protocol = choose.pick(['tcp', 'tcp', 'udp', 'icmp'] as const);
  const n = nextNumber();
  return {
    n,
    from,
    protocol,
    dst: choose.pick(ways[from]),
    sport: 30000 + n,
    dport: protocol === 'icmp' ? 0 : choose.pick([OPEN_PORT, OPEN_PORT, 81]),
    size: protocol === 'tcp' ? 0 : choose.pick([16, 56, 100]),
  };
};

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

export const modelEntry = (entry: ConntrackEntry): string =>
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

export const sameConnections = (kernel: readonly string[], model: readonly string[]): string[] => {
  const left = [...kernel];
  const differences: string[] = [];
  for (const one of model) {
    const at = left.findIndex((text) => fits(text, one));
    if (at < 0) differences.push(`model only: ${one}`);
    else left.splice(at, 1);
  }
  return [...differences, ...left.map((text) => `kernel only: ${text}`)].sort();
};

/** `table chain number` → counter. */
export type Counters = ReadonlyMap<string, Counter>;

export const sorted = (counters: Counters): string[] =>
  [...counters].map(([key, { packets, bytes }]) => `${key}: ${packets} ${bytes}`).sort();

/** What is tracked there, as text that `sameConnections` compares. */
export const trackedIn = async (router: Shell): Promise<string[]> => {
  const tracked = await router.run('conntrack -L -o extended 2>/dev/null');
  return tracked
    .split('\n')
    .filter((line) => line.startsWith('ipv4'))
    .map(kernelEntry);
};

/** One of the two nets for real. */
export interface Lab {
  readonly net: Net;
  readonly router: Shell;
  /** @param expected is waited for with patience, unless it is silence */
  send(flow: Flow, expected: string): Promise<string>;
}

export const openLab = async (
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
