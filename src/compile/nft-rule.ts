/** Rules of nf_tables as programs hand them to nft, statement by statement. */
import type {
  NftExpr,
  NftOperand,
  NftStatement,
  NftType,
  NftValue,
  NftVerdict,
} from '../kernel/netfilter/nft-table.ts';

export const L4PROTO: NftExpr = { kind: 'meta', key: 'l4proto' };
export const TH_DPORT: NftExpr = { kind: 'port', header: 'th', field: 'dport' };

/** Numbers of the protocols that a port can be of. */
export const PROTOCOL = { tcp: 6, udp: 17, sctp: 132 } as const;

export const saddr = (family: 4 | 6): NftExpr => ({
  kind: 'address',
  header: family === 4 ? 'ip' : 'ip6',
  field: 'saddr',
});

export const daddr = (family: 4 | 6): NftExpr => ({
  kind: 'address',
  header: family === 4 ? 'ip' : 'ip6',
  field: 'daddr',
});

export const addressType = (family: 4 | 6): 'ipv4_addr' | 'ipv6_addr' =>
  family === 4 ? 'ipv4_addr' : 'ipv6_addr';

/** `ADDRESS . PROTOCOL . PORT`. */
export const addressPort = (family: 4 | 6): readonly NftType[] => [
  addressType(family),
  'inet_proto',
  'inet_service',
];

export const concat = (...of: readonly NftExpr[]): NftExpr => ({ kind: 'concat', of });

export const matching = (left: NftExpr, right: NftOperand): NftStatement => ({
  kind: 'match',
  left,
  negate: false,
  right,
});

export const notMatching = (left: NftExpr, right: NftOperand): NftStatement => ({
  kind: 'match',
  left,
  negate: true,
  right,
});

export const value = (one: NftValue): NftOperand => ({ kind: 'value', value: one });

export const inSet = (name: string): NftOperand => ({ kind: 'named-set', name });

export const CT_NEW: NftStatement = matching(
  { kind: 'ct', key: 'state' },
  { kind: 'flags', names: ['new'] },
);

/** `fib saddr type local`. */
export const isLocalType = (field: 'saddr' | 'daddr'): NftStatement =>
  matching({ kind: 'fib-type', field }, value('local'));

export const vmap = (on: NftExpr, map: string): NftStatement => ({ kind: 'vmap', on, map });

const verdict = (one: NftVerdict): NftStatement => ({ kind: 'verdict', verdict: one });

export const jumpTo = (chain: string): NftStatement => verdict({ kind: 'jump', chain });
export const goTo = (chain: string): NftStatement => verdict({ kind: 'goto', chain });
export const DROP: NftStatement = verdict({ kind: 'drop' });
export const RETURN: NftStatement = verdict({ kind: 'return' });
