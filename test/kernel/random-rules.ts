/** Random rulesets that a router's traffic meets, as operators would type them. */
import { emptyRuleset, type Ruleset } from '../../src/kernel/netfilter/ruleset.ts';
import { runIptables } from '../../src/userland/iptables/command.ts';
import { splitWords } from '../../src/userland/iptables/words.ts';

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};

export interface Chooser {
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  upTo(most: number): number;
}

export const chooserFrom = (seed: number): Chooser => {
  const random = randomFrom(seed);
  const upTo = (most: number): number => Math.floor(random() * (most + 1));
  return {
    chance: (probability) => random() < probability,
    upTo,
    pick: (items) => {
      const item = items[upTo(items.length - 1)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
  };
};

/** What the traffic of a net is made of, for rules that sometimes match it. */
export interface Vocabulary {
  readonly nets: readonly string[];
  readonly devices: readonly string[];
  readonly physdev: readonly string[];
  /** Addresses that NAT may choose; none where nothing is to be translated. */
  readonly dnat: readonly string[];
  readonly snat: readonly string[];
}

export const ROUTED_WORDS: Vocabulary = {
  nets: [
    '10.1.0.0/24',
    '10.2.0.0/24',
    '10.1.0.2/32',
    '10.2.0.2/32',
    '10.2.0.3',
    '10.1.0.1',
    '10.2.0.1/32',
    '10.9.9.9/32',
    '10.0.0.0/8',
    '10.2.0.0/30',
  ],
  devices: ['toc', 'tos', 'to+', 'lo'],
  physdev: ['--physdev-is-bridged', '--physdev-is-in', '--physdev-in eth0'],
  dnat: ['10.2.0.2', '10.2.0.3', '10.2.0.1', '10.1.0.1', '10.2.0.9'],
  snat: ['10.2.0.9', '10.2.0.1', '10.1.0.1'],
};

export const BRIDGED_WORDS: Vocabulary = {
  nets: ['10.3.0.0/24', '10.3.0.1', '10.3.0.2/32', '10.3.0.3', '10.3.0.2/31', '10.0.0.0/8'],
  devices: ['br0', 'br+', 'pc', 'lo'],
  physdev: [
    '--physdev-is-bridged',
    '--physdev-is-in',
    '--physdev-in pc',
    '--physdev-in p+',
    '--physdev-in ps',
  ],
  dnat: [],
  snat: [],
};

type Maker = (choose: Chooser, words: Vocabulary) => string;

const PORTS = ['80', '81', '79:81', ':80', '82:', '30000:60000'];

const not = (choose: Chooser, text: string, probability = 0.2): string =>
  choose.chance(probability) ? `! ${text}` : text;

const OF_TCP: readonly Maker[] = [
  (choose) => not(choose, `--dport ${choose.pick(PORTS)}`),
  (choose) => not(choose, `--sport ${choose.pick(PORTS)}`),
  (choose) => not(choose, '--syn', 0.4),
  (choose) =>
    not(
      choose,
      `--tcp-flags ${choose.pick(['SYN,ACK SYN,ACK', 'RST RST', 'ALL ACK', 'ACK NONE'])}`,
    ),
];

const OF_PORTS: readonly Maker[] = [
  (choose) => not(choose, `--dport ${choose.pick(PORTS)}`),
  (choose) =>
    `-m multiport ${not(choose, `--${choose.pick(['dports', 'sports', 'ports'])} ${choose.pick(['80,81', '79:81,90', '1,2,80', '30000:60000'])}`)}`,
];

const EXTENSIONS: readonly Maker[] = [
  (choose) =>
    `-m conntrack ${not(choose, `--ctstate ${choose.pick(['NEW', 'ESTABLISHED', 'RELATED,ESTABLISHED', 'INVALID', 'NEW,INVALID', 'DNAT', 'SNAT', 'SNAT,DNAT', 'RELATED', 'UNTRACKED', 'INVALID,UNTRACKED'])}`)}`,
  (choose) =>
    `-m state ${not(choose, `--state ${choose.pick(['NEW', 'ESTABLISHED', 'INVALID'])}`)}`,
  (choose) => `-m mark ${not(choose, `--mark ${choose.pick(['0x1/0x1', '0x2/0x3', '0', '3'])}`)}`,
  (choose) =>
    `-m addrtype ${not(choose, `--${choose.pick(['src', 'dst'])}-type ${choose.pick(['LOCAL', 'UNICAST', 'BROADCAST'])}`)}`,
  (choose) =>
    `-m length ${not(choose, `--length ${choose.pick(['0:59', '60', '40:52', '84:', '92:'])}`)}`,
  (choose) => `-m statistic --mode random ${not(choose, `--probability ${choose.pick([0, 1])}`)}`,
  (choose, { physdev }) => `-m physdev ${not(choose, choose.pick(physdev), 0.5)}`,
];

const COMMENT: Maker = (choose) =>
  `-m comment --comment "${choose.pick(['a rule', 'simple', 'ns/svc:port -> 1.2.3.4:80', "it's"])}"`;

const conditions = (
  choose: Chooser,
  words: Vocabulary,
  devices: readonly ('-i' | '-o')[],
): string => {
  const parts: string[] = [];
  if (choose.chance(0.3)) parts.push(not(choose, `-s ${choose.pick(words.nets)}`));
  if (choose.chance(0.3)) parts.push(not(choose, `-d ${choose.pick(words.nets)}`));
  for (const option of devices)
    if (choose.chance(0.2)) parts.push(not(choose, `${option} ${choose.pick(words.devices)}`));
  const protocol = choose.pick(['', '', 'tcp', 'udp', 'icmp', '! tcp']);
  if (protocol !== '') parts.push(protocol.startsWith('!') ? '! -p tcp' : `-p ${protocol}`);
  if (choose.chance(0.25)) parts.push(COMMENT(choose, words));
  if (protocol === 'tcp' && choose.chance(0.7)) parts.push(choose.pick(OF_TCP)(choose, words));
  if ((protocol === 'tcp' || protocol === 'udp') && choose.chance(0.3))
    parts.push(choose.pick(OF_PORTS.slice(1))(choose, words));
  if (protocol === 'udp' && choose.chance(0.5)) parts.push(choose.pick(OF_PORTS)(choose, words));
  if (protocol === 'icmp' && choose.chance(0.6))
    parts.push(not(choose, `--icmp-type ${choose.pick(['8', '0', '3', '3/3', '3/1', 'any'])}`));
  if (choose.chance(0.35)) parts.push(choose.pick(EXTENSIONS)(choose, words));
  return parts.join(' ');
};

const MARK: Maker = (choose) =>
  `MARK ${choose.pick(['--set-mark 1', '--set-xmark 2/3', '--or-mark 1', '--and-mark 2', '--xor-mark 3'])}`;

const REJECT: Maker = (choose) =>
  `REJECT --reject-with ${choose.pick(['icmp-port-unreachable', 'icmp-host-unreachable', 'icmp-net-prohibited', 'icmp-admin-prohibited'])}`;

const TARGETS: Readonly<Record<string, readonly Maker[]>> = {
  filter: [() => 'ACCEPT', () => 'ACCEPT', () => 'ACCEPT', () => 'DROP', () => 'RETURN', REJECT],
  mangle: [() => 'ACCEPT', () => 'RETURN', MARK, MARK, () => 'DROP'],
  security: [() => 'ACCEPT', () => 'DROP'],
  raw: [() => 'ACCEPT', () => 'RETURN', () => 'NOTRACK', () => 'CT --notrack'],
  // NAT by the half that it may change.
  dnat: [
    () => 'ACCEPT',
    () => 'RETURN',
    (choose, { dnat }) => `DNAT --to-destination ${choose.pick(dnat)}`,
    (choose, { dnat }) => `DNAT --to-destination ${choose.pick(dnat)}`,
  ],
  snat: [
    () => 'ACCEPT',
    () => 'RETURN',
    () => 'MASQUERADE',
    () => 'MASQUERADE',
    () => 'MASQUERADE --random-fully',
    (choose, { snat }) => `SNAT --to-source ${choose.pick(snat)}`,
  ],
  none: [() => 'ACCEPT', () => 'RETURN'],
};

const DNAT_WITH_PORT = ['10.2.0.2:80', '10.2.0.3:81', '10.2.0.2:81', '10.2.0.3:80'];

interface Place {
  readonly table: string;
  readonly targets: string;
  readonly chain: string;
  readonly devices: readonly ('-i' | '-o')[];
  /** User chains that may be called from here. */
  readonly below: readonly string[];
}

const rule = (choose: Chooser, words: Vocabulary, place: Place): string => {
  const { table, targets, chain, devices, below } = place;
  const text = `-t ${table} -A ${chain} ${conditions(choose, words, devices)}`;
  if (below.length > 0 && choose.chance(0.4))
    return `${text} ${choose.chance(0.8) ? '-j' : '-g'} ${choose.pick(below)}`;
  if (choose.chance(0.1)) return text;
  if (targets === 'filter' && choose.chance(0.08))
    return `-t filter -A ${chain} -p tcp ${not(choose, '--syn', 0.5)} -j REJECT --reject-with tcp-reset`;
  if (targets === 'dnat' && choose.chance(0.3))
    return `-t nat -A ${chain} -p ${choose.pick(['tcp', 'udp'])} -d ${choose.pick(words.nets)} -j DNAT --to-destination ${choose.pick(DNAT_WITH_PORT)}`;
  return `${text} -j ${choose.pick(TARGETS[targets] ?? [])(choose, words)}`;
};

const DEVICES: Readonly<Record<string, readonly ('-i' | '-o')[]>> = {
  PREROUTING: ['-i'],
  INPUT: ['-i'],
  FORWARD: ['-i', '-o'],
  OUTPUT: ['-o'],
  POSTROUTING: ['-o'],
};

const TABLES: readonly { table: string; targets: string; hooks: readonly string[] }[] = [
  {
    table: 'mangle',
    targets: 'mangle',
    hooks: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  },
  { table: 'nat', targets: 'dnat', hooks: ['PREROUTING', 'OUTPUT'] },
  { table: 'nat', targets: 'snat', hooks: ['POSTROUTING', 'INPUT'] },
  { table: 'filter', targets: 'filter', hooks: ['INPUT', 'FORWARD', 'OUTPUT'] },
  { table: 'security', targets: 'security', hooks: ['FORWARD', 'INPUT'] },
  { table: 'raw', targets: 'raw', hooks: ['PREROUTING', 'OUTPUT'] },
];

/** The commands that make a random ruleset. */
export const randomCommands = (choose: Chooser, words: Vocabulary): string[] => {
  const commands: string[] = [];
  for (const { table, targets: wanted, hooks } of TABLES) {
    const targets = table === 'nat' && words.dnat.length === 0 ? 'none' : wanted;
    if (choose.chance(table === 'security' ? 0.8 : 0.2)) continue;
    const chains = ['A', 'B', 'C'].slice(0, choose.upTo(3)).map((name) => `${wanted}-${name}`);
    for (const chain of chains) commands.push(`-t ${table} -N ${chain}`);
    for (const [at, chain] of chains.entries())
      for (let n = choose.upTo(4); n > 0; n--) {
        const place = { table, targets, chain, devices: ['-i', '-o'] as const };
        commands.push(rule(choose, words, { ...place, below: chains.slice(at + 1) }));
      }
    for (const hook of hooks) {
      const devices = DEVICES[hook] ?? [];
      if (targets === 'snat' && hook === 'INPUT' && choose.chance(0.7)) continue;
      for (let n = choose.upTo(5); n > 0; n--) {
        const text = rule(choose, words, { table, targets, chain: hook, devices, below: chains });
        // The kernel takes MASQUERADE at POSTROUTING only, also through a jump.
        if (hook === 'INPUT' && targets === 'snat' && /-[jg] (?:MASQ|snat)/.test(text)) continue;
        commands.push(text);
      }
      if (table !== 'nat' && choose.chance(0.1)) commands.push(`-t ${table} -P ${hook} DROP`);
    }
  }
  return commands;
};

/** Runs the commands on a ruleset, an empty one unless it is given. */
export const rulesetOf = (
  commands: readonly string[],
  ruleset: Ruleset = emptyRuleset(),
): Ruleset => {
  for (const command of commands)
    runIptables(
      ruleset,
      splitWords(command).map(({ text }) => text),
    );
  return ruleset;
};

/** A rule about a list of addresses. Lists are few, so that rules meet each other's. */
const recentRule = (choose: Chooser, words: Vocabulary): string => {
  const chain = choose.pick(['FORWARD', 'FORWARD', 'INPUT', 'OUTPUT']);
  const op = choose.pick(['--set', '--set', '--rcheck', '--rcheck', '--update', '--remove']);
  const asks = op === '--rcheck' || op === '--update';
  const parts = [`-A ${chain}`];
  if (choose.chance(0.3)) parts.push(not(choose, `-s ${choose.pick(words.nets)}`));
  if (choose.chance(0.3)) parts.push('-m statistic --mode random --probability 1');
  parts.push(`-m recent ${not(choose, op)} --name ${choose.pick(['A', 'B'])}`);
  if (asks && choose.chance(0.4)) parts.push(`--hitcount ${choose.pick([1, 2, 3])}`);
  if (asks && choose.chance(0.4)) parts.push('--seconds 100 --reap');
  if (choose.chance(0.3)) parts.push('--rdest');
  if (choose.chance(0.3)) parts.push('-m mark ! --mark 7');
  const target = choose.pick(['', '', '-j ACCEPT', '-j DROP', '-j MARK --set-mark 7']);
  return [...parts, target].join(' ').trimEnd();
};

/** Commands that fill and ask lists of addresses. */
export const recentCommands = (choose: Chooser, words: Vocabulary): string[] =>
  Array.from({ length: 4 + choose.upTo(6) }, () => recentRule(choose, words));
