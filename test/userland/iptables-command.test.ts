import { describe, expect, it } from 'vitest';
import { emptyRuleset, type Ruleset } from '../../src/kernel/netfilter/ruleset.ts';
import { runIptables } from '../../src/userland/iptables/command.ts';
import { iptablesSave } from '../../src/userland/iptables/print.ts';
import { splitWords } from '../../src/userland/iptables/words.ts';

const words = (line: string): string[] => splitWords(line).map(({ text }) => text);

const made = (...lines: readonly string[]): Ruleset => {
  const ruleset = emptyRuleset();
  for (const line of lines) runIptables(ruleset, words(line));
  return ruleset;
};

const rules = (...lines: readonly string[]): string[] =>
  iptablesSave(made(...lines)).filter((line) => line.startsWith('-A'));

describe('an iptables command', () => {
  it('appends, inserts and deletes by number or by what the rule says', () => {
    const built = [
      '-A FORWARD -p tcp -j ACCEPT',
      '-I FORWARD -p udp -j ACCEPT',
      '--insert FORWARD 2 -s 10.0.0.0/8 -j DROP',
      '-t filter -w 5 --append FORWARD -j REJECT',
    ];
    expect(rules(...built)).toEqual([
      '-A FORWARD -p udp -j ACCEPT',
      '-A FORWARD -s 10.0.0.0/8 -j DROP',
      '-A FORWARD -p tcp -j ACCEPT',
      '-A FORWARD -j REJECT --reject-with icmp-port-unreachable',
    ]);
    expect(rules(...built, '-D FORWARD 1', '-D FORWARD -j DROP -s 10.1.2.3/8')).toEqual([
      '-A FORWARD -p tcp -j ACCEPT',
      '-A FORWARD -j REJECT --reject-with icmp-port-unreachable',
    ]);
  });

  it('makes, flushes and deletes chains, and sets policies', () => {
    const lines = ['-N A', '-A A -j DROP', '-P FORWARD DROP', '-t nat -N B'];
    expect(iptablesSave(made(...lines))).toEqual([
      '*filter',
      ':INPUT ACCEPT [0:0]',
      ':FORWARD DROP [0:0]',
      ':OUTPUT ACCEPT [0:0]',
      ':A - [0:0]',
      '-A A -j DROP',
      'COMMIT',
      '*nat',
      ':PREROUTING ACCEPT [0:0]',
      ':INPUT ACCEPT [0:0]',
      ':OUTPUT ACCEPT [0:0]',
      ':POSTROUTING ACCEPT [0:0]',
      ':B - [0:0]',
      'COMMIT',
    ]);
    expect(iptablesSave(made(...lines, '-F A', '-X A'))).not.toContain(':A - [0:0]');
  });

  it('gives what it adds its origin', () => {
    const ruleset = emptyRuleset();
    const origin = { by: 'fault', why: 'fault-command' } as const;
    runIptables(ruleset, words('-I FORWARD -j DROP'), origin);
    expect(ruleset.tables[0]?.chains[0]?.rules[0]?.origin).toBe(origin);
  });

  it('does to all chains of a table what no chain is named for', () => {
    const lines = ['-N A', '-A A -j DROP', '-N B', '-A FORWARD -j ACCEPT', '-t nat -N C'];
    expect(rules(...lines, '-F')).toEqual([]);
    expect(iptablesSave(made(...lines, '-F', '-X'))).not.toContain(':A - [0:0]');
    expect(iptablesSave(made(...lines, '-F', '-X'))).toContain(':C - [0:0]');
    expect(made('-F', '-X', '-Z', '-t nat -F').tables).toEqual([]);
    expect(() => made(...lines, '-X')).toThrow(
      'CHAIN_DEL failed (Device or resource busy): chain A',
    );
  });

  it('registers a built-in chain that is flushed by name, and takes one away that does nothing', () => {
    const chains = (...more: string[]) =>
      made(...more).tables.flatMap((table) => table.chains.map(({ name }) => name));
    expect(chains('-F FORWARD', '-F INPUT')).toEqual(['FORWARD', 'INPUT']);
    expect(chains('-F FORWARD', '-F INPUT', '-X INPUT')).toEqual(['FORWARD']);
    expect(chains('-F FORWARD', '-P INPUT DROP', '-X')).toEqual(['INPUT']);
    expect(() => made('-P INPUT DROP', '-X INPUT')).toThrow('Directory not empty.');
  });

  it.each([
    '-R FORWARD 1 -j DROP',
    '-L',
    '-S FORWARD',
    '-E A B',
    '-A FORWARD -c 1 2 -j DROP',
    '-v -F',
  ])('is not said to be wrong where iptables would do it: %s', (line) => {
    expect(() => made(line)).toThrow(
      expect.objectContaining({
        line: expect.stringMatching(/^k8snet does not understand "-\w"$/),
      }),
    );
  });

  it.each([
    ['-j ACCEPT', 'no command specified'],
    ['-A', 'option "-A" requires an argument'],
    ['', 'no command specified'],
    ['FORWARD -F', "Bad argument `FORWARD'"],
    ['-F A B', "Bad argument `B'"],
    ['-F -X', 'Cannot use -X with -F'],
    ['-F -j ACCEPT', "Illegal option `-j' with this command"],
    ['-F --nope', 'unknown option "--nope"'],
    ['-P FORWARD', '-P requires a chain and a policy'],
    ['-N -x', "chain name not allowed to start with `-'"],
    ['-N MASQUERADE', 'chain name may not clash with target name'],
    ['-N a-name-that-is-much-too-long-here', 'too long (must be under 29 chars)'],
    ['-N "a b"', "Invalid chain name `a b'"],
    ['-Z NOPE', 'No chain/target/match by that name.'],
    ['-X FORWARD', 'No chain/target/match by that name.'],
    ['-t foo -A OUTPUT', "table 'foo' does not exist"],
    ['-t', 'option "-t" requires an argument'],
    ['-A NOPE -j ACCEPT', 'No chain/target/match by that name.'],
    ['-A FORWARD -j NOPE', "Chain 'NOPE' does not exist"],
    ['-A INPUT -o eth0', "Can't use -o with INPUT"],
    ['-t nat -A PREROUTING -o eth0', "Can't use -o with PREROUTING"],
    ['-A OUTPUT -i eth0', "Can't use -i with OUTPUT"],
    ['-t nat -A POSTROUTING -i eth0', "Can't use -i with POSTROUTING"],
    ['-A FORWARD -j MASQUERADE', 'RULE_APPEND failed (Invalid argument): rule in chain FORWARD'],
    [
      '-t nat -A PREROUTING -j SNAT --to-source 1.1.1.1',
      'RULE_APPEND failed (Invalid argument): rule in chain PREROUTING',
    ],
    [
      '-t nat -A POSTROUTING -j DNAT --to-destination 1.1.1.1',
      'RULE_APPEND failed (Invalid argument): rule in chain POSTROUTING',
    ],
    [
      '-A OUTPUT -j REJECT --reject-with tcp-reset',
      'RULE_APPEND failed (Invalid argument): rule in chain OUTPUT',
    ],
    [
      '-t nat -A PREROUTING -j DNAT --to-destination 1.1.1.1:80',
      'Need TCP, UDP, SCTP or DCCP with port specification',
    ],
    ['-t nat -A POSTROUTING -j DROP', 'the use of DROP is therefore inhibited.'],
    ['-t nat -P POSTROUTING DROP', 'the use of DROP is therefore inhibited.'],
    ['-P FORWARD REJECT', 'Bad policy name.'],
    ['-P NOPE DROP', 'Bad built-in chain name.'],
    ['-D FORWARD 1', 'No chain/target/match by that name.'],
    ['-D FORWARD -j DROP', 'Bad rule (does a matching rule exist in that chain?).'],
    ['-I FORWARD 0 -j DROP', "Invalid rule number `0'"],
    ['-I FORWARD 2 -j DROP', 'Index of insertion too big.'],
  ])('is refused: %s: %s', (line, message) => {
    const ruleset = emptyRuleset();
    expect(() => runIptables(ruleset, words(line))).toThrow(message);
    expect(iptablesSave(ruleset).filter((one) => one.startsWith('-A'))).toEqual([]);
  });
});
