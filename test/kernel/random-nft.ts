/** Random tables of nf_tables that a router's traffic meets: every rule counts what it matches. */
import {
  concat,
  daddr,
  inSet,
  L4PROTO,
  matching,
  notMatching,
  saddr,
  TH_DPORT,
  value,
} from '../../src/compile/nft-rule.ts';
import {
  nftAddChain,
  nftAddElement,
  nftAddRule,
  nftAddSet,
  nftLoad,
} from '../../src/kernel/netfilter/nft-edit.ts';
import { addressSet } from '../../src/kernel/netfilter/nft-order.ts';
import {
  type NftBase,
  type NftExpr,
  type NftOperand,
  type NftStatement,
  type NftTable,
  type NftVerdict,
  nftTable,
} from '../../src/kernel/netfilter/nft-table.ts';
import type { RejectWith, Ruleset } from '../../src/kernel/netfilter/ruleset.ts';
import type { Chooser, Vocabulary } from './random-rules.ts';

const PORTS = [80, 81];
const MARKS = [1, 2, 3, 0x4000];

/** Where rules are: what they may look at and do depends on it. */
interface Place {
  readonly table: NftTable;
  readonly words: Vocabulary;
  readonly base?: NftBase;
  /** Chains that a rule may lead to. */
  readonly chains: readonly string[];
}

const host = (choose: Chooser, { nets }: Vocabulary): string =>
  choose.pick(nets).replace(/\/.*$/, '');

const range = (net: string): string => net.replace(/\/32$/, '');

const plusMinus = (choose: Chooser, left: NftExpr, right: NftOperand): NftStatement =>
  choose.chance(0.25) ? notMatching(left, right) : matching(left, right);

const proto = (choose: Chooser): number => choose.pick([1, 6, 6, 17]);

/** What is left of a set as one range is not listed as a set once it is loaded from a listing. */
const setOrOne = (nets: readonly string[]): NftOperand => {
  const set = addressSet('ipv4_addr', nets);
  const [one, ...more] = set.kind === 'set' ? set.elements : [];
  const [only] = one?.key ?? [];
  return only === undefined || more.length > 0 ? set : value(only);
};

const address = (choose: Chooser, { words }: Place): NftStatement => {
  const left = choose.chance(0.5) ? saddr(4) : daddr(4);
  const nets = [0, 1, 2].map(() => range(choose.pick(words.nets)));
  const right = choose.pick([
    value(nets[0] ?? ''),
    value(host(choose, words)),
    setOrOne([...new Set(nets)]),
    inSet('hosts'),
    inSet('ranges'),
  ]);
  return plusMinus(choose, left, right);
};

const protocol = (choose: Chooser): NftStatement[] => {
  const ports: NftOperand = choose.pick([
    value(choose.pick(PORTS)),
    value({ from: 80, to: choose.pick([80, 90]) + 1 }),
    { kind: 'set', elements: [{ key: [80] }, { key: [443] }] },
    inSet('ports'),
  ]);
  const header = choose.pick(['tcp', 'udp'] as const);
  const dport: NftExpr = { kind: 'port', header, field: choose.pick(['dport', 'sport']) };
  const both: NftOperand = { kind: 'set', elements: [{ key: [6] }, { key: [17] }] };
  return choose.pick([
    [plusMinus(choose, L4PROTO, value(proto(choose)))],
    [plusMinus(choose, { kind: 'ip-protocol' }, value(proto(choose)))],
    [plusMinus(choose, dport, ports)],
    [plusMinus(choose, dport, ports)],
    [matching(L4PROTO, both), plusMinus(choose, TH_DPORT, ports)],
  ]);
};

const STATES = ['new', 'established', 'related', 'invalid'];

const connection = (choose: Chooser): NftStatement => {
  const names = STATES.filter(() => choose.chance(0.5));
  if (choose.chance(0.2))
    return matching(
      { kind: 'ct', key: 'status' },
      { kind: 'flags', names: [choose.pick(['dnat', 'snat', 'seen-reply'])] },
    );
  return plusMinus(
    choose,
    { kind: 'ct', key: 'state' },
    { kind: 'flags', names: names.length > 0 ? names : ['new'] },
  );
};

const mark = (choose: Chooser): NftStatement => {
  const of: NftExpr = { kind: 'meta', key: 'mark' };
  return choose.chance(0.5)
    ? plusMinus(choose, of, value(choose.pick([0, ...MARKS])))
    : plusMinus(
        choose,
        { kind: 'masked', of, mask: choose.pick(MARKS) },
        value(choose.pick([0, 1])),
      );
};

