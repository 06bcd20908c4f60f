/** Kubernetes objects → Cluster: every Pod on a node with its address, every workload its Pods. */
import { cidrAt, cidrContains, cidrOf, cidrOverlaps } from '../wire/ip.ts';
import type { Cidr, Ip } from '../wire/packet.ts';
import {
  giveAddresses,
  reportGateways,
  reportMachines,
  reportTwins,
  type Tenant,
} from './address.ts';
import type {
  Cluster,
  ClusterNode,
  ClusterNote,
  ObjectRef,
  Place,
  Pod,
  PolicyFacts,
  Workload,
} from './cluster.ts';
import { atPlace, createDiagnostics, type Diagnostic, type Report } from './diagnostic.ts';
import { warn } from './field.ts';
import { reportHostClashes } from './host-port-clash.ts';
import { type Inventory, takeInventory } from './inventory.ts';
import type { KubeObject } from './kube-object.ts';
import { listenersOf } from './listener.ts';
import { nameHash } from './name-hash.ts';
import { chooseNetwork } from './network.ts';
import { gatherNodes, type NodeDraft } from './node.ts';
import { compareKeys, compareText } from './order.ts';
import { compareDrafts, type PodDraft } from './pod-draft.ts';
import { type Ranges, settleRanges } from './pod-range.ts';
import { fits, type Placement, schedule } from './schedule.ts';
import { matches } from './selector.ts';
import { policyFacts, type Service } from './service.ts';
import { type PlacedSpec, placeIn } from './spec.ts';
import {
  edges,
  enclosing,
  networkOf,
  pickRange,
  settleUnderlay,
  type Underlay,
} from './underlay.ts';
import { podsOfWorkload, type WorkloadObject } from './workload.ts';

export interface ClusterInput {
  readonly name: string;
  readonly spec?: PlacedSpec | undefined;
  readonly objects: readonly KubeObject[];
  /** Called when no object's value is needed any more. */
  readonly release?: (() => void) | undefined;
  /** `declared`: a port without evidence refuses, on Pods that show any port. */
  readonly listen?: 'evidence' | 'declared' | undefined;
}

export interface ResolvedCluster {
  /** Usable for questions only when no diagnostic is an error. */
  readonly cluster: Cluster;
  readonly diagnostics: readonly Diagnostic[];
  /** Objects that do not matter to the network, by kind. */
  readonly skipped: ReadonlyMap<string, number>;
}

type Note = (note: ClusterNote) => void;

/** TEST-NET-3, -2 and -1 (RFC 5737): nobody's, so the first that no range holds is everybody outside. */
const EXTERNAL_CIDRS = ['203.0.113.0/24', '198.51.100.0/24', '192.0.2.0/24'] as const;
/** Of that range, the address of the machine that stands for the outside. */
const EXTERNAL_AT = 10;

const DEFAULT_SERVICE_CIDRS = ['10.96.0.0/12', '172.30.0.0/16', '10.43.0.0/16'] as const;

const isFinished = ({ status }: PodDraft): boolean =>
  status.phase === 'Succeeded' || status.phase === 'Failed';

const sameRef = (a: ObjectRef, b: ObjectRef): boolean =>
  a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;

const refKey = ({ kind, namespace, name }: ObjectRef): string => `${kind}/${namespace}/${name}`;

/** A Pod knows its ReplicaSet; the ReplicaSet's object knows the Deployment above it. */
const withUpperOwners = (
  draft: PodDraft,
  workloads: ReadonlyMap<string, WorkloadObject>,
): PodDraft => {
  if (workloads.size === 0 || draft.owners.length === 0) return draft;
  const owners = [...draft.owners];
  for (let at = 0; at < owners.length && at < 8; at++) {
    const owner = owners[at];
    const upper = owner && workloads.get(refKey(owner))?.owner;
    const next = owners[at + 1];
    if (upper && !(next && sameRef(next, upper))) owners.splice(at + 1, owners.length, upper);
  }
  return owners.length === draft.owners.length ? draft : { ...draft, owners };
};

/** Workloads whose Pods, or whose own workloads, the input has: nothing is made for them. */
const alreadyThere = ({ workloads }: Inventory, pods: readonly PodDraft[]): ReadonlySet<string> => {
  const there = new Set<string>();
  if (workloads.length === 0) return there;
  for (const { owners } of pods) for (const owner of owners) there.add(refKey(owner));
  for (const { owner } of workloads) if (owner) there.add(refKey(owner));
  return there;
};

