/** Base chains of nf_tables that are asked about IPv4 packets. */
import type { NftBase, NftChain, NftHook, NftTable } from './nft-table.ts';
import type { Hook, Ruleset } from './ruleset.ts';

export interface NftBaseChain {
  readonly table: NftTable;
  readonly chain: NftChain;
  readonly base: NftBase;
}

const HOOK: Readonly<Record<Hook, NftHook>> = {
  PREROUTING: 'prerouting',
  INPUT: 'input',
  FORWARD: 'forward',
  OUTPUT: 'output',
  POSTROUTING: 'postrouting',
};

/** Tables of family inet see packets of both families. */
export const seesIpv4 = ({ family }: NftTable): boolean => family !== 'ip6';

/** The base chains at a hook, in order of creation. */
export const nftBaseChains = ({ nft = [] }: Ruleset, hook: Hook): readonly NftBaseChain[] =>
  nft
    .filter(seesIpv4)
    .flatMap((table) =>
      table.chains.flatMap((chain) =>
        chain.base?.hook === HOOK[hook] ? [{ table, chain, base: chain.base }] : [],
      ),
    );
