/** Sorts the objects of an input by kind: those that matter to the network, and how many do not. */
import { type IngressBackend, placeText } from './cluster.ts';
import { atPlace, type Diagnostic, type Report } from './diagnostic.ts';
import { type Field, fieldAt, rootField, textOf } from './field.ts';
import { readIngress } from './ingress.ts';
import { groupOf, isRelevant } from './kinds.ts';
import { canonicalJson, type KubeObject } from './kube-object.ts';
import { type LintIgnore, readLintIgnores } from './lint-ignore.ts';
import { type NamespaceObject, readNamespace } from './namespace.ts';
import { type NodeDraft, readNode } from './node.ts';
import { type PluginSign, signOfObject } from './plugin.ts';
import {
  createSiblings,
  draftOfPod,
  namespaceOf,
  type PodDraft,
  type Siblings,
} from './pod-draft.ts';
import { isPolicyKind, type PolicyObject, readPolicy } from './policy/read-policy.ts';
import { type KubeProxyObject, readKubeProxy } from './service/kube-proxy-object.ts';
import { readService } from './service/read-service.ts';
import type { ServiceObject } from './service/service-object.ts';
import { readEndpoints, readSlice, type SliceObject } from './service/slice-object.ts';
import {
  readWorkload,
  WORKLOAD_KINDS,
  type WorkloadKind,
  type WorkloadObject,
} from './workload.ts';

export interface Inventory {
  readonly pods: readonly PodDraft[];
  readonly nodes: readonly NodeDraft[];
  readonly workloads: readonly WorkloadObject[];
  readonly services: readonly ServiceObject[];
  readonly slices: readonly SliceObject[];
  readonly ingressBackends: readonly IngressBackend[];
  /** In the order of the input; those of ConfigMaps are last. */
  readonly kubeProxies: readonly KubeProxyObject[];
  readonly policies: readonly PolicyObject[];
  readonly namespaces: readonly NamespaceObject[];
  readonly signs: readonly PluginSign[];
  readonly ignores: readonly LintIgnore[];
  /** Kinds that do not matter, with their group where it is not Kubernetes' own; sorted. */
  readonly skipped: ReadonlyMap<string, number>;
}

const isBuiltInGroup = (group: string): boolean =>
  !group.includes('.') || group.endsWith('.k8s.io');

interface Identified {
  /** The kind; with its group for kinds that are not Kubernetes' own. */
  readonly kind: string;
  readonly relevant: boolean;
  /** Undefined without a name: nothing else can be the same object. */
  readonly key: string | undefined;
}

const identify = (field: Field): Identified => {
  const kind = textOf(fieldAt(field, 'kind')) ?? '';
  const group = groupOf(textOf(fieldAt(field, 'apiVersion')) ?? '');
  const relevant = isRelevant(kind, group);
  const metadata = fieldAt(field, 'metadata');
  const name = textOf(fieldAt(metadata, 'name')) ?? '';
  return {
    kind: isBuiltInGroup(group) ? kind : `${kind}.${group}`,
    relevant,
    key: relevant && name ? `${kind}/${namespaceOf(metadata)}/${name}` : undefined,
  };
};

const isWorkload = (kind: string): kind is WorkloadKind =>
  (WORKLOAD_KINDS as readonly string[]).includes(kind);

/** One object as it was read. Its value is not kept: there may be a hundred thousand of them. */
interface Taken {
  readonly object: KubeObject;
  readonly kind: string;
  readonly pod?: PodDraft | undefined;
  readonly node?: NodeDraft | undefined;
  readonly workload?: WorkloadObject | undefined;
  readonly service?: ServiceObject | undefined;
  readonly slices?: readonly SliceObject[];
  readonly ingressBackends?: readonly IngressBackend[];
  readonly kubeProxy?: KubeProxyObject;
  readonly policy?: PolicyObject | undefined;
  readonly namespace?: NamespaceObject | undefined;
  readonly sign?: PluginSign | undefined;
  readonly ignores?: readonly LintIgnore[];
  readonly skipped: boolean;
}

