/**
 * What kube-proxy in iptables mode has on every node, whatever Services there are (kubernetes
 * v1.34.0, pkg/proxy/iptables/proxier.go: NewProxier and syncProxyRules).
 */
import type { Match, Rule, Ruleset, TableName, Target } from '../../kernel/netfilter/ruleset.ts';
import { findChain, findTable, nfInsert, nfNewChain } from '../../kernel/netfilter/ruleset.ts';
import type { Origin } from '../../kernel/origin.ts';
import {
  ACCEPT,
  DROP,
  jump,
  marked,
  masquerade,
  plainRule,
  RETURN,
  ruleOf,
} from '../iptables-rule.ts';
import { FIREWALL_CHAIN } from '../kubelet.ts';
import type { Author } from '../object-origin.ts';
import type { Family } from './service-port.ts';

export const SERVICES = 'KUBE-SERVICES';
export const EXTERNAL_SERVICES = 'KUBE-EXTERNAL-SERVICES';
export const NODE_PORTS = 'KUBE-NODEPORTS';
export const PROXY_FIREWALL = 'KUBE-PROXY-FIREWALL';
export const MARK_MASQ = 'KUBE-MARK-MASQ';
export const FORWARD = 'KUBE-FORWARD';
export const POSTROUTING = 'KUBE-POSTROUTING';
const CANARY = 'KUBE-PROXY-CANARY';

/** Refuses as iptables does where nothing else is said. */
export const REJECT: Record<Family, Target> = {
  4: { kind: 'REJECT', with: 'icmp-port-unreachable' },
  6: { kind: 'unmodelled', text: '-j REJECT --reject-with icmp6-port-unreachable' },
};

const NEW: Match = { kind: 'ctstate', states: ['NEW'], negate: false };

interface Jump {
  readonly table: TableName;
  readonly to: string;
  readonly from: string;
  readonly comment?: string;
  readonly only?: Match;
}

const inFilter = (to: string, from: string, comment: string, only?: Match): Jump => ({
  table: 'filter',
  to,
  from,
  comment,
  ...(only && { only }),
});

/** iptablesJumpChains, then iptablesKubeletJumpChains: each is put before those that are there. */
const JUMPS: readonly Jump[] = [
  ...['INPUT', 'FORWARD'].map((from) =>
    inFilter(EXTERNAL_SERVICES, from, 'kubernetes externally-visible service portals', NEW),
  ),
  inFilter(NODE_PORTS, 'INPUT', 'kubernetes health check service ports'),
  ...['FORWARD', 'OUTPUT'].map((from) =>
    inFilter(SERVICES, from, 'kubernetes service portals', NEW),
  ),
  inFilter(FORWARD, 'FORWARD', 'kubernetes forwarding rules'),
  ...['INPUT', 'OUTPUT', 'FORWARD'].map((from) =>
    inFilter(PROXY_FIREWALL, from, 'kubernetes load balancer firewall', NEW),
  ),
  { table: 'nat', to: SERVICES, from: 'OUTPUT', comment: 'kubernetes service portals' },
  { table: 'nat', to: SERVICES, from: 'PREROUTING', comment: 'kubernetes service portals' },
  { table: 'nat', to: POSTROUTING, from: 'POSTROUTING', comment: 'kubernetes postrouting rules' },
  { table: 'filter', to: FIREWALL_CHAIN, from: 'INPUT' },
  { table: 'filter', to: FIREWALL_CHAIN, from: 'OUTPUT' },
];

const chainOf = (netfilter: Ruleset, table: TableName, name: string) => {
  const found = findTable(netfilter, table);
  return found && findChain(found, name);
};