interface Population {
  readonly drafts: readonly PodDraft[];
  readonly nodes: readonly NodeDraft[];
  readonly nodeOf: ReadonlyMap<PodDraft, string>;
}

/** All Pods, in order, and all nodes. */
const populate = (
  input: ClusterInput,
  inventory: Inventory,
  report: Report,
  note: Note,
): Population => {
  const workloads = new Map(inventory.workloads.map((workload) => [refKey(workload), workload]));
  const inOrder = sorted(inventory.pods.map((draft) => withUpperOwners(draft, workloads)));
  const given = withOwnNames(inOrder);
  const there = alreadyThere(inventory, given);
  const absent = inventory.workloads.filter((workload) => !there.has(refKey(workload)));
  // Templates may name nodes too; a DaemonSet's Pods need all nodes to be known.
  const made = absent
    .filter(({ kind }) => kind !== 'DaemonSet')
    .flatMap((workload) => podsOfWorkload(workload, []))
    .map((draft) => withUpperOwners(draft, workloads));
  const { nodes, nodeOf } = gatherNodes({
    spec: input.spec,
    objects: inventory.nodes,
    pods: [...given, ...made],
    report,
    note,
  });
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const names = nodes.map(({ name }) => name);
  const daemons = absent
    .filter(({ kind }) => kind === 'DaemonSet')
    .flatMap((workload) => podsOfWorkload(workload, names))
    .filter(({ boundTo, spec }) => {
      const node = byName.get(boundTo ?? '');
      return node !== undefined && fits(spec, node);
    });
  const added = withoutTaken([...made, ...daemons], given);
  if (
    made.some(
      ({ owners: [owner] }) => owner?.kind === 'ReplicaSet' && !workloads.has(refKey(owner)),
    )
  )
    note({ code: 'pod-template-hash', subject: 'Deployments' });
  const isSorted = added.length === 0 && given.every((draft, at) => draft === inOrder[at]);
  return { drafts: isSorted ? given : sorted([...given, ...added]), nodes, nodeOf };
};

const fullName = ({ namespace, name }: PodDraft): string => `${namespace}/${name}`;

/** Equal objects with a generateName get equal hashes; the API server would draw again. */
const withOwnNames = (drafts: readonly PodDraft[]): PodDraft[] => {
  const taken = new Set<string>();
  return drafts.map((draft) => {
    let own = draft;
    for (let again = 1; taken.has(fullName(own)); again++)
      own = {
        ...draft,
        name: `${draft.name.slice(0, -5)}${nameHash(`${draft.name}/${again}`, 5)}`,
      };
    taken.add(fullName(own));
    return own;
  });
};

/** A controller cannot make a Pod whose name another one has. */
const withoutTaken = (made: readonly PodDraft[], given: readonly PodDraft[]): PodDraft[] => {
  if (made.length === 0) return [];
  const taken = new Set(given.map(fullName));
  return made.filter((draft) => {
    if (!taken.has(fullName(draft))) return true;
    warn(
      draft.field,
      'name-taken',
      `would make Pod ${fullName(draft)}, which is there already and not its own`,
    );
    return false;
  });
};

const sorted = (drafts: readonly PodDraft[]): PodDraft[] => drafts.toSorted(compareDrafts);

/** Pods that the input says are not placed, or have ended, stay where they are. */
const isSettled = (draft: PodDraft): boolean =>
  isFinished(draft) || (draft.status.phase === 'Pending' && draft.spec.nodeName === undefined);

/** In the order of the Pods. */
const place = ({ drafts, nodes, nodeOf }: Population): readonly Placement[] => {
  const placements = schedule(
    drafts.filter((draft) => !isSettled(draft)),
    nodes,
    nodeOf,
  );
  let next = 0;
  return drafts.map((draft): Placement => {
    if (!isSettled(draft)) return placements[next++] ?? { pendingReason: 'not scheduled' };
    const node = nodeOf.get(draft);
    if (node !== undefined) return { node, invented: false };
    return { pendingReason: draft.status.reason ?? 'the input says Pending' };
  });
};

