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
  nfDeleteChains,
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
import { badArgument, IptablesError } from './error.ts';
import { isTarget, NOT_UNDERSTOOD } from './names.ts';
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
  '--zero': '-Z',
};
const SHORT_COMMANDS: readonly string[] = Object.values(COMMANDS);

/** What is understood, as a person reads it. */
export const IPTABLES_COMMANDS = 'iptables [-t TABLE] -A|-I|-D|-P|-N|-X|-F|-Z';

/** Options of rules, which no other command takes. */
const RULE_OPTIONS: readonly string[] = ['-s', '-d', '-i', '-o', '-p', '-m', '-j', '-g', '-f'];

interface Command {
  readonly table: TableName;
  readonly command: string;
  /** Absent: all of them, where the command takes that. */
  readonly chain?: string;
  /** What follows the chain. */
  readonly rest: readonly string[];
}

/** A command about one chain. */
type Named = Command & { readonly chain: string };

const isTable = (name: string): name is TableName => Object.hasOwn(TABLE_HOOKS, name);

const tableNamed = (name: string | undefined): TableName => {
  if (name === undefined) throw new IptablesError('option "-t" requires an argument');
  if (!isTable(name)) throw new IptablesError(`table '${name}' does not exist`);
  return name;
};

const commandOf = (word: string | undefined): string | undefined => {
  if (word === undefined) return undefined;
  return SHORT_COMMANDS.includes(word) ? word : COMMANDS[word];
};

/** Takes `-t table`, `-4` and `-w [seconds]` out of the words, wherever they stand. */
const readCommand = (words: readonly string[]): Command => {
  let table: TableName = 'filter';
  const rest: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '-t' || word === '--table') table = tableNamed(words[++at]);
    else if (word === '-w' || word === '--wait') {
      if (/^\d+$/.test(words[at + 1] ?? '')) at++;
    } else if (word !== '-4' && word !== '--ipv4') rest.push(word);
  }
  const at = rest.findIndex((word) => commandOf(word) !== undefined);
  const command = commandOf(rest[at]);
  const before = at < 0 ? rest : rest.slice(0, at);
  const strange = before.find((word) => NOT_UNDERSTOOD.includes(word));
  if (strange !== undefined) throw new IptablesError(JSON.stringify(strange), 'k8snet');
  if (command === undefined) {
    const [first] = rest;
    if (first !== undefined && !first.startsWith('-')) throw badArgument(first);
    if (first?.startsWith('-') && !RULE_OPTIONS.includes(first) && !first.startsWith('--'))
      throw new IptablesError(`unknown option "${first}"`);
    throw new IptablesError('no command specified');
  }
  const chain = rest[at + 1];
  const isNamed = chain !== undefined && !chain.startsWith('-');
  const takesAll = command === '-F' || command === '-X' || command === '-Z';
  if (chain === undefined && !takesAll)
    throw new IptablesError(`option "${command}" requires an argument`);
  const hasChain = isNamed || !takesAll;
  const after = rest.slice(at + (hasChain ? 2 : 1));
  return {
    table,
    command,
    ...(hasChain && chain !== undefined && { chain }),
    rest: [...before, ...after],
  };
};

/** Commands about chains have no rule behind them. */
const checkRest = (command: string, rest: readonly string[], most: number): void => {
  for (const [at, word] of rest.entries()) {
    const other = commandOf(word);
    if (other !== undefined) throw new IptablesError(`Cannot use ${other} with ${command}`);
    if (RULE_OPTIONS.includes(word))
      throw new IptablesError(`Illegal option \`${word}' with this command`);
    if (NOT_UNDERSTOOD.includes(word)) throw new IptablesError(JSON.stringify(word), 'k8snet');
    if (word.startsWith('-')) throw new IptablesError(`unknown option "${word}"`);
    if (at >= most) throw badArgument(word);
  }
};

/** XT_EXTENSION_MAXNAMELEN, less what iptables keeps of it. */
const LONGEST_CHAIN = 28;
const VERDICTS: readonly string[] = ['', 'ACCEPT', 'DROP', 'RETURN', 'QUEUE'];

