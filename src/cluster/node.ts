/** Nodes: of the Scenario, of Node objects, and those that only Pods name. */
import { isIpv4 } from '../wire/ip.ts';
import type { ClusterNode, ClusterNote, Place } from './cluster.ts';
import { atPlace, type Report } from './diagnostic.ts';
import {
  booleanOf,
  type Field,
  fieldAt,
  isAddress,
  isRange,
  listOf,
  nameOf,
  placeBelow,
  textMapOf,
  textOf,
  warn,
} from './field.ts';
import { didYouMean, nearest } from './nearest.ts';
import { compareNatural } from './order.ts';
import type { PodDraft } from './pod-draft.ts';
import type { Labels } from './selector.ts';
import { type PlacedSpec, placeIn, type ScenarioNode } from './spec.ts';

export interface NodeDraft {
  readonly name: string;
  readonly labels: Labels;
  readonly taints: ClusterNode['taints'];
  readonly ip?: {
    readonly ip: string;
    readonly by: 'scenario' | 'object';
    readonly place: Place | undefined;
  };
  /** Only an IPv6 address was found. */
  readonly onlyIpv6?: string;
  readonly podCIDR?: {
    readonly cidr: string;
    readonly by: 'scenario' | 'object';
    readonly place: Place | undefined;
  };
  readonly sysctl: Readonly<Record<string, string>>;
  readonly ready: boolean;
  /** status.allocatable.cpu, in cores; absent: not known. */
  readonly cpu?: number;
  readonly annotations: readonly string[];
  /** Nothing but a Pod names it, or nothing at all. */
  readonly made: boolean;
  readonly place?: Place;
}

const HOSTNAME = 'kubernetes.io/hostname';

const readTaint = (field: Field): ClusterNode['taints'] => {
  const key = textOf(fieldAt(field, 'key'));
  const effect = textOf(fieldAt(field, 'effect'));
  const value = textOf(fieldAt(field, 'value'));
  if (key === undefined || effect === undefined) {
    warn(field, 'missing-field', 'has no key or no effect');
    return [];
  }
  return [{ key, effect, ...(value !== undefined && { value }) }];
};

const readAddress = (object: Field): Pick<NodeDraft, 'ip' | 'onlyIpv6'> => {
  let onlyIpv6: string | undefined;
  for (const item of listOf(fieldAt(object, 'status', 'addresses'))) {
    const address = fieldAt(item, 'address');
    const ip = textOf(fieldAt(item, 'type')) === 'InternalIP' ? textOf(address) : undefined;
    if (ip === undefined) continue;
    if (ip.includes(':')) onlyIpv6 ??= ip;
    else if (isAddress(address, ip))
      return { ip: { ip, by: 'object', place: object.object.place(address.path) } };
  }
  return onlyIpv6 === undefined ? {} : { onlyIpv6 };
};

const readPodCIDR = (object: Field): NodeDraft['podCIDR'] => {
  const spec = fieldAt(object, 'spec');
  for (const field of [fieldAt(spec, 'podCIDR'), ...listOf(fieldAt(spec, 'podCIDRs'))]) {
    const cidr = textOf(field);
    if (!cidr || cidr.includes(':')) continue;
    if (isRange(field, cidr)) return { cidr, by: 'object', place: object.object.place(field.path) };
  }
  return undefined;
};

const isReady = (object: Field): boolean => {
  const ready = listOf(fieldAt(object, 'status', 'conditions')).find(
    (item) => textOf(fieldAt(item, 'type')) === 'Ready',
  );
  return !ready || textOf(fieldAt(ready, 'status')) === 'True';
};

/** A Quantity of CPUs: `4`, `3920m`. What is written otherwise is no number of cores. */
const readCpu = (object: Field): number | undefined => {
  const { value } = fieldAt(object, 'status', 'allocatable', 'cpu');
  const [, digits, milli] = /^(\d+(?:\.\d+)?)(m?)$/.exec(String(value ?? '')) ?? [];
  return digits === undefined ? undefined : Number(digits) / (milli === 'm' ? 1000 : 1);
};

