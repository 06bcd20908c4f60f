/** What policies are read as, and what is said about them, in short lines. */
import type {
  Policy,
  PolicyPeer,
  PolicyPort,
  PolicyRule,
} from '../../../src/cluster/policy/policy.ts';
import type { Selector } from '../../../src/cluster/selector.ts';
import { resolveYaml } from '../cluster-of.ts';

const selectorText = (selector: Selector): string =>
  selector.length === 0
    ? '*'
    : selector
        .map(({ key, operator, values }) =>
          key === '' && values.length === 0
            ? 'nothing'
            : `${key} ${operator} ${values.join('|')}`.trim(),
        )
        .join(' & ');

const peerText = (peer: PolicyPeer): string => {
  switch (peer.kind) {
    case 'pods':
      return `${peer.namespaces === 'own' ? 'own' : selectorText(peer.namespaces)} / ${selectorText(peer.pods)}`;
    case 'block':
      return [peer.cidr, ...peer.except.map((cidr) => `-${cidr}`)].join(' ');
    case 'nodes':
      return `nodes ${selectorText(peer.nodes)}`;
    case 'domain-names':
      return `names ${peer.names.join(' ')}`;
    default:
      return peer satisfies never;
  }
};

const portText = ({ protocol, port, endPort }: PolicyPort): string =>
  `${protocol}${port === undefined ? '' : `/${port}`}${endPort === undefined ? '' : `-${endPort}`}`;

const list = <Item>(items: readonly Item[] | string, text: (item: Item) => string): string =>
  typeof items === 'string' ? items : `[${items.map(text).join(', ')}]`;

export const ruleText = ({ action, name, peers, ports }: PolicyRule): string =>
  `${action}${name === undefined ? '' : ` "${name}"`} ${list(peers, peerText)} ${list(ports, portText)}`;

/** One line for the policy, one for each rule. */
export const policyLines = (policy: Policy): string[] => [
  `${policy.tier}${policy.priority === undefined ? '' : ` ${policy.priority}`} ${policy.namespace ?? '-'}/${policy.name} of ${peerText({ kind: 'pods', ...policy.subject })}`,
  ...(['ingress', 'egress'] as const).flatMap((direction) => {
    const rules = policy[direction];
    if (!rules) return [];
    return rules.length === 0
      ? [`${direction}: -`]
      : rules.map((rule) => `${direction}: ${ruleText(rule)}`);
  }),
];

export interface Read {
  readonly policies: readonly Policy[];
  readonly lines: readonly string[];
  /** `code line:column message | hint`. */
  readonly said: readonly string[];
}

export const readYaml = async (yaml: string): Promise<Read> => {
  const { cluster, diagnostics } = await resolveYaml(yaml);
  return {
    policies: cluster.policies,
    lines: cluster.policies.flatMap(policyLines),
    said: diagnostics.map(
      ({ code, line, column, message, hint }) =>
        `${code} ${line}:${column} ${message}${hint === undefined ? '' : ` | ${hint}`}`,
    ),
  };
};

/** A NetworkPolicy `web` with this spec; its first line is line 4. */
export const networkPolicy = (spec: string): string =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\n${spec}\n`;

/** A policy of a tier with this spec; its first line is line 4. */
export const tierPolicy = (kind: string, spec: string, name = 'one'): string =>
  `apiVersion: policy.networking.k8s.io/${kind === 'ClusterNetworkPolicy' ? 'v1alpha2' : 'v1alpha1'}\nkind: ${kind}\nmetadata: {name: ${name}}\n${spec}\n`;
