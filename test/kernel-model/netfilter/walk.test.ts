import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candidates, type Selection } from '../../../src/kernel/netfilter/dispatch.ts';
import type { MatchContext } from '../../../src/kernel/netfilter/match.ts';
import {
  findChain,
  findTable,
  nfAppend,
  nfDelete,
  type Ruleset,
  type TableName,
} from '../../../src/kernel/netfilter/ruleset.ts';
import {
  everyRule,
  type WalkEnd,
  type WalkReport,
  walkTable,
} from '../../../src/kernel/netfilter/walk.ts';
import { filled, flow, rule } from './arbitrary-rules.ts';
import { iptables, tcp } from './bench-router.ts';

const packet = tcp('10.0.0.2', 40000, '192.0.2.7', 80, 'syn');

interface Walked {
  readonly end: WalkEnd;
  readonly mark: number;
  readonly seen: readonly string[];
}

const walk = (
  ruleset: Ruleset,
  {
    of = packet,
    select = candidates,
    name = 'filter' as TableName,
    start = 'FORWARD',
    chance = undefined as MatchContext['chance'],
  } = {},
): Walked => {
  const table = findTable(ruleset, name);
  const chain = table && findChain(table, start);
  if (!table || !chain) throw new Error(`no ${name} ${start}`);
  const context: MatchContext = {
    skb: { packet: of, mark: 0 },
    state: { hook: 'FORWARD', in: 'eth0', out: 'eth1', bridged: false },
    addrType: () => 'UNICAST',
    ipsets: new Map(),
    ...(chance && { chance }),
  };
  const seen: string[] = [];
  const report: WalkReport = {
    matched: ({ chain: where, number }) => seen.push(`${where} ${number}`),
    marked: () => undefined,
    returned: () => undefined,
  };
  return { end: walkTable(table, chain, context, report, select), mark: context.skb.mark, seen };
};

const positions = (asked: Selection | undefined): number[] => {
  const found: number[] = [];
  for (let one = asked?.next(); one !== undefined; one = asked?.next()) found.push(one);
  return found;
};

const at = ({ end }: Walked): string =>
  end.kind === 'policy' ? `policy ${end.policy}` : `${end.kind} ${end.at.chain} ${end.at.number}`;

describe('the walk of a table', () => {
  it('takes the first rule that matches', () => {
    const rules = iptables(
      '-A FORWARD -p udp -j DROP',
      '-A FORWARD -j ACCEPT',
      '-A FORWARD -j DROP',
    );
    expect(at(walk(rules))).toBe('target FORWARD 2');
  });

  it('ends in the policy', () => {
    expect(at(walk(iptables('-P FORWARD DROP', '-A FORWARD -p udp')))).toBe('policy DROP');
  });

  it('comes back from a jump, by RETURN or by the end, and says how it got somewhere', () => {
    const rules = iptables(
      '-N A',
      '-N B',
      '-A A -j B',
      '-A A -j RETURN',
      '-A A -j DROP',
      '-A B -p udp -j DROP',
      '-A FORWARD -p udp',
      '-A FORWARD -j A',
      '-A FORWARD -j B',
      '-A B -p tcp --dport 80 -m mark ! --mark 0 -j ACCEPT',
      '-A FORWARD -j ACCEPT',
    );
    const walked = walk(rules);
    expect(walked.seen).toEqual(['FORWARD 2', 'A 1', 'A 2', 'FORWARD 3', 'FORWARD 4']);
    expect(walked.end).toMatchObject({ at: { path: [] } });
  });

  it('does not come back to the chain that a goto left', () => {
    const rules = iptables(
      '-N A',
      '-N B',
      '-A A -g B',
      '-A A -j DROP',
      '-A B -p tcp',
      '-A FORWARD -j A',
      '-A FORWARD -g B',
      '-A FORWARD -j DROP',
    );
    const walked = walk(rules);
    expect(walked.seen).toEqual(['FORWARD 1', 'A 1', 'B 1', 'FORWARD 2', 'B 1']);
    expect(at(walked)).toBe('policy ACCEPT');
  });

  it('lists the jumps and gotos that led to the rule', () => {
    const rules = iptables('-N A', '-N B', '-A A -p tcp -g B', '-A B -j DROP', '-A FORWARD -j A');
    expect(walk(rules).end).toMatchObject({
      kind: 'target',
      at: {
        chain: 'B',
        number: 1,
        path: [
          { chain: 'FORWARD', number: 1 },
          { chain: 'A', number: 1 },
        ],
      },
    });
  });

  it.each<[string, number]>([
    ['--set-mark 5', 5],
    ['--set-xmark 1/2', 1],
    ['--or-mark 0x4000', 0x4000],
    ['--and-mark 0xff', 0],
    ['--xor-mark 0xffffffff', 0xffffffff],
  ])('MARK %s leaves %i, which later rules see', (option, mark) => {
    const rules = iptables(
      `-A FORWARD -j MARK ${option}`,
      `-A FORWARD -m mark --mark ${mark} -j DROP`,
    );
    const walked = walk(rules);
    expect(walked.mark).toBe(mark);
    expect(at(walked)).toBe('target FORWARD 2');
  });
});

