/** What the nearest peer and port of a rule ask for that a packet does not have. */
import type { Pod } from '../../cluster/cluster.ts';
import type { Policy, PolicyPeer, PolicyPort, PolicyRule } from '../../cluster/policy/policy.ts';
import { type Labels, matches, type Selector } from '../../cluster/selector.ts';
import type { RuleMiss } from '../../policy/verdict.ts';
import type { PolicyLack } from '../../trace/policies.ts';
import { peerText, portText, requirementText } from './rule-text.ts';

/** The other end, as far as rules ask about it. */
export interface SeenPeer {
  readonly kind: 'pod' | 'node' | 'outside';
  readonly ip: string;
  readonly pod?: Pod | undefined;
  readonly nodeLabels?: Labels | undefined;
  /** Of the Pod's namespace. */
  readonly namespaceLabels?: Labels | undefined;
}

export interface SeenPacket {
  readonly peer: SeenPeer;
  readonly protocol: string;
  readonly port?: number | undefined;
}

const lackedLabels = (
  what: 'pod-label' | 'namespace-label',
  selector: Selector,
  labels: Labels,
): PolicyLack[] =>
  selector
    .filter((requirement) => !matches([requirement], labels))
    .map((requirement) => {
      const { key } = requirement;
      const has = Object.hasOwn(labels, key) ? labels[key] : undefined;
      return {
        what,
        wanted: requirementText(requirement),
        found: has === undefined ? '' : `${key}=${has}`,
      };
    });

const KINDS = { pod: 'a Pod', node: 'a node', outside: 'outside the cluster' } as const;

const otherKind = (wanted: PolicyPeer, { kind }: SeenPeer): PolicyLack[] => [
  { what: 'kind', wanted: peerText(wanted), found: KINDS[kind] },
];

const peerLacks = (
  wanted: PolicyPeer,
  { namespace }: Policy,
  peer: SeenPeer,
): readonly PolicyLack[] => {
  switch (wanted.kind) {
    case 'pods': {
      const { pod, namespaceLabels = {} } = peer;
      if (!pod) return otherKind(wanted, peer);
      const away =
        wanted.namespaces === 'own'
          ? pod.namespace === namespace
            ? []
            : [{ what: 'namespace', wanted: namespace ?? '', found: pod.namespace } as const]
          : lackedLabels('namespace-label', wanted.namespaces, namespaceLabels);
      return [...away, ...lackedLabels('pod-label', wanted.pods, pod.labels)];
    }
    case 'block':
      return [{ what: 'address', wanted: peerText(wanted), found: peer.ip }];
    case 'nodes': {
      if (!peer.nodeLabels) return otherKind(wanted, peer);
      const labels = lackedLabels('pod-label', wanted.nodes, peer.nodeLabels);
      // It is the node, by an address of a bridge or tunnel that its object does not show.
      return labels.length > 0
        ? labels
        : [{ what: 'address', wanted: peerText(wanted), found: peer.ip }];
    }
    case 'domain-names':
      return otherKind(wanted, peer);
    default:
      throw new TypeError(`not a peer: ${JSON.stringify(wanted satisfies never)}`);
  }
};

const portLack = (wanted: PolicyPort, { protocol, port }: SeenPacket): PolicyLack => ({
  what: wanted.protocol === 'any' || wanted.protocol === protocol ? 'port' : 'protocol',
  wanted: portText(wanted),
  found: port === undefined ? protocol.toUpperCase() : `${protocol.toUpperCase()} ${port}`,
});

/** @param miss why the rule does not match, by the engine */
export const ruleLacks = (
  policy: Policy,
  { peers, ports }: PolicyRule,
  { peer: hasPeer, port: hasPort, nearestPeer, nearestPort }: RuleMiss,
  packet: SeenPacket,
): readonly PolicyLack[] => {
  const peer = hasPeer || peers === 'everyone' ? undefined : peers[nearestPeer ?? 0];
  const port = hasPort || ports === 'all' ? undefined : ports[nearestPort ?? 0];
  return [
    ...(peer ? peerLacks(peer, policy, packet.peer) : []),
    ...(port ? [portLack(port, packet)] : []),
  ];
};
