/** A named port of a rule that none of the Pods that it is about has. */
import type { Pod } from '../../../cluster/cluster.ts';
import type {
  Policy,
  PolicyDirection,
  PolicyPort,
  PolicyRule,
} from '../../../cluster/policy/policy.ts';
import { selectsPod } from '../../../cluster/policy/selects.ts';
import { policyTitle } from '../../policy/policy-title.ts';
import { type LintContext, type LintRule, policyRef, someOf } from '../rule.ts';

/** The Pods whose ports a rule names: the subjects of ingress, the peers of egress. */
const destinations = (
  policy: Policy,
  direction: PolicyDirection,
  { peers }: PolicyRule,
  { cluster, kinds, subjectsOf }: LintContext,
): readonly Pod[] => {
  if (direction === 'ingress') return subjectsOf(policy).flatMap(({ pods }) => pods);
  const met =
    peers === 'everyone'
      ? kinds
      : kinds.filter((kind) =>
          peers.some(
            (peer) => peer.kind === 'pods' && selectsPod(peer, policy.namespace, cluster, kind),
          ),
        );
  return met.flatMap(({ pods }) => pods);
};

const isCalled = ({ protocol, port }: PolicyPort, pod: Pod): boolean =>
  pod.containers.some(({ ports }) =>
    ports.some((one) => one.name === port && (protocol === 'any' || one.protocol === protocol)),
  );

const namesOf = (pods: readonly Pod[]): string[] => [
  ...new Set(
    pods.flatMap(({ containers }) =>
      containers.flatMap(({ ports }) => ports.flatMap(({ name }) => name ?? [])),
    ),
  ),
];

export const policyPortUnknown: LintRule = {
  code: 'policy-port-unknown',
  severity: 'warning',
  title: 'A rule names a port that no Pod has',
  find: (context) =>
    context.cluster.policies.flatMap((policy) =>
      (['ingress', 'egress'] as const).flatMap((direction) =>
        (policy[direction] ?? []).flatMap((rule, at) => {
          const named =
            rule.ports === 'all' ? [] : rule.ports.filter(({ port }) => typeof port === 'string');
          if (named.length === 0) return [];
          const pods = destinations(policy, direction, rule, context);
          if (pods.length === 0) return [];
          return named
            .filter((port) => !pods.some((pod) => isCalled(port, pod)))
            .map((port) => {
              const names = namesOf(pods);
              return {
                place: port.place ?? policy.place,
                objects: [policyRef(policy)],
                message: `${policyTitle(policy)}: ${direction}[${at}] names port ${port.port}, which no ${port.protocol === 'any' ? '' : `${port.protocol.toUpperCase()} `}port of its Pods is called`,
                fix:
                  names.length > 0
                    ? `Their ports are called ${someOf(names)}; or write the number.`
                    : 'Their ports have no names: write the number.',
              };
            });
        }),
      ),
    ),
};
