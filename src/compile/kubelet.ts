/** What kubelet writes into iptables as it starts (kubernetes v1.34, pkg/kubelet/kubelet_network_linux.go). */
import type { Match, Ruleset } from '../kernel/netfilter/ruleset.ts';
import { nfAppend, nfInsert, nfNewChain } from '../kernel/netfilter/ruleset.ts';
import type { Origin } from '../kernel/origin.ts';
import { DROP, jump, notFrom, plainRule, to } from './iptables-rule.ts';
import type { Machine } from './machine.ts';
import { forNode } from './object-origin.ts';

export const FIREWALL_CHAIN = 'KUBE-FIREWALL';
const LOOPBACK = '127.0.0.0/8';

const NOT_ANSWERS: Match = {
  kind: 'ctstate',
  states: ['RELATED', 'ESTABLISHED', 'DNAT'],
  negate: true,
};

/** The rule that kubelet and kube-proxy both write: nobody else may use 127.0.0.0/8. */
export const localnetGuard = (origin: Origin) =>
  plainRule(
    origin,
    [notFrom(LOOPBACK), to(LOOPBACK), NOT_ANSWERS],
    DROP,
    'block incoming localnet connections',
  );

/** syncIPTablesRules for one family: the guard is of IPv4 alone. Then the canaries of Monitor. */
const syncRules = (netfilter: Ruleset, family: 4 | 6, origin: Origin): void => {
  nfNewChain(netfilter, 'mangle', 'KUBE-IPTABLES-HINT');
  if (family === 4) {
    nfNewChain(netfilter, 'filter', FIREWALL_CHAIN);
    nfAppend(netfilter, 'filter', FIREWALL_CHAIN, localnetGuard(origin));
    const enter = plainRule(origin, [], jump(FIREWALL_CHAIN));
    nfInsert(netfilter, 'filter', 'OUTPUT', enter);
    nfInsert(netfilter, 'filter', 'INPUT', enter);
  }
  for (const table of ['mangle', 'nat', 'filter'] as const)
    nfNewChain(netfilter, table, 'KUBE-KUBELET-CANARY');
};

/** kubelet's chains of both families; it starts before any Pod does, kube-proxy's among them. */
export const startKubelet = ({ netns, node }: Machine): void => {
  const origin = forNode('kubelet', node)('localnet-guard');
  syncRules(netns.netfilter, 4, origin);
  syncRules(netns.netfilter6, 6, origin);
};
