/** Selectors, peers and ports of a policy as people write them. */
import type { PolicyPeer, PolicyPort } from '../../cluster/policy/policy.ts';
import type { Requirement, Selector } from '../../cluster/selector.ts';

/** As `kubectl get -l` takes it: `app=web`, `tier in (a,b)`, `!canary`. */
export const requirementText = ({ key, operator, values }: Requirement): string => {
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(',')})`;
    case 'NotIn':
      return values.length === 1 ? `${key}!=${values[0]}` : `${key} notin (${values.join(',')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'Gt':
      return `${key}>${values[0] ?? ''}`;
    case 'Lt':
      return `${key}<${values[0] ?? ''}`;
    default:
      throw new TypeError(`not an operator: ${operator satisfies never}`);
  }
};

const selectorText = (selector: Selector): string => selector.map(requirementText).join(',');

const NAME_LABEL = 'kubernetes.io/metadata.name';

/** ` of namespace shop`, ` of namespaces team=a`. */
const namespacesText = (selector: Selector): string => {
  if (selector.length === 0) return ' of every namespace';
  const [only] = selector;
  return selector.length === 1 && only?.key === NAME_LABEL && only.operator === 'In'
    ? ` of ${only.values.length === 1 ? 'namespace' : 'namespaces'} ${only.values.join(' or ')}`
    : ` of namespaces ${selectorText(selector)}`;
};

/** `Pods app=web of namespace shop`, `10.0.0.0/8 without 10.1.0.0/16`. */
export const peerText = (peer: PolicyPeer): string => {
  switch (peer.kind) {
    case 'pods': {
      const pods = peer.pods.length === 0 ? 'every Pod' : `Pods ${selectorText(peer.pods)}`;
      if (peer.namespaces !== 'own') return `${pods}${namespacesText(peer.namespaces)}`;
      return peer.pods.length === 0 ? `${pods} of its own namespace` : pods;
    }
    case 'block':
      return peer.except.length === 0
        ? peer.cidr
        : `${peer.cidr} without ${peer.except.join(', ')}`;
    case 'nodes':
      return peer.nodes.length === 0 ? 'every node' : `nodes ${selectorText(peer.nodes)}`;
    case 'domain-names':
      return `domain names ${peer.names.join(', ')}`;
    default:
      throw new TypeError(`not a peer: ${JSON.stringify(peer satisfies never)}`);
  }
};

/** `TCP 80`, `TCP 8000-8999`, `TCP port http`, `every UDP port`. */
export const portText = ({ protocol, port, endPort }: PolicyPort): string => {
  const name = protocol === 'any' ? '' : `${protocol.toUpperCase()} `;
  if (port === undefined) return `every ${name}port`;
  if (typeof port === 'string') return `${name}port ${port}`;
  return `${name}${port}${endPort === undefined ? '' : `-${endPort}`}`;
};
