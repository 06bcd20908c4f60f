/** Tables of nf_tables as `nft list ruleset` of nftables 1.0.6 prints them. */
import { inListedOrder } from '../../kernel/netfilter/nft-order.ts';
import type {
  NftBase,
  NftChain,
  NftSet,
  NftTable,
  NftType,
} from '../../kernel/netfilter/nft-table.ts';
import { elementText, nftRuleText } from '../../kernel/netfilter/nft-text.ts';

/** Names of priorities, and the hooks that nft knows them at (src/rule.c, std_prios). */
const PRIORITIES: readonly (readonly [name: string, priority: number, hook?: NftBase['hook']])[] = [
  ['raw', -300],
  ['mangle', -150],
  ['dstnat', -100, 'prerouting'],
  ['filter', 0],
  ['security', 50],
  ['srcnat', 100, 'postrouting'],
];

/** How far from a name a priority is told by it. */
const NEAR = 10;

const priorityText = ({ priority, hook }: NftBase): string => {
  for (const [name, named, only] of PRIORITIES) {
    const off = priority - named;
    if (Math.abs(off) > NEAR || (only !== undefined && only !== hook)) continue;
    return off === 0 ? name : `${name} ${off > 0 ? '+' : '-'} ${Math.abs(off)}`;
  }
  return `${priority}`;
};

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

const timeText = (seconds: number): string => {
  let left = seconds;
  return UNITS.map(([unit, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count > 0 ? `${count}${unit}` : '';
  }).join('');
};

/** How many elements stand on a line (calculate_delim, src/expression.c). */
const perLine = ([type, ...more]: readonly NftType[]): number => {
  if (more.length > 0) return 1;
  switch (type) {
    case 'inet_proto':
    case 'inet_service':
    case 'mark':
    case 'ct_state':
      return 5;
    case 'ipv4_addr':
      return 2;
    default:
      return 1;
  }
};

const elementsText = ({ key, data, elements }: NftSet): string => {
  const dataTypes = data === undefined || data === 'verdict' ? [] : data;
  const texts = inListedOrder(key, elements).map((one) => elementText(key, one, dataTypes));
  const width = perLine(key);
  const lines: string[] = [];
  for (let at = 0; at < texts.length; at += width)
    lines.push(texts.slice(at, at + width).join(', '));
  return `elements = { ${lines.join(',\n\t\t\t     ')} }`;
};

const FLAG_ORDER = ['dynamic', 'interval', 'timeout'] as const;

const setLines = (set: NftSet): string[] => {
  const { kind, name, key, data, size, timeout, comment, elements } = set;
  const type = key.join(' . ');
  const value = data === 'verdict' ? data : data?.join(' . ');
  // A default says by itself that elements have a timeout.
  const flags = FLAG_ORDER.filter(
    (flag) =>
      set.flags.includes(flag) &&
      (flag !== 'timeout' || timeout === undefined || set.flags.includes('dynamic')),
  );
  return [
    `\t${kind} ${name} {`,
    `\t\ttype ${type}${value === undefined ? '' : ` : ${value}`}`,
    ...(size === undefined ? [] : [`\t\tsize ${size}`]),
    ...(flags.length === 0 ? [] : [`\t\tflags ${flags.join(',')}`]),
    ...(timeout === undefined ? [] : [`\t\ttimeout ${timeText(timeout)}`]),
    ...(comment === undefined ? [] : [`\t\tcomment "${comment}"`]),
    ...(elements.length === 0 ? [] : [`\t\t${elementsText(set)}`]),
    '\t}',
  ];
};

const chainLines = ({ name, base, comment, rules }: NftChain, { family }: NftTable): string[] => [
  `\tchain ${name} {`,
  ...(comment === undefined ? [] : [`\t\tcomment "${comment}"`]),
  ...(base
    ? [
        `\t\ttype ${base.type} hook ${base.hook} priority ${priorityText(base)}; policy ${base.policy};`,
      ]
    : []),
  ...rules.map((rule) => `\t\t${nftRuleText(rule, family)}`),
  '\t}',
];

const tableLines = (table: NftTable): string[] => {
  const blocks = [
    ...table.sets.map(setLines),
    ...table.chains.map((chain) => chainLines(chain, table)),
  ];
  return [
    `table ${table.family} ${table.name} {`,
    ...(table.comment === undefined ? [] : [`\tcomment "${table.comment}"`]),
    ...blocks.flatMap((lines, at) => (at === 0 ? lines : ['', ...lines])),
    '}',
  ];
};

/**
 * `nft list ruleset`, as lines: one table after the other, in order of creation. `nft -f` takes it.
 * Tables that iptables manages are not among them.
 */
export const nftListRuleset = (tables: readonly NftTable[]): string[] =>
  tables.flatMap((table) => tableLines(table).join('\n').split('\n'));
