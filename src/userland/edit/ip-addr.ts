/** `ip addr add|change|replace|del|flush` (ipaddr_modify, iproute2 6.1, ip/ipaddress.c). */
import type { AddressSpec } from '../../kernel/netlink.ts';
import { cidrBroadcast, cidrOf } from '../../wire/ip.ts';
import type { Ip } from '../../wire/packet.ts';
import { CommandError } from './command-error.ts';
import { scopeOf } from './ip-route.ts';
import { abbreviated, address, notUnderstood, prefix, type Words } from './words.ts';

export type AddrCommand =
  | {
      readonly kind: 'addr-add';
      readonly dev: string;
      readonly spec: AddressSpec;
      /** `change` and `replace`: an address that is there already is no error. */
      readonly replace: boolean;
    }
  | { readonly kind: 'addr-del'; readonly dev: string; readonly ip: Ip; readonly prefix?: number }
  | { readonly kind: 'addr-flush'; readonly dev: string };

/** Commands in the order in which do_ipaddr tries abbreviations. */
const COMMANDS = [
  'add',
  'change',
  'chg',
  'replace',
  'delete',
  'show',
  'lst',
  'list',
  'flush',
  'save',
  'showdump',
  'restore',
  'help',
] as const;

const UNDERSTOOD = 'ADDRESS/LENGTH, dev, broadcast (brd), scope';

interface Parsed {
  readonly dev: string;
  readonly ip: Ip;
  readonly length: number;
  /** A length was typed. */
  readonly exact: boolean;
  readonly broadcast?: Ip;
  readonly scope?: AddressSpec['scope'];
}

/** `+` is the subnet's last address, `-` its first; a /31 or /32 has neither. */
const broadcastOf = (word: string, ip: Ip, length: number): Ip | undefined => {
  if (word !== '+' && word !== '-') return address(word);
  if (length > 30) return undefined;
  const subnet = cidrOf(ip, length);
  return word === '+' ? cidrBroadcast(subnet) : subnet.slice(0, subnet.indexOf('/'));
};

const parse = (words: Words): Parsed => {
  let dev: string | undefined;
  let local: string | undefined;
  let brd: string | undefined;
  let scope: AddressSpec['scope'] | undefined;
  for (const word of words) {
    if (word === 'dev') dev = words.value(word);
    else if (word === 'scope') scope = scopeOf(words.value(word));
    else if (word === 'brd' || (word.length > 1 && abbreviated(word, ['broadcast'])))
      brd = words.value('broadcast');
    else if (local === undefined) local = word === 'local' ? words.value(word) : word;
    else notUnderstood(word, UNDERSTOOD);
  }
  if (dev === undefined)
    throw new CommandError('Not enough information: "dev" argument is required.');
  if (local === undefined)
    throw new CommandError('no address is given', `understood: ${UNDERSTOOD}`);
  const [ip = '', length = '32'] = prefix(local, []).split('/');
  const broadcast = brd === undefined ? undefined : broadcastOf(brd, ip, Number(length));
  return {
    dev,
    ip,
    length: Number(length),
    exact: local.includes('/'),
    ...(broadcast !== undefined && { broadcast }),
    ...(scope !== undefined && { scope }),
  };
};

const parseAdd = (words: Words, replace: boolean): AddrCommand => {
  const { dev, ip, length, broadcast, scope } = parse(words);
  return {
    kind: 'addr-add',
    dev,
    replace,
    spec: {
      ip,
      prefix: length,
      ...(broadcast !== undefined && { broadcast }),
      ...(scope !== undefined && { scope }),
    },
  };
};

const parseDel = (words: Words): AddrCommand => {
  const { dev, ip, length, exact, broadcast, scope } = parse(words);
  if (broadcast !== undefined || scope !== undefined)
    notUnderstood('broadcast or scope', 'ip addr del ADDRESS[/LENGTH] dev NAME');
  return { kind: 'addr-del', dev, ip, ...(exact && { prefix: length }) };
};

const parseFlush = (words: Words): AddrCommand => {
  const first = words.take();
  if (first === undefined) throw new CommandError('Flush requires arguments.');
  const dev = first === 'dev' ? words.value(first) : first;
  const extra = words.take();
  if (extra !== undefined) notUnderstood(extra, 'ip addr flush dev NAME');
  return { kind: 'addr-flush', dev };
};

/** The words behind `ip addr`. @throws {CommandError} */
export const parseIpAddr = (words: Words): AddrCommand => {
  const typed = words.take() ?? 'list';
  switch (abbreviated(typed, COMMANDS)) {
    case 'add':
      return parseAdd(words, false);
    case 'change':
    case 'chg':
    case 'replace':
      return parseAdd(words, true);
    case 'delete':
      return parseDel(words);
    case 'flush':
      return parseFlush(words);
    default:
      return notUnderstood(`ip addr ${typed}`, 'ip addr add|change|replace|del|flush');
  }
};
