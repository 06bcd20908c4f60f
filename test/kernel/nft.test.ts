/**
 * The kernel decides about nf_tables too: random tables are loaded for real, alone and beside those of
 * iptables; every counter, every connection and every answer must be what the model says.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
import { BRIDGED, type Counter, ROUTED, routerModel } from './router-model.ts';
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

const load = async (lab: Lab, ruleset: Ruleset): Promise<void> => {
  const { router } = lab;
  await router.run('nft flush ruleset; conntrack -F 2>/dev/null || true');
  if (ruleset.tables.length > 0)
    await router.run('iptables-restore', iptablesRestoreInput(ruleset).join('\n'));
  const lines = nftListRuleset(ruleset.nft ?? []);
  await router.run('nft -f -', `${lines.join('\n')}\n`);
  expect(await listRandom(lab)).toEqual(lines);
};

let decisions = 0;

const check = async (lab: Lab, ruleset: Ruleset, seed: number, ways: Ways): Promise<void> => {
  const choose = chooserFrom(seed + 1_000_000);
  await load(lab, ruleset);
  const flows = Array.from({ length: 14 }, () => randomFlow(choose, ways));
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
};

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

  it.each(seedsOf(40))('routed, random tables %i', async (seed) => {
    const choose = chooserFrom(seed);
    const ruleset = emptyRuleset();
    loadRandomTables(choose, ruleset, ROUTED_WORDS);
    await check(routed, ruleset, seed, ROUTED_WAYS);
  });

  it.each(seedsOf(20))('routed, random tables beside random iptables rules %i', async (seed) => {
    const choose = chooserFrom(seed + 5000);
    const ruleset = rulesetOf(randomCommands(choose, ROUTED_WORDS));
    loadRandomTables(choose, ruleset, ROUTED_WORDS);
    await check(routed, ruleset, seed, ROUTED_WAYS);
  });

  it.each(seedsOf(20))('bridged, random tables %i', async (seed) => {
    const choose = chooserFrom(seed + 9000);
    const ruleset = emptyRuleset();
    loadRandomTables(choose, ruleset, BRIDGED_WORDS);
    await check(bridged, ruleset, seed, BRIDGED_WAYS);
  });

  it.skipIf(ownSeeds)('has met rules often enough to tell', () => {
    expect(decisions).toBeGreaterThan(1500);
  });
});
