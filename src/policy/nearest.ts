/** Of the peers and ports of a rule that does not match: the one that lacks the least. */
import type { Policy, PolicyPeer, PolicyPort } from '../cluster/policy/policy.ts';
import { type Labels, matches, type Selector } from '../cluster/selector.ts';
import { commonBits } from './address-set.ts';
import type { Asked } from './asked.ts';
import { namedPorts, protocolsOf } from './named-port.ts';
import { nodeMeant } from './party.ts';

/** The index of the least; of equal ones the first. */
const least = (weights: readonly number[]): number | undefined =>
  weights.length === 0 ? undefined : weights.indexOf(Math.min(...weights));

/** Requirements that do not hold. */
const lacking = (selector: Selector, labels: Labels): number =>
  selector.filter((requirement) => !matches([requirement], labels)).length;

// A selector of Pods is the closest that a rule can come to a Pod; a block can be widened; what is
// of another kind comes last.
const BLOCK = 1000;
const OTHER_FAMILY = 5000;
const OTHER_KIND = 10_000;

const peerDistance = (
  wanted: PolicyPeer,
  { namespace }: Policy,
  { peer, namespaceLabels }: Asked,
): number => {
  switch (wanted.kind) {
    case 'pods': {
      if (peer.kind !== 'pod') return OTHER_KIND;
      const { pod } = peer;
      const away =
        wanted.namespaces === 'own'
          ? Number(pod.namespace !== namespace)
          : lacking(wanted.namespaces, namespaceLabels(pod.namespace));
      return away + lacking(wanted.pods, pod.labels);
    }
    case 'block': {
      if (peer.ip === undefined) return OTHER_KIND;
      const common = commonBits(peer.ip, wanted.cidr);
      return common < 0 ? OTHER_FAMILY : BLOCK + 128 - common;
    }
    case 'nodes': {
      const node = nodeMeant(peer);
      return node ? lacking(wanted.nodes, node.labels) : OTHER_KIND;
    }
    case 'domain-names':
      return OTHER_KIND;
    default:
      throw new TypeError(`not a peer: ${JSON.stringify(wanted satisfies never)}`);
  }
};

export const nearestPeer = (
  peers: readonly PolicyPeer[],
  policy: Policy,
  asked: Asked,
): number | undefined => least(peers.map((peer) => peerDistance(peer, policy, asked)));

const ALL_PORTS_AWAY = 65_536;

const portDistance = ({ protocol, port, endPort }: PolicyPort, asked: Asked): number => {
  if (asked.protocol === 'icmp' || asked.port === undefined) return ALL_PORTS_AWAY;
  const own = asked.port;
  const numbers =
    typeof port === 'string'
      ? protocolsOf(protocol).flatMap((each) => namedPorts(asked.containers, port, each))
      : [];
  const away =
    port === undefined
      ? 0
      : typeof port === 'string'
        ? Math.min(ALL_PORTS_AWAY, ...numbers.map((number) => Math.abs(number - own)))
        : Math.max(port - own, own - (endPort ?? port), 0);
  return protocolsOf(protocol).includes(asked.protocol) ? away : away + ALL_PORTS_AWAY;
};

export const nearestPort = (ports: readonly PolicyPort[], asked: Asked): number | undefined =>
  least(ports.map((port) => portDistance(port, asked)));