const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

/** A `kind: Node`; undefined, with a warning, without a name. */
export const readNode = (object: Field): NodeDraft | undefined => {
  const metadata = fieldAt(object, 'metadata');
  const name = nameOf(fieldAt(metadata, 'name'));
  if (!name) {
    warn(object, 'missing-name', 'has no metadata.name and is left out');
    return undefined;
  }
  const spec = fieldAt(object, 'spec');
  const taints = listOf(fieldAt(spec, 'taints')).flatMap(readTaint);
  // The node controller puts this taint on every node that was cordoned.
  const cordoned =
    booleanOf(fieldAt(spec, 'unschedulable')) === true &&
    !taints.some(({ key }) => key === UNSCHEDULABLE);
  const address = readAddress(object);
  const podCIDR = readPodCIDR(object);
  const cpu = readCpu(object);
  return {
    name,
    labels: { [HOSTNAME]: name, ...textMapOf(fieldAt(metadata, 'labels')) },
    taints: cordoned ? [...taints, { key: UNSCHEDULABLE, effect: 'NoSchedule' }] : taints,
    ...address,
    ...(podCIDR && { podCIDR }),
    sysctl: {},
    ready: isReady(object),
    ...(cpu !== undefined && { cpu }),
    annotations: Object.keys(textMapOf(fieldAt(metadata, 'annotations'))),
    made: false,
    place: object.object.place([]),
  };
};

const textValues = (map: Readonly<Record<string, string | number>>): Record<string, string> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, String(value)]));

/** A Scenario's node on top of the Node object of its name. */
const withScenario = (
  below: NodeDraft | undefined,
  node: ScenarioNode,
  spec: PlacedSpec,
  at: number,
): NodeDraft => {
  const ip = node.addresses?.find((address) => isIpv4(address));
  return {
    name: node.name,
    labels: { [HOSTNAME]: node.name, ...below?.labels, ...node.labels },
    taints:
      node.taints?.map(({ key, value, effect }) => ({
        key,
        effect,
        ...(value !== undefined && { value }),
      })) ??
      below?.taints ??
      [],
    ...(below?.ip && { ip: below.ip }),
    ...(ip === undefined && below?.onlyIpv6 !== undefined && { onlyIpv6: below.onlyIpv6 }),
    ...(ip !== undefined && {
      ip: { ip, by: 'scenario', place: placeIn(spec, 'nodes', at, 'addresses') },
    }),
    ...(below?.podCIDR && { podCIDR: below.podCIDR }),
    ...(node.podCIDR !== undefined && {
      podCIDR: {
        cidr: node.podCIDR,
        by: 'scenario',
        place: placeIn(spec, 'nodes', at, 'podCIDR'),
      },
    }),
    sysctl: textValues(node.sysctl ?? {}),
    ready: below?.ready ?? true,
    ...(below?.cpu !== undefined && { cpu: below.cpu }),
    annotations: below?.annotations ?? [],
    made: false,
    ...(spec.place(['nodes', at]) && { place: spec.place(['nodes', at]) }),
  };
};

const madeNode = (name: string, ip: NodeDraft['ip'], place: Place | undefined): NodeDraft => ({
  name,
  labels: { [HOSTNAME]: name },
  taints: [],
  ...(ip && { ip }),
  sysctl: {},
  ready: true,
  annotations: [],
  made: true,
  ...(place && { place }),
});

/** Comparing names takes time: where half of a large cluster is missing, a few guesses will do. */
const MOST_GUESSES = 20;

/** Which node a Pod of the input is on; by its name, else by its address. */
const namedBy = (
  { spec: { nodeName }, status: { hostIP } }: PodDraft,
  byIp: ReadonlyMap<string, string>,
): { readonly name: string; readonly by: 'nodeName' | 'hostIP' } | undefined => {
  if (nodeName !== undefined) return { name: nodeName, by: 'nodeName' };
  if (hostIP === undefined) return undefined;
  return { name: byIp.get(hostIP) ?? hostIP, by: 'hostIP' };
};

