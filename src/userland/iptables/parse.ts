/**
 * Rules as people and programs write them for iptables 1.8.9, read into the form that iptables-save
 * would print: selectors first, one `-m tcp` for all its options, numbers for names.
 */
import {
  emptyRuleset,
  type Match,
  nfAppend,
  nfNewChain,
  nfPolicy,
  type Rule,
  type Ruleset,
  TABLE_HOOKS,
  type TableName,
  type Target,
} from '../../kernel/netfilter/ruleset.ts';
import type { Origin } from '../../kernel/origin.ts';
import { cidrOf, isIpv4, numberToIpv4, prefixMask } from '../../wire/ip.ts';
import type { Cidr } from '../../wire/packet.ts';
import { badArgument, IptablesError } from './error.ts';
import { isModelled, markMask, type Option, OTHER_MATCHES, readExtension } from './extensions.ts';
import {
  LOG_LEVELS,
  NOT_UNDERSTOOD,
  OTHER_TARGETS,
  portFrom,
  protocolFrom,
  REJECT_NAMES,
} from './names.ts';
import { saveString, saveWord, splitWords, type Word } from './words.ts';

const SHORT: Readonly<Record<string, string>> = {
  '--source': '-s',
  '--src': '-s',
  '--destination': '-d',
  '--dst': '-d',
  '--in-interface': '-i',
  '--out-interface': '-o',
  '--protocol': '-p',
  '--proto': '-p',
  '--match': '-m',
  '--jump': '-j',
  '--goto': '-g',
  '--fragment': '-f',
};

const TOP = new Set(['-s', '-d', '-i', '-o', '-p', '-m', '-j', '-g', '-f']);

/** Options that belong to the protocol's own match, named by `-m` or not. */
const OF_PROTOCOL: Readonly<Record<string, readonly string[]>> = {
  tcp: [
    '--sport',
    '--source-port',
    '--dport',
    '--destination-port',
    '--tcp-flags',
    '--syn',
    '--tcp-option',
  ],
  udp: ['--sport', '--source-port', '--dport', '--destination-port'],
  sctp: ['--sport', '--source-port', '--dport', '--destination-port', '--chunk-types'],
  icmp: ['--icmp-type'],
};

/** One `-m` with what follows it. */
interface Group {
  readonly name: string;
  readonly options: Option[];
}

/** A rule's arguments sorted by what they belong to, before they are understood. */
interface Arguments {
  readonly selectors: Map<string, { readonly negate: boolean; readonly value: string }>;
  readonly groups: Group[];
  target?: { readonly goto: boolean; readonly name: string; readonly options: Option[] };
}

const isOption = ({ text, quoted }: Word | undefined = { text: '', quoted: true }): boolean =>
  !quoted && /^--?[A-Za-z]/.test(text);

const isNot = (word: Word | undefined): boolean => word?.text === '!' && !word.quoted;

/** Options whose one argument may look like an option. */
const TAKES_ANYTHING = new Set(['--comment', '--log-prefix', '--nflog-prefix', '--string']);

const protocolNameOf = ({ selectors }: Arguments): string | undefined => {
  const selector = selectors.get('-p');
  const protocol = selector && !selector.negate ? protocolFrom(selector.value) : undefined;
  return typeof protocol === 'string' ? protocol : undefined;
};

/** Reads words from left to right. */
interface Cursor {
  readonly words: readonly Word[];
  at: number;
}

const takeValues = (cursor: Cursor, option: string): Word[] => {
  const { words } = cursor;
  const values: Word[] = [];
  for (let word = words[cursor.at]; word; word = words[cursor.at]) {
    const free = values.length === 0 && TAKES_ANYTHING.has(option);
    if (!free && (isOption(word) || isNot(word))) break;
    values.push(word);
    cursor.at++;
  }
  return values;
};