const device = (choose: Chooser, { words }: Place): NftStatement =>
  plusMinus(
    choose,
    { kind: 'meta', key: choose.pick(['iifname', 'oifname']) },
    value(choose.pick([...words.devices, 'to*', 'b*', 'lo']).replace('+', '*')),
  );

const conditions = (choose: Chooser, place: Place): NftStatement[] => {
  const all: NftStatement[][] = [];
  if (choose.chance(0.6)) all.push([address(choose, place)]);
  if (choose.chance(0.4)) all.push(protocol(choose));
  if (choose.chance(0.3)) all.push([connection(choose)]);
  if (choose.chance(0.2)) all.push([mark(choose)]);
  if (choose.chance(0.2)) all.push([device(choose, place)]);
  if (choose.chance(0.1))
    all.push([
      plusMinus(
        choose,
        { kind: 'fib-type', field: choose.pick(['saddr', 'daddr']) },
        value(choose.pick(['local', 'unicast'])),
      ),
    ]);
  return all.flat();
};

const REJECTS: readonly RejectWith[] = [
  'icmp-host-unreachable',
  'icmp-port-unreachable',
  'icmp-admin-prohibited',
];

const verdict = (choose: Chooser, { chains }: Place): NftVerdict =>
  choose.pick<NftVerdict>([
    { kind: 'accept' },
    { kind: 'accept' },
    { kind: 'drop' },
    { kind: 'return' },
    { kind: 'continue' },
    ...chains.flatMap((chain) => [
      { kind: 'jump' as const, chain },
      { kind: 'goto' as const, chain },
    ]),
  ]);

const KEY = concat(daddr(4), L4PROTO, TH_DPORT);

const natStatement = (choose: Chooser, { base, words }: Place): NftStatement[] => {
  if (base?.type !== 'nat') return [];
  const port = choose.chance(0.4) ? choose.pick(PORTS) : undefined;
  const withPort = port === undefined ? [] : [matching(L4PROTO, value(choose.pick([6, 17])))];
  const end = (ips: readonly string[]) => ({
    ip: choose.pick(ips),
    ...(port !== undefined && { port }),
  });
  if (base.hook === 'prerouting' || base.hook === 'output')
    return words.dnat.length === 0 ? [] : [...withPort, { kind: 'dnat', to: end(words.dnat) }];
  if (base.hook === 'postrouting' && choose.chance(0.5))
    return [{ kind: 'masquerade', fullyRandom: choose.chance(0.3) }];
  if (words.snat.length === 0) return [];
  return [{ kind: 'snat', to: { ip: choose.pick(words.snat) } }];
};

/** What a rule does once it has counted. */
const action = (choose: Chooser, place: Place): NftStatement[] => {
  const nat = natStatement(choose, place);
  if (nat.length > 0 && choose.chance(0.7)) return nat;
  const { base } = place;
  const rejects = base?.type === 'filter' && ['input', 'forward', 'output'].includes(base.hook);
  if (rejects && choose.chance(0.2)) return [{ kind: 'reject', with: choose.pick(REJECTS) }];
  if (choose.chance(0.25))
    return [
      { kind: 'mark', op: choose.pick(['set', 'or', 'and', 'xor']), value: choose.pick(MARKS) },
    ];
  // `second` is what elements of the map lead to: it may not look there.
  if (place.chains.length > 0 && choose.chance(0.15))
    return [{ kind: 'vmap', on: KEY, map: 'verdicts' }];
  if (choose.chance(0.1))
    return [
      {
        kind: 'vmap',
        on: { kind: 'ct', key: 'state' },
        map: [
          { key: ['invalid'], verdict: { kind: 'drop' } },
          { key: ['established'], verdict: { kind: 'accept' } },
        ],
      },
    ];
  return choose.chance(0.3) ? [] : [{ kind: 'verdict', verdict: verdict(choose, place) }];
};

/** A rule of table inet that does not look at an IPv4 header answers in the packet's own family. */
const isForBoth = ({ table }: Place, when: readonly NftStatement[]): boolean =>
  table.family === 'inet' &&
  !when.some(
    (one) =>
      one.kind === 'match' && (one.left.kind === 'address' || one.left.kind === 'ip-protocol'),
  );