/** Without an address of their own: on the node's network, ended, or not started yet. */
const tenantsOf = (drafts: readonly PodDraft[], placements: readonly Placement[]): Tenant[] => {
  const tenants: Tenant[] = [];
  for (const [at, draft] of drafts.entries()) {
    const placement = placements[at];
    if (!placement || !('node' in placement) || draft.spec.hostNetwork || isFinished(draft))
      continue;
    if (draft.status.phase === 'Pending' && draft.status.ip === undefined) continue;
    if (draft.status.onlyIpv6 !== undefined) continue;
    tenants.push({ draft, node: placement.node });
  }
  return tenants;
};

const reportIpv6 = ({ pods, nodes }: Inventory, report: Report): void => {
  const why = 'IPv6 is not modelled yet, so its traces are inconclusive';
  for (const { field, status } of pods)
    if (status.onlyIpv6 !== undefined)
      warn(field, 'ipv6-only', `has only the IPv6 address ${status.onlyIpv6}; ${why}`);
  for (const { name, onlyIpv6, place } of nodes)
    if (onlyIpv6 !== undefined)
      report({
        severity: 'warning',
        code: 'ipv6-only',
        message: `Node ${name}: has only the IPv6 address ${onlyIpv6}; ${why}`,
        path: 'status.addresses',
        ...atPlace(place),
      });
};

/** The /16s that Pods have their addresses in. */
const wideRanges = (tenants: readonly Tenant[]): ReadonlySet<Cidr> => {
  const starts = new Set<string>();
  const found = new Set<Cidr>();
  for (const { draft } of tenants) {
    const { ip } = draft.status;
    if (ip === undefined) continue;
    const start = ip.slice(0, ip.indexOf('.', ip.indexOf('.') + 1));
    if (starts.has(start)) continue;
    starts.add(start);
    found.add(cidrOf(ip, 16));
  }
  return found;
};

/** The Services' range: what is given, or a default that holds every ClusterIP of the input. */
const serviceRange = (
  input: ClusterInput,
  services: readonly Service[],
  avoid: readonly Cidr[],
  note: Note,
): Cidr => {
  const given = input.spec?.value.network?.serviceCIDR;
  const base =
    given === undefined ? pickRange(DEFAULT_SERVICE_CIDRS, avoid) : cidrOf(...networkOf(given));
  const ips = services.flatMap(({ clusterIP }) => clusterIP ?? []).sort(compareText);
  const outside = ips.find((ip) => !cidrContains(base, ip));
  if (given === undefined) {
    const cidr = outside === undefined ? base : enclosing(ips, 16);
    note({ code: 'range-default', subject: 'serviceCIDR', values: { cidr } });
    return cidr;
  }
  if (outside === undefined) return base;
  const cidr = enclosing([...edges(base), ...ips], networkOf(base)[1]);
  const at = placeIn(input.spec, 'network', 'serviceCIDR');
  note({
    code: 'range-widened',
    subject: outside,
    values: { range: 'serviceCIDR', cidr, from: given },
    ...(at && { place: at }),
  });
  return cidr;
};

interface NamedRange {
  readonly field: string;
  readonly cidr: Cidr;
  readonly given: boolean;
  readonly place: Place | undefined;
}

/** Two ranges that the Scenario gives are an error; what came of addresses found is only odd. */
const reportRanges = (ranges: readonly NamedRange[], report: Report): void => {
  for (const [at, b] of ranges.entries()) {
    for (const a of ranges.slice(0, at)) {
      if (!cidrOverlaps(a.cidr, b.cidr)) continue;
      const given = a.given && b.given;
      report({
        severity: given ? 'error' : 'warning',
        code: 'ranges-overlap',
        message: `${a.field} ${a.cidr} and ${b.field} ${b.cidr} overlap`,
        ...(given && { path: b.field }),
        ...atPlace(b.given ? b.place : (a.place ?? b.place)),
        hint: 'Pods, Services and nodes need ranges of their own.',
      });
    }
  }
};

/** A list that is left out where there is nothing in it. */
const optional = <Key extends string>(
  key: Key,
  list: readonly string[] = [],
): { readonly [K in Key]?: readonly string[] } =>
  list.length > 0 ? ({ [key]: list } as { readonly [K in Key]: readonly string[] }) : {};

