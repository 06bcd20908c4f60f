/** A command as an operator types it → what it asks the kernel for. */

import { type FdbCommand, parseBridgeFdb } from './bridge-fdb.ts';
import { type AddrCommand, parseIpAddr } from './ip-addr.ts';
import { type LinkCommand, parseIpLink } from './ip-link.ts';
import { type NeighCommand, parseIpNeigh } from './ip-neigh.ts';
import { parseIpRoute, type RouteCommand } from './ip-route.ts';
import { parseIpRule, type RuleCommand } from './ip-rule.ts';
import { type PortCommand, parseBridgeLink } from './port.ts';
import { parseSysctl, type SysctlCommand } from './sysctl.ts';
import { abbreviated, commandWords, notUnderstood, type Words, wordsOf } from './words.ts';

export type Command =
  | LinkCommand
  | AddrCommand
  | RouteCommand
  | RuleCommand
  | NeighCommand
  | FdbCommand
  | PortCommand
  | SysctlCommand
  /** Words behind `iptables`, as they stand. */
  | { readonly kind: 'iptables'; readonly words: readonly string[] };

/** Objects of `ip` in the order in which do_cmd tries abbreviations (iproute2 6.1, ip/ip.c). */
const IP_OBJECTS = [
  'address',
  'addrlabel',
  'maddress',
  'route',
  'rule',
  'neighbor',
  'neighbour',
  'ntable',
  'ntbl',
  'link',
] as const;

const BRIDGE_OBJECTS = ['link', 'fdb', 'mdb', 'vlan', 'vni', 'monitor', 'help'] as const;

const parseIp = (words: Words): Command => {
  if (words.peek() === '-4') words.take();
  const typed = words.take() ?? '';
  switch (abbreviated(typed, IP_OBJECTS)) {
    case 'address':
      return parseIpAddr(words);
    case 'route':
      return parseIpRoute(words);
    case 'rule':
      return parseIpRule(words);
    case 'neighbor':
    case 'neighbour':
      return parseIpNeigh(words);
    case 'link':
      return parseIpLink(words);
    default:
      return notUnderstood(`ip ${typed}`.trim(), 'ip link|addr|route|neigh|rule');
  }
};

const parseBridge = (words: Words): Command => {
  const typed = words.take() ?? '';
  switch (abbreviated(typed, BRIDGE_OBJECTS)) {
    case 'link':
      return parseBridgeLink(words);
    case 'fdb':
      return parseBridgeFdb(words);
    default:
      return notUnderstood(`bridge ${typed}`.trim(), 'bridge fdb|link');
  }
};

/**
 * Reads `ip link|addr|route|neigh|rule`, `bridge fdb|link`, `sysctl` and `iptables` as iproute2 6.1
 * and procps read them, abbreviations included. What is not understood is refused by name.
 * @throws {CommandError}
 */
export const parseCommand = (text: string): Command => {
  const all = commandWords(text);
  const [tool = '', ...rest] = all;
  switch (tool) {
    case 'ip':
      return parseIp(wordsOf(rest));
    case 'bridge':
      return parseBridge(wordsOf(rest));
    case 'sysctl':
      return parseSysctl(wordsOf(rest));
    case 'iptables':
      return { kind: 'iptables', words: rest };
    default:
      return notUnderstood(tool, 'ip, bridge, sysctl -w, iptables');
  }
};
