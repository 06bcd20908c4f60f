/** A World whose rules of nft count packets, as those of iptables always do. */
import type { NftChain, NftRule, NftTable } from '../kernel/netfilter/nft-table.ts';
import type { Netns, World } from '../kernel/world.ts';
import { withHost } from '../kernel/world-build.ts';

/** Behind the conditions, before what the rule does. */
const countingRule = (rule: NftRule): NftRule => {
  const { statements } = rule;
  if (statements.some(({ kind }) => kind === 'counter')) return rule;
  const does = statements.findIndex(({ kind }) => kind !== 'match');
  const at = does < 0 ? statements.length : does;
  return {
    ...rule,
    statements: [...statements.slice(0, at), { kind: 'counter' }, ...statements.slice(at)],
  };
};

const countingChain = (chain: NftChain): NftChain => ({
  ...chain,
  rules: chain.rules.map(countingRule),
});

const countingTable = (table: NftTable): NftTable => ({
  ...table,
  chains: table.chains.map(countingChain),
});

const countingNetns = (netns: Netns): Netns => {
  const { nft } = netns.netfilter;
  if (nft === undefined) return netns;
  return { ...netns, netfilter: { ...netns.netfilter, nft: nft.map(countingTable) } };
};

/**
 * The World with a counter in every rule of nft that has none: for a lab, and for the traces that it
 * is held against. A counter changes nothing about a packet.
 */
export const withCounters = (world: World): World =>
  world.hostNames.reduce((made, name) => {
    const host = world.host(name);
    const all = [...host.netns.values()];
    if (!all.some(({ netfilter }) => netfilter.nft !== undefined)) return made;
    const netns = new Map([...host.netns].map(([key, one]) => [key, countingNetns(one)]));
    return withHost(made, { ...host, netns });
  }, world);