const take = (field: Field, { kind, relevant }: Identified, siblings: Siblings): Taken => {
  const base = { object: field.object, kind, skipped: false };
  if (!relevant) return { ...base, skipped: true };
  if (isWorkload(kind)) {
    const workload = readWorkload(kind, field);
    return { ...base, workload, ...(kind === 'DaemonSet' && { sign: signOfObject(field) }) };
  }
  if (isPolicyKind(kind)) return { ...base, policy: readPolicy(kind, field) };
  switch (kind) {
    case 'Pod':
      return { object: field.object, kind, skipped: false, pod: draftOfPod(field, siblings) };
    case 'Node':
      return { ...base, node: readNode(field) };
    case 'Service':
      return { ...base, service: readService(field) };
    case 'EndpointSlice': {
      const slice = readSlice(field);
      return { ...base, slices: slice ? [slice] : [] };
    }
    case 'Endpoints':
      return { ...base, slices: readEndpoints(field) };
    case 'Ingress':
      return { ...base, ingressBackends: readIngress(field) };
    case 'KubeProxyConfiguration':
      return { ...base, kubeProxy: readKubeProxy(field) };
    case 'Namespace':
      return { ...base, namespace: readNamespace(field) };
    default: {
      const sign = signOfObject(field);
      return { ...base, sign, skipped: sign === undefined };
    }
  }
};

const CLUSTER_WIDE: ReadonlySet<string> = new Set([
  'Namespace',
  'Node',
  'AdminNetworkPolicy',
  'BaselineAdminNetworkPolicy',
  'ClusterNetworkPolicy',
]);

/** Hardly any object has one. */
const withIgnores = (taken: Taken, field: Field): Taken => {
  if (taken.skipped) return taken;
  const metadata = fieldAt(field, 'metadata');
  const { value: name } = fieldAt(metadata, 'name');
  if (typeof name !== 'string') return taken;
  const { kind } = taken;
  const isWide = CLUSTER_WIDE.has(kind);
  const ignores = readLintIgnores(field, {
    kind,
    ...(!isWide && { namespace: namespaceOf(metadata) }),
    name,
  });
  return ignores.length === 0 ? taken : { ...taken, ignores };
};

const reportTwin = (key: string, before: KubeObject, object: KubeObject, report: Report): void => {
  if (canonicalJson(before.value) === canonicalJson(object.value)) return;
  report({
    severity: 'warning',
    code: 'duplicate-object',
    message: `${key} is here for the second time; this one counts`,
    ...atPlace(object.place([])),
    hint: `The first is at ${placeText(before.place([]))}.`,
  });
};

/**
 * Reads objects one by one. The last of several of one name counts, as it does when they are
 * applied in turn; what is odd about the others is not reported.
 */
const takeAll = (objects: readonly KubeObject[], report: Report): Taken[] => {
  const all: (Taken | undefined)[] = [];
  const last = new Map<string, number>();
  const odd = new Map<number, Diagnostic[]>();
  const siblings = createSiblings();
  let reading: number | undefined;
  const reportOf: Report = (diagnostic) => {
    const known = reading === undefined ? undefined : odd.get(reading);
    if (reading === undefined) report(diagnostic);
    else if (known) known.push(diagnostic);
    else odd.set(reading, [diagnostic]);
  };
  for (const [at, object] of objects.entries()) {
    reading = at;
    const field = rootField(object, reportOf);
    const identified = identify(field);
    const { key } = identified;
    const before = key === undefined ? undefined : last.get(key);
    if (key !== undefined) last.set(key, at);
    all.push(withIgnores(take(field, identified, siblings), field));
    const twin = before === undefined ? undefined : all[before];
    if (key === undefined || before === undefined || !twin) continue;
    reportTwin(key, twin.object, object, report);
    all[before] = undefined;
    odd.delete(before);
  }
  reading = undefined;
  for (const diagnostics of odd.values()) for (const one of diagnostics) report(one);
  return all.flatMap((taken) => taken ?? []);
};

/** Reads every object that matters; what is odd about them goes to `report`. */
export const takeInventory = (objects: readonly KubeObject[], report: Report): Inventory => {
  const taken = takeAll(objects, report);
  const skipped = new Map<string, number>();
  for (const one of taken) if (one.skipped) skipped.set(one.kind, (skipped.get(one.kind) ?? 0) + 1);
  const sorted = [...skipped].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    pods: taken.flatMap(({ pod }) => pod ?? []),
    nodes: taken.flatMap(({ node }) => node ?? []),
    workloads: taken.flatMap(({ workload }) => workload ?? []),
    services: taken.flatMap(({ service }) => service ?? []),
    slices: taken.flatMap(({ slices }) => slices ?? []),
    ingressBackends: taken.flatMap(({ ingressBackends }) => ingressBackends ?? []),
    kubeProxies: taken.flatMap(({ kubeProxy }) => kubeProxy ?? []),
    policies: taken.flatMap(({ policy }) => policy ?? []),
    namespaces: taken.flatMap(({ namespace }) => namespace ?? []),
    signs: taken.flatMap(({ sign }) => sign ?? []),
    ignores: taken.flatMap(({ ignores }) => ignores ?? []),
    skipped: new Map(sorted),
  };
};
