/**
 * The Pods of a cluster as an agent that enforces policies by address sees them: those that have
 * one of their own, grouped by what selectors look at, so that nobody asks each of 150,000.
 */
import type { Cluster, Pod } from '../../cluster/cluster.ts';
import type { PodSelection, Policy } from '../../cluster/policy/policy.ts';
import { type Labels, matches } from '../../cluster/selector.ts';
import type { Cidr } from '../../wire/packet.ts';
import type { Family } from '../kube-proxy/service-port.ts';

/** Pods of one namespace with equal labels. */
export interface PodGroup {
  readonly namespace: string;
  readonly labels: Labels;
  readonly pods: readonly Pod[];
}

/** A port that a Pod has under a name. */
export interface NamedPort {
  readonly pod: Pod;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly port: number;
}

export interface Population {
  readonly groups: readonly PodGroup[];
  readonly nodes: Cluster['nodes'];
  /** Where Pods have their addresses. */
  readonly podCIDR: Cidr;
  readonly policies: readonly Policy[];
  labelsOf(namespace: string): Labels;
  groupOf(pod: Pod): PodGroup | undefined;
  /** @param own the namespace that `own` stands for */
  selected(selection: PodSelection, own: string | undefined): readonly PodGroup[];
  /** Ports of that name of every Pod of the cluster. */
  portsNamed(name: string): readonly NamedPort[];
}

/** It has, or will have, an address that is no node's. */
const hasOwnNetwork = ({ hostNetwork, phase, ip, onlyIpv6 }: Pod): boolean =>
  !hostNetwork &&
  phase !== 'Succeeded' &&
  phase !== 'Failed' &&
  (ip !== undefined || onlyIpv6 !== undefined);

/** The addresses of a Pod in one family: one, or none. */
export const addressOf = ({ ip, ipv6, onlyIpv6 }: Pod, family: Family): string | undefined =>
  family === 4 ? ip : (ipv6 ?? onlyIpv6);

const grouped = (pods: readonly Pod[]): PodGroup[] => {
  const groups = new Map<string, PodGroup & { readonly pods: Pod[] }>();
  // Pods of one controller have one object of labels.
  const keys = new Map<Labels, string>();
  for (const pod of pods) {
    if (!hasOwnNetwork(pod)) continue;
    const { namespace, labels } = pod;
    const text = keys.get(labels) ?? JSON.stringify(Object.entries(labels).sort());
    keys.set(labels, text);
    const key = `${namespace} ${text}`;
    const known = groups.get(key);
    if (known) known.pods.push(pod);
    else groups.set(key, { namespace, labels, pods: [pod] });
  }
  return [...groups.values()];
};

/** In its containers and sidecars. */
export const namedPorts = ({ containers }: Pod): (Omit<NamedPort, 'pod'> & { name: string })[] =>
  containers.flatMap(({ ports }) =>
    ports.flatMap(({ name, protocol, port }) =>
      name === undefined ? [] : [{ name, protocol, port }],
    ),
  );

const byPortName = (groups: readonly PodGroup[]): Map<string, NamedPort[]> => {
  const named = new Map<string, NamedPort[]>();
  for (const { pods } of groups)
    for (const pod of pods)
      for (const { name, protocol, port } of namedPorts(pod)) {
        const one = { pod, protocol, port };
        const same = named.get(name);
        if (same) same.push(one);
        else named.set(name, [one]);
      }
  return named;
};

const byNamespace = (groups: readonly PodGroup[]): Map<string, PodGroup[]> => {
  const found = new Map<string, PodGroup[]>();
  for (const group of groups) {
    const same = found.get(group.namespace);
    if (same) same.push(group);
    else found.set(group.namespace, [group]);
  }
  return found;
};

const populationFrom = ({
  pods,
  nodes,
  network,
  policies,
  namespaceLabels,
}: Cluster): Population => {
  const groups = grouped(pods);
  const inNamespace = byNamespace(groups);
  const labelsOf = (namespace: string): Labels =>
    namespaceLabels.get(namespace) ?? { 'kubernetes.io/metadata.name': namespace };
  const groupsOf = new Map(groups.flatMap((group) => group.pods.map((pod) => [pod, group])));
  let named: Map<string, NamedPort[]> | undefined;
  const select = ({ namespaces, pods: wanted }: PodSelection, own: string | undefined) => {
    const among =
      namespaces === 'own'
        ? [own ?? '']
        : [...inNamespace.keys()].filter((name) => matches(namespaces, labelsOf(name)));
    return among.flatMap((name) =>
      (inNamespace.get(name) ?? []).filter(({ labels }) => matches(wanted, labels)),
    );
  };
  const known = new WeakMap<PodSelection, readonly PodGroup[]>();
  return {
    groups,
    nodes,
    podCIDR: network.podCIDR,
    policies,
    labelsOf,
    groupOf: (pod) => groupsOf.get(pod),
    selected: (selection, own) => {
      const found = known.get(selection) ?? select(selection, own);
      known.set(selection, found);
      return found;
    },
    portsNamed: (name) => {
      named ??= byPortName(groups);
      return named.get(name) ?? [];
    },
  };
};

const populations = new WeakMap<Cluster, Population>();

/** The same for every node of a cluster. */
export const populationOf = (cluster: Cluster): Population => {
  const known = populations.get(cluster) ?? populationFrom(cluster);
  populations.set(cluster, known);
  return known;
};

/** Whether a policy is about a Pod. */
export const isAbout = (
  { labelsOf }: Population,
  { namespace, subject }: Policy,
  { namespace: of, labels }: PodGroup,
): boolean =>
  (subject.namespaces === 'own' ? namespace === of : matches(subject.namespaces, labelsOf(of))) &&
  matches(subject.pods, labels);
