/** What a reader of the matrix has to know about what it says. */
import type { Cluster, Pod } from '../../cluster/cluster.ts';
import { atPlace } from '../../cluster/diagnostic.ts';
import type { Policy, PolicyDirection } from '../../cluster/policy/policy.ts';
import { matches } from '../../cluster/selector.ts';
import type { PolicyEngine } from '../../policy/policy-engine.ts';
import { policyTitle } from '../policy/policy-title.ts';
import type { PodGroup } from './groups.ts';
import { inventedAddresses } from './invented-addresses.ts';
import type { MatrixOptions, MatrixWarning } from './matrix.ts';

const DIRECTIONS: readonly PolicyDirection[] = ['ingress', 'egress'];

const isFinished = (phase: string): boolean => phase === 'Succeeded' || phase === 'Failed';

const finishedPods = ({ pods }: Cluster, { finished }: MatrixOptions): MatrixWarning[] => {
  if (finished === 'pods') return [];
  const ended = pods.filter(({ phase }) => isFinished(phase));
  const [first] = ended;
  if (!first) return [];
  const others = ended.length > 1 ? ` and ${ended.length - 1} more have` : ' has';
  return [
    {
      code: 'finished-pods',
      message: `Pod ${first.namespace}/${first.name}${others} ended, which leaves no network; left out (--finished=pods keeps them)`,
      ...atPlace(first.place),
    },
  ];
};

/** Only where the input itself shows the plugin: what runs elsewhere may enforce policies. */
const notEnforced = ({ policies, policyEngine, network, notes }: Cluster): MatrixWarning[] => {
  if (policies.length === 0 || policyEngine !== 'none') return [];
  if (notes.some(({ code }) => code === 'plugin-default' || code === 'plugin-traced-as-bridge'))
    return [];
  const plugin = network.plugin === 'bridge' ? 'the bridge plugin' : network.plugin;
  return [
    {
      code: 'policies-not-enforced',
      message: `${plugin} enforces no policy: the matrix is what the policies say, not what the cluster does`,
      ...atPlace(network.place),
    },
  ];
};

const rulesOf = (policy: Policy) =>
  DIRECTIONS.flatMap((direction) =>
    (policy[direction] ?? []).map((rule, at) => ({ policy, direction, rule, at })),
  );

const domainNames = ({ policies }: Cluster): MatrixWarning[] =>
  policies.flatMap(rulesOf).flatMap(({ policy, direction, rule, at }) => {
    const { peers } = rule;
    const named =
      peers === 'everyone' ? undefined : peers.find(({ kind }) => kind === 'domain-names');
    if (named?.kind !== 'domain-names') return [];
    return [
      {
        code: 'domain-names',
        message: `${policyTitle(policy)}: ${direction} rule ${at + 1} is about domain names (${named.names.join(', ')}), which only a running cluster resolves; what it decides is left out`,
        ...atPlace(named.place ?? rule.place ?? policy.place),
      },
    ];
  });

/** The API leaves open which of two policies of one priority is asked first. */
const equalPriorities = ({ policies }: Cluster): MatrixWarning[] => {
  const first = new Map<string, Policy>();
  return policies.flatMap((policy) => {
    if (policy.priority === undefined) return [];
    const key = `${policy.tier} ${policy.priority}`;
    const before = first.get(key);
    if (!before) {
      first.set(key, policy);
      return [];
    }
    return [
      {
        code: 'equal-priorities',
        message: `${policyTitle(policy)} has priority ${policy.priority}, as ${policyTitle(before)} has: which is asked first is undefined; here it is in the order of the names`,
        ...atPlace(policy.place),
      },
    ];
  });
};

/** Whether a Pod of some has a container port of a name. */
const havePort = (pods: readonly Pod[], name: string, protocol: string): boolean =>
  pods.some(({ containers }) =>
    containers.some(({ ports }) =>
      ports.some(
        (port) => port.name === name && (protocol === 'any' || port.protocol === protocol),
      ),
    ),
  );

/**
 * A port name that no Pod has which the rule could be about: the subjects of ingress; of egress any
 * Pod, as it is the destination's port.
 */
const unmatchedPorts = (
  { policies, pods, namespaceLabels }: Cluster,
  { classes }: Pick<PolicyEngine, 'classes'>,
): MatrixWarning[] => {
  // Pods of one class have the same labels and the same names of ports.
  const all = classes.flatMap((one) => pods[one.pods[0] ?? -1] ?? []);
  const subjectsOf = ({ namespace, subject }: Policy): Pod[] =>
    all.filter(
      (pod) =>
        (subject.namespaces === 'own'
          ? pod.namespace === namespace
          : matches(subject.namespaces, namespaceLabels.get(pod.namespace) ?? {})) &&
        matches(subject.pods, pod.labels),
    );
  return policies.flatMap(rulesOf).flatMap(({ policy, direction, rule, at }) => {
    const named = (rule.ports === 'all' ? [] : rule.ports).filter(
      ({ port }) => typeof port === 'string',
    );
    if (named.length === 0) return [];
    const candidates = direction === 'ingress' ? subjectsOf(policy) : all;
    return named.flatMap(({ port, protocol, place }) => {
      if (typeof port !== 'string' || havePort(candidates, port, protocol)) return [];
      const whose = direction === 'ingress' ? 'no Pod that it selects' : 'no Pod';
      const of = protocol === 'any' ? '' : ` (${protocol.toUpperCase()})`;
      return [
        {
          code: 'named-port-unmatched',
          message: `${policyTitle(policy)}: ${direction} rule ${at + 1} asks for port ${JSON.stringify(port)}${of}, which ${whose} has; this port allows nothing`,
          ...atPlace(place ?? rule.place ?? policy.place),
        },
      ];
    });
  });
};

/** A workload whose Pods are not alike to policies is told as the sum of them. */
const mixedWorkloads = (
  { pods }: Cluster,
  groups: readonly PodGroup[],
  { groupBy = 'workload' }: MatrixOptions,
): MatrixWarning[] =>
  groupBy !== 'workload'
    ? []
    : groups.flatMap(({ peer, parts, pods: members }) => {
        if (parts.length < 2) return [];
        return [
          {
            code: 'mixed-workload',
            message: `policies tell Pods of ${peer.id} apart: what is allowed to one of them is shown for all (--group-by pod shows each)`,
            ...atPlace(pods[members[0] ?? -1]?.place),
          },
        ];
      });

export const warningsOf = (
  cluster: Cluster,
  engine: Pick<PolicyEngine, 'classes'>,
  groups: readonly PodGroup[],
  options: MatrixOptions,
): MatrixWarning[] => [
  ...notEnforced(cluster),
  ...finishedPods(cluster, options),
  ...domainNames(cluster),
  ...equalPriorities(cluster),
  ...unmatchedPorts(cluster, engine),
  ...inventedAddresses(cluster, engine),
  ...mixedWorkloads(cluster, groups, options),
];