describe('a rule whose outcome is not known', () => {
  const odd = '-m limit --limit 1/s';

  it.each<[string, string, readonly string[]]>([
    ['would accept', 'unmodelled FORWARD 1', [`-A FORWARD ${odd} -j ACCEPT`]],
    ['cannot match', 'policy ACCEPT', [`-A FORWARD -p udp ${odd} -j DROP`]],
    [
      'comes after the decision',
      'target FORWARD 1',
      ['-A FORWARD -j ACCEPT', `-A FORWARD ${odd} -j DROP`],
    ],
    ['only counts', 'policy ACCEPT', [`-A FORWARD ${odd}`]],
    ['only logs', 'policy ACCEPT', [`-A FORWARD ${odd} -j LOG`, '-A FORWARD -j NFLOG']],
    ['would leave the chain', 'unmodelled FORWARD 1', [`-A FORWARD ${odd} -j RETURN`]],
    ['would mark', 'unmodelled FORWARD 1', [`-A FORWARD ${odd} -j MARK --set-mark 1`]],
    ['would mark as it is', 'policy ACCEPT', [`-A FORWARD ${odd} -j MARK --set-mark 0`]],
    ['jumps to an empty chain', 'policy ACCEPT', ['-N A', `-A FORWARD ${odd} -j A`]],
    [
      'jumps to a chain that ends nothing',
      'policy ACCEPT',
      ['-N A', '-A A -p udp -j DROP', '-A A -j RETURN', `-A FORWARD ${odd} -j A`],
    ],
    [
      'jumps to a chain that decides',
      'unmodelled FORWARD 1',
      ['-N A', '-A A -j DROP', `-A FORWARD ${odd} -j A`],
    ],
    [
      'jumps to a chain that marks',
      'unmodelled FORWARD 1',
      ['-N A', '-A A -j MARK --set-mark 1', `-A FORWARD ${odd} -j A`],
    ],
    ['goes to a chain', 'unmodelled FORWARD 1', ['-N A', `-A FORWARD ${odd} -g A`]],
    [
      'has a target that is not modelled',
      'unmodelled FORWARD 1',
      ['-A FORWARD -p tcp -j TCPMSS --clamp-mss-to-pmtu'],
    ],
    ['has such a target for another protocol', 'policy ACCEPT', ['-A FORWARD -p udp -j NFQUEUE']],
  ])('%s: %s', (_, expected, lines) => {
    const walked = walk(iptables(...lines));
    expect(at(walked)).toBe(expected);
    expect(walked.mark).toBe(0);
  });
});