const takeOne = (cursor: Cursor, option: string): string => {
  const word = cursor.words[cursor.at];
  if (!word || isOption(word)) throw new IptablesError(`option "${option}" requires an argument`);
  cursor.at++;
  return word.text;
};

const groupFor = (args: Arguments, option: string, open: Group | undefined): Group | undefined => {
  const protocol = protocolNameOf(args);
  const named = args.groups.find(({ name }) => OF_PROTOCOL[name]?.includes(option));
  if (named) return named;
  if (open && !isModelled(open.name) && (!protocol || open.name.startsWith(protocol))) return open;
  if (protocol && OF_PROTOCOL[protocol]?.includes(option)) {
    const group: Group = { name: protocol, options: [] };
    args.groups.push(group);
    return group;
  }
  return open;
};

const takeMatch = (args: Arguments, name: string): Group => {
  if (!isModelled(name) && !OTHER_MATCHES.has(name))
    throw new IptablesError(`Couldn't load match \`${name}':No such file or directory`);
  const known = OF_PROTOCOL[name] && args.groups.find((group) => group.name === name);
  if (known) return known;
  const group: Group = { name, options: [] };
  args.groups.push(group);
  return group;
};

const sortArguments = (words: readonly Word[]): Arguments => {
  const args: Arguments = { selectors: new Map(), groups: [] };
  const cursor: Cursor = { words, at: 0 };
  let open: Group | undefined;
  while (cursor.at < words.length) {
    const negate = isNot(words[cursor.at]);
    if (negate) cursor.at++;
    const word = words[cursor.at];
    if (!word || !isOption(word)) throw badArgument(word?.text ?? '!');
    cursor.at++;
    const option = SHORT[word.text] ?? word.text;
    if (!TOP.has(option)) {
      const target = args.target;
      const values = takeValues(cursor, option);
      const group = target ? undefined : groupFor(args, option, open);
      if (target) target.options.push({ name: option, negate, values });
      else if (group) group.options.push({ name: option, negate, values });
      else if (NOT_UNDERSTOOD.includes(option))
        throw new IptablesError(JSON.stringify(option), 'k8snet');
      else throw new IptablesError(`unknown option "${option}"`);
    } else if (option === '-m') {
      open = takeMatch(args, takeOne(cursor, option));
    } else if (option === '-j' || option === '-g') {
      if (args.target) throw new IptablesError(`multiple ${option} flags not allowed`);
      args.target = { goto: option === '-g', name: takeOne(cursor, option), options: [] };
    } else {
      if (args.selectors.has(option))
        throw new IptablesError(`multiple ${option} flags not allowed`);
      const value = option === '-f' ? '' : takeOne(cursor, option);
      args.selectors.set(option, { negate, value });
    }
  }
  return args;
};

/** Netmasks and their lengths. */
const MASKS = new Map(
  Array.from({ length: 33 }, (_, prefix): [string, number] => [
    numberToIpv4(prefixMask(prefix)),
    prefix,
  ]),
);

/** `10.1.2.3`, `10/8`, `10.0.0.0/255.0.0.0`; `undefined` for a mask with holes. */
const cidrFrom = (text: string): Cidr | undefined => {
  const [address = '', mask = '32'] = text.split('/');
  const octets = address.split('.');
  const ip = [...octets, ...Array.from({ length: 4 - octets.length }, () => '0')].join('.');
  const short = text.includes('/') && octets.length < 4;
  if (!isIpv4(ip) || (octets.length < 4 && !short))
    throw new IptablesError(`host/network \`${address}' not found`);
  if (/^\d{1,2}$/.test(mask) && Number(mask) <= 32) return cidrOf(ip, Number(mask));
  if (!isIpv4(mask)) throw new IptablesError(`invalid mask \`${mask}' specified`);
  const prefix = MASKS.get(mask);
  return prefix === undefined ? undefined : cidrOf(ip, prefix);
};

type Selector = 'src' | 'dst';

