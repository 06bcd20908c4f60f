/** One `iptables` command line that edits a ruleset, as an operator types it. */
import {
  findChain,
  findTable,
  type Hook,
  type Match,
  NetfilterError,
  nfAppend,
  nfDelete,
  nfDeleteChain,
  nfFlush,
  nfInsert,
  nfNewChain,
  nfPolicy,
  type Rule,
  type Ruleset,
  TABLE_HOOKS,
  type TableName,
} from '../../kernel/netfilter/ruleset.ts';
import type { Origin } from '../../kernel/origin.ts';
import { IptablesError } from './error.ts';
import { parseRules } from './parse.ts';
import { printRule } from './print.ts';

const COMMANDS: Readonly<Record<string, string>> = {
  '--append': '-A',
  '--insert': '-I',
  '--delete': '-D',
  '--policy': '-P',
  '--new-chain': '-N',
  '--delete-chain': '-X',
  '--flush': '-F',
  '-A': '-A',
  '-I': '-I',
  '-D': '-D',
  '-P': '-P',
  '-N': '-N',
  '-X': '-X',
  '-F': '-F',
};

interface Command {
  readonly table: TableName;
  readonly command: string;
  readonly chain: string;
  /** What follows the chain. */
  readonly rest: readonly string[];
}

const isTable = (name: string): name is TableName => Object.hasOwn(TABLE_HOOKS, name);

const tableNamed = (name: string | undefined): TableName => {
  if (name === undefined) throw new IptablesError('option "-t" requires an argument');
  if (!isTable(name)) throw new IptablesError(`table '${name}' does not exist`);
  return name;
};

/** Takes `-t table` and `-w [seconds]` out of the words, wherever they stand. */
const readCommand = (words: readonly string[]): Command => {
  let table: TableName = 'filter';
  const rest: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '-t' || word === '--table') table = tableNamed(words[++at]);
    else if (word === '-w' || word === '--wait') {
      if (/^\d+$/.test(words[at + 1] ?? '')) at++;
    } else rest.push(word);
  }
  const at = rest.findIndex((word) => COMMANDS[word] !== undefined);
  const command = COMMANDS[rest[at] ?? ''];
  if (command === undefined) throw new IptablesError('no command specified');
  const chain = rest[at + 1];
  if (chain === undefined) throw new IptablesError(`option "${command}" requires an argument`);
  return { table, command, chain, rest: [...rest.slice(0, at), ...rest.slice(at + 2)] };
};

const uses = (rule: Rule, kind: Match['kind']): boolean =>
  rule.matches.some((match) => match.kind === kind);

const speaks = (rule: Rule, ...protocols: readonly string[]): boolean =>
  rule.matches.some(
    (match) =>
      match.kind === 'protocol' && !match.negate && protocols.includes(String(match.protocol)),
  );

const HOOKS_OF_TARGET: Readonly<Partial<Record<Rule['target']['kind'], readonly Hook[]>>> = {
  REJECT: ['INPUT', 'FORWARD', 'OUTPUT'],
  MASQUERADE: ['POSTROUTING'],
  SNAT: ['POSTROUTING', 'INPUT'],
  DNAT: ['PREROUTING', 'OUTPUT'],
};

