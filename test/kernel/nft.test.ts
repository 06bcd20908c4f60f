/**
 * The kernel decides about nf_tables too: random tables are loaded for real, alone and beside those of
 * iptables; every counter, every connection and every answer must be what the model says.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nftAddChain, nftAddRule, nftLoad } from '../../src/kernel/netfilter/nft-edit.ts';
import {
  type NftBase,
  type NftStatement,
  type NftTable,
  nftTable,
} from '../../src/kernel/netfilter/nft-table.ts';
import { emptyRuleset, type Ruleset } from '../../src/kernel/netfilter/ruleset.ts';
import { iptablesRestoreInput } from '../../src/userland/iptables/print.ts';
import { nftListRuleset } from '../../src/userland/nft/print.ts';
import { openPrivateNetwork, type PrivateNetwork } from './private-network.ts';
import { loadRandomTables } from './random-nft.ts';
import {
  BRIDGED_WORDS,
  chooserFrom,
  ROUTED_WORDS,
  randomCommands,
  rulesetOf,
} from './random-rules.ts';
import { missing } from './requirements.ts';
import {
  BRIDGED_WAYS,
  type Counters,
  type Lab,
  modelEntry,
  nextNumber,
  openLab,
  ROUTED_WAYS,
  randomFlow,
  SETUP,
  sameConnections,
  sorted,
  TOOLS,
  trackedIn,
  type Ways,
} from './router-lab.ts';
import {
  BRIDGED,
  type Counter,
  type Flow,
  OPEN_PORT,
  ROUTED,
  type RouterModel,
  routerModel,
} from './router-model.ts';
import { ownSeeds, seedsOf } from './seeds.ts';

const lacking = missing(TOOLS);

/** `ip TABLE CHAIN NUMBER` → counter, from the listing; without the tables of iptables. */
const countersFrom = (listed: readonly string[]): Counters => {
  const counters = new Map<string, Counter>();
  let table = '';
  let chain = '';
  let number = 0;
  for (const line of listed) {
    table = /^table (.*) \{$/.exec(line)?.[1] ?? table;
    const opened = /^\tchain (.*) \{$/.exec(line)?.[1];
    if (opened !== undefined) {
      chain = opened;
      number = 0;
    }
    const [, packets, bytes] = /\bcounter packets (\d+) bytes (\d+)/.exec(line) ?? [];
    if (packets === undefined) continue;
    number += 1;
    if (packets !== '0')
      counters.set(`${table} ${chain} ${number}`, {
        packets: Number(packets),
        bytes: Number(bytes),
      });
  }
  return counters;
};

const listRandom = async ({ router }: Lab): Promise<string[]> =>
  (await router.run('for f in ip inet; do nft list table $f dice 2>/dev/null || true; done'))
    .trimEnd()
    .split('\n');

/** Base chains are registered as the tools make them: whose are first is the ruleset's order. */
const load = async (lab: Lab, ruleset: Ruleset): Promise<void> => {
  const { router } = lab;
  await router.run('nft flush ruleset; conntrack -F 2>/dev/null || true');
  const lines = nftListRuleset(ruleset.nft ?? []);
  const tools: [command: string, input: readonly string[]][] = [
    ['iptables-restore', ruleset.tables.length > 0 ? iptablesRestoreInput(ruleset) : []],
    ['nft -f -', lines],
  ];
  const ofIptables = ruleset.tables.flatMap(({ chains }) =>
    chains.flatMap(({ base }) => base?.registered ?? []),
  );
  const ofNft = (ruleset.nft ?? []).flatMap(({ chains }) =>
    chains.flatMap(({ base }) => base?.registered ?? []),
  );
  if (Math.min(...ofNft) < Math.min(...ofIptables)) tools.reverse();
  for (const [command, input] of tools)
    if (input.length > 0) await router.run(command, `${input.join('\n')}\n`);
  expect(await listRandom(lab)).toEqual(lines);
};

let decisions = 0;

const randomFlows = (seed: number, ways: Ways): Flow[] => {
  const choose = chooserFrom(seed + 1_000_000);
  return Array.from({ length: 14 }, () => randomFlow(choose, ways));
};

/** All flows at once; none has to do with another. */
const check = async (lab: Lab, ruleset: Ruleset, flows: readonly Flow[]): Promise<RouterModel> => {
  await load(lab, ruleset);
  const model = routerModel(ruleset, lab.net);
  const expected = flows.map((flow) => model.send(flow));
  const results = await Promise.all(
    flows.map((flow, at) => lab.send(flow, expected[at] ?? 'silent')),
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  const counted = countersFrom(await listRandom(lab));
  const tracked = await trackedIn(lab.router);
  const context = [
    ...iptablesRestoreInput(ruleset),
    ...nftListRuleset(ruleset.nft ?? []),
    ...flows.map((flow) => JSON.stringify(flow)),
  ].join('\n');
  for (const { packets } of counted.values()) decisions += packets;
  const ofNft = new Map([...model.counters].filter(([key]) => / dice /.test(key)));
  expect(sorted(counted), context).toEqual(sorted(ofNft));
  expect(sameConnections(tracked, model.conntrack.map(modelEntry)), context).toEqual([]);
  expect(results, context).toEqual(expected);
  return model;
};

const COUNT: NftStatement = { kind: 'counter' };

/** One base chain of a table, with one rule: it counts, and then does that. */
const oneRule = (base: NftBase, ...does: readonly NftStatement[]): NftTable => {
  const table = nftTable('ip', 'dice');
  nftAddChain(table, { name: 'only', base });
  nftAddRule(table, 'only', { statements: [COUNT, ...does] });
  return table;
};

/** The two in this order, or the other way round. */
const both = (first: 'iptables' | 'nft', commands: readonly string[], table: NftTable): Ruleset => {
  const ruleset = emptyRuleset();
  if (first === 'nft') nftLoad(ruleset, table);
  rulesetOf(commands, ruleset);
  if (first === 'iptables') nftLoad(ruleset, table);
  return ruleset;
};

const packetsOf = ({ counters }: RouterModel, key: string): number =>
  counters.get(key)?.packets ?? 0;

const title = lacking.length > 0 ? ` (missing: ${lacking.join(', ')})` : '';

describe.skipIf(lacking.length > 0)(`nf_tables against this kernel${title}`, () => {
  let network: PrivateNetwork;
  let routed: Lab;
  let bridged: Lab;

  beforeAll(async () => {
    network = await openPrivateNetwork();
    await network.root.run(SETUP);
    routed = await openLab(network, ROUTED, {
      client: 'client',
      router: 'router',
      server: 'server',
    });
    bridged = await openLab(network, BRIDGED, {
      client: 'left',
      router: 'bridge',
      server: 'right',
    });
  });

  afterAll(async () => {
    await network?.close();
  });

  it.each(seedsOf(30))('routed, random tables %i', async (seed) => {
    const choose = chooserFrom(seed);
    const ruleset = emptyRuleset();
    loadRandomTables(choose, ruleset, ROUTED_WORDS);
    await check(routed, ruleset, randomFlows(seed, ROUTED_WAYS));
  });

  it.each(seedsOf(20))('routed, random tables beside random iptables rules %i', async (seed) => {
    const choose = chooserFrom(seed + 5000);
    const ruleset = rulesetOf(randomCommands(choose, ROUTED_WORDS));
    loadRandomTables(choose, ruleset, ROUTED_WORDS);
    await check(routed, ruleset, randomFlows(seed, ROUTED_WAYS));
  });

  it.each(seedsOf(20))('routed, random iptables rules beside random tables %i', async (seed) => {
    const choose = chooserFrom(seed + 7000);
    const ruleset = emptyRuleset();
    loadRandomTables(choose, ruleset, ROUTED_WORDS);
    rulesetOf(randomCommands(choose, ROUTED_WORDS), ruleset);
    await check(routed, ruleset, randomFlows(seed, ROUTED_WAYS));
  });

  it.each(seedsOf(20))('bridged, random tables %i', async (seed) => {
    const choose = chooserFrom(seed + 9000);
    const ruleset = emptyRuleset();
    loadRandomTables(choose, ruleset, BRIDGED_WORDS);
    await check(bridged, ruleset, randomFlows(seed, BRIDGED_WAYS));
  });

  const question = (dst: string): Flow => ({
    n: nextNumber(),
    from: 'client',
    protocol: 'udp',
    dst,
    sport: 5100,
    dport: OPEN_PORT,
    size: 20,
  });

  it.each(['iptables', 'nft'] as const)(
    'of one hook and priority, %s registered first is asked last',
    async (first) => {
      const base: NftBase = { type: 'filter', hook: 'forward', priority: 0, policy: 'accept' };
      const drop: NftStatement = { kind: 'verdict', verdict: { kind: 'drop' } };
      const ruleset = both(first, ['-A FORWARD -p udp -j DROP'], oneRule(base, drop));
      const model = await check(routed, ruleset, [question('10.2.0.2')]);
      expect(packetsOf(model, 'ip dice only 1')).toBe(first === 'iptables' ? 1 : 0);
      expect(packetsOf(model, 'filter FORWARD 1')).toBe(first === 'iptables' ? 0 : 1);
    },
  );

  const DNAT = '-t nat -A PREROUTING -d 10.9.9.9 -j DNAT --to-destination 10.2.0.2';
  const dnat: NftStatement = { kind: 'dnat', to: { ip: '10.2.0.3' } };
  const prerouting = (priority: number): NftBase => ({
    type: 'nat',
    hook: 'prerouting',
    priority,
    policy: 'accept',
  });

  it.each([
    // Later in priority: only asked where the other one binds nothing.
    ['iptables', -90, '10.9.9.9', 0],
    ['iptables', -90, '10.9.9.8', 1],
    ['nft', -110, '10.9.9.9', 1],
    // Of one priority the last registered is asked, and the other one is not once it has bound.
    ['iptables', -100, '10.9.9.9', 1],
    ['nft', -100, '10.9.9.9', 0],
    ['nft', -100, '10.9.9.8', 1],
  ] as const)(
    'nat chains are asked until one binds: %s registered first, nft at %i, to %s',
    async (first, priority, dst, asked) => {
      const ruleset = both(first, [DNAT], oneRule(prerouting(priority), dnat));
      const model = await check(routed, ruleset, [question(dst)]);
      expect(packetsOf(model, 'ip dice only 1')).toBe(asked);
      expect(model.conntrack[0]?.reply.src).toBe(asked === 1 ? '10.2.0.3' : '10.2.0.2');
    },
  );

  it('takes ACCEPT of a nat chain for no binding: the next one is asked', async () => {
    const accept = DNAT.replace(/-j DNAT.*/, '-j ACCEPT');
    const ruleset = both('iptables', [accept, DNAT], oneRule(prerouting(-90), dnat));
    const model = await check(routed, ruleset, [question('10.9.9.9')]);
    expect(packetsOf(model, 'ip dice only 1')).toBe(1);
  });

  it.skipIf(ownSeeds)('has met rules often enough to tell', () => {
    expect(decisions).toBeGreaterThan(1500);
  });
});
