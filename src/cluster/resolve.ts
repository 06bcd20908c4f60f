/** Kubernetes objects → Cluster: every Pod on a node with its address, every workload its Pods. */
import { cidrOf } from '../wire/ip.ts';
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
  Workload,
} from './cluster.ts';
import { atPlace, createDiagnostics, type Diagnostic, type Report } from './diagnostic.ts';
import { warn } from './field.ts';
import { reportHostClashes } from './host-port-clash.ts';
import { type Inventory, takeInventory } from './inventory.ts';
import type { KubeObject } from './kube-object.ts';
import type { LintIgnore } from './lint-ignore.ts';
import { labelsOfNamespaces } from './namespace.ts';
import { chooseNetwork, type NetworkChoice } from './network.ts';
import type { NodeDraft } from './node.ts';
import { compareKeys, compareText } from './order.ts';
import { reportRanges, serviceRange, settleExternal } from './other-ranges.ts';
import { toPod } from './placed-pod.ts';
import type { PodDraft } from './pod-draft.ts';
import { type Ranges, settleRanges } from './pod-range.ts';
import { settlePolicies } from './policy/settle.ts';
import { isFinished, place, populate, refKey } from './population.ts';
import type { Placement } from './schedule.ts';
import { type KubeProxyLayer, settleKubeProxy } from './service/kube-proxy.ts';
import { selectPods } from './service/selection.ts';
import { settleServices } from './service/settle.ts';
import { type PlacedSpec, placeIn } from './spec.ts';
import type { PlacedBefore } from './top-controller.ts';
import { edges, settleUnderlay, type Underlay } from './underlay.ts';

export interface ClusterInput {
  readonly name: string;
  readonly spec?: PlacedSpec | undefined;
  readonly objects: readonly KubeObject[];
  /** Called when no object's value is needed any more. */
  readonly release?: (() => void) | undefined;
  /** Where Pods were placed in another state of the cluster: they stay there where they can. */
  readonly placedBefore?: PlacedBefore | undefined;
  /** `declared`: a port without evidence refuses, on Pods that show any port. */
  readonly listen?: 'evidence' | 'declared' | undefined;
}

export interface ResolvedCluster {
  /** Usable for questions only when no diagnostic is an error. */
  readonly cluster: Cluster;
  readonly diagnostics: readonly Diagnostic[];
  /** Objects that do not matter to the network, by kind. */
  readonly skipped: ReadonlyMap<string, number>;
  /** What objects ask not to be told of, in their order. */
  readonly ignores: readonly LintIgnore[];
}

type Note = (note: ClusterNote) => void;

const proxyOfScenario = (spec: PlacedSpec | undefined): KubeProxyLayer[] => {
  const fields = spec?.value.kubeProxy;
  return fields ? [{ fields, place: placeIn(spec, 'kubeProxy') }] : [];
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

const bySubject = (
  a: { readonly namespace: string; readonly name: string },
  b: { readonly namespace: string; readonly name: string },
): number => compareText(a.namespace, b.namespace) || compareText(a.name, b.name);

/** What the Scenario says, else what the plugin of the input does. */
const policyEngineOf = (
  spec: PlacedSpec | undefined,
  { enforcer }: NetworkChoice,
  { policies }: Inventory,
  note: Note,
): Cluster['policyEngine'] => {
  const given = spec?.value.policyEngine;
  if (given !== undefined || !enforcer || policies.length === 0) return given ?? 'none';
  note({ code: 'plugin-enforces', subject: enforcer.plugin, place: enforcer.place });
  return 'nftables';
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
  const population = populate(input.spec, inventory, report, note);
  const { drafts, nodes } = population;
  const placements = place(population, input.placedBefore);
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
    input.spec,
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
  const services = inventory.services.toSorted(bySubject);
  const selection = selectPods(services, drafts);
  const pods = drafts.map((draft, at) =>
    toPod(draft, placements[at], addresses, nodeIps, selection.servicesOf(at), input.listen),
  );
  reportPending(drafts, pods);
  reportHostClashes(drafts, pods);
  countNotes(pods, note);

  const otherRanges = [
    underlay.underlay.cidr,
    ranges.podCIDR,
    ...ranges.nodes.flatMap(({ cidr, others }) => [cidr, ...others]),
  ];
  const external = settleExternal([serviceCIDR, ...otherRanges], report);
  const namespaceLabels = labelsOfNamespaces(inventory.namespaces, [
    'default',
    ...inventory.policies.flatMap(({ policy }) => policy.namespace ?? []),
    ...services.map(({ namespace }) => namespace),
    ...pods.map(({ namespace }) => namespace),
  ]);
  const { description } = input.spec?.value ?? {};
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
    namespaces: [...namespaceLabels.keys()],
    namespaceLabels,
    services: settleServices({
      services,
      selection,
      slices: inventory.slices,
      drafts,
      pods,
      nodes: clusterNodeList,
      cpus: nodes.map(({ cpu }) => cpu),
      serviceCIDR,
      ranges: otherRanges,
      external: external.ip,
      note,
    }),
    ingressBackends: inventory.ingressBackends.toSorted(
      (a, b) => compareText(a.namespace, b.namespace) || compareText(a.ingress, b.ingress),
    ),
    kubeProxy: settleKubeProxy(ranges.podCIDR, [
      ...proxyOfScenario(input.spec),
      ...inventory.kubeProxies,
    ]),
    policies: settlePolicies(inventory.policies, { namespaceLabels, pods }),
    policyEngine: policyEngineOf(input.spec, choice, inventory, note),
    external,
    notes,
  };
  const { skipped, ignores } = inventory;
  return { cluster, diagnostics: list(), skipped, ignores };
};