/** What iptables and the kernel refuse, so that no rule is in a place where it cannot work. */
const check = (table: TableName, chain: string, rule: Rule): void => {
  const hook = TABLE_HOOKS[table].find((one) => one === chain);
  const { target } = rule;
  if (uses(rule, 'in') && (hook === 'OUTPUT' || hook === 'POSTROUTING'))
    throw new IptablesError(`Can't use -i with ${chain}`);
  if (uses(rule, 'out') && (hook === 'INPUT' || hook === 'PREROUTING'))
    throw new IptablesError(`Can't use -o with ${chain}`);
  if (table === 'nat' && target.kind === 'DROP')
    throw new IptablesError(
      'The "nat" table is not intended for filtering, the use of DROP is therefore inhibited.',
    );
  const isNat = target.kind === 'MASQUERADE' || target.kind === 'SNAT' || target.kind === 'DNAT';
  if ((target.kind === 'SNAT' || target.kind === 'DNAT') && target.port !== undefined)
    if (!speaks(rule, 'tcp', 'udp', 'sctp'))
      throw new IptablesError('Need TCP, UDP, SCTP or DCCP with port specification');
  const hooks = HOOKS_OF_TARGET[target.kind];
  const wrongTable = (isNat && table !== 'nat') || (target.kind === 'REJECT' && table !== 'filter');
  const wrongHook = hook !== undefined && hooks !== undefined && !hooks.includes(hook);
  const wrongReset =
    target.kind === 'REJECT' && target.with === 'tcp-reset' && !speaks(rule, 'tcp');
  if (wrongTable || wrongHook || wrongReset)
    throw new IptablesError(`RULE_APPEND failed (Invalid argument): rule in chain ${chain}`);
};

const ruleNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

const deleteRule = (ruleset: Ruleset, { table, chain, rest }: Command): void => {
  const number = ruleNumber(rest[0]);
  if (number !== undefined) {
    if (number === 0) throw new IptablesError("Invalid rule number `0'");
    nfDelete(ruleset, table, chain, number);
    return;
  }
  for (const rule of parseRules(rest)) {
    const wanted = printRule(rule);
    const known = findTable(ruleset, table);
    const from = known && findChain(known, chain);
    const at = from?.rules.findIndex((one) => printRule(one) === wanted) ?? -1;
    if (at < 0) throw new IptablesError('Bad rule (does a matching rule exist in that chain?).');
    nfDelete(ruleset, table, chain, at + 1);
  }
};

const insertRules = (ruleset: Ruleset, command: Command, origin: Origin | undefined): void => {
  const { table, chain, rest } = command;
  const number = ruleNumber(rest[0]);
  if (number === 0) throw new IptablesError("Invalid rule number `0'");
  const rules = parseRules(number === undefined ? rest : rest.slice(1), origin);
  for (const rule of rules) {
    check(table, chain, rule);
    nfInsert(ruleset, table, chain, rule, number ?? 1);
  }
};

const setPolicy = (ruleset: Ruleset, { table, chain, rest }: Command): void => {
  const policy = rest[0];
  if (policy !== 'ACCEPT' && policy !== 'DROP') throw new IptablesError('Bad policy name.');
  if (table === 'nat' && policy === 'DROP')
    throw new IptablesError(
      'The "nat" table is not intended for filtering, the use of DROP is therefore inhibited.',
    );
  nfPolicy(ruleset, table, chain, policy);
};

const run = (ruleset: Ruleset, command: Command, origin: Origin | undefined): void => {
  const { table, chain, rest } = command;
  switch (command.command) {
    case '-A':
      for (const rule of parseRules(rest, origin)) {
        check(table, chain, rule);
        nfAppend(ruleset, table, chain, rule);
      }
      return;
    case '-I':
      insertRules(ruleset, command, origin);
      return;
    case '-D':
      deleteRule(ruleset, command);
      return;
    case '-P':
      setPolicy(ruleset, command);
      return;
    case '-N':
      nfNewChain(ruleset, table, chain);
      return;
    case '-X':
      nfDeleteChain(ruleset, table, chain);
      return;
    default:
      nfFlush(ruleset, table, chain);
  }
};

/**
 * Runs `iptables [-t table] -A|-I|-D|-P|-N|-X|-F chain …` on a ruleset, in place. The words do not
 * include `iptables`. Rules that it adds carry the origin.
 * @throws {IptablesError} with what iptables would print after its name and version
 */
export const runIptables = (ruleset: Ruleset, words: readonly string[], origin?: Origin): void => {
  const command = readCommand(words);
  try {
    run(ruleset, command, origin);
  } catch (error) {
    if (!(error instanceof NetfilterError)) throw error;
    throw new IptablesError(error.message, { cause: error });
  }
};
