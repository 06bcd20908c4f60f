/** Which rules of nf_tables need connection tracking (nf_ct_netns_get). */
import { seesIpv4 } from './nft-base.ts';
import type { NftExpr, NftStatement, NftTable } from './nft-table.ts';

const NFT_TRACKING = /^(?:ct|redirect)\b/;

/** nft_ct_get_init, nft_nat_init, nft_masq_init: of the family of their table. */
const statementTracks = (statement: NftStatement): boolean => {
  switch (statement.kind) {
    case 'match':
      return looksAtCt(statement.left);
    case 'vmap':
      return looksAtCt(statement.on);
    case 'dnat':
    case 'snat':
    case 'dnat-map':
    case 'masquerade':
      return true;
    case 'unmodelled':
      return NFT_TRACKING.test(statement.text);
    default:
      return false;
  }
};

const looksAtCt = (expr: NftExpr): boolean => {
  if (expr.kind === 'masked') return looksAtCt(expr.of);
  return expr.kind === 'concat' ? expr.of.some(looksAtCt) : expr.kind === 'ct';
};

/** Whether a rule of the table, reached or not, needs connections of IPv4 to be tracked. */
export const nftTracks = (table: NftTable): boolean =>
  seesIpv4(table) &&
  table.chains.some(({ rules }) =>
    rules.some(({ statements }) => statements.some(statementTracks)),
  );
