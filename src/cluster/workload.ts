/** Workloads, and the Pods that their controllers would make. */
import type { ObjectRef, Place } from './cluster.ts';
import { booleanOf, type Field, fieldAt, nameOf, spotOf, textOf, warn } from './field.ts';
import { canonicalJson } from './kube-object.ts';
import { hashNumber, nameHash } from './name-hash.ts';
import { countOf, namespaceOf, type PodDraft, type PodMeta, readPodMeta } from './pod-draft.ts';
import { type PodSpec, readPodSpec } from './pod-spec.ts';
import type { Labels } from './selector.ts';

export const WORKLOAD_KINDS = [
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'ReplicationController',
] as const;

export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

export interface WorkloadObject {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  /** Its controller, where it has one (a ReplicaSet's Deployment). */
  readonly owner?: ObjectRef;
  readonly field: Field;
  readonly place: Place;
}

/** A workload of the input; undefined, with a warning, for one without a name. */
export const readWorkload = (kind: WorkloadKind, object: Field): WorkloadObject | undefined => {
  const metadata = fieldAt(object, 'metadata');
  const prefix = nameOf(fieldAt(metadata, 'generateName'));
  const name =
    nameOf(fieldAt(metadata, 'name')) ||
    (prefix && `${prefix}${nameHash(canonicalJson(object.value ?? null), 5)}`);
  if (!name) {
    warn(object, 'missing-name', 'has no metadata.name and is left out');
    return undefined;
  }
  const references = fieldAt(metadata, 'ownerReferences').value;
  const owner = Array.isArray(references)
    ? references
        .map((_, at) => fieldAt(metadata, 'ownerReferences', at))
        .find((item) => booleanOf(fieldAt(item, 'controller')))
    : undefined;
  const ownerKind = owner && textOf(fieldAt(owner, 'kind'));
  const ownerName = owner && textOf(fieldAt(owner, 'name'));
  const namespace = namespaceOf(metadata);
  return {
    kind,
    namespace,
    name,
    ...(ownerKind && ownerName && { owner: { kind: ownerKind, namespace, name: ownerName } }),
    field: object,
    place: object.object.place([]),
  };
};

/** What every Pod of one workload has in common; read once, so that it is reported on once. */
interface Template {
  readonly meta: PodMeta;
  readonly spec: PodSpec;
  readonly hostname: string | undefined;
  readonly subdomain: string | undefined;
  readonly field: Field;
}

const readTemplate = (workload: WorkloadObject): Template | undefined => {
  const path: [string, ...string[]] =
    workload.kind === 'CronJob'
      ? ['spec', 'jobTemplate', 'spec', 'template']
      : ['spec', 'template'];
  const field = fieldAt(workload.field, ...path);
  if (field.value === undefined || field.value === null) {
    warn(workload.field, 'missing-field', `has no ${path.join('.')}`);
    return undefined;
  }
  return {
    meta: readPodMeta(fieldAt(field, 'metadata')),
    spec: readPodSpec(fieldAt(field, 'spec')),
    hostname: textOf(fieldAt(field, 'spec', 'hostname')) || undefined,
    subdomain: textOf(fieldAt(field, 'spec', 'subdomain')) || undefined,
    field,
  };
};

interface Replica {
  readonly name: string;
  readonly ordinal: number;
  readonly owners: readonly ObjectRef[];
  readonly labels?: Labels;
  readonly boundTo?: string;
  readonly hostname?: string;
  readonly subdomain?: string | undefined;
}

const draft = (workload: WorkloadObject, template: Template, replica: Replica): PodDraft => ({
  namespace: workload.namespace,
  ...template.meta,
  name: replica.name,
  labels: { ...template.meta.labels, ...replica.labels },
  owners: replica.owners,
  ordinal: replica.ordinal,
  inventedName: workload.kind !== 'StatefulSet',
  spec: template.spec,
  status: {},
  terminating: false,
  hostname: replica.hostname ?? template.hostname,
  subdomain: replica.subdomain ?? template.subdomain,
  field: spotOf(template.field),
  place: workload.place,
  ...(replica.boundTo !== undefined && { boundTo: replica.boundTo }),
});

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

const ref = ({ kind, namespace, name }: WorkloadObject): ObjectRef => ({ kind, namespace, name });

const ownersOf = (workload: WorkloadObject): ObjectRef[] => [
  ref(workload),
  ...(workload.owner ? [workload.owner] : []),
];

const suffix = (namespace: string, parent: string, key: number | string): string =>
  nameHash(`${namespace}/${parent}/${key}`, 5);

/** One for each of `count` replicas, all different. */
const suffixes = (namespace: string, parent: string, count: number): string[] => {
  const given = new Set<string>();
  for (let ordinal = 0; ordinal < count; ordinal++) {
    let hash = suffix(namespace, parent, ordinal);
    for (let again = 1; given.has(hash); again++)
      hash = suffix(namespace, parent, `${ordinal}/${again}`);
    given.add(hash);
  }
  return [...given];
};

/** ReplicaSets and ReplicationControllers: `<name>-<5 of our hash>`. */
const replicas = (workload: WorkloadObject, template: Template): PodDraft[] =>
  suffixes(
    workload.namespace,
    workload.name,
    countOf(fieldAt(workload.field, 'spec', 'replicas'), 1),
  ).map((hash, ordinal) =>
    draft(workload, template, {
      name: `${workload.name}-${hash}`,
      ordinal,
      owners: ownersOf(workload),
    }),
  );

