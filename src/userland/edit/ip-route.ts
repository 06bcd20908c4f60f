/** `ip route add|append|prepend|replace|change|del|flush` (iproute_modify, iproute2 6.1, ip/iproute.c). */
import type { FibEntry, RouteScope, RouteType } from '../../kernel/fib.ts';
import type { NexthopSpec, RouteMode, RouteSpec } from '../../kernel/netlink/route.ts';
import { routeProtocolNumber, tableNumber } from '../print/names.ts';
import { CommandError } from './command-error.ts';
import {
  abbreviated,
  address,
  type Draft,
  notUnderstood,
  numberIn,
  prefix,
  type Words,
  wrong,
} from './words.ts';

export type RouteCommand =
  | { readonly kind: 'route-add'; readonly mode: RouteMode; readonly spec: RouteSpec }
  | { readonly kind: 'route-del'; readonly spec: RouteSpec }
  | { readonly kind: 'route-flush'; readonly spec: Partial<RouteSpec> };

const TYPES: readonly RouteType[] = [
  'unicast',
  'local',
  'broadcast',
  'throw',
  'unreachable',
  'prohibit',
  'blackhole',
];

const MODES = {
  add: 'add',
  change: 'change',
  chg: 'change',
  replace: 'replace',
  prepend: 'prepend',
  append: 'append',
} as const;

/** Commands in the order in which do_iproute tries abbreviations. */
const COMMANDS = [
  'add',
  'change',
  'chg',
  'replace',
  'prepend',
  'append',
  'test',
  'delete',
  'get',
  'list',
  'show',
  'lst',
  'flush',
  'save',
  'restore',
  'showdump',
  'help',
] as const;

const UNDERSTOOD =
  'PREFIX, via, dev, table, proto, scope, src, metric, mtu, onlink, nexthop, and the types unicast, local, ' +
  'broadcast, blackhole, unreachable, prohibit, throw';

/** A table by name or number. `all` is for lists, never for one row. */
export const tableOf = (word: string): number =>
  tableNumber(word) ?? numberIn(word, 'table', 1, 0xffffffff);

const protocolOf = (word: string): FibEntry['protocol'] => {
  if (word === 'kernel' || word === 'boot' || word === 'static') return word;
  const number = routeProtocolNumber(word) ?? numberIn(word, 'protocol', 0, 255);
  return number === 2 ? 'kernel' : number === 3 ? 'boot' : number === 4 ? 'static' : number;
};

const SCOPES: Readonly<Record<string, RouteScope>> = {
  global: 'global',
  universe: 'global',
  link: 'link',
  host: 'host',
  0: 'global',
  253: 'link',
  254: 'host',
};

export const scopeOf = (word: string): RouteScope =>
  SCOPES[word] ?? wrong(word, 'invalid "scope" value', 'scopes: global, link, host');

/** Takes one option and its value; false when the word is none. */
const takeOption = (words: Words, word: string, draft: Draft<Partial<RouteSpec>>): boolean => {
  switch (word) {
    case 'via': {
      const next = words.value(word);
      draft.via = address(next === 'inet' ? words.value(word) : next);
      return true;
    }
    case 'src':
      draft.src = address(words.value(word));
      return true;
    case 'dev':
    case 'oif':
      draft.dev = words.value(word);
      return true;
    case 'onlink':
      draft.onlink = true;
      return true;
    case 'mtu':
      if (words.peek() === 'lock') wrong('lock', 'a locked MTU is not modelled', 'mtu BYTES');
      draft.mtu = numberIn(words.value(word), word);
      return true;
    case 'metric':
    case 'priority':
    case 'preference':
      draft.metric = numberIn(words.value(word), 'metric');
      return true;
    case 'scope':
      draft.scope = scopeOf(words.value(word));
      return true;
    default:
      break;
  }
  if (abbreviated(word, ['protocol']) && word.length >= 2) {
    draft.protocol = protocolOf(words.value(word));
    return true;
  }
  if (abbreviated(word, ['table']) && word.length >= 2) {
    draft.table = tableOf(words.value(word));
    return true;
  }
  return false;
};

const HOP_UNDERSTOOD = 'nexthop [via ADDRESS] [dev DEVICE] [weight 1-256] [onlink], once or more';