/** EnsureChain, then EnsureRule with Prepend: kubelet's own jump stays where kubelet put it. */
const ensureJump = (netfilter: Ruleset, row: Jump, origin: Origin): void => {
  const { table, to, from, comment, only } = row;
  if (!chainOf(netfilter, table, to)) nfNewChain(netfilter, table, to);
  const known = chainOf(netfilter, table, from)?.rules.some(
    ({ target }) => target.kind === 'jump' && target.chain === to,
  );
  if (known) return;
  const rule =
    comment === undefined
      ? plainRule(origin, [], jump(to))
      : ruleOf(comment, origin, [], jump(to), only ? [only] : []);
  nfInsert(netfilter, table, from, rule);
};

/** The chains that kube-proxy's rules go into, the ways into them, and its canaries. */
export const ensureJumps = (netfilter: Ruleset, author: Author): void => {
  for (const table of ['mangle', 'nat', 'filter'] as const) nfNewChain(netfilter, table, CANARY);
  const origin = author('proxy-chain');
  for (const row of JUMPS) ensureJump(netfilter, row, origin);
};

/** Rules on their way to one run of iptables-restore: by chain, in the order of the chains. */
export interface RestoreInput {
  readonly filter: Map<string, Rule[]>;
  readonly nat: Map<string, Rule[]>;
}

export const write = (chains: Map<string, Rule[]>, chain: string, ...rules: Rule[]): void => {
  const known = chains.get(chain);
  if (known) known.push(...rules);
  else chains.set(chain, rules);
};

/** Every top-level chain, empty: the run flushes those that nothing is written to. */
export const emptyInput = (): RestoreInput => ({
  filter: new Map(
    [SERVICES, EXTERNAL_SERVICES, FORWARD, NODE_PORTS, PROXY_FIREWALL].map((name) => [name, []]),
  ),
  nat: new Map([SERVICES, NODE_PORTS, POSTROUTING, MARK_MASQ].map((name) => [name, []])),
});

/** masqueradeMark: one bit of the packet's mark. */
export const markOf = (bit: number): number => (1 << bit) >>> 0;

/** The rules of nat that masquerade what is marked, and the one that marks. */
export const writeMasquerade = ({ nat }: RestoreInput, mark: number, author: Author): void => {
  const origin = author('proxy-masquerade');
  write(
    nat,
    POSTROUTING,
    plainRule(origin, [{ kind: 'mark', value: mark, mask: mark, negate: true }], RETURN),
    plainRule(origin, [], { kind: 'MARK', op: 'xor', value: mark, mask: mark }),
    plainRule(origin, [], masquerade(true), 'kubernetes service traffic requiring SNAT'),
  );
  write(
    nat,
    MARK_MASQ,
    plainRule(author('proxy-mark'), [], { kind: 'MARK', op: 'or', value: mark, mask: mark }),
  );
};

/** Counted by name: nodes have the kernel's nfnetlink_acct. */
export const counted = (name: string): Match => ({ kind: 'nfacct', name });

/** Set by kube-proxy where its configuration says so, in every mode; asked for in this one. */
export const TCP_BE_LIBERAL = 'net.netfilter.nf_conntrack_tcp_be_liberal';

/** The rules of KUBE-FORWARD. With nf_conntrack_tcp_be_liberal nothing is dropped as INVALID. */
export const writeForward = (
  { filter }: RestoreInput,
  mark: number,
  liberal: boolean,
  author: Author,
): void => {
  if (!liberal)
    write(
      filter,
      FORWARD,
      plainRule(
        author('proxy-invalid-drop'),
        [
          { kind: 'ctstate', states: ['INVALID'], negate: false },
          counted('ct_state_invalid_dropped_pkts'),
        ],
        DROP,
      ),
    );
  const origin = author('proxy-forward');
  const answers: Match = { kind: 'ctstate', states: ['RELATED', 'ESTABLISHED'], negate: false };
  write(
    filter,
    FORWARD,
    plainRule(origin, [marked(mark)], ACCEPT, 'kubernetes forwarding rules'),
    plainRule(origin, [answers], ACCEPT, 'kubernetes forwarding conntrack rule'),
  );
};
