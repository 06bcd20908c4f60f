/** Rules as `iptables-save` of iptables 1.8.9 (nf_tables) prints them. */
import {
  type Chain,
  findChain,
  type Match,
  type NfTable,
  type Rule,
  type Ruleset,
  TABLE_HOOKS,
  type TableName,
  type Target,
} from '../../kernel/netfilter/ruleset.ts';
import { protocolText } from './names.ts';
import { saveString } from './words.ts';

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

const range = (from: number, to: number): string => (from === to ? `${from}` : `${from}:${to}`);

/** Selectors come before everything else, in this order; `-f` and the like are kept word for word. */
const SELECTORS = ['-s', '-d', '-i', '-o', '-p', '-f'] as const;

const selectorOf = (match: Match): (typeof SELECTORS)[number] | undefined => {
  switch (match.kind) {
    case 'src':
      return '-s';
    case 'dst':
      return '-d';
    case 'in':
      return '-i';
    case 'out':
      return '-o';
    case 'protocol':
      return '-p';
    case 'unmodelled':
      return SELECTORS.find((option) => match.text.replace(/^! /, '').startsWith(option));
    default:
      return undefined;
  }
};

/** The `-m` name that a condition is an option of, and the option's place among its options. */
const groupOf = (match: Match, protocol: string): readonly [name: string, order: number] => {
  switch (match.kind) {
    case 'sport':
      return [protocol, 0];
    case 'dport':
      return [protocol, 1];
    case 'tcp-flags':
      return ['tcp', 2];
    case 'addrtype':
      return ['addrtype', match.which === 'src' ? 0 : 1];
    case 'physdev':
      return ['physdev', ['is-in', 'in', 'is-out', 'out', 'is-bridged'].indexOf(match.which)];
    case 'icmp-type':
      return ['icmp', 0];
    case 'ctstate':
      return [match.alias ?? 'conntrack', 0];
    case 'extension':
      return [match.name, 0];
    case 'set':
    case 'multiport':
    case 'mark':
    case 'length':
    case 'statistic':
    case 'recent':
    case 'nfacct':
    case 'comment':
      return [match.kind, 0];
    default:
      return ['', 0];
  }
};

const CTSTATES = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'] as const;

const TCP_FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];

const flagsText = (flags: readonly string[]): string =>
  TCP_FLAGS.filter((flag) => flags.includes(flag)).join(',') || 'NONE';

const maskText = (value: number, mask: number): string =>
  mask >>> 0 === 0xffffffff ? hex(value) : `${hex(value)}/${hex(mask)}`;

const physdevText = (match: Extract<Match, { kind: 'physdev' }>): string =>
  match.ifname === undefined
    ? `--physdev-${match.which}`
    : `--physdev-${match.which} ${match.ifname}`;

const recentText = (match: Extract<Match, { kind: 'recent' }>): string => {
  const { op, seconds, reap, hitcount, name, mask, side } = match;
  const words = [`--${op}`];
  if (seconds !== undefined) words.push('--seconds', `${seconds}`);
  if (reap) words.push('--reap');
  if (hitcount !== undefined) words.push('--hitcount', `${hitcount}`);
  // The name stands without quotation marks, whatever is in it.
  words.push('--name', name, '--mask', mask, `--r${side}`);
  return words.join(' ');
};

/** A condition as an option, without its `-m` and without `!`. */
const optionText = (match: Match): string => {
  switch (match.kind) {
    case 'src':
      return `-s ${match.cidr}`;
    case 'dst':
      return `-d ${match.cidr}`;
    case 'in':
      return `-i ${match.ifname}`;
    case 'out':
      return `-o ${match.ifname}`;
    case 'protocol':
      return `-p ${protocolText(match.protocol)}`;
    case 'sport':
    case 'dport':
      return `--${match.kind} ${range(match.from, match.to)}`;
    case 'multiport':
      return `--${match.which} ${match.ports.map(([from, to]) => range(from, to)).join(',')}`;
    case 'mark':
      return `--mark ${maskText(match.value, match.mask)}`;
    case 'ctstate': {
      const states = CTSTATES.filter((state) => match.states.includes(state));
      return `--${match.alias ?? 'ctstate'} ${states.join(',')}`;
    }
    case 'addrtype':
      return `--${match.which}-type ${match.type}`;
    case 'physdev':
      return physdevText(match);
    case 'icmp-type':
      return `--icmp-type ${match.type === 255 ? 'any' : match.type}${match.code === undefined ? '' : `/${match.code}`}`;
    case 'tcp-flags':
      return `--tcp-flags ${flagsText(match.mask)} ${flagsText(match.set)}`;
    case 'length':
      return `--length ${range(match.from, match.to)}`;
    case 'set':
      return `--match-set ${match.name} ${match.dirs.join(',')}`;
    case 'statistic':
      return `--probability ${(match.probability / 2 ** 31).toFixed(11)}`;
    case 'recent':
      return recentText(match);
    case 'nfacct':
      // The second blank is iptables' own.
      return `--nfacct-name  ${saveString(match.name)}`;
    case 'extension':
      return '';
    case 'comment':
      return `--comment ${saveString(match.text)}`;
    case 'unmodelled':
      return match.text;
    default: {
      const never: never = match;
      return never;
    }
  }
};

/** One condition as an option, without its `-m`. */
export const printMatch = (match: Match): string => {
  const text = `${'negate' in match && match.negate ? '! ' : ''}${optionText(match)}`;
  return match.kind === 'statistic' ? `--mode random ${text}` : text;
};

const selectorsText = (matches: readonly Match[]): string[] =>
  SELECTORS.flatMap((option) =>
    matches.filter((match) => selectorOf(match) === option).map(printMatch),
  );