/** Words behind the first `nexthop`, to the end of the line (parse_nexthops, parse_one_nh). */
const parseNexthops = (words: Words): NexthopSpec[] => {
  let hop: Draft<NexthopSpec> = {};
  const hops = [hop];
  const needsMore = (): void => {
    if (words.peek() === undefined)
      throw new CommandError(
        'Error: unexpected end of line after "nexthop"',
        `understood: ${HOP_UNDERSTOOD}`,
      );
  };
  needsMore();
  for (const word of words) {
    switch (word) {
      case 'nexthop':
        needsMore();
        hop = {};
        hops.push(hop);
        break;
      case 'via': {
        const next = words.value(word);
        hop.via = address(next === 'inet' ? words.value(word) : next);
        break;
      }
      case 'dev':
        hop.dev = words.value(word);
        break;
      case 'weight':
        hop.weight = numberIn(words.value(word), word, 1, 256);
        break;
      case 'onlink':
        hop.onlink = true;
        break;
      default:
        throw new CommandError(
          `Error: "nexthop" or end of line is expected instead of "${word}"`,
          `understood: ${HOP_UNDERSTOOD}`,
        );
    }
  }
  return hops;
};

const parseRow = (words: Words): Draft<Partial<RouteSpec>> => {
  const draft: Draft<Partial<RouteSpec>> = {};
  for (const word of words) {
    if (word === 'nexthop') {
      draft.nexthops = parseNexthops(words);
      continue;
    }
    if (takeOption(words, word, draft)) continue;
    const destination = word === 'to' ? words.value(word) : word;
    const type = TYPES.find((name) => name === destination);
    if (type !== undefined && draft.dst === undefined) {
      draft.type = type;
      continue;
    }
    if (draft.dst !== undefined) notUnderstood(word, UNDERSTOOD);
    if (word !== 'to' && !/^(?:default|all|any|[0-9a-fA-F:].*)$/.test(destination))
      notUnderstood(word, UNDERSTOOD);
    draft.dst = prefix(destination, ['default', 'all', 'any']);
  }
  return draft;
};

/** A row needs a destination; iproute2 takes none for the default route, the kernel's own answer. */
const specOf = (draft: Draft<Partial<RouteSpec>>): RouteSpec => ({
  ...draft,
  dst: draft.dst ?? '0.0.0.0/0',
});

/** Deleting needs something to go by. */
const parseDel = (words: Words): RouteCommand => {
  const draft = parseRow(words);
  if (Object.keys(draft).length === 0)
    throw new CommandError('Error: "ip route del" without a route', 'give the route: PREFIX …');
  return { kind: 'route-del', spec: specOf(draft) };
};

const FLUSH_UNDERSTOOD = 'table X, dev X, proto X, or one PREFIX';

/** `ip route flush` of a table, a device, a protocol or one prefix. */
const parseFlush = (words: Words): RouteCommand => {
  const first = words.peek();
  if (first === undefined)
    throw new CommandError(
      '"ip route flush" requires arguments.',
      `understood: ${FLUSH_UNDERSTOOD}`,
    );
  for (const word of ['cache', 'all', 'root', 'match', 'exact'])
    if (first === word) notUnderstood(word, FLUSH_UNDERSTOOD);
  const draft = parseRow(words);
  for (const key of Object.keys(draft))
    if (!['table', 'dev', 'protocol', 'dst'].includes(key)) notUnderstood(key, FLUSH_UNDERSTOOD);
  return { kind: 'route-flush', spec: draft };
};

/** The words behind `ip route`. @throws {CommandError} */
export const parseIpRoute = (words: Words): RouteCommand => {
  const typed = words.take() ?? 'list';
  const command = abbreviated(typed, COMMANDS);
  switch (command) {
    case 'add':
    case 'change':
    case 'chg':
    case 'replace':
    case 'prepend':
    case 'append':
      return { kind: 'route-add', mode: MODES[command], spec: specOf(parseRow(words)) };
    case 'delete':
      return parseDel(words);
    case 'flush':
      return parseFlush(words);
    default:
      return notUnderstood(
        `ip route ${typed}`,
        'ip route add|change|replace|prepend|append|del|flush',
      );
  }
};
