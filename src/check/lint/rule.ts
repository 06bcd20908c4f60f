/** What a rule of `k8snet lint` is, and what it finds. */
import type { Cluster, ObjectRef, Place, Pod } from '../../cluster/cluster.ts';
import type { Policy } from '../../cluster/policy/policy.ts';
import type { PolicyEngine } from '../../policy/policy-engine.ts';

export type Severity = 'error' | 'warning' | 'info';

/** Pods of one namespace with the same labels. */
export interface PodKind {
  readonly namespace: string;
  readonly labels: Pod['labels'];
  /** Never empty. */
  readonly pods: readonly Pod[];
}

/** What rules look at; what is costly is made when it is first asked for. */
export interface LintContext {
  readonly cluster: Cluster;
  readonly kinds: readonly PodKind[];
  /** Those that a policy selects. */
  subjectsOf(policy: Policy): readonly PodKind[];
  /** The cluster with a DNS Service, its own or the one that is assumed, and its policies. */
  dns(): { readonly cluster: Cluster; readonly engine: PolicyEngine };
}

export interface Found {
  /** Without a place: of the cluster as a whole. */
  readonly place?: Place | undefined;
  /** Whose annotation may suppress it. */
  readonly objects: readonly ObjectRef[];
  /** One sentence. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
  /** Where it is not the rule's own. */
  readonly severity?: Severity;
}

export interface LintRule {
  /** Kebab-case and stable. */
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong, in a few words. */
  readonly title: string;
  find(context: LintContext): readonly Found[];
}

export const policyRef = ({ kind, namespace, name }: Policy): ObjectRef => ({
  kind,
  ...(namespace !== undefined && { namespace }),
  name,
});

/** The Pod, and what made it. */
export const podRefs = ({ namespace, name, owners }: Pod): ObjectRef[] => [
  { kind: 'Pod', namespace, name },
  ...owners,
];

/** The workload that a person wrote, else the Pod itself. */
export const ownerTitle = ({ namespace, name, owners }: Pod): string => {
  const owner = owners.at(-1);
  return owner ? `${owner.kind} ${namespace}/${owner.name}` : `Pod ${namespace}/${name}`;
};

/** `a, b and 3 more`. */
export const someOf = (names: readonly string[], most = 3): string =>
  names.length <= most
    ? names.join(', ')
    : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
