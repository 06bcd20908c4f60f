/** One rule held against one connection. */
import type { Policy, PolicyPeer, PolicyPort, PolicyRule } from '../cluster/policy/policy.ts';
import { matches } from '../cluster/selector.ts';
import { type AddressSet, blockAddresses, holdsAddress } from './address-set.ts';
import type { Asked } from './asked.ts';
import { namesMatch } from './domain-names.ts';
import { namedPorts, protocolsOf } from './named-port.ts';
import { nearestPeer, nearestPort } from './nearest.ts';
import { nodeMeant } from './party.ts';
import type { RuleMiss } from './verdict.ts';

/** `match`: for certain. `unknown`: its ports match, and a peer that cannot be decided may. */
export type RuleMatch =
  | { readonly kind: 'match' | 'unknown' }
  | { readonly kind: 'miss'; readonly miss: Omit<RuleMiss, 'rule'> };

const blocks = new WeakMap<PolicyPeer, AddressSet>();
const addressesOf = (peer: PolicyPeer & { readonly kind: 'block' }): AddressSet => {
  const known = blocks.get(peer) ?? blockAddresses(peer);
  blocks.set(peer, known);
  return known;
};

const peerMatches = (
  wanted: PolicyPeer,
  { namespace }: Policy,
  { peer, namespaceLabels }: Asked,
): boolean | 'unknown' => {
  switch (wanted.kind) {
    case 'pods': {
      if (peer.kind !== 'pod') return false;
      const { pod } = peer;
      const inScope =
        wanted.namespaces === 'own'
          ? pod.namespace === namespace
          : matches(wanted.namespaces, namespaceLabels(pod.namespace));
      return inScope && matches(wanted.pods, pod.labels);
    }
    case 'block':
      return peer.ip !== undefined && holdsAddress(addressesOf(wanted), peer.ip);
    case 'nodes': {
      const node = nodeMeant(peer);
      return node !== undefined && matches(wanted.nodes, node.labels);
    }
    case 'domain-names':
      return namesMatch(wanted.names, peer);
    default:
      throw new TypeError(`not a peer: ${JSON.stringify(wanted satisfies never)}`);
  }
};

const portMatches = ({ protocol, port, endPort }: PolicyPort, asked: Asked): boolean => {
  // An echo has no port, and no rule can name ICMP: only one without ports admits it.
  if (asked.protocol === 'icmp' || asked.port === undefined) return false;
  if (!protocolsOf(protocol).includes(asked.protocol)) return false;
  if (port === undefined) return true;
  if (typeof port === 'number') return port <= asked.port && asked.port <= (endPort ?? port);
  return namedPorts(asked.containers, port, asked.protocol).includes(asked.port);
};

export const matchRule = (rule: PolicyRule, policy: Policy, asked: Asked): RuleMatch => {
  const port = rule.ports === 'all' || rule.ports.some((item) => portMatches(item, asked));
  const peers =
    rule.peers === 'everyone'
      ? [true as const]
      : rule.peers.map((peer) => peerMatches(peer, policy, asked));
  const peer = peers.includes(true) || (peers.includes('unknown') ? 'unknown' : false);
  if (port && peer !== false) return { kind: peer === true ? 'match' : 'unknown' };
  const { peers: wanted, ports } = rule;
  const closestPeer =
    peer === false && wanted !== 'everyone' ? nearestPeer(wanted, policy, asked) : undefined;
  const closestPort = port || ports === 'all' ? undefined : nearestPort(ports, asked);
  return {
    kind: 'miss',
    miss: {
      peer: peer !== false,
      port,
      ...(closestPeer !== undefined && { nearestPeer: closestPeer }),
      ...(closestPort !== undefined && { nearestPort: closestPort }),
    },
  };
};