const clusterNodes = (
  drafts: readonly NodeDraft[],
  { ips }: Underlay,
  ranges: Ranges,
): ClusterNode[] =>
  drafts.map((draft, index) => ({
    name: draft.name,
    index,
    ip: ips[index] ?? '0.0.0.0',
    podCIDR: ranges.nodes[index]?.cidr ?? ranges.podCIDR,
    ...optional('otherPodCIDRs', ranges.nodes[index]?.others),
    ...optional('lentIps', ranges.nodes[index]?.lent),
    ...(draft.onlyIpv6 !== undefined && draft.ip === undefined && { onlyIpv6: draft.onlyIpv6 }),
    labels: draft.labels,
    taints: draft.taints,
    sysctl: draft.sysctl,
    ready: draft.ready,
    invented: {
      node: draft.made,
      ip: draft.ip === undefined,
      podCIDR: ranges.nodes[index]?.invented ?? true,
    },
    ...(draft.place && { place: draft.place }),
  }));

const phaseOf = (draft: PodDraft, ip: Ip | undefined, node: string | undefined): Pod['phase'] => {
  const { phase } = draft.status;
  if (phase !== undefined && (phase !== 'Running' || node !== undefined)) return phase;
  const hasAddress = ip !== undefined || draft.status.onlyIpv6 !== undefined;
  return node !== undefined && hasAddress ? 'Running' : 'Pending';
};

const INVENTED: readonly Pod['invented'][] = Array.from({ length: 8 }, (_, bits) => ({
  name: (bits & 4) !== 0,
  ip: (bits & 2) !== 0,
  node: (bits & 1) !== 0,
}));

/** One of eight: Pods share them. */
const inventedOf = (name: boolean, ip: boolean, node: boolean): Pod['invented'] =>
  INVENTED[(name ? 4 : 0) + (ip ? 2 : 0) + (node ? 1 : 0)] ?? { name, ip, node };

const toPod = (
  draft: PodDraft,
  placement: Placement | undefined,
  given: ReadonlyMap<PodDraft, Ip>,
  nodeIps: ReadonlyMap<string, Ip>,
  services: readonly Service[],
  input: ClusterInput,
): Pod => {
  const node = placement && 'node' in placement ? placement.node : undefined;
  const { hostNetwork, containers, initContainers } = draft.spec;
  const own = draft.status.ip ?? given.get(draft);
  const ip = hostNetwork ? nodeIps.get(node ?? '') : own;
  const phase = phaseOf(draft, ip, node);
  const listeners = listenersOf(draft, services);
  const reason =
    placement && 'pendingReason' in placement
      ? placement.pendingReason
      : (draft.status.reason ??
        (draft.status.phase === undefined
          ? `the range of ${node} has no free address`
          : undefined));
  const pod: { -readonly [Field in keyof Pod]: Pod[Field] } = {
    namespace: draft.namespace,
    name: draft.name,
    node,
    ip: isFinished(draft) ? undefined : ip,
    hostNetwork,
    phase,
    ready: phase === 'Running' && !draft.terminating && (draft.status.ready ?? true),
    labels: draft.labels,
    containers,
    owners: draft.owners,
    ordinal: draft.ordinal,
    invented: inventedOf(
      draft.inventedName,
      !hostNetwork && draft.status.ip === undefined && ip !== undefined,
      placement !== undefined && 'node' in placement && placement.invented,
    ),
    listeners:
      input.listen === 'declared' && listeners.unlisted === 'unknown'
        ? { ...listeners, unlisted: 'refused' }
        : listeners,
    place: draft.place,
  };
  // What few Pods have is added: every copy of a Pod counts in a large cluster.
  if (own === undefined && !hostNetwork && draft.status.onlyIpv6 !== undefined)
    pod.onlyIpv6 = draft.status.onlyIpv6;
  if (phase === 'Pending' && reason !== undefined) pod.pendingReason = reason;
  if (initContainers.length > 0) pod.initContainers = initContainers;
  return pod;
};

/** The world outside, where none of the cluster's ranges is. */
const settleExternal = (ranges: readonly Cidr[], report: Report): Cluster['external'] => {
  const free = EXTERNAL_CIDRS.find((cidr) => !ranges.some((one) => cidrOverlaps(one, cidr)));
  if (free === undefined)
    report({
      severity: 'error',
      code: 'ranges-overlap',
      message: `the cluster's ranges leave no address for the world outside: they hold ${EXTERNAL_CIDRS.join(', ')}`,
      hint: 'Narrow network.podCIDR, network.serviceCIDR or underlay.cidr.',
    });
  return { ip: cidrAt(free ?? EXTERNAL_CIDRS[0], EXTERNAL_AT) };
};

