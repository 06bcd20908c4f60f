/** Sorts the objects of an input by kind: those that matter to the network, and how many do not. */
import { placeText } from './cluster.ts';
import type { Report } from './diagnostic.ts';
import { atPlace } from './diagnostic.ts';
import { type Field, fieldAt, rootField, textOf } from './field.ts';
import { canonicalJson, type KubeObject } from './kube-object.ts';
import { type NodeDraft, readNode } from './node.ts';
import { type PluginSign, signOfObject } from './plugin.ts';
import { draftOfPod, namespaceOf, type PodDraft } from './pod-draft.ts';
import { type Policy, readPolicy, readService, type Service } from './service.ts';
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
  readonly services: readonly Service[];
  readonly policies: readonly Policy[];
  readonly namespaces: readonly string[];
  readonly signs: readonly PluginSign[];
  /** Kinds that do not matter, with their group where it is not Kubernetes' own; sorted. */
  readonly skipped: ReadonlyMap<string, number>;
}

/** API groups of the kinds that are read. Another group's kind of the same name is not it. */
const GROUPS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Pod', ['']],
  ['Node', ['']],
  ['Namespace', ['']],
  ['Service', ['']],
  ['ConfigMap', ['']],
  ['ReplicationController', ['']],
  ['Deployment', ['apps', 'extensions']],
  ['ReplicaSet', ['apps', 'extensions']],
  ['DaemonSet', ['apps', 'extensions']],
  ['StatefulSet', ['apps']],
  ['Job', ['batch']],
  ['CronJob', ['batch']],
  ['NetworkPolicy', ['networking.k8s.io', 'extensions']],
]);

const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';

const isBuiltInGroup = (group: string): boolean =>
  !group.includes('.') || group.endsWith('.k8s.io');

interface Identified {
  readonly field: Field;
  /** The kind; with its group for kinds that are not Kubernetes' own. */
  readonly kind: string;
  readonly relevant: boolean;
  readonly key: string;
}

const identify = (object: KubeObject, report: Report): Identified => {
  const field = rootField(object, report);
  const kind = textOf(fieldAt(field, 'kind')) ?? '';
  const group = groupOf(textOf(fieldAt(field, 'apiVersion')) ?? '');
  const relevant = GROUPS.get(kind)?.includes(group) ?? false;
  const metadata = fieldAt(field, 'metadata');
  const name = textOf(fieldAt(metadata, 'name')) ?? '';
  return {
    field,
    kind: isBuiltInGroup(group) ? kind : `${kind}.${group}`,
    relevant,
    key: `${kind}/${namespaceOf(metadata)}/${name}`,
  };
};

/** The last of several objects of one name counts, as it does when they are applied in turn. */
const dropTwins = (all: readonly Identified[], report: Report): Identified[] => {
  const last = new Map<string, Identified>();
  for (const item of all) {
    if (!item.relevant || item.key.endsWith('/')) continue;
    const before = last.get(item.key);
    last.set(item.key, item);
    if (!before) continue;
    const place = item.field.object.place([]);
    const first = before.field.object.place([]);
    const same =
      canonicalJson(before.field.object.value) === canonicalJson(item.field.object.value);
    if (!same)
      report({
        severity: 'warning',
        code: 'duplicate-object',
        message: `${item.key} is here for the second time; this one counts`,
        ...atPlace(place),
        hint: `The first is at ${placeText(first)}.`,
      });
  }
  return all.filter(
    (item) => !item.relevant || item.key.endsWith('/') || last.get(item.key) === item,
  );
};

const isWorkload = (kind: string): kind is WorkloadKind =>
  (WORKLOAD_KINDS as readonly string[]).includes(kind);

/** Reads every object that matters; what is odd about them goes to `report`. */
export const takeInventory = (objects: readonly KubeObject[], report: Report): Inventory => {
  const pods: PodDraft[] = [];
  const nodes: NodeDraft[] = [];
  const workloads: WorkloadObject[] = [];
  const services: Service[] = [];
  const policies: Policy[] = [];
  const namespaces: string[] = [];
  const signs: PluginSign[] = [];
  const skipped = new Map<string, number>();
  const add = <Item>(list: Item[], item: Item | undefined): void => {
    if (item !== undefined) list.push(item);
  };
  const identified = objects.map((object) => identify(object, report));
  for (const { field, kind, relevant } of dropTwins(identified, report)) {
    if (!relevant) {
      skipped.set(kind, (skipped.get(kind) ?? 0) + 1);
    } else if (isWorkload(kind)) {
      add(workloads, readWorkload(kind, field));
      if (kind === 'DaemonSet') add(signs, signOfObject(field));
    } else if (kind === 'Pod') {
      add(pods, draftOfPod(field));
    } else if (kind === 'Node') {
      add(nodes, readNode(field));
    } else if (kind === 'Service') {
      add(services, readService(field));
    } else if (kind === 'NetworkPolicy') {
      add(policies, readPolicy(field));
    } else if (kind === 'Namespace') {
      add(namespaces, textOf(fieldAt(field, 'metadata', 'name')));
    } else {
      const sign = signOfObject(field);
      add(signs, sign);
      if (!sign) skipped.set(kind, (skipped.get(kind) ?? 0) + 1);
    }
  }
  const sorted = [...skipped].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    pods,
    nodes,
    workloads,
    services,
    policies,
    namespaces,
    signs,
    skipped: new Map(sorted),
  };
};
