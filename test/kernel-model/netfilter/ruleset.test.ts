import { describe, expect, it } from 'vitest';
import {
  cloneRuleset,
  emptyRuleset,
  findChain,
  findTable,
  nfAppend,
  nfDelete,
  nfDeleteChain,
  nfFlush,
  nfInsert,
  nfNewChain,
  nfPolicy,
  type Rule,
  type Ruleset,
} from '../../../src/kernel/netfilter/ruleset.ts';

const rule = (mark: number): Rule => ({
  matches: [],
  target: { kind: 'MARK', op: 'set', value: mark, mask: 0xffffffff },
});
const to = (chain: string): Rule => ({ matches: [], target: { kind: 'jump', chain } });

const marks = (ruleset: Ruleset, name: string): number[] => {
  const table = findTable(ruleset, 'filter');
  const rules = (table && findChain(table, name))?.rules ?? [];
  return rules.map(({ target }) => (target.kind === 'MARK' ? target.value : -1));
};

const NO_NAME = 'No chain/target/match by that name.';

describe('a ruleset', () => {
  it('registers a table and a built-in chain when something is first put there', () => {
    const ruleset = emptyRuleset();
    nfAppend(ruleset, 'nat', 'POSTROUTING', rule(1));
    nfPolicy(ruleset, 'filter', 'FORWARD', 'DROP');
    expect(ruleset.tables).toMatchObject([
      { name: 'nat', chains: [{ name: 'POSTROUTING', base: { policy: 'ACCEPT' } }] },
      { name: 'filter', chains: [{ name: 'FORWARD', base: { policy: 'DROP' }, rules: [] }] },
    ]);
  });

  it('keeps rules in their order', () => {
    const ruleset = emptyRuleset();
    nfAppend(ruleset, 'filter', 'INPUT', rule(1));
    nfAppend(ruleset, 'filter', 'INPUT', rule(2));
    nfInsert(ruleset, 'filter', 'INPUT', rule(3));
    nfInsert(ruleset, 'filter', 'INPUT', rule(4), 4);
    expect(marks(ruleset, 'INPUT')).toEqual([3, 1, 2, 4]);
    nfDelete(ruleset, 'filter', 'INPUT', 2);
    expect(marks(ruleset, 'INPUT')).toEqual([3, 2, 4]);
    nfFlush(ruleset, 'filter', 'INPUT');
    expect(marks(ruleset, 'INPUT')).toEqual([]);
  });

  it('finds chains after others have gone', () => {
    const ruleset = emptyRuleset();
    for (const name of ['A', 'B', 'C']) nfNewChain(ruleset, 'filter', name);
    nfAppend(ruleset, 'filter', 'C', rule(7));
    expect(marks(ruleset, 'C')).toEqual([7]);
    nfDeleteChain(ruleset, 'filter', 'A');
    expect(marks(ruleset, 'C')).toEqual([7]);
    const table = findTable(ruleset, 'filter');
    expect(table && findChain(table, 'A')).toBeUndefined();
    nfNewChain(ruleset, 'filter', 'A');
    expect(table && findChain(table, 'A')).toMatchObject({ name: 'A', rules: [] });
  });

  it('says what iptables says when it refuses', () => {
    const ruleset = emptyRuleset();
    nfNewChain(ruleset, 'filter', 'A');
    nfAppend(ruleset, 'filter', 'FORWARD', to('A'));
    const refused: [() => void, string][] = [
      [() => nfNewChain(ruleset, 'filter', 'A'), 'Chain already exists.'],
      [() => nfNewChain(ruleset, 'filter', 'FORWARD'), 'Chain already exists.'],
      [() => nfAppend(ruleset, 'filter', 'B', rule(1)), NO_NAME],
      [() => nfAppend(ruleset, 'filter', 'PREROUTING', rule(1)), NO_NAME],
      [() => nfAppend(ruleset, 'filter', 'A', to('B')), "Chain 'B' does not exist"],
      [() => nfInsert(ruleset, 'filter', 'A', rule(1), 2), 'Index of insertion too big.'],
      [() => nfDelete(ruleset, 'filter', 'A', 1), 'Index of deletion too big.'],
      [() => nfDelete(ruleset, 'filter', 'OUTPUT', 1), NO_NAME],
      [() => nfFlush(ruleset, 'filter', 'B'), NO_NAME],
      [() => nfPolicy(ruleset, 'filter', 'A', 'DROP'), 'Bad built-in chain name.'],
      [() => nfDeleteChain(ruleset, 'filter', 'B'), NO_NAME],
      [
        () => nfDeleteChain(ruleset, 'filter', 'A'),
        'CHAIN_DEL failed (Device or resource busy): chain A',
      ],
    ];
    const before = structuredClone(ruleset);
    for (const [edit, message] of refused) expect(edit).toThrow(message);
    expect(ruleset).toEqual(before);
  });

  it('is not changed through a copy', () => {
    const ruleset = emptyRuleset();
    nfAppend(ruleset, 'filter', 'INPUT', rule(1));
    const copy = cloneRuleset(ruleset);
    nfAppend(copy, 'filter', 'INPUT', rule(2));
    nfPolicy(copy, 'filter', 'INPUT', 'DROP');
    nfNewChain(copy, 'filter', 'A');
    expect(marks(ruleset, 'INPUT')).toEqual([1]);
    expect(ruleset.tables[0]?.chains).toHaveLength(1);
    expect(ruleset.tables[0]?.chains[0]?.base?.policy).toBe('ACCEPT');
  });
});
