/**
 * The options of each match extension (`-m name`), turned into conditions. What one of them does
 * not understand in full stays as written: a rule is never read as less than it says.
 */
import type { Match } from '../../kernel/netfilter/ruleset.ts';
import { isIpv4 } from '../../wire/ip.ts';
import { badArgument, IptablesError } from './error.ts';
import { ICMP_NAMES, portFrom } from './names.ts';
import type { Word } from './words.ts';

/** One option of an extension with its arguments. */
export interface Option {
  readonly name: string;
  readonly negate: boolean;
  readonly values: readonly Word[];
}

const firstValue = ({ name, values }: Option): string => {
  const value = values[0];
  if (!value) throw new IptablesError(`option "${name}" requires an argument`);
  if (values.length > 1) throw badArgument(values[1]?.text ?? '');
  return value.text;
};

const port = (text: string): number => {
  const number = portFrom(text);
  if (number === undefined) throw new IptablesError(`invalid port/service \`${text}' specified`);
  return number;
};

/** `80`, `80:90`, `:90`, `80:`. */
const portRange = (text: string): readonly [number, number] => {
  const [from = '', to, ...more] = text.split(':');
  if (more.length > 0) throw new IptablesError(`invalid port/service \`${text}' specified`);
  const low = from === '' && to !== undefined ? 0 : port(from);
  const high = to === undefined ? low : to === '' ? 65535 : port(to);
  return [low, high];
};

