/** `ip` and `bridge` of iproute2, `sysctl` of procps: the forms that show something. */
import { TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN } from '../../kernel/fib.ts';
import { findDev } from '../../kernel/netdev.ts';
import { NetlinkError } from '../../kernel/netlink.ts';
import type { Netns } from '../../kernel/world.ts';
import {
  bridgeFdb,
  bridgeLink,
  ipAddr,
  ipLink,
  ipNeigh,
  ipRoute,
  ipRule,
  sysctl,
} from '../print/show.ts';
import { type ExecCommand, type ExecPlace, type ExecResult, failed, printed } from './command.ts';

/** iproute2 takes any beginning of a word that no other word has before it. */
const isShort = (word: string | undefined, full: string, least: number): boolean =>
  word !== undefined && word.length >= least && full.startsWith(word);

/** `show`, `list` and `ls` may be left out. */
const shown = (args: readonly string[]): readonly string[] =>
  isShort(args[0], 'show', 1) || isShort(args[0], 'list', 1) || args[0] === 'ls'
    ? args.slice(1)
    : args;

/** `[dev] X`, once; `all`: no device was named; undefined: there is more. */
const deviceOf = (args: readonly string[]): string | 'all' | undefined => {
  const rest = args[0] === 'dev' ? args.slice(1) : args;
  if (rest.length === 0) return args.length === 0 ? 'all' : undefined;
  return rest.length === 1 ? rest[0] : undefined;
};

const TABLES: Readonly<Record<string, number | 'all'>> = {
  all: 'all',
  local: TABLE_LOCAL,
  main: TABLE_MAIN,
  default: TABLE_DEFAULT,
};

const tableOf = (args: readonly string[]): number | 'all' | undefined => {
  if (args.length === 0) return TABLE_MAIN;
  const [word, name = '', ...rest] = args;
  if (word !== 'table' || rest.length > 0) return undefined;
  return TABLES[name] ?? (/^\d+$/.test(name) ? Number(name) : undefined);
};

const devices = (
  { world, netns }: ExecPlace,
  args: readonly string[],
  print: typeof ipAddr,
): ExecResult | undefined => {
  const device = deviceOf(args);
  if (device === undefined) return undefined;
  if (device === 'all') return printed(print(world, netns));
  return findDev(netns, device)
    ? printed(print(world, netns, [device]))
    : failed(1, `Device "${device}" does not exist.`);
};

const runIp = (place: ExecPlace, args: readonly string[]): ExecResult | undefined => {
  const { world, netns } = place;
  const [object, ...words] = args[0] === '-4' ? args.slice(1) : args;
  const rest = shown(words);
  if (isShort(object, 'address', 1)) return devices(place, rest, ipAddr);
  if (isShort(object, 'link', 1)) return devices(place, rest, ipLink);
  if (isShort(object, 'route', 1)) {
    const table = tableOf(rest);
    return table === undefined ? undefined : printed(ipRoute(world, netns, table));
  }
  if (rest.length > 0) return undefined;
  if (isShort(object, 'rule', 2)) return printed(ipRule(netns));
  if (isShort(object, 'neighbour', 1) || object === 'neighbor')
    return printed(ipNeigh(world, netns));
  return undefined;
};

export const ip: ExecCommand = {
  forms: [
    'ip addr|link [show] [dev NAME]',
    'ip route [show] [table main|local|all|N]',
    'ip rule [show]',
    'ip neigh [show]',
  ],
  run: runIp,
};

export const bridge: ExecCommand = {
  forms: ['bridge fdb [show]', 'bridge [-d] link [show]'],
  run: ({ world, netns }, args) => {
    const detailed = args[0] === '-d';
    const [object, ...words] = detailed ? args.slice(1) : args;
    if (shown(words).length > 0) return undefined;
    if (isShort(object, 'link', 1)) return printed(bridgeLink(world, netns, detailed));
    return isShort(object, 'fdb', 1) && !detailed ? printed(bridgeFdb(world, netns)) : undefined;
  },
};

const readSysctl = (netns: Netns, key: string): ExecResult => {
  try {
    return printed([sysctl(netns, key)]);
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    const path = key.replaceAll('.', '/');
    return failed(255, `sysctl: cannot stat /proc/sys/${path}: No such file or directory`);
  }
};

export const sysctlCommand: ExecCommand = {
  forms: ['sysctl KEY…'],
  run: ({ netns }, args) => {
    if (args.length === 0 || args.some((arg) => arg.startsWith('-') || arg.includes('=')))
      return undefined;
    const each = args.map((key) => readSysctl(netns, key));
    return {
      code: each.find(({ code }) => code !== 0)?.code ?? 0,
      out: each.flatMap(({ out }) => out),
      err: each.flatMap(({ err }) => err),
    };
  },
};