/** Every controller of every Pod, and every workload of the input, with its Pods in name order. */
const workloadsOf = (pods: readonly Pod[], inventory: Inventory): Workload[] => {
  const found = new Map<string, { ref: ObjectRef; pods: number[]; place?: Place }>();
  for (const { kind, namespace, name, place: at } of inventory.workloads)
    found.set(refKey({ kind, namespace, name }), {
      ref: { kind, namespace, name },
      pods: [],
      place: at,
    });
  const entryOf = (ref: ObjectRef): { readonly pods: number[] } => {
    const key = refKey(ref);
    const known = found.get(key) ?? { ref, pods: [] };
    found.set(key, known);
    return known;
  };
  // Pods of one controller share their list of owners.
  const entries = new Map<Pod['owners'], { readonly pods: number[] }[]>();
  for (const [index, { owners }] of pods.entries()) {
    const known = entries.get(owners) ?? owners.map(entryOf);
    entries.set(owners, known);
    for (const entry of known) entry.pods.push(index);
  }
  const key = ({ ref }: { ref: ObjectRef }): string[] => [ref.namespace ?? '', ref.kind, ref.name];
  return [...found.values()]
    .sort((a, b) => compareKeys(key(a), key(b)))
    .map(({ ref, pods: indexes, place: at }) => ({
      kind: ref.kind,
      namespace: ref.namespace ?? 'default',
      name: ref.name,
      pods: indexes.sort((a, b) => compareText(pods[a]?.name ?? '', pods[b]?.name ?? '')),
      ...(at && { place: at }),
    }));
};

const reportDangling = (
  services: readonly Service[],
  pods: ReadonlyMap<string, readonly Pod[]>,
): void => {
  if (pods.size === 0) return;
  for (const { field, namespace, selector } of services) {
    if (selector.length === 0) continue;
    if (!pods.get(namespace)?.some(({ labels }) => matches(selector, labels)))
      warn(field, 'selects-nothing', 'selects no Pod');
  }
};

const reportPending = (drafts: readonly PodDraft[], pods: readonly Pod[]): void => {
  for (const [at, draft] of drafts.entries()) {
    const pod = pods[at];
    if (pod?.phase !== 'Pending' || draft.status.phase !== undefined) continue;
    warn(draft.field, 'unschedulable', `stays Pending: ${pod.pendingReason ?? 'no reason known'}`);
  }
};

const countNotes = (pods: readonly Pod[], note: Note): void => {
  const placed = pods.filter(({ invented }) => invented.node).length;
  const addressed = pods.filter(({ invented }) => invented.ip).length;
  if (placed > 0)
    note({
      code: 'placement-invented',
      subject: 'Pods',
      values: { count: placed, of: pods.length },
    });
  if (addressed > 0)
    note({
      code: 'address-invented',
      subject: 'Pods',
      values: { count: addressed, of: pods.length },
    });
};

const groupByNamespace = <Item extends { readonly namespace: string }>(
  items: readonly Item[],
): ReadonlyMap<string, Item[]> => {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(item.namespace);
    if (group) group.push(item);
    else groups.set(item.namespace, [item]);
  }
  return groups;
};

const policiesOf = ({ policies }: Inventory, pods: readonly Pod[]): PolicyFacts[] => {
  if (policies.length === 0) return [];
  const indexed = groupByNamespace(
    pods.map(({ namespace, labels }, index) => ({ namespace, labels, index })),
  );
  return policies.map((policy) => policyFacts(policy, indexed.get(policy.namespace) ?? []));
};

/**
 * Resolves a cluster. What is missing is made up in a fixed way and noted; what is odd or wrong
 * becomes a diagnostic, all of them at once. Nothing is thrown.
 */
