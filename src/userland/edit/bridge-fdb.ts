/** `bridge fdb add|append|replace|del` (fdb_modify, iproute2 6.1, bridge/fdb.c). */
import type { FdbMode, FdbSpec } from '../../kernel/netlink.ts';
import { isMac } from '../../wire/mac.ts';
import { CommandError } from './command-error.ts';
import { abbreviated, address, type Draft, notUnderstood, type Words } from './words.ts';

/** Whose table: the device's own, or that of the bridge it is a port of. */
export type FdbSide = 'self' | 'master';

export type FdbCommand =
  | {
      readonly kind: 'fdb-add';
      readonly mode: FdbMode;
      readonly side: FdbSide;
      readonly spec: FdbSpec;
    }
  | { readonly kind: 'fdb-del'; readonly side: FdbSide; readonly spec: FdbSpec };

const COMMANDS = [
  'add',
  'append',
  'replace',
  'delete',
  'get',
  'show',
  'lst',
  'list',
  'flush',
  'help',
] as const;

const UNDERSTOOD = 'MAC, dev, dst, self, master, permanent (local), static';

const parse = (words: Words): { side: FdbSide; spec: FdbSpec } => {
  const draft: Draft<Partial<FdbSpec>> = {};
  let side: FdbSide = 'self';
  for (const word of words) {
    if (word === 'dev') draft.dev = words.value(word);
    else if (word === 'dst') draft.dst = address(words.value(word));
    else if (word === 'self' || word === 'master') side = word;
    else if (word === 'permanent' || word === 'local') draft.state = 'permanent';
    else if (word === 'static' || word === 'temp') draft.state = 'static';
    else if (draft.mac === undefined && (word === 'to' || /^[0-9a-f]{1,2}:/i.test(word))) {
      const mac = (word === 'to' ? words.value(word) : word).toLowerCase();
      if (!isMac(mac)) throw new CommandError(`Invalid mac address ${mac}`);
      draft.mac = mac;
    } else notUnderstood(word, UNDERSTOOD);
  }
  const { mac, dev } = draft;
  if (mac === undefined || dev === undefined)
    throw new CommandError('Device and address are required arguments.');
  return { side, spec: { ...draft, mac, dev } };
};

/** The words behind `bridge fdb`. @throws {CommandError} */
export const parseBridgeFdb = (words: Words): FdbCommand => {
  const typed = words.take() ?? 'show';
  const command = abbreviated(typed, COMMANDS);
  switch (command) {
    case 'add':
    case 'append':
    case 'replace':
      return { kind: 'fdb-add', mode: command, ...parse(words) };
    case 'delete':
      return { kind: 'fdb-del', ...parse(words) };
    default:
      return notUnderstood(`bridge fdb ${typed}`, 'bridge fdb add|append|replace|del');
  }
};
