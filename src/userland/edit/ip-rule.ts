/** `ip rule add|del|flush` (iprule_modify, iproute2 6.1, ip/iprule.c). */
import { type FibRule, TABLE_MAIN } from '../../kernel/fib.ts';
import type { RuleSelector, RuleSpec } from '../../kernel/netlink.ts';
import type { Cidr } from '../../wire/packet.ts';
import { CommandError } from './command-error.ts';
import { tableOf } from './ip-route.ts';
import {
  abbreviated,
  type Draft,
  notUnderstood,
  numberIn,
  prefix,
  type Words,
  wrong,
} from './words.ts';

export type RuleCommand =
  | { readonly kind: 'rule-add'; readonly spec: RuleSpec }
  | { readonly kind: 'rule-del'; readonly selector: RuleSelector }
  | { readonly kind: 'rule-flush' };

/** Commands in the order in which do_iprule tries abbreviations. */
const COMMANDS = [
  'list',
  'lst',
  'show',
  'save',
  'restore',
  'add',
  'delete',
  'flush',
  'help',
] as const;

const UNDERSTOOD =
  'from, to, iif, oif, fwmark, priority, table (lookup), blackhole, unreachable, prohibit';

const ALL_BITS = 0xffffffff;

/**
 * A selector that takes everything is as good as none (fib4_rule_compare, net/ipv4/fib_rules.c).
 * Host bits stay, as they do in the kernel, which compares under the mask.
 */
const selectorOf = (word: string): Cidr | undefined => {
  const cidr = prefix(word, ['all', 'any', 'default']);
  return cidr.endsWith('/0') ? undefined : cidr;
};

/** `0x10` compares all bits, `0x10/0xf0` those of the mask; 0 alone compares none (fib_nl2rule). */
const markOf = (word: string): FibRule['fwmark'] => {
  const [mark = '', mask, ...rest] = word.split('/');
  if (rest.length > 0) wrong(word, 'fwmark value is invalid');
  const value = numberIn(mark, 'fwmark');
  if (mask === undefined && value === 0) return undefined;
  return { mark: value, mask: mask === undefined ? ALL_BITS : numberIn(mask, 'fwmask') };
};

const ACTIONS = ['blackhole', 'unreachable', 'prohibit'] as const;

const actionOf = (word: string): (typeof ACTIONS)[number] =>
  ACTIONS.find((name) => name === word) ?? notUnderstood(word, UNDERSTOOD);

const PRIORITY = ['preference', 'order', 'priority'] as const;

const takeWord = (words: Words, word: string, draft: Draft<Partial<RuleSelector>>): void => {
  if (word === 'from' || word === 'to') {
    const cidr = selectorOf(words.value(word));
    if (cidr !== undefined) draft[word] = cidr;
  } else if (word === 'iif' || word === 'dev') draft.iif = words.value(word);
  else if (word === 'oif') draft.oif = words.value(word);
  else if (word === 'fwmark') {
    const mark = markOf(words.value(word));
    if (mark) draft.fwmark = mark;
  } else if (word.length > 1 && abbreviated(word, PRIORITY))
    draft.priority = numberIn(words.value('priority'), 'priority');
  else if (word.length > 1 && abbreviated(word, ['table', 'lookup']))
    draft.action = { kind: 'table', table: tableOf(words.value('table')) };
  else draft.action = { kind: actionOf(word === 'type' ? words.value(word) : word) };
};

const parse = (words: Words, command: string): Draft<Partial<RuleSelector>> => {
  if (words.peek() === undefined)
    throw new CommandError(`"ip rule ${command}" requires arguments.`, `understood: ${UNDERSTOOD}`);
  const draft: Draft<Partial<RuleSelector>> = {};
  for (const word of words) takeWord(words, word, draft);
  return draft;
};

/** The words behind `ip rule`. @throws {CommandError} */
export const parseIpRule = (words: Words): RuleCommand => {
  const typed = words.take() ?? 'list';
  switch (abbreviated(typed, COMMANDS)) {
    case 'add': {
      const draft = parse(words, 'add');
      return {
        kind: 'rule-add',
        spec: { ...draft, action: draft.action ?? { kind: 'table', table: TABLE_MAIN } },
      };
    }
    case 'delete':
      return { kind: 'rule-del', selector: parse(words, 'del') };
    case 'flush': {
      const extra = words.take();
      if (extra !== undefined) notUnderstood(extra, 'ip rule flush');
      return { kind: 'rule-flush' };
    }
    default:
      return notUnderstood(`ip rule ${typed}`, 'ip rule add|del|flush');
  }
};