const addressMatch = (kind: Selector, text: string, negate: boolean): Match | undefined => {
  const cidr = cidrFrom(text);
  const option = kind === 'src' ? '-s' : '-d';
  if (cidr === undefined)
    return { kind: 'unmodelled', text: `${negate ? '! ' : ''}${option} ${text}` };
  return cidr === '0.0.0.0/0' && !negate ? undefined : { kind, cidr, negate };
};

/** The choices of one selector: a list of addresses makes a rule for each. */
const addressChoices = (args: Arguments, option: '-s' | '-d'): readonly (Match | undefined)[] => {
  const selector = args.selectors.get(option);
  if (!selector) return [undefined];
  const { negate, value } = selector;
  const texts = value.split(',');
  if (negate && texts.length > 1)
    throw new IptablesError('! not allowed with multiple source or destination IP addresses');
  return texts.map((text) => addressMatch(option === '-s' ? 'src' : 'dst', text, negate));
};

const otherSelectors = ({ selectors }: Arguments): Match[] => {
  const matches: Match[] = [];
  for (const [option, kind] of [
    ['-i', 'in'],
    ['-o', 'out'],
  ] as const) {
    const selector = selectors.get(option);
    if (selector && (selector.value !== '+' || selector.negate))
      matches.push({ kind, ifname: selector.value, negate: selector.negate });
  }
  const proto = selectors.get('-p');
  if (proto) {
    const protocol = protocolFrom(proto.value);
    if (protocol === undefined)
      throw new IptablesError(`unknown protocol "${proto.value}" specified`);
    if (protocol !== 0) matches.push({ kind: 'protocol', protocol, negate: proto.negate });
  }
  const fragment = selectors.get('-f');
  if (fragment) matches.push({ kind: 'unmodelled', text: fragment.negate ? '! -f' : '-f' });
  return matches;
};

const optionWords = ({ name, negate, values }: Option): string =>
  [...(negate ? ['!'] : []), name, ...values.map(saveWord)].join(' ');

const optionsText = (options: readonly Option[]): string => options.map(optionWords).join(' ');

const groupMatches = ({ name, options }: Group): readonly Match[] =>
  readExtension(name, options) ?? [
    { kind: 'unmodelled', text: `-m ${name} ${optionsText(options)}`.trimEnd() },
  ];

const argumentOf = (options: readonly Option[], name: string): string | undefined =>
  options.find((option) => option.name === name)?.values[0]?.text;

const only = (options: readonly Option[], ...names: readonly string[]): boolean =>
  options.every(({ name }) => names.includes(name));

const addressPort = (text: string): { ip: string; port?: number } | undefined => {
  const [ip = '', port, ...more] = text.split(':');
  if (!isIpv4(ip) || more.length > 0) return undefined;
  if (port === undefined) return { ip };
  const number = portFrom(port);
  return number === undefined ? undefined : { ip, port: number };
};

const MARKS = ['--set-xmark', '--set-mark', '--or-mark', '--and-mark', '--xor-mark'] as const;

/** All forms of MARK as `--set-xmark`, which is what iptables keeps. */
const markTarget = (options: readonly Option[]): Target | undefined => {
  const name = MARKS.find((one) => options[0]?.name === one);
  if (name === undefined || options.length > 1) return undefined;
  const { value, mask } = markMask('MARK', name, argumentOf(options, name) ?? '');
  const set = (bits: number, among: number): Target => ({
    kind: 'MARK',
    op: 'set',
    value: bits >>> 0,
    mask: among >>> 0,
  });
  switch (name) {
    case '--set-xmark':
      return set(value, mask);
    case '--set-mark':
      return set(value, value | mask);
    case '--or-mark':
      return set(value, value);
    case '--and-mark':
      return set(0, ~value);
    case '--xor-mark':
      return set(value, 0);
    default: {
      const never: never = name;
      return never;
    }
  }
};