const ruleFor = (choose: Chooser, place: Place): NftStatement[] => {
  const does = action(choose, place);
  // nft leaves out what another part of the rule says as well, and names ports after the protocol.
  const twice = does.some((one) => one.kind === 'match' || (one.kind === 'vmap' && one.on === KEY));
  const all = conditions(choose, place);
  const when = twice ? all.filter((one) => one.kind !== 'match' || !isProtocol(one.left)) : all;
  const unspecific = isForBoth(place, when);
  return [
    ...when,
    ...does.filter(({ kind }) => kind === 'match'),
    { kind: 'counter' },
    ...does
      .filter(({ kind }) => kind !== 'match')
      .map((one): NftStatement => (unspecific && one.kind === 'reject' ? { kind: 'reject' } : one)),
  ];
};

const isProtocol = ({ kind, ...more }: NftExpr): boolean =>
  kind === 'port' ||
  kind === 'ip-protocol' ||
  (kind === 'meta' && 'key' in more && more.key === 'l4proto');

const HOOKS = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const;
const PRIORITIES = [-300, -190, -150, -101, -100, -95, -1, 0, 0, 1, 50, 100, 101];

const bases = (choose: Chooser, nat: boolean): NftBase[] => [
  ...HOOKS.filter(() => choose.chance(0.6)).map(
    (hook): NftBase => ({
      type: 'filter',
      hook,
      priority: choose.pick(PRIORITIES),
      policy: choose.chance(0.1) ? 'drop' : 'accept',
    }),
  ),
  ...(nat ? HOOKS : [])
    .filter((hook) => hook !== 'forward' && choose.chance(0.5))
    .map(
      (hook): NftBase => ({
        type: 'nat',
        hook,
        priority: hook === 'prerouting' || hook === 'output' ? choose.pick([-100, -90]) : 100,
        policy: 'accept',
      }),
    ),
];

const addSets = (choose: Chooser, table: NftTable, words: Vocabulary): void => {
  const add = (name: string, key: 'ipv4_addr' | 'inet_service', interval = false): void => {
    nftAddSet(table, { kind: 'set', name, key: [key], flags: interval ? ['interval'] : [] });
  };
  add('hosts', 'ipv4_addr');
  add('ranges', 'ipv4_addr', true);
  add('ports', 'inet_service');
  for (const net of words.nets)
    if (choose.chance(0.4))
      nftAddElement(table, 'hosts', { key: [host(choose, { ...words, nets: [net] })] });
  nftAddElement(table, 'ranges', {
    key: [choose.pick(['10.1.0.0/24', '10.3.0.2', '10.1.0.0/30'])],
  });
  nftAddElement(table, 'ranges', {
    key: [{ from: '10.2.0.2', to: choose.pick(['10.2.0.9', '10.2.255.255']) }],
  });
  nftAddElement(table, 'ports', { key: [choose.pick(PORTS)] });
  nftAddSet(table, {
    kind: 'map',
    name: 'verdicts',
    key: ['ipv4_addr', 'inet_proto', 'inet_service'],
    data: 'verdict',
    flags: [],
  });
};

const fillMap = (choose: Chooser, table: NftTable, place: Place): void => {
  for (let left = choose.upTo(4); left > 0; left--)
    nftAddElement(table, 'verdicts', {
      key: [host(choose, place.words), choose.pick([6, 17]), choose.pick(PORTS)],
      verdict: verdict(choose, { ...place, chains: ['second'] }),
    });
};

/** A table of that family, with two chains to jump to and base chains at some hooks. */
export const randomTable = (
  choose: Chooser,
  family: 'ip' | 'inet',
  words: Vocabulary,
): NftTable => {
  const table = nftTable(family, 'dice');
  addSets(choose, table, words);
  for (const name of ['second', 'first']) nftAddChain(table, { name });
  const nat = words.dnat.length + words.snat.length > 0;
  const made = bases(choose, nat).map((base) => {
    const name = `${base.type}-${base.hook}`;
    nftAddChain(table, { name, base });
    return { name, base };
  });
  const fill = (chain: string, place: Place): void => {
    for (let left = 1 + choose.upTo(4); left > 0; left--)
      nftAddRule(table, chain, { statements: ruleFor(choose, place) });
  };
  fill('second', { table, words, chains: [] });
  fill('first', { table, words, chains: ['second'] });
  for (const { name, base } of made)
    fill(name, { table, words, base, chains: ['first', 'second'] });
  fillMap(choose, table, { table, words, chains: [] });
  return table;
};

/** Adds one or two random tables. */
export const loadRandomTables = (choose: Chooser, ruleset: Ruleset, words: Vocabulary): void => {
  nftLoad(ruleset, randomTable(choose, 'ip', words));
  if (choose.chance(0.5)) nftLoad(ruleset, randomTable(choose, 'inet', words));
};
