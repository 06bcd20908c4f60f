/** The tools that print firewall rules, sets and virtual servers: iptables 1.8.9 (nf_tables), nft, ipset, ipvsadm. */
import type { Ruleset, TableName } from '../../kernel/netfilter/ruleset.ts';
import { TABLE_HOOKS } from '../../kernel/netfilter/ruleset.ts';
import { ipsetList, ipsetSave } from '../ipset/print.ts';
import { iptablesListRules, iptablesSave } from '../iptables/print.ts';
import { nftListRuleset } from '../nft/print.ts';
import { ipvsadmList } from '../print/ipvsadm.ts';
import { type ExecCommand, type ExecPlace, type ExecResult, failed, printed } from './command.ts';

const isTable = (name: string): name is TableName => Object.hasOwn(TABLE_HOOKS, name);

interface Chosen {
  readonly table: string | undefined;
  readonly rest: readonly string[];
}

/** `-t NAME`, `-tNAME`, `--table NAME`, `--table=NAME`, wherever it stands. */
const takeTable = (args: readonly string[]): Chosen => {
  const rest: string[] = [];
  let table: string | undefined;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    const glued = /^(?:-t|--table=)(?<name>.+)$/.exec(arg)?.groups?.['name'];
    if (glued !== undefined) table = glued;
    else if (arg === '-t' || arg === '--table') table = args[++at] ?? '';
    else rest.push(arg);
  }
  return { table, rest };
};

const noTable = (tool: string, table: string): ExecResult =>
  failed(
    3,
    `${tool} v1.8.9 (nf_tables): table '${table}' does not exist`,
    'Perhaps iptables or your kernel needs to be upgraded.',
  );

const save =
  (tool: string, rulesOf: (place: ExecPlace) => Ruleset): ExecCommand['run'] =>
  (place, args) => {
    const { table, rest } = takeTable(args);
    if (rest.some((word) => word !== '-c' && word !== '--counters')) return undefined;
    if (table === undefined) return printed(iptablesSave(rulesOf(place)));
    return isTable(table) ? printed(iptablesSave(rulesOf(place), table)) : noTable(tool, table);
  };

const listRules =
  (tool: string, rulesOf: (place: ExecPlace) => Ruleset): ExecCommand['run'] =>
  (place, args) => {
    const { table = 'filter', rest } = takeTable(args);
    const [option, chain, ...more] = rest;
    if ((option !== '-S' && option !== '--list-rules') || more.length > 0) return undefined;
    if (!isTable(table)) return noTable(tool, table);
    const lines = iptablesListRules(rulesOf(place), table, chain);
    return lines ? printed(lines) : failed(1, `${tool}: No chain/target/match by that name.`);
  };

const v4 = ({ netns }: ExecPlace): Ruleset => netns.netfilter;
const v6 = ({ netns }: ExecPlace): Ruleset => netns.netfilter6;

export const iptablesSaveCommand: ExecCommand = {
  forms: ['iptables-save [-t TABLE]'],
  run: save('iptables-save', v4),
};

export const ip6tablesSaveCommand: ExecCommand = {
  forms: ['ip6tables-save [-t TABLE]'],
  run: save('ip6tables-save', v6),
};

export const iptables: ExecCommand = {
  forms: ['iptables [-t TABLE] -S [CHAIN]'],
  run: listRules('iptables', v4),
};

export const ip6tables: ExecCommand = {
  forms: ['ip6tables [-t TABLE] -S [CHAIN]'],
  run: listRules('ip6tables', v6),
};

export const nft: ExecCommand = {
  forms: ['nft list ruleset', 'nft list tables'],
  run: ({ netns }, [verb, what, ...more]) => {
    const tables = [...(netns.netfilter.nft ?? []), ...(netns.netfilter6.nft ?? [])];
    if (verb !== 'list' || more.length > 0) return undefined;
    const managed = netns.netfilter.tables.map(({ name }) => name).join(', ');
    const hint =
      managed === '' ? [] : [`# tables that iptables-nft manages are not shown: ${managed}`];
    if (what === 'ruleset') return { code: 0, out: nftListRuleset(tables), err: hint };
    if (what !== 'tables') return undefined;
    return { code: 0, out: tables.map(({ family, name }) => `table ${family} ${name}`), err: hint };
  },
};

export const ipset: ExecCommand = {
  forms: ['ipset list', 'ipset save'],
  run: ({ netns }, [verb, ...more]) => {
    if (more.length > 0) return undefined;
    if (verb === 'list') return printed(ipsetList(netns.ipsets, netns.netfilter, netns.netfilter6));
    return verb === 'save' ? printed(ipsetSave(netns.ipsets)) : undefined;
  },
};

/** `-L -n`, `-Ln`, `-ln`, `--list --numeric`: addresses and ports are numbers here in any case. */
const isNumericList = (args: readonly string[]): boolean => {
  const words = args.flatMap((arg) => (/^-[Lln]+$/.test(arg) ? [...arg.slice(1)] : [arg]));
  const lists = words.some((word) => ['L', 'l', '--list'].includes(word));
  const numeric = words.some((word) => ['n', '--numeric'].includes(word));
  return (
    lists && numeric && words.every((word) => ['L', 'l', 'n', '--list', '--numeric'].includes(word))
  );
};

export const ipvsadm: ExecCommand = {
  forms: ['ipvsadm -Ln'],
  run: ({ netns }, args) => (isNumericList(args) ? printed(ipvsadmList(netns.ipvs)) : undefined),
};
