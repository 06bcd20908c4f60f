/** Which blocks of policies are held against addresses of Pods that the input does not show. */
import type { Cluster } from '../../cluster/cluster.ts';
import { atPlace } from '../../cluster/diagnostic.ts';
import type { Policy, PolicyPeer } from '../../cluster/policy/policy.ts';
import type { PolicyEngine } from '../../policy/policy-engine.ts';
import { ipv4ToNumber, parseCidr } from '../../wire/ip.ts';
import { policyTitle } from '../policy/policy-title.ts';
import type { MatrixWarning } from './matrix.ts';

type Block = Extract<PolicyPeer, { kind: 'block' }>;

/** Every address of the family is in it, whichever a Pod will get. */
const isWhole = ({ cidr, except }: Block): boolean => cidr.endsWith('/0') && except.length === 0;

const blocksOf = (policy: Policy): Block[] =>
  [...(policy.ingress ?? []), ...(policy.egress ?? [])].flatMap(({ peers }) =>
    peers === 'everyone' ? [] : peers.filter((peer) => peer.kind === 'block'),
  );

/** An address that was made up, and whose it is. */
interface Invented {
  readonly value: number;
  readonly ip: string;
  readonly pod: string;
}

/** Of each class one, as its Pods are in the same blocks; ascending. */
const inventedOf = (pods: Cluster['pods'], classes: PolicyEngine['classes']): Invented[] =>
  classes
    .flatMap(({ pods: members, nodeTraffic }) => {
      const pod = nodeTraffic
        ? undefined
        : pods[members.find((at) => pods[at]?.invented.ip && !pods[at].hostNetwork) ?? -1];
      return pod?.ip === undefined
        ? []
        : [{ value: ipv4ToNumber(pod.ip), ip: pod.ip, pod: `${pod.namespace}/${pod.name}` }];
    })
    .sort((a, b) => a.value - b.value);

/** The first that is not below a value. */
const firstFrom = (sorted: readonly Invented[], value: number): Invented | undefined => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle]?.value ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low];
};

/** One warning for each policy with a block in which an address lies that was made up here. */
export const inventedAddresses = (
  { policies, pods }: Pick<Cluster, 'policies' | 'pods'>,
  { classes }: Pick<PolicyEngine, 'classes'>,
): MatrixWarning[] => {
  const invented = inventedOf(pods, classes);
  if (invented.length === 0) return [];
  return policies.flatMap((policy) => {
    for (const block of blocksOf(policy)) {
      if (isWhole(block) || block.cidr.includes(':')) continue;
      const { address, prefix } = parseCidr(block.cidr);
      const found = firstFrom(invented, address);
      if (!found || found.value >= address + 2 ** (32 - prefix)) continue;
      return [
        {
          code: 'invented-address',
          message: `${policyTitle(policy)}: block ${block.cidr} holds addresses of Pods that the input does not show, such as ${found.ip} for ${found.pod}; in the cluster they may be others`,
          ...atPlace(block.place ?? policy.place),
        },
      ];
    }
    return [];
  });
};
