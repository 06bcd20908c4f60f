/** A peer of a rule that no Pod or node of the input is. */
import type { Policy, PolicyPeer } from '../../../cluster/policy/policy.ts';
import { selectsPod } from '../../../cluster/policy/selects.ts';
import { matches } from '../../../cluster/selector.ts';
import { policyTitle } from '../../policy/policy-title.ts';
import { type Found, type LintContext, type LintRule, policyRef, someOf } from '../rule.ts';

/** Why nobody is meant; undefined where somebody is. */
const missing = (
  peer: PolicyPeer,
  { namespace }: Policy,
  { cluster, kinds, dns }: LintContext,
): Pick<Found, 'message' | 'fix' | 'severity'> | undefined => {
  if (peer.kind === 'nodes') {
    const { nodes } = cluster;
    if (nodes.every(({ invented }) => invented.node)) return undefined;
    if (nodes.some(({ labels }) => matches(peer.nodes, labels))) return undefined;
    return { message: 'no node has these labels', fix: 'Name labels that nodes have.' };
  }
  if (peer.kind !== 'pods') return undefined;
  if (kinds.some((kind) => selectsPod(peer, namespace, cluster, kind))) return undefined;
  const { namespaces } = peer;
  if (namespaces === 'own')
    return {
      message: `no Pod of namespace ${namespace} has these labels`,
      fix: 'podSelector alone means Pods of its own namespace; for those of others add namespaceSelector to the same item.',
    };
  const known = [...cluster.namespaceLabels].filter(([, labels]) => matches(namespaces, labels));
  if (known.length === 0)
    return {
      message: 'no namespace of the input has these labels',
      fix: 'Give the input of that namespace too, or name labels that namespaces have; kubernetes.io/metadata.name is one that each has.',
      severity: 'info',
    };
  // The DNS of a cluster is hardly ever in the input, and is there all the same.
  if (dns().cluster.pods.some((pod) => selectsPod(peer, namespace, dns().cluster, pod)))
    return undefined;
  const isWhole = known.every(([name]) => kinds.some((kind) => kind.namespace === name));
  return {
    message: `no Pod of ${namespaces.length === 0 ? 'any namespace' : `namespace ${someOf(known.map(([name]) => name))}`} has these labels`,
    fix: 'Name labels that Pods have, or remove the peer.',
    // Of a namespace without Pods the input may have left them out.
    ...(!isWhole && { severity: 'info' as const }),
  };
};

const DIRECTIONS = ['ingress', 'egress'] as const;

export const policyPeerMatchesNobody: LintRule = {
  code: 'policy-peer-matches-nobody',
  severity: 'warning',
  title: 'A peer of a rule matches nobody',
  find: (context) =>
    context.kinds.length === 0
      ? []
      : context.cluster.policies.flatMap((policy) =>
          DIRECTIONS.flatMap((direction) =>
            (policy[direction] ?? []).flatMap(({ peers }, at) =>
              peers === 'everyone'
                ? []
                : peers.flatMap((peer) => {
                    const why = missing(peer, policy, context);
                    if (!why) return [];
                    return [
                      {
                        ...why,
                        place: peer.place ?? policy.place,
                        objects: [policyRef(policy)],
                        message: `${policyTitle(policy)}: a peer of ${direction}[${at}] matches nobody: ${why.message}`,
                      },
                    ];
                  }),
            ),
          ),
        ),
};