/**
 * A Deployment's one ReplicaSet is `<name>-<10 of our hash of the template>`: the real
 * pod-template-hash is taken over Go structures and cannot be had from a manifest.
 */
const deployment = (workload: WorkloadObject, template: Template): PodDraft[] => {
  const hash = nameHash(canonicalJson(template.field.value ?? null), 10);
  const set = `${workload.name}-${hash}`;
  const count = countOf(fieldAt(workload.field, 'spec', 'replicas'), 1);
  return suffixes(workload.namespace, set, count).map((letters, ordinal) =>
    draft(workload, template, {
      name: `${set}-${letters}`,
      ordinal,
      owners: [
        { kind: 'ReplicaSet', namespace: workload.namespace, name: set },
        ...ownersOf(workload),
      ],
      labels: { 'pod-template-hash': hash },
    }),
  );
};

const statefulSet = (workload: WorkloadObject, template: Template): PodDraft[] => {
  const first = countOf(fieldAt(workload.field, 'spec', 'ordinals', 'start'), 0);
  const subdomain = textOf(fieldAt(workload.field, 'spec', 'serviceName')) || undefined;
  return upTo(countOf(fieldAt(workload.field, 'spec', 'replicas'), 1)).map((at) => {
    const ordinal = first + at;
    const name = `${workload.name}-${ordinal}`;
    return draft(workload, template, {
      name,
      ordinal,
      owners: ownersOf(workload),
      labels: {
        'apps.kubernetes.io/pod-index': String(ordinal),
        'statefulset.kubernetes.io/pod-name': name,
      },
      // The StatefulSet controller's (initIdentity).
      hostname: name,
      subdomain,
    });
  });
};

/** Taints that the DaemonSet controller makes its Pods tolerate. */
const DAEMON_TAINTS = [
  'not-ready',
  'unreachable',
  'disk-pressure',
  'memory-pressure',
  'pid-pressure',
  'unschedulable',
];

/** One for each node; the scheduler leaves out those that must not run there. */
const daemonSet = (
  workload: WorkloadObject,
  template: Template,
  nodes: readonly string[],
): PodDraft[] => {
  const taints = template.spec.hostNetwork
    ? [...DAEMON_TAINTS, 'network-unavailable']
    : DAEMON_TAINTS;
  const tolerations = [
    ...template.spec.tolerations,
    ...taints.map((taint) => ({ key: `node.kubernetes.io/${taint}`, operator: 'Exists' as const })),
  ];
  const patient = { ...template, spec: { ...template.spec, tolerations } };
  return nodes.map((node, ordinal) =>
    draft(workload, patient, {
      name: `${workload.name}-${suffix(workload.namespace, workload.name, node)}`,
      ordinal,
      owners: ownersOf(workload),
      boundTo: node,
    }),
  );
};

/** The Pods of a Job that has not ended: as many as run at once. */
const job = (
  workload: WorkloadObject,
  template: Template,
  spec: Field,
  name: string,
  owners: readonly ObjectRef[],
): PodDraft[] => {
  if (booleanOf(fieldAt(spec, 'suspend'))) return [];
  const parallelism = countOf(fieldAt(spec, 'parallelism'), 1);
  const completions = countOf(fieldAt(spec, 'completions'), parallelism);
  const indexed = textOf(fieldAt(spec, 'completionMode')) === 'Indexed';
  const count = Math.min(parallelism, completions);
  return suffixes(workload.namespace, name, count).map((hash, ordinal) =>
    draft(workload, template, {
      name: indexed ? `${name}-${ordinal}-${hash}` : `${name}-${hash}`,
      ordinal,
      owners,
      labels: {
        'batch.kubernetes.io/job-name': name,
        'job-name': name,
        ...(indexed && { 'batch.kubernetes.io/job-completion-index': String(ordinal) }),
      },
    }),
  );
};

const hasEnded = (workload: WorkloadObject): boolean =>
  fieldAt(workload.field, 'status', 'completionTime').value !== undefined;

/** A CronJob's one Job ends in eight digits, as the real one ends in minutes since 1970. */
const cronJob = (workload: WorkloadObject, template: Template): PodDraft[] => {
  if (booleanOf(fieldAt(workload.field, 'spec', 'suspend'))) return [];
  const run = hashNumber(`${workload.namespace}/${workload.name}`, 90_000_000) + 10_000_000;
  const name = `${workload.name}-${run}`;
  return job(workload, template, fieldAt(workload.field, 'spec', 'jobTemplate', 'spec'), name, [
    { kind: 'Job', namespace: workload.namespace, name },
    ...ownersOf(workload),
  ]);
};

/** The Pods that the workload's controller would make, named by us, in order of their ordinals. */
export const podsOfWorkload = (workload: WorkloadObject, nodes: readonly string[]): PodDraft[] => {
  const template = readTemplate(workload);
  if (!template) return [];
  switch (workload.kind) {
    case 'Deployment':
      return deployment(workload, template);
    case 'ReplicaSet':
    case 'ReplicationController':
      return replicas(workload, template);
    case 'StatefulSet':
      return statefulSet(workload, template);
    case 'DaemonSet':
      return daemonSet(workload, template, nodes);
    case 'Job':
      return hasEnded(workload)
        ? []
        : job(
            workload,
            template,
            fieldAt(workload.field, 'spec'),
            workload.name,
            ownersOf(workload),
          );
    case 'CronJob':
      return cronJob(workload, template);
    default: {
      const never: never = workload.kind;
      throw new TypeError(`not a workload: ${never}`);
    }
  }
};