describe('the dispatch of a long chain', () => {
  it('reports what the walk over every rule does', () => {
    fc.assert(
      fc.property(
        fc.tuple(
          fc.array(rule, { minLength: 24, maxLength: 60 }),
          fc.array(rule, { minLength: 24, maxLength: 40 }),
        ),
        fc.array(flow, { minLength: 5, maxLength: 5 }),
        (chains, flows) => {
          const ruleset = filled(chains);
          for (const of of flows)
            expect(walk(ruleset, { of })).toEqual(walk(ruleset, { of, select: everyRule }));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('notices edits', () => {
    const lines = Array.from({ length: 40 }, (_, n) => `-A FORWARD -d 10.9.9.${n} -j DROP`);
    const ruleset = iptables(...lines);
    expect(at(walk(ruleset))).toBe('policy ACCEPT');
    nfAppend(ruleset, 'filter', 'FORWARD', {
      matches: [{ kind: 'dst', cidr: '192.0.2.7/32', negate: false }],
      target: { kind: 'DROP' },
    });
    expect(at(walk(ruleset))).toBe('target FORWARD 41');
    nfDelete(ruleset, 'filter', 'FORWARD', 1);
    expect(at(walk(ruleset))).toBe('target FORWARD 40');
  });

  it('asks few rules of many', () => {
    const lines = Array.from(
      { length: 2000 },
      (_, n) => `-A FORWARD -d 10.${n >> 8}.${n & 255}.1 -p tcp --dport 80 -j ACCEPT`,
    );
    const table = findTable(iptables(...lines, '-A FORWARD -j DROP'), 'filter');
    const chain = table && findChain(table, 'FORWARD');
    const asked = chain && candidates(chain, tcp('1.1.1.1', 1, '10.3.7.1', 80));
    expect(positions(asked)).toEqual([3 * 256 + 7, 2000]);
  });

  it('asks few rules of many for one address', () => {
    const lines = Array.from(
      { length: 2000 },
      (_, n) => `-A FORWARD -d 10.9.9.9 -p tcp --dport ${n + 1} -j ACCEPT`,
    );
    const first = '-A FORWARD -d 10.9.9.9 -j MARK --set-mark 1';
    const table = findTable(iptables(first, ...lines), 'filter');
    const chain = table && findChain(table, 'FORWARD');
    const asked = chain && candidates(chain, tcp('1.1.1.1', 1, '10.9.9.9', 80));
    expect(positions(asked)).toEqual([0, 80]);
  });
});

describe('what a rule leaves to chance', () => {
  const LOTS = '-m statistic --mode random --probability';
  const picking =
    (picks: readonly number[], asked: string[]): MatchContext['chance'] =>
    (options, by, where) => {
      asked.push(`${by} ${options} ${where}`);
      return picks[asked.length - 1] ?? 0;
    };

  it.each([
    [[], 'target FORWARD 1', ['statistic 2 FORWARD 1']],
    [[1], 'target FORWARD 2', ['statistic 2 FORWARD 1', 'statistic 2 FORWARD 2']],
    [[1, 1], 'target FORWARD 3', ['statistic 2 FORWARD 1', 'statistic 2 FORWARD 2']],
  ])('is asked for in order, picks %j', (picks, end, choices) => {
    const rules = iptables(
      `-A FORWARD ${LOTS} 0.33333 -j ACCEPT`,
      `-A FORWARD ${LOTS} 0.5 -j ACCEPT`,
      '-A FORWARD -j DROP',
    );
    const asked: string[] = [];
    expect(at(walk(rules, { chance: picking(picks, asked) }))).toBe(end);
    expect(asked).toEqual(choices);
  });

  it.each([
    ['0', 'policy ACCEPT'],
    ['0.0000000001', 'policy ACCEPT'],
    ['1', 'target FORWARD 1'],
    ['0.9999999999', 'target FORWARD 1'],
  ])('is no chance at %s', (share, end) => {
    const asked: string[] = [];
    const rules = iptables(`-A FORWARD ${LOTS} ${share} -j DROP`);
    expect(at(walk(rules, { chance: picking([1], asked) }))).toBe(end);
    expect(asked).toEqual([]);
  });

  it('is not asked where another condition does not hold, or is not known', () => {
    const asked: string[] = [];
    const rules = iptables(
      `-A FORWARD ${LOTS} 0.5 -m mark --mark 7 -j DROP`,
      `-A FORWARD ${LOTS} 0.5 -m limit --limit 1/s -j DROP`,
    );
    expect(at(walk(rules, { chance: picking([], asked) }))).toBe('unmodelled FORWARD 2');
    expect(asked).toEqual([]);
  });

  it('is not asked while a walk only wants to know what would matter', () => {
    const asked: string[] = [];
    const rules = iptables(
      '-N A',
      `-A A ${LOTS} 0.5 -j DROP`,
      '-A FORWARD -m limit --limit 1/s -j A',
    );
    expect(at(walk(rules, { chance: picking([], asked) }))).toBe('unmodelled FORWARD 1');
    expect(asked).toEqual([]);
  });
});