/** parse_chain (iptables/xshared.c). */
const checkName = (chain: string): void => {
  const [first = ''] = chain;
  if (first === '-' || first === '!')
    throw new IptablesError(`chain name not allowed to start with \`${first}'`);
  if (chain.length > LONGEST_CHAIN)
    throw new IptablesError(
      `chain name \`${chain}' too long (must be under ${LONGEST_CHAIN + 1} chars)`,
    );
  if (VERDICTS.includes(chain) || isTarget(chain))
    throw new IptablesError('chain name may not clash with target name');
  if (/\s/.test(chain)) throw new IptablesError(`Invalid chain name \`${chain}'`);
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
  const wrongTable =
    (isNat && table !== 'nat') ||
    (target.kind === 'REJECT' && table !== 'filter') ||
    (target.kind === 'NOTRACK' && table !== 'raw');
  const wrongHook = hook !== undefined && hooks !== undefined && !hooks.includes(hook);
  const wrongReset =
    target.kind === 'REJECT' && target.with === 'tcp-reset' && !speaks(rule, 'tcp');
  if (wrongTable || wrongHook || wrongReset)
    throw new IptablesError(` RULE_APPEND failed (Invalid argument): rule in chain ${chain}`);
};

const ruleNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

const deleteRule = (ruleset: Ruleset, { table, chain, rest }: Named): void => {
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
    if (at < 0)
      throw new IptablesError('Bad rule (does a matching rule exist in that chain?).', 'errno');
    nfDelete(ruleset, table, chain, at + 1);
  }
};

const insertRules = (ruleset: Ruleset, command: Named, origin: Origin | undefined): void => {
  const { table, chain, rest } = command;
  const number = ruleNumber(rest[0]);
  if (number === 0) throw new IptablesError("Invalid rule number `0'");
  const rules = parseRules(number === undefined ? rest : rest.slice(1), origin);
  for (const rule of rules) {
    check(table, chain, rule);
    nfInsert(ruleset, table, chain, rule, number ?? 1);
  }
};

const setPolicy = (ruleset: Ruleset, { table, chain, rest }: Named): void => {
  const [policy] = rest;
  if (policy === undefined) throw new IptablesError('-P requires a chain and a policy');
  if (policy !== 'ACCEPT' && policy !== 'DROP')
    throw new IptablesError("Bad policy name. Run `dmesg' for more information.", 'errno');
  if (table === 'nat' && policy === 'DROP')
    throw new IptablesError(
      'The "nat" table is not intended for filtering, the use of DROP is therefore inhibited.',
    );
  nfPolicy(ruleset, table, chain, policy);
};

/** Counters are not kept, so all that is left of `-Z` is that its chain is there. */
const zero = (ruleset: Ruleset, { table, chain }: Command): void => {
  const known = findTable(ruleset, table);
  if (chain !== undefined && !(known && findChain(known, chain)))
    throw new NetfilterError('No chain/target/match by that name.');
};

/** Arguments behind the chain of a command that takes no rule. */
const ARGUMENTS: Readonly<Record<string, number>> = { '-P': 1, '-N': 0, '-X': 0, '-F': 0, '-Z': 1 };

const run = (ruleset: Ruleset, command: Command, origin: Origin | undefined): void => {
  const { table, rest } = command;
  const { chain = '' } = command;
  const most = ARGUMENTS[command.command];
  if (most !== undefined) checkRest(command.command, rest, most);
  switch (command.command) {
    case '-A':
      for (const rule of parseRules(rest, origin)) {
        check(table, chain, rule);
        nfAppend(ruleset, table, chain, rule);
      }
      return;
    case '-I':
      insertRules(ruleset, { ...command, chain }, origin);
      return;
    case '-D':
      deleteRule(ruleset, { ...command, chain });
      return;
    case '-P':
      setPolicy(ruleset, { ...command, chain });
      return;
    case '-N':
      checkName(chain);
      nfNewChain(ruleset, table, chain);
      return;
    case '-X':
      if (command.chain === undefined) nfDeleteChains(ruleset, table);
      else nfDeleteChain(ruleset, table, chain);
      return;
    case '-Z':
      zero(ruleset, command);
      return;
    default:
      nfFlush(ruleset, table, command.chain);
  }
};

/**
 * Runs `iptables [-t table] -A|-I|-D|-P|-N|-X|-F|-Z …` on a ruleset, in place. The words do not
 * include `iptables`. Rules that it adds carry the origin.
 * @throws {IptablesError} with what iptables would print, or what is not understood here
 */
export const runIptables = (ruleset: Ruleset, words: readonly string[], origin?: Origin): void => {
  const command = readCommand(words);
  try {
    run(ruleset, command, origin);
  } catch (error) {
    if (!(error instanceof NetfilterError)) throw error;
    throw new IptablesError(error.message, error.by, { cause: error });
  }
};
