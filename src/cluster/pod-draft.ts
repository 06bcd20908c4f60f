/** Pods before they are placed: those of the input, and those that workloads stand for. */
import type { ObjectRef, Place, Pod } from './cluster.ts';
import {
  booleanOf,
  type Field,
  fieldAt,
  integerOf,
  isAddress,
  listOf,
  nameOf,
  type Spot,
  spotOf,
  textMapOf,
  textOf,
  warn,
} from './field.ts';
import { canonicalJson, type Path } from './kube-object.ts';
import { nameHash } from './name-hash.ts';
import { compareText } from './order.ts';
import { type PodSpec, readPodSpec } from './pod-spec.ts';
import type { Labels } from './selector.ts';
import { createTexts, either } from './share.ts';

/** What a live cluster says about a Pod. */
export interface PodStatus {
  readonly phase?: Pod['phase'] | undefined;
  readonly ip?: string | undefined;
  readonly hostIP?: string | undefined;
  /** The node is shown with an IPv6 address alone. */
  readonly hostIPv6?: string | undefined;
  /** Where `ip` was found, unless in `status.podIP`. */
  readonly ipPath?: Path | undefined;
  readonly ready?: boolean | undefined;
  readonly reason?: string | undefined;
  /** Only an IPv6 address was found. */
  readonly onlyIpv6?: string | undefined;
  /** An IPv6 address beside `ip`. */
  readonly ipv6?: string | undefined;
}

export interface PodDraft {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** The annotation `k8snet/listen`, and where it stands. */
  readonly listen?:
    | { readonly text: string; readonly place: Place; readonly field: Spot }
    | undefined;
  /** Keys of annotations: some plugins are recognised by theirs. */
  readonly annotations: readonly string[];
  readonly owners: readonly ObjectRef[];
  readonly ordinal: number;
  readonly inventedName: boolean;
  readonly spec: PodSpec;
  readonly status: PodStatus;
  readonly terminating: boolean;
  /** spec.hostname and spec.subdomain: its name in the domain of a headless Service. */
  readonly hostname?: string | undefined;
  readonly subdomain?: string | undefined;
  /** For diagnostics about the Pod as a whole. */
  readonly field: Spot;
  readonly place: Place;
  /** A DaemonSet's Pod is bound to one node. */
  readonly boundTo?: string;
}

/** Where the Pod's own address is written. */
export const ipPlaceOf = ({ field, status }: PodDraft): Place =>
  field.object.place(status.ipPath ?? [...field.path, 'status', 'podIP']);

/** The order in which placement and addresses are handed out. */
export const compareDrafts = (a: PodDraft, b: PodDraft): number => {
  const left = a.owners.at(-1);
  const right = b.owners.at(-1);
  return (
    compareText(a.namespace, b.namespace) ||
    compareText(left?.kind ?? 'Pod', right?.kind ?? 'Pod') ||
    compareText(left?.name ?? a.name, right?.name ?? b.name) ||
    a.ordinal - b.ordinal ||
    compareText(a.name, b.name)
  );
};

export interface PodMeta {
  readonly labels: Labels;
  readonly annotations: readonly string[];
  readonly listen?: NonNullable<PodDraft['listen']>;
}

const LISTEN = 'k8snet/listen';

/** Labels and annotations, of a Pod or of a template. */
export const readPodMeta = (metadata: Field): PodMeta => {
  const listenField = fieldAt(metadata, 'annotations', LISTEN);
  const text = textOf(listenField);
  const annotations = textMapOf(fieldAt(metadata, 'annotations'));
  return {
    labels: textMapOf(fieldAt(metadata, 'labels')),
    annotations: Object.keys(annotations),
    ...(text !== undefined && {
      listen: { text, place: metadata.object.place(listenField.path), field: spotOf(listenField) },
    }),
  };
};

const PHASES = ['Running', 'Pending', 'Succeeded', 'Failed', 'Unknown'] as const;

const isIpv6 = (text: string): boolean => text.includes(':');

/** status.conditions by type. */
const condition = (status: Field, type: string): Field | undefined =>
  listOf(fieldAt(status, 'conditions')).find((item) => textOf(fieldAt(item, 'type')) === type);

const readReady = (status: Field): boolean | undefined => {
  const ready = condition(status, 'Ready');
  if (ready) return textOf(fieldAt(ready, 'status')) === 'True';
  const containers = listOf(fieldAt(status, 'containerStatuses'));
  if (containers.length === 0) return undefined;
  return containers.every((item) => booleanOf(fieldAt(item, 'ready')) ?? false);
};

/** Why a Pod is not running, in the cluster's own words. */
const readReason = (status: Field): string | undefined => {
  const scheduled = condition(status, 'PodScheduled');
  const waiting = listOf(fieldAt(status, 'containerStatuses')).flatMap(
    (item) => textOf(fieldAt(item, 'state', 'waiting', 'reason')) ?? [],
  );
  return (
    textOf(fieldAt(status, 'reason')) ??
    (scheduled && textOf(fieldAt(scheduled, 'message'))) ??
    waiting[0]
  );
};