/** Where a Pod says on which node it is. */
const placeOfNode = ({ field }: PodDraft, by: 'nodeName' | 'hostIP'): Place =>
  by === 'nodeName' ? placeBelow(field, 'spec', 'nodeName') : placeBelow(field, 'status', 'hostIP');

/**
 * All nodes, with the name of the node that each Pod of the input is on.
 *
 * The Scenario's come first, in its order; then Node objects and those that only Pods name, by
 * name. None at all: node-1 and node-2.
 */
export const gatherNodes = (input: {
  readonly spec: PlacedSpec | undefined;
  readonly objects: readonly NodeDraft[];
  readonly pods: readonly PodDraft[];
  readonly report: Report;
  readonly note: (note: ClusterNote) => void;
}): { readonly nodes: NodeDraft[]; readonly nodeOf: ReadonlyMap<PodDraft, string> } => {
  const { spec, objects, pods, report, note } = input;
  const byName = new Map(objects.map((node) => [node.name, node]));
  const first: NodeDraft[] = (spec?.value.nodes ?? []).flatMap((node, at) =>
    spec ? [withScenario(byName.get(node.name), node, spec, at)] : [],
  );
  const fixed = new Set(first.map(({ name }) => name));
  const others = new Map(objects.filter(({ name }) => !fixed.has(name)).map((n) => [n.name, n]));
  const known = [...fixed, ...others.keys()];
  const byIp = new Map(
    [...first, ...others.values()].flatMap((node) => (node.ip ? [[node.ip.ip, node.name]] : [])),
  );
  for (const { spec: podSpec, status } of pods) {
    if (podSpec.nodeName !== undefined && status.hostIP !== undefined && !byIp.has(status.hostIP))
      byIp.set(status.hostIP, podSpec.nodeName);
  }
  const nodeOf = new Map<PodDraft, string>();
  let unknown = 0;
  for (const draft of pods) {
    const named = namedBy(draft, byIp);
    if (!named) continue;
    nodeOf.set(draft, named.name);
    const existing = others.get(named.name);
    if (fixed.has(named.name) || existing?.ip) continue;
    const { hostIP, hostIPv6 } = draft.status;
    const ip: NodeDraft['ip'] =
      hostIP === undefined
        ? undefined
        : { ip: hostIP, by: 'object', place: placeOfNode(draft, 'hostIP') };
    if (existing) {
      if (ip) others.set(named.name, { ...existing, ip });
      else if (hostIPv6 !== undefined) others.set(named.name, { ...existing, onlyIpv6: hostIPv6 });
      continue;
    }
    const place = placeOfNode(draft, named.by);
    others.set(named.name, {
      ...madeNode(named.name, ip, place),
      ...(hostIPv6 !== undefined && { onlyIpv6: hostIPv6 }),
    });
    note({ code: 'node-made', subject: named.name, place });
    if (known.length > 0) {
      const hint = unknown++ < MOST_GUESSES ? didYouMean(nearest(named.name, known)) : undefined;
      report({
        severity: 'warning',
        code: 'unknown-node',
        message: `Pod ${draft.namespace}/${draft.name} is on node ${named.name}, which nothing else describes`,
        path: 'spec.nodeName',
        ...atPlace(place),
        ...(hint !== undefined && { hint }),
      });
    }
  }
  const ipOf = new Map([...byIp].reverse().map(([ip, name]) => [name, ip]));
  for (const [at, node] of first.entries()) {
    const ip = node.ip ? undefined : ipOf.get(node.name);
    if (ip !== undefined) first[at] = { ...node, ip: { ip, by: 'object', place: undefined } };
  }
  const nodes = [...first, ...[...others.values()].sort((a, b) => compareNatural(a.name, b.name))];
  if (nodes.length > 0) return { nodes, nodeOf };
  note({ code: 'nodes-default', subject: 'node-1, node-2' });
  return {
    nodes: ['node-1', 'node-2'].map((name) => madeNode(name, undefined, undefined)),
    nodeOf,
  };
};