export const resolveCluster = (input: ClusterInput): ResolvedCluster => {
  const { report, list } = createDiagnostics();
  const notes: ClusterNote[] = [];
  const note: Note = (item) => {
    notes.push(item);
  };
  const inventory = takeInventory(input.objects, report);
  input.release?.();
  reportIpv6(inventory, report);
  const choice = chooseNetwork(input.spec, inventory, note);
  const population = populate(input, inventory, report, note);
  const { drafts, nodes } = population;
  const placements = place(population);
  const tenants = tenantsOf(drafts, placements);
  reportTwins(tenants, report);
  reportMachines(
    tenants,
    new Map(nodes.flatMap(({ name, ip }) => (ip ? [[ip.ip, name] as const] : []))),
    report,
  );

  const network = input.spec?.value.network;
  const podGiven =
    network?.podCIDR === undefined
      ? choice.podCIDR
      : { cidr: network.podCIDR, place: placeIn(input.spec, 'network', 'podCIDR') };
  const wanted = [podGiven?.cidr, network?.serviceCIDR].flatMap((cidr) => cidr ?? []);
  const underlay = settleUnderlay({
    spec: input.spec,
    nodes,
    // No wire is made up among the Pods.
    avoid: [...wanted, ...wideRanges(tenants)],
    podIps: tenants.flatMap(({ draft }) => draft.status.ip ?? []),
    report,
    note,
  });
  const podIps = new Map<string, Ip[]>();
  for (const { draft, node } of tenants) {
    const { ip } = draft.status;
    if (ip === undefined) continue;
    const ips = podIps.get(node) ?? [];
    ips.push(ip);
    podIps.set(node, ips);
  }
  const ranges = settleRanges({
    nodes,
    podIps,
    machineIps: [...underlay.ips, underlay.underlay.gateway, ...edges(underlay.underlay.cidr)],
    given: podGiven,
    avoid: [
      underlay.underlay.cidr,
      ...(network?.serviceCIDR === undefined ? [] : [network.serviceCIDR]),
    ],
    report,
    note,
  });
  const serviceCIDR = serviceRange(
    input,
    inventory.services,
    [ranges.podCIDR, underlay.underlay.cidr],
    note,
  );
  reportRanges(
    [
      {
        field: 'network.podCIDR',
        cidr: ranges.podCIDR,
        given: network?.podCIDR !== undefined,
        place: placeIn(input.spec, 'network', 'podCIDR'),
      },
      {
        field: 'network.serviceCIDR',
        cidr: serviceCIDR,
        given: network?.serviceCIDR !== undefined,
        place: placeIn(input.spec, 'network', 'serviceCIDR'),
      },
      {
        field: 'underlay.cidr',
        cidr: underlay.underlay.cidr,
        given: input.spec?.value.underlay?.cidr !== undefined,
        place: placeIn(input.spec, 'underlay', 'cidr'),
      },
    ],
    report,
  );

  const clusterNodeList = clusterNodes(nodes, underlay, ranges);
  const rangeOf = new Map(clusterNodeList.map(({ name, podCIDR }) => [name, podCIDR]));
  reportGateways(tenants, rangeOf, report);
  const addresses = giveAddresses(tenants, rangeOf);
  const nodeIps = new Map(clusterNodeList.map(({ name, ip }) => [name, ip]));
  const services = groupByNamespace(
    inventory.services.toSorted((a, b) => compareText(a.facts.name, b.facts.name)),
  );
  const pods = drafts.map((draft, at) =>
    toPod(draft, placements[at], addresses, nodeIps, services.get(draft.namespace) ?? [], input),
  );
  reportPending(drafts, pods);
  reportHostClashes(drafts, pods);
  reportDangling(inventory.services, groupByNamespace(pods));
  countNotes(pods, note);

  const external = settleExternal(
    [
      underlay.underlay.cidr,
      serviceCIDR,
      ranges.podCIDR,
      ...ranges.nodes.flatMap(({ cidr, others }) => [cidr, ...others]),
    ],
    report,
  );
  const { description } = input.spec?.value ?? {};
  const bySubject = (
    a: { namespace: string; name: string },
    b: { namespace: string; name: string },
  ): number => compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
  const cluster: Cluster = {
    name: input.name,
    ...(description !== undefined && { description }),
    network: {
      plugin: choice.plugin,
      backend: choice.backend,
      podCIDR: ranges.podCIDR,
      serviceCIDR,
      config: choice.config,
      ...(choice.place && { place: choice.place }),
    },
    underlay: underlay.underlay,
    nodes: clusterNodeList,
    pods,
    workloads: workloadsOf(pods, inventory),
    namespaces: [
      ...new Set(['default', ...inventory.namespaces, ...pods.map(({ namespace }) => namespace)]),
    ].sort(compareText),
    services: inventory.services.map(({ facts }) => facts).sort(bySubject),
    policies: policiesOf(inventory, pods).sort(bySubject),
    external,
    notes,
  };
  return { cluster, diagnostics: list(), skipped: inventory.skipped };
};