const LOG_FLAGS = [
  '--log-tcp-sequence',
  '--log-tcp-options',
  '--log-ip-options',
  '--log-uid',
  '--log-macdecode',
];

const logTarget = (options: readonly Option[]): Target => {
  const prefix = argumentOf(options, '--log-prefix');
  const level = argumentOf(options, '--log-level');
  const number = level === undefined ? 4 : (LOG_LEVELS[level.toLowerCase()] ?? Number(level));
  if (!Number.isInteger(number) || number < 0 || number > 7)
    throw new IptablesError(`log-level \`${level}' unknown`);
  const text = [
    ...(prefix === undefined ? [] : [`--log-prefix ${saveString(prefix)}`]),
    ...(number === 4 ? [] : [`--log-level ${number}`]),
    ...LOG_FLAGS.filter((flag) => options.some(({ name }) => name === flag)),
  ].join(' ');
  return { kind: 'LOG', ...(text !== '' && { options: text }) };
};

const natTarget = (kind: 'SNAT' | 'DNAT', options: readonly Option[]): Target | undefined => {
  const long = kind === 'SNAT' ? '--to-source' : '--to-destination';
  const text = argumentOf(options, long) ?? argumentOf(options, '--to');
  if (text === undefined) throw new IptablesError(`${kind}: option "${long}" must be specified`);
  const to = only(options, long, '--to') ? addressPort(text) : undefined;
  return to && { kind, ...to };
};

const rejectTarget = (options: readonly Option[]): Target => {
  const text = argumentOf(options, '--reject-with') ?? 'icmp-port-unreachable';
  const reject = REJECT_NAMES[text];
  if (!reject) throw new IptablesError(`unknown reject type "${text}"`);
  return { kind: 'REJECT', with: reject };
};

const knownTarget = (name: string, options: readonly Option[]): Target | undefined => {
  switch (name) {
    case 'ACCEPT':
    case 'DROP':
      return { kind: name };
    case 'RETURN':
      return { kind: 'RETURN' };
    case 'REJECT':
      return rejectTarget(options);
    case 'MARK':
      return markTarget(options);
    case 'MASQUERADE':
      return only(options, '--random-fully')
        ? { kind: 'MASQUERADE', randomFully: options.length > 0 }
        : undefined;
    case 'SNAT':
    case 'DNAT':
      return natTarget(name, options);
    case 'LOG':
      return logTarget(options);
    case 'NOTRACK':
      return options.length === 0 ? { kind: 'NOTRACK' } : undefined;
    case 'CT':
      return options.length === 1 && only(options, '--notrack')
        ? { kind: 'NOTRACK', alias: 'CT' }
        : undefined;
    default:
      return undefined;
  }
};

const MODELLED_TARGETS = new Set([
  'ACCEPT',
  'DROP',
  'RETURN',
  'REJECT',
  'MARK',
  'MASQUERADE',
  'SNAT',
  'DNAT',
  'LOG',
]);

const targetFrom = ({ target }: Arguments): Target => {
  if (!target) return { kind: 'NONE' };
  const { goto, name, options } = target;
  if (goto) return { kind: 'goto', chain: name };
  if (!MODELLED_TARGETS.has(name) && !OTHER_TARGETS.has(name)) {
    const [first] = options;
    if (first) throw new IptablesError(`unknown option "${first.name}"`);
    return { kind: 'jump', chain: name };
  }
  const plain = name === 'ACCEPT' || name === 'DROP' || name === 'RETURN';
  if (plain && options[0]) throw new IptablesError(`unknown option "${options[0].name}"`);
  return (
    knownTarget(name, options) ?? {
      kind: 'unmodelled',
      text: `-j ${name} ${optionsText(options)}`.trimEnd(),
    }
  );
};

