/** The engine over a cluster's policies. */
import type { PolicyDirection } from '../cluster/policy/policy.ts';
import { addressText } from './address-set.ts';
import { type AllPairs, allPairsOf } from './all-pairs.ts';
import { createJudge } from './judge.ts';
import { createParties, type PolicyCluster } from './party.ts';
import { createPoliciesOf, inOrder } from './policies-of.ts';
import type {
  AddressBlock,
  EngineOptions,
  PodClass,
  PolicyEngine,
  UndecidedRule,
} from './policy-engine.ts';

const DIRECTIONS: readonly PolicyDirection[] = ['ingress', 'egress'];

/** The value of a function that is called once, when it is first needed. */
const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

/** Judges by the policies of a cluster; whether anybody enforces them is not asked here. */
export const engineOf = (cluster: PolicyCluster, options: EngineOptions = {}): PolicyEngine => {
  const policies = inOrder(cluster.policies);
  const parties = createParties(cluster, options);
  const policiesOfPod = createPoliciesOf(policies, parties);
  const policiesOf: PolicyEngine['policiesOf'] = (pod, direction) => {
    const subject = cluster.pods[pod];
    if (!subject) throw new RangeError(`the cluster has no Pod ${pod}`);
    return policiesOfPod(subject, direction);
  };

  const allPairs = once((): AllPairs => allPairsOf(cluster, policies, parties));
  const classes = once((): readonly PodClass[] =>
    allPairs().classes.map(({ namespace, pods, kind }, index) => ({
      namespace,
      pods,
      isolated: {
        ingress: allPairs().isIsolated(index, 'ingress'),
        egress: allPairs().isIsolated(index, 'egress'),
      },
      nodeTraffic: kind === 'node',
    })),
  );
  const blocks = once((): readonly AddressBlock[] =>
    allPairs().blocks.map(({ atom: { family, from, to } }) => ({
      from: addressText(family, from),
      to: addressText(family, to),
      family,
    })),
  );
  const undecided = once((): readonly UndecidedRule[] => {
    const named = policies.flatMap((policy) =>
      DIRECTIONS.flatMap((direction) =>
        (policy[direction] ?? []).flatMap(({ peers }, rule) =>
          peers !== 'everyone' && peers.some(({ kind }) => kind === 'domain-names')
            ? [{ policy, direction, rule }]
            : [],
        ),
      ),
    );
    if (named.length === 0) return [];
    const selecting = new Set(
      allPairs().classes.flatMap(({ pods: [pod = -1], kind }) =>
        kind === 'pod' ? DIRECTIONS.flatMap((direction) => policiesOf(pod, direction)) : [],
      ),
    );
    return named.filter(({ policy }) => selecting.has(policy));
  });
  const blockVertex = (block: number): number => {
    const { classes: own, blocks: all } = allPairs();
    if (!all[block]) throw new RangeError(`there is no block ${block}`);
    return own.length + block;
  };
  const classVertex = (index: number): number => {
    if (!allPairs().classes[index]) throw new RangeError(`there is no class ${index}`);
    return index;
  };

  return {
    get classes() {
      return classes();
    },
    get blocks() {
      return blocks();
    },
    get undecided() {
      return undecided();
    },
    classOf: (pod) => {
      const index = allPairs().classOf[pod];
      return index === undefined || index < 0 ? undefined : index;
    },
    policiesOf,
    judge: createJudge(cluster, parties, policiesOf),
    between: (from, to) => allPairs().between(classVertex(from), classVertex(to)),
    fromBlock: (block, to) => allPairs().between(blockVertex(block), classVertex(to)),
    toBlock: (from, block) => allPairs().between(classVertex(from), blockVertex(block)),
    unions: (groups) => allPairs().unions(groups),
  };
};