const protocolIn = (matches: readonly Match[]): string => {
  const found = matches.find((match) => match.kind === 'protocol');
  return found?.kind === 'protocol' ? protocolText(found.protocol) : 'tcp';
};

const extensionsText = ({ matches, comment, commentAt }: Rule): string[] => {
  const protocol = protocolIn(matches);
  const extensions = matches.filter((match) => selectorOf(match) === undefined);
  if (comment !== undefined)
    extensions.splice(commentAt ?? 0, 0, { kind: 'comment', text: comment });
  const words: string[] = [];
  let group = '';
  let place = -1;
  for (const match of extensions) {
    const [name, order] = groupOf(match, protocol);
    if (name !== '' && (name !== group || order <= place)) words.push('-m', name);
    group = name;
    place = order;
    const text = printMatch(match);
    if (text !== '') words.push(text);
  }
  return words;
};

const markText = ({ op, value, mask }: Extract<Target, { kind: 'MARK' }>): string => {
  switch (op) {
    case 'set':
      return `${hex(value)}/${hex(mask)}`;
    case 'or':
      return `${hex(value)}/${hex(value)}`;
    case 'and':
      return `0x0/${hex(~value)}`;
    case 'xor':
      return `${hex(value)}/0x0`;
    default: {
      const never: never = op;
      return never;
    }
  }
};

const addressText = ({ ip, port }: { ip: string; port?: number }): string =>
  port === undefined ? ip : ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;

const targetText = (target: Target): string[] => {
  switch (target.kind) {
    case 'ACCEPT':
    case 'DROP':
    case 'RETURN':
      return [`-j ${target.kind}`];
    case 'NONE':
      return [];
    case 'jump':
      return [`-j ${target.chain}`];
    case 'goto':
      return [`-g ${target.chain}`];
    case 'REJECT':
      return [`-j REJECT --reject-with ${target.with}`];
    case 'MARK':
      return [`-j MARK --set-xmark ${markText(target)}`];
    case 'MASQUERADE':
      return [`-j MASQUERADE${target.randomFully ? ' --random-fully' : ''}`];
    case 'SNAT':
      return [`-j SNAT --to-source ${addressText(target)}`];
    case 'DNAT':
      return [`-j DNAT --to-destination ${addressText(target)}`];
    case 'NOTRACK':
      return [target.alias ? '-j CT --notrack' : '-j NOTRACK'];
    case 'LOG':
      return [`-j LOG${target.options ? ` ${target.options}` : ''}`];
    case 'unmodelled':
      return [target.text];
    default: {
      const never: never = target;
      return never;
    }
  }
};

/** The rule's arguments, without `-A chain`. Empty for a rule that matches all and does nothing. */
export const printRule = (rule: Rule): string =>
  rule.nft ??
  [...selectorsText(rule.matches), ...extensionsText(rule), ...targetText(rule.target)].join(' ');

const ruleLine = (chain: string, rule: Rule): string =>
  ['-A', chain, printRule(rule)].filter((word) => word !== '').join(' ');

/** In the order in which iptables-save lists the tables. */
const TABLES: readonly TableName[] = ['mangle', 'security', 'raw', 'filter', 'nat'];

const builtIn = (table: NfTable): Chain[] =>
  TABLE_HOOKS[table.name].map(
    (hook) =>
      findChain(table, hook) ?? {
        name: hook,
        base: { hook, policy: 'ACCEPT', registered: 0 },
        rules: [],
      },
  );

const byName = (a: Chain, b: Chain): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

const userChains = ({ chains }: NfTable): Chain[] =>
  chains.filter(({ base }) => !base).sort(byName);

const tableText = (table: NfTable, chains: readonly Chain[]): string[] => [
  `*${table.name}`,
  ...chains.map(({ name, base }) => `:${name} ${base?.policy ?? '-'} [0:0]`),
  ...chains.flatMap(({ name, rules }) => rules.map((rule) => ruleLine(name, rule))),
  'COMMIT',
];

/**
 * What `iptables-save` prints, without its comments, one line a string: every built-in chain of a
 * table that exists, whether it is registered or not.
 * @param only that table alone (`-t`)
 */
export const iptablesSave = (ruleset: Ruleset, only?: TableName): string[] =>
  (only === undefined ? TABLES : [only]).flatMap((name) => {
    const table = ruleset.tables.find((one) => one.name === name);
    return table ? tableText(table, [...builtIn(table), ...userChains(table)]) : [];
  });

/**
 * What `iptables -S` prints of a table: policies, chains, then rules; of one chain with its name.
 * Undefined: there is no such chain.
 */
export const iptablesListRules = (
  ruleset: Ruleset,
  name: TableName,
  only?: string,
): string[] | undefined => {
  const table = ruleset.tables.find((one) => one.name === name) ?? { name, chains: [] };
  const all = [...builtIn(table), ...userChains(table)];
  const chains = only === undefined ? all : all.filter((chain) => chain.name === only);
  if (chains.length === 0) return undefined;
  return [
    ...chains.map((chain) =>
      chain.base ? `-P ${chain.name} ${chain.base.policy}` : `-N ${chain.name}`,
    ),
    ...chains.flatMap((chain) => chain.rules.map((rule) => ruleLine(chain.name, rule))),
  ];
};

/**
 * Input of `iptables-restore` that makes the ruleset as it is: tables and built-in chains in the
 * order in which they were registered, and only those that were.
 */
export const iptablesRestoreInput = (ruleset: Ruleset): string[] =>
  ruleset.tables.flatMap((table) => tableText(table, table.chains));