const readStatus = (status: Field, share: (text: string) => string): PodStatus => {
  const text = textOf(fieldAt(status, 'phase'));
  const phase = PHASES.find((known) => known === text);
  const single = fieldAt(status, 'podIP');
  const fields = [single, ...listOf(fieldAt(status, 'podIPs')).map((item) => fieldAt(item, 'ip'))];
  const seen = new Set<string>();
  const ips = fields.flatMap((field) => {
    const ip = textOf(field);
    // podIPs repeats podIP.
    if (!ip || seen.has(ip)) return [];
    seen.add(ip);
    if (!isIpv6(ip) && !isAddress(field, ip)) return [];
    return [{ ip, path: field === single ? undefined : field.path }];
  });
  const v4 = ips.find(({ ip }) => !isIpv6(ip));
  const [first] = ips;
  const hostField = fieldAt(status, 'hostIP');
  const host = textOf(hostField);
  const hostIP = host && !isIpv6(host) && isAddress(hostField, host) ? host : undefined;
  // One shape for all Pods, without copies: there may be a hundred thousand of them.
  return {
    phase,
    ip: v4?.ip,
    ipPath: v4?.path,
    onlyIpv6: v4 ? undefined : first?.ip,
    ipv6: v4 ? ips.find(({ ip }) => isIpv6(ip))?.ip : undefined,
    hostIPv6: host && isIpv6(host) ? host : undefined,
    hostIP: hostIP === undefined ? undefined : share(hostIP),
    ready: readReady(status),
    reason: phase === 'Running' ? undefined : readReason(status),
  };
};

/**
 * metadata.ownerReferences: the one that is the controller. A ReplicaSet whose name ends with the
 * Pod's pod-template-hash belongs to the Deployment of the name before it; a Job whose name ends
 * with the minutes since 1970 belongs to the CronJob of the name before it.
 */
const readOwners = (metadata: Field, namespace: string, labels: Labels): ObjectRef[] => {
  const owner = listOf(fieldAt(metadata, 'ownerReferences')).find((item) =>
    booleanOf(fieldAt(item, 'controller')),
  );
  const kind = owner && textOf(fieldAt(owner, 'kind'));
  const name = owner && textOf(fieldAt(owner, 'name'));
  if (kind === undefined || name === undefined || kind === 'Node') return [];
  const owners: ObjectRef[] = [{ kind, namespace, name }];
  const hash = labels['pod-template-hash'];
  if (kind === 'ReplicaSet' && hash !== undefined && name.endsWith(`-${hash}`))
    owners.push({ kind: 'Deployment', namespace, name: name.slice(0, -hash.length - 1) });
  const cron = kind === 'Job' ? /^(.+)-\d{8}$/.exec(name)?.[1] : undefined;
  if (cron !== undefined) owners.push({ kind: 'CronJob', namespace, name: cron });
  return owners;
};

export const namespaceOf = (metadata: Field): string =>
  nameOf(fieldAt(metadata, 'namespace')) || 'default';

/** The number at the end of a StatefulSet's Pod is its ordinal. */
const ordinalOf = (name: string, owners: readonly ObjectRef[]): number => {
  const number = owners[0]?.kind === 'StatefulSet' ? /-(\d+)$/.exec(name)?.[1] : undefined;
  return number === undefined ? 0 : Number(number);
};

/** Pods that were read before: what the next one has in common with them is held once. */
export interface Siblings {
  readonly text: (text: string) => string;
  readonly byController: Map<string, PodDraft>;
}

export const createSiblings = (): Siblings => ({ text: createTexts(), byController: new Map() });

/** A `kind: Pod` of the input; undefined, with a warning, for one without any name. */
export const draftOfPod = (
  object: Field,
  { text, byController }: Siblings,
): PodDraft | undefined => {
  const metadata = fieldAt(object, 'metadata');
  const namespace = text(namespaceOf(metadata));
  const given = nameOf(fieldAt(metadata, 'name'));
  const prefix = nameOf(fieldAt(metadata, 'generateName'));
  if (!given && !prefix) {
    warn(object, 'missing-name', 'has no metadata.name and is left out');
    return undefined;
  }
  const name = given || `${prefix}${nameHash(canonicalJson(object.value ?? null), 5)}`;
  const meta = readPodMeta(metadata);
  const owners = readOwners(metadata, namespace, meta.labels);
  const controller = `${namespace}/${owners[0]?.name ?? ''}`;
  const sibling = byController.get(controller);
  const draft: PodDraft = {
    namespace,
    name,
    labels: either(sibling?.labels, meta.labels),
    annotations: either(sibling?.annotations, meta.annotations),
    listen: meta.listen,
    owners: either(sibling?.owners, owners),
    ordinal: ordinalOf(name, owners),
    inventedName: !given,
    spec: readPodSpec(fieldAt(object, 'spec'), text, sibling?.spec),
    status: readStatus(fieldAt(object, 'status'), text),
    terminating: fieldAt(metadata, 'deletionTimestamp').value !== undefined,
    hostname: textOf(fieldAt(object, 'spec', 'hostname')) || undefined,
    subdomain: textOf(fieldAt(object, 'spec', 'subdomain')) || undefined,
    field: spotOf(object),
    place: object.object.place([]),
  };
  if (!sibling) byController.set(controller, draft);
  return draft;
};

/** More Pods than the largest clusters have are a slip of the keyboard. */
const MOST_REPLICAS = 150_000;

/** spec.replicas and its like. */
export const countOf = (field: Field, fallback: number): number =>
  integerOf(field, 0, MOST_REPLICAS) ?? fallback;
