/** Policy routing rules as `ip rule` of iproute2 6.1 prints them. */
import type { FibRule } from '../../kernel/fib.ts';
import { tableName } from './names.ts';
import { printPrefix } from './route.ts';

const ALL_BITS = 0xffffffff;

/** `0x10`, or `0x10/0xff` where the mask leaves bits out. */
export const printMark = ({ mark, mask }: { mark: number; mask: number }): string =>
  mask === ALL_BITS ? `0x${mark.toString(16)}` : `0x${mark.toString(16)}/0x${mask.toString(16)}`;

/**
 * One rule, its priority first. `exists` says whether there is such a device: a rule on one that is
 * not there is marked (print_rule, iproute2 6.1, ip/iprule.c). Absent: all exist.
 */
export const printRule = (rule: FibRule, exists?: (ifname: string) => boolean): string => {
  const device = (word: string, ifname: string): string[] =>
    exists && !exists(ifname) ? [word, ifname, '[detached]'] : [word, ifname];
  const words = ['from', rule.from === undefined ? 'all' : printPrefix(rule.from, 'all')];
  if (rule.to !== undefined) words.push('to', printPrefix(rule.to, 'all'));
  if (rule.fwmark) words.push('fwmark', printMark(rule.fwmark));
  if (rule.iif !== undefined) words.push(...device('iif', rule.iif));
  if (rule.oif !== undefined) words.push(...device('oif', rule.oif));
  const { action } = rule;
  if (action.kind === 'table') words.push('lookup', tableName(action.table));
  else words.push(action.kind);
  return `${rule.priority}:\t${words.join(' ')}`;
};
