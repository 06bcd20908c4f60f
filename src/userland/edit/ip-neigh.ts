/** `ip neigh add|change|replace|del|flush` (ipneigh_modify, iproute2 6.1, ip/ipneigh.c). */
import type { NudState } from '../../kernel/neigh.ts';
import type { NeighSpec } from '../../kernel/netlink.ts';
import type { Ip } from '../../wire/packet.ts';
import { CommandError } from './command-error.ts';
import {
  abbreviated,
  address,
  type Draft,
  lladdr,
  notUnderstood,
  type Words,
  wrong,
} from './words.ts';

export type NeighCommand =
  | {
      readonly kind: 'neigh-add';
      readonly mode: 'add' | 'change' | 'replace';
      readonly spec: NeighSpec;
    }
  | { readonly kind: 'neigh-del'; readonly ip: Ip; readonly dev: string }
  | { readonly kind: 'neigh-flush'; readonly dev?: string; readonly ip?: Ip };

/** Commands in the order in which do_ipneigh tries abbreviations. */
const COMMANDS = [
  'add',
  'change',
  'chg',
  'replace',
  'delete',
  'get',
  'show',
  'lst',
  'list',
  'flush',
  'help',
] as const;

const UNDERSTOOD = 'ADDRESS, lladdr, dev, nud';

const STATES: readonly NudState[] = [
  'INCOMPLETE',
  'REACHABLE',
  'STALE',
  'DELAY',
  'PROBE',
  'FAILED',
  'NOARP',
  'PERMANENT',
];

const stateOf = (word: string): NudState =>
  STATES.find((state) => state.toLowerCase() === word) ??
  wrong(word, 'nud state is bad', `states: ${STATES.join(', ').toLowerCase()}`);

const parse = (words: Words): NeighSpec => {
  const draft: Draft<Partial<NeighSpec>> = {};
  for (const word of words) {
    if (word === 'lladdr') draft.lladdr = lladdr(words.value(word));
    else if (word === 'nud') draft.state = stateOf(words.value(word));
    else if (word === 'dev') draft.dev = words.value(word);
    else if (draft.ip === undefined && /^(?:to$|[0-9a-f]*[.:])/i.test(word))
      draft.ip = address(word === 'to' ? words.value(word) : word);
    else notUnderstood(word, UNDERSTOOD);
  }
  const { ip, dev } = draft;
  if (ip === undefined || dev === undefined)
    throw new CommandError('Device and destination are required arguments.');
  return { ...draft, ip, dev };
};

const needsMac = (state: NudState): boolean => state !== 'INCOMPLETE' && state !== 'FAILED';

const parseAdd = (words: Words, mode: 'add' | 'change' | 'replace'): NeighCommand => {
  const spec = parse(words);
  if (spec.lladdr === undefined && needsMac(spec.state ?? 'PERMANENT'))
    throw new CommandError('Error: No link layer address given.', 'lladdr 02:00:00:00:00:01');
  return { kind: 'neigh-add', mode, spec };
};

/** What flush takes is learned: entries that were written as permanent or noarp stay. */
const parseFlush = (words: Words): NeighCommand => {
  const draft: { dev?: string; ip?: Ip } = {};
  let all = false;
  for (const word of words) {
    if (word === 'dev') draft.dev = words.value(word);
    else if (word === 'all') all = true;
    else if (draft.ip === undefined && /\./.test(word)) draft.ip = address(word);
    else notUnderstood(word, 'all, dev NAME, ADDRESS');
  }
  if (!all && draft.dev === undefined && draft.ip === undefined)
    throw new CommandError('Flush requires arguments.', 'understood: all, dev NAME, ADDRESS');
  return { kind: 'neigh-flush', ...draft };
};

/** The words behind `ip neigh`. @throws {CommandError} */
export const parseIpNeigh = (words: Words): NeighCommand => {
  const typed = words.take() ?? 'list';
  const command = abbreviated(typed, COMMANDS);
  switch (command) {
    case 'add':
    case 'replace':
      return parseAdd(words, command);
    case 'change':
    case 'chg':
      return parseAdd(words, 'change');
    case 'delete': {
      const { ip, dev } = parse(words);
      return { kind: 'neigh-del', ip, dev };
    }
    case 'flush':
      return parseFlush(words);
    default:
      return notUnderstood(`ip neigh ${typed}`, 'ip neigh add|change|replace|del|flush');
  }
};