/** The rule's comment is its first one; others stay where they are. */
const withComment = (
  extensions: readonly Match[],
): { matches: readonly Match[]; comment?: string; commentAt?: number } => {
  const at = extensions.findIndex(({ kind }) => kind === 'comment');
  const comment = extensions[at];
  if (comment?.kind !== 'comment') return { matches: extensions };
  const matches = extensions.filter((match) => match !== comment);
  return { matches, comment: comment.text, ...(at > 0 && { commentAt: at }) };
};

const toWords = (text: string | readonly string[]): readonly Word[] =>
  typeof text === 'string' ? splitWords(text) : text.map((word) => ({ text: word, quoted: false }));

const rulesFrom = (words: readonly Word[], origin: Origin | undefined): Rule[] => {
  const args = sortArguments(words);
  const target = targetFrom(args);
  const others = otherSelectors(args);
  const { matches, ...comment } = withComment(args.groups.flatMap(groupMatches));
  return addressChoices(args, '-s').flatMap((src) =>
    addressChoices(args, '-d').map(
      (dst): Rule => ({
        matches: [src, dst, ...others, ...matches].filter((match) => match !== undefined),
        target,
        ...comment,
        ...(origin && { origin }),
      }),
    ),
  );
};

/**
 * Reads the arguments of a rule, without command and chain: `-s 10.0.0.0/8 -p tcp --dport 80
 * -j ACCEPT`, as one text or as words. A list of addresses (`-s a,b`) makes several rules.
 * @throws {IptablesError} in iptables' words
 */
export const parseRules = (text: string | readonly string[], origin?: Origin): Rule[] =>
  rulesFrom(toWords(text), origin);

/**
 * As parseRules, for what is one rule.
 * @throws {IptablesError} when it is none or several
 */
export const parseRule = (text: string | readonly string[], origin?: Origin): Rule => {
  const [rule, ...more] = parseRules(text, origin);
  if (!rule || more.length > 0) throw new IptablesError('more than one rule');
  return rule;
};

const isTable = (name: string): name is TableName => Object.hasOwn(TABLE_HOOKS, name);

const RULE_LINE = /^(?:\[\d+:\d+\]\s+)?-A\s+(\S+)\s*(.*)$/;
const CHAIN_LINE = /^:(\S+)\s+(ACCEPT|DROP|-)/;

const saveLine = (
  ruleset: Ruleset,
  table: TableName | undefined,
  line: string,
  origin: Origin | undefined,
): TableName | undefined => {
  if (line === '' || line.startsWith('#')) return table;
  if (line.startsWith('*')) {
    const name = line.slice(1);
    if (!isTable(name)) throw new IptablesError(`table '${name}' does not exist`);
    return name;
  }
  if (line === 'COMMIT') return undefined;
  if (!table) throw badArgument(line);
  const [, chain, policy] = CHAIN_LINE.exec(line) ?? [];
  const [, into, text] = RULE_LINE.exec(line) ?? [];
  if (chain !== undefined && policy !== undefined) {
    if (policy === '-') nfNewChain(ruleset, table, chain);
    else nfPolicy(ruleset, table, chain, policy === 'DROP' ? 'DROP' : 'ACCEPT');
  } else if (into !== undefined && text !== undefined) {
    for (const rule of parseRules(text, origin)) nfAppend(ruleset, table, into, rule);
  } else {
    throw badArgument(line);
  }
  return table;
};

/**
 * Reads what iptables-save printed (or what is given to iptables-restore), with or without
 * counters and comments. Every chain that a `:` line names is registered, as iptables-restore does.
 * @throws {IptablesError} with the number of the line
 */
export const parseIptablesSave = (text: string, origin?: Origin): Ruleset => {
  const ruleset = emptyRuleset();
  let table: TableName | undefined;
  for (const [at, line] of text.split('\n').entries()) {
    try {
      table = saveLine(ruleset, table, line.trim(), origin);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new IptablesError(`line ${at + 1}: ${error.message}`, 'tool', {
        cause: error,
      });
    }
  }
  return ruleset;
};
