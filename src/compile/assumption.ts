/** What a trace between two endpoints takes for granted, as codes. */
import type { Cluster, ClusterNode, ClusterNote, Pod, Service } from '../cluster/cluster.ts';
import { netnsOf } from '../kernel/netns.ts';
import type { Assumption } from '../kernel/probe.ts';
import type { World } from '../kernel/world.ts';
import { checkNetworkConfig } from './cni/network-config.ts';
import type { Endpoint } from './endpoint.ts';
import { podNetnsName } from './machine.ts';
import { forNode, forPod } from './object-origin.ts';
import { unknownSettings } from './sysctl-setting.ts';

const podsOf = (ends: readonly Endpoint[]): Pod[] => [
  ...new Set(ends.flatMap((end) => ('pod' in end && end.pod ? [end.pod] : []))),
];

const nodesOf = (ends: readonly Endpoint[]): ClusterNode[] => [
  ...new Set(ends.flatMap((end) => (end.kind === 'owned' && end.node ? [end.node] : []))),
];

const servicesOf = (ends: readonly Endpoint[]): Service[] =>
  ends.flatMap((end) => ('service' in end && end.service ? [end.service] : []));

/** A note about one object, or about objects in general, matters where an endpoint is one of them. */
const concerns = (
  note: ClusterNote,
  pods: readonly Pod[],
  nodes: readonly ClusterNode[],
  services: readonly Service[],
): boolean => {
  switch (note.code) {
    case 'node-made':
    case 'node-ranges':
      return nodes.some(({ name }) => name === note.subject);
    case 'placement-invented':
      return pods.some(({ invented }) => invented.node);
    case 'address-invented':
      return pods.some(({ invented }) => invented.ip);
    case 'cluster-ip-invented':
      return services.some(({ clusterIPs }) => clusterIPs.some(({ invented }) => invented));
    case 'node-port-invented':
      return services.some(({ ports }) => ports.some(({ nodePortInvented }) => nodePortInvented));
    case 'balancer-assumed':
      return services.some(({ ingress }) => ingress.some(({ assumed }) => assumed));
    case 'pod-template-hash':
      return pods.some(({ invented }) => invented.name);
    case 'plugin-default':
    case 'plugin-found':
    case 'plugin-traced-as-bridge':
    case 'plugin-enforces':
    case 'nodes-default':
    case 'range-widened':
    case 'range-apart':
    case 'range-default':
    case 'underlay-default':
    case 'dns-assumed':
      return true;
    default: {
      const never: never = note.code;
      return never;
    }
  }
};

const fromNote = ({ code, subject, values, place }: ClusterNote): Assumption => ({
  code,
  subject,
  ...(values && { values }),
  ...(place && { origin: { by: 'scenario', why: 'node-address', at: place } }),
});

const settings = (cluster: Cluster, world: World, nodes: readonly ClusterNode[]): Assumption[] => [
  ...checkNetworkConfig(cluster.network, cluster.nodes).map(
    ({ path }): Assumption => ({
      code: 'config-not-modelled',
      subject: ['network', 'config', ...path].join('.'),
    }),
  ),
  ...nodes.flatMap((node) =>
    unknownSettings(netnsOf(world, `${node.name}/host`), node).map(
      (key): Assumption => ({
        code: 'config-not-modelled',
        subject: `${key} of ${node.name}`,
        origin: forNode('scenario', node)('node-sysctl', 'sysctl'),
      }),
    ),
  ),
];

/**
 * The assumptions that do not depend on protocol and port: those of reading the input that touch an
 * endpoint, Pods that stand for a workload or are not ready, and settings that are not modelled.
 */
export const assumptionsAbout = (
  cluster: Cluster,
  world: World,
  ends: readonly Endpoint[],
): Assumption[] => {
  const pods = podsOf(ends);
  const nodes = nodesOf(ends);
  const services = servicesOf(ends);
  return [
    ...cluster.notes.filter((note) => concerns(note, pods, nodes, services)).map(fromNote),
    ...settings(cluster, world, nodes),
    ...ends.flatMap(({ end }): Assumption[] =>
      end.workload && end.workload.replicas > 1
        ? [
            {
              code: 'representative',
              subject: `${end.workload.kind}/${end.workload.name}`,
              values: { replicas: end.workload.replicas, pod: `${end.namespace}/${end.name}` },
            },
          ]
        : [],
    ),
    ...pods
      .filter((pod) => pod.phase === 'Running' && !pod.ready)
      .map(
        (pod): Assumption => ({
          code: 'not-running-ready',
          subject: podNetnsName(pod),
          origin: forPod('scenario', pod)('pod-container'),
        }),
      ),
  ];
};