const integer = (text: string): number | undefined => {
  if (!/^(?:0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
  const value = Number(/^0\d/.test(text) ? `0o${text.slice(1)}` : text);
  return Number.isInteger(value) && value <= 0xffffffff ? value : undefined;
};

/** `value[/mask]`, as marks are written. */
export const markMask = (
  extension: string,
  option: string,
  text: string,
): { value: number; mask: number } => {
  const [first = '', second] = text.split('/');
  const value = integer(first);
  const mask = second === undefined ? 0xffffffff : integer(second);
  if (value === undefined || mask === undefined)
    throw new IptablesError(
      `${extension}: bad integer value for option "${option}", or out of range.`,
    );
  return { value, mask };
};

const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];

const tcpFlags = (text: string): readonly string[] =>
  text.split(',').flatMap((flag) => {
    const name = flag.toUpperCase();
    if (name === 'ALL') return FLAGS;
    if (name === 'NONE') return [];
    if (!FLAGS.includes(name)) throw new IptablesError(`Unknown TCP flag \`${flag}'`);
    return [name];
  });

type Reader = (options: readonly Option[]) => readonly Match[] | undefined;

const transportOption = (option: Option): Match | undefined => {
  const { name, negate, values } = option;
  switch (name) {
    case '--sport':
    case '--source-port':
    case '--dport':
    case '--destination-port': {
      const [from, to] = portRange(firstValue(option));
      const kind = name.startsWith('--s') ? 'sport' : 'dport';
      // The nf_tables back end keeps "not 0:80" as "greater than 80".
      return negate && from === 0 && to < 65535
        ? { kind, from: to + 1, to: 65535, negate: false }
        : { kind, from, to, negate };
    }
    case '--syn':
      return { kind: 'tcp-flags', mask: ['FIN', 'SYN', 'RST', 'ACK'], set: ['SYN'], negate };
    case '--tcp-flags': {
      const [mask, set] = values;
      if (!mask || !set) throw new IptablesError('--tcp-flags requires two args.');
      return { kind: 'tcp-flags', mask: tcpFlags(mask.text), set: tcpFlags(set.text), negate };
    }
    default:
      return undefined;
  }
};

/** `--dport 0:65535` says nothing, and iptables does not keep it. */
const saysNothing = (match: Match): boolean =>
  (match.kind === 'sport' || match.kind === 'dport') &&
  match.from === 0 &&
  match.to === 65535 &&
  !match.negate;

const TRANSPORT_ORDER = ['sport', 'dport', 'tcp-flags'];

const readTransport =
  (name: 'tcp' | 'udp' | 'sctp'): Reader =>
  (options) => {
    const found = options.map(transportOption);
    const known = found.filter((match) => match !== undefined);
    if (known.length < found.length) return undefined;
    const place = ({ kind }: Match): number => TRANSPORT_ORDER.indexOf(kind);
    const said = known.filter((match) => !saysNothing(match));
    return said.length === 0
      ? [{ kind: 'extension', name }]
      : said.sort((a, b) => place(a) - place(b));
  };

const readIcmp: Reader = (options) => {
  const [option] = options;
  if (!option || options.length > 1) return undefined;
  const text = firstValue(option);
  const named = ICMP_NAMES[text];
  const [type, code] = named ?? text.split('/').map((part) => integer(part));
  if (type === undefined || (text.includes('/') && code === undefined))
    throw new IptablesError(`icmp: bad value for option "--icmp-type", or out of range.`);
  const { negate } = option;
  return [{ kind: 'icmp-type', type, ...(code !== undefined && { code }), negate }];
};

const readMark: Reader = (options) => {
  const [option] = options;
  if (!option || options.length > 1) return undefined;
  const { value, mask } = markMask('mark', '--mark', firstValue(option));
  return [{ kind: 'mark', value, mask, negate: option.negate }];
};

const STATES = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'] as const;

const readStates =
  (extension: 'conntrack' | 'state'): Reader =>
  (options) => {
    const [option] = options;
    const wanted = extension === 'state' ? '--state' : '--ctstate';
    if (!option || options.length > 1 || option.name !== wanted) return undefined;
    const named = firstValue(option)
      .split(',')
      .map((text) => text.toUpperCase());
    const wrong = named.find((text) => !STATES.some((state) => state === text));
    if (wrong !== undefined) throw new IptablesError(`Bad ${wanted.slice(2)} "${wrong}"`);
    const states = STATES.filter((state) => named.includes(state));
    const { negate } = option;
    return [{ kind: 'ctstate', states, negate, ...(extension === 'state' && { alias: 'state' }) }];
  };

const ADDRESS_TYPES = ['LOCAL', 'UNICAST', 'BROADCAST', 'MULTICAST'] as const;

const readAddrtype: Reader = (options) => {
  const found = options.map((option): Match | undefined => {
    if (option.name !== '--src-type' && option.name !== '--dst-type') return undefined;
    const text = firstValue(option);
    const type = ADDRESS_TYPES.find((one) => one === text.toUpperCase());
    const which = option.name === '--src-type' ? 'src' : 'dst';
    return type && { kind: 'addrtype', which, type, negate: option.negate };
  });
  const known = found.filter((match) => match !== undefined);
  return known.length === found.length && known.length > 0
    ? known.sort((a) => (a.kind === 'addrtype' && a.which === 'src' ? -1 : 1))
    : undefined;
};

const MULTIPORTS = {
  '--sports': 'sports',
  '--source-ports': 'sports',
  '--dports': 'dports',
  '--destination-ports': 'dports',
  '--ports': 'ports',
} as const;

const MULTIPORT_MAX = 15;

const readMultiport: Reader = (options) => {
  const [option] = options;
  if (!option || options.length > 1) return undefined;
  const name = Object.keys(MULTIPORTS).find((key) => key === option.name);
  const which = MULTIPORTS[name as keyof typeof MULTIPORTS];
  if (which === undefined) return undefined;
  const ports = firstValue(option)
    .split(',')
    .map((text) => portRange(text));
  const slots = ports.reduce((sum, [from, to]) => sum + (from === to ? 1 : 2), 0);
  if (slots > MULTIPORT_MAX) throw new IptablesError('too many ports specified');
  return [{ kind: 'multiport', which, ports, negate: option.negate }];
};

const PHYSDEV = ['is-in', 'in', 'is-out', 'out', 'is-bridged'] as const;

const readPhysdev: Reader = (options) => {
  const found = options.map((option): Extract<Match, { kind: 'physdev' }> | undefined => {
    const which = PHYSDEV.find((one) => option.name === `--physdev-${one}`);
    if (which === undefined) return undefined;
    const ifname = which === 'in' || which === 'out' ? { ifname: firstValue(option) } : {};
    return { kind: 'physdev', which, ...ifname, negate: option.negate };
  });
  const known = found.filter((match) => match !== undefined);
  return known.length === found.length && known.length > 0
    ? known.sort((a, b) => PHYSDEV.indexOf(a.which) - PHYSDEV.indexOf(b.which))
    : undefined;
};

const readLength: Reader = (options) => {
  const [option] = options;
  if (!option || options.length > 1) return undefined;
  const [from = '', to] = firstValue(option).split(':');
  const low = from === '' ? 0 : integer(from);
  const high = to === undefined ? low : to === '' ? 65535 : integer(to);
  if (low === undefined || high === undefined)
    throw new IptablesError('length: bad value for option "--length", or out of range.');
  return [{ kind: 'length', from: low, to: high, negate: option.negate }];
};

const readStatistic: Reader = (options) => {
  const mode = options.find(({ name }) => name === '--mode');
  if (!mode) throw new IptablesError('statistic: option "--mode" must be specified');
  const how = firstValue(mode);
  if (how === 'nth') return undefined;
  if (how !== 'random') throw new IptablesError(`Bad mode "${how}"`);
  const others = options.filter((option) => option !== mode);
  const [option] = others;
  if (!option) throw new IptablesError('--probability must be specified when using random mode');
  if (others.length > 1 || option.name !== '--probability') return undefined;
  const text = firstValue(option);
  const share = Number(text);
  if (text === '' || !(share >= 0 && share <= 1))
    throw new IptablesError(
      'statistic: bad value for option "--probability", or out of range (0-1).',
    );
  const probability = Math.round(share * 2 ** 31);
  return [{ kind: 'statistic', probability, negate: option.negate }];
};

const RECENT = ['set', 'rcheck', 'update', 'remove'] as const;
const RECENT_OPTIONS = ['--seconds', '--hitcount', '--name', '--mask', '--rsource', '--rdest'];

const noRecent = (text: string): IptablesError => new IptablesError(`recent: ${text}`);

const recentCount = (options: readonly Option[], name: string): number | undefined => {
  const option = options.find((one) => one.name === name);
  if (!option) return undefined;
  const value = integer(firstValue(option));
  if (value === undefined || value < 1)
    throw noRecent(`bad value for option "${name}", or out of range (1-4294967295).`);
  return value;
};

/** `--rttl` is not modelled. */
const readRecent: Reader = (options) => {
  const [how, second] = options.filter(({ name }) => RECENT.some((one) => name === `--${one}`));
  if (!how) throw noRecent("you must specify one of `--set', `--rcheck' `--update' or `--remove'");
  if (second) throw noRecent(`option "${how.name}" cannot be used together with "${second.name}".`);
  const op = RECENT.find((one) => how.name === `--${one}`);
  const others = options.filter((option) => option !== how);
  const reap = others.some(({ name }) => name === '--reap');
  const known = others.every(({ name }) => name === '--reap' || RECENT_OPTIONS.includes(name));
  if (!op || !known || others.some(({ negate }) => negate)) return undefined;
  const seconds = recentCount(others, '--seconds');
  const hitcount = recentCount(others, '--hitcount');
  if (reap && seconds === undefined) throw noRecent('option "--reap" also requires "--seconds".');
  const text = (name: string, absent: string): string => {
    const option = others.find((one) => one.name === name);
    return option ? firstValue(option) : absent;
  };
  const mask = text('--mask', '255.255.255.255');
  if (!isIpv4(mask)) throw noRecent('bad value for option "--mask", or out of range.');
  return [
    {
      kind: 'recent',
      op,
      name: text('--name', 'DEFAULT'),
      ...(seconds !== undefined && { seconds }),
      ...(reap && { reap }),
      ...(hitcount !== undefined && { hitcount }),
      mask,
      side: others.some(({ name }) => name === '--rdest') ? 'dest' : 'source',
      negate: how.negate,
    },
  ];
};

/** NFACCT_NAME_MAX, with the zero at the end. */
const NFACCT_NAME_MAX = 32;

const readNfacct: Reader = (options) => {
  const [option] = options;
  if (!option) throw new IptablesError('nfacct: option "--nfacct-name" must be specified');
  if (options.length > 1 || option.name !== '--nfacct-name') return undefined;
  const name = firstValue(option);
  if (name === '' || name.length >= NFACCT_NAME_MAX)
    throw new IptablesError('nfacct: bad value for option "--nfacct-name"');
  return [{ kind: 'nfacct', name }];
};

const readComment: Reader = (options) => {
  const [option] = options;
  if (!option) throw new IptablesError('comment: option "--comment" must be specified');
  return options.length > 1 ? undefined : [{ kind: 'comment', text: firstValue(option) }];
};

const DIRS = ['src', 'dst'] as const;
const MOST_DIRS = 6;

/** Other options of `-m set` ask for counters, or change them. */
const readSet: Reader = (options) => {
  if (options.filter(({ name }) => name === '--match-set').length > 1)
    throw new IptablesError('--match-set can be specified only once');
  const [option] = options;
  if (option?.name !== '--match-set' || options.length > 1) return undefined;
  const [name, directions] = option.values.map(({ text }) => text);
  if (name === undefined || directions === undefined || option.values.length > 2)
    throw new IptablesError('--match-set requires two args.');
  const dirs = directions.split(',').map((text) => {
    const dir = DIRS.find((one) => one === text);
    if (dir === undefined)
      throw new IptablesError("You must spefify (the comma separated list of) 'src' or 'dst'.");
    return dir;
  });
  if (dirs.length > MOST_DIRS) throw new IptablesError("Can't be more src/dst options than 6.");
  return [{ kind: 'set', name, dirs, negate: option.negate }];
};

const READERS: Readonly<Record<string, Reader>> = {
  tcp: readTransport('tcp'),
  udp: readTransport('udp'),
  sctp: readTransport('sctp'),
  icmp: readIcmp,
  mark: readMark,
  conntrack: readStates('conntrack'),
  state: readStates('state'),
  addrtype: readAddrtype,
  multiport: readMultiport,
  physdev: readPhysdev,
  length: readLength,
  statistic: readStatistic,
  recent: readRecent,
  nfacct: readNfacct,
  comment: readComment,
  set: readSet,
};

/** Whether an extension of iptables 1.8.9 that is not modelled has this name. */
export const OTHER_MATCHES: ReadonlySet<string> = new Set([
  'ah',
  'bpf',
  'cgroup',
  'cluster',
  'connbytes',
  'connlabel',
  'connlimit',
  'connmark',
  'cpu',
  'dccp',
  'devgroup',
  'dscp',
  'ecn',
  'esp',
  'hashlimit',
  'helper',
  'iprange',
  'ipvs',
  'limit',
  'mac',
  'osf',
  'owner',
  'pkttype',
  'policy',
  'quota',
  'rateest',
  'realm',
  'rpfilter',
  'socket',
  'string',
  'tcpmss',
  'time',
  'tos',
  'ttl',
  'u32',
  'udplite',
]);

/** Whether options of this extension are read here. */
export const isModelled = (extension: string): boolean => Object.hasOwn(READERS, extension);

/**
 * The conditions that the options of one `-m` say; `undefined` when one of them is not modelled.
 * @throws {IptablesError} in iptables' words, when they are wrong
 */
export const readExtension = (
  extension: string,
  options: readonly Option[],
): readonly Match[] | undefined => READERS[extension]?.(options);
