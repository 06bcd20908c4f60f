/** Policies without anybody's names, labels and ranges, that decide alike in their small cluster. */
import { NAME_LABEL } from '../cluster/namespace.ts';
import type { PodSelection, Policy, PolicyPeer, PolicyRule } from '../cluster/policy/policy.ts';
import { isInside } from '../cluster/policy/read-block.ts';
import type { Labels, Requirement, Selector } from '../cluster/selector.ts';
import { parseUserCidr, type UserCidr } from '../wire/parse-ip.ts';
import type { AddressMap } from './neutral-address.ts';
import type { Names } from './neutral-name.ts';
import { EXCLUDED_LABEL, type SmallScenario, ZONE_LABEL } from './small-scenario.ts';

/** Keys that mean the same everywhere. */
const KNOWN: ReadonlySet<string> = new Set([NAME_LABEL, ZONE_LABEL, EXCLUDED_LABEL]);

export interface NeutralLabels {
  labels(labels: Labels): Labels;
  selector(selector: Selector): Selector;
}

/** Keys and values are numbered as they come up; equal ones stay equal. */
export const neutralLabels = (names: Names): NeutralLabels => {
  const keys = new Map<string, string>();
  const values = new Map<string, string>();
  const numbered = (known: Map<string, string>, prefix: string, text: string): string => {
    const found = known.get(text) ?? `${prefix}-${known.size + 1}`;
    known.set(text, found);
    return found;
  };
  const keyOf = (key: string): string => (KNOWN.has(key) ? key : numbered(keys, 'key', key));
  const valueFor = (key: string, value: string): string => {
    if (value === '') return value;
    if (key === NAME_LABEL) return names.namespace(value);
    // Zones that are only nodes' have no name there.
    if (key === ZONE_LABEL && names.zone(value) !== 'zone') return names.zone(value);
    return numbered(values, 'value', value);
  };
  return {
    labels: (labels) =>
      Object.fromEntries(
        Object.entries(labels).map(([key, value]) => [keyOf(key), valueFor(key, value)]),
      ),
    selector: (selector) =>
      selector.map(
        ({ key, operator, values: list }): Requirement => ({
          key: key === '' ? key : keyOf(key),
          operator,
          values: list.map((value) => valueFor(key, value)),
        }),
      ),
  };
};

/** Addresses and ranges of a small cluster that a block may be about. */
const known = (small: SmallScenario): { ranges: string[]; ips: string[] } => ({
  ranges: [
    small.network.podCIDR,
    small.network.serviceCIDR,
    small.underlay.cidr,
    ...small.nodes.map(({ podCIDR }) => podCIDR),
  ],
  ips: [
    ...small.pods.flatMap(({ ip }) => ip ?? []),
    ...small.nodes.map(({ ip }) => ip),
    ...[small.expect.from, small.expect.to].flatMap(({ ip }) => ip ?? []),
  ],
});

type Block = Extract<PolicyPeer, { kind: 'block' }>;

/**
 * What a block holds of the cluster: its ranges that lie in it, and its addresses that lie in it and
 * in none of these. One that holds nothing of it becomes a range of documentation.
 */
const neutralBlock = (block: Block, small: SmallScenario, addresses: AddressMap): Block[] => {
  const of = ({ cidr }: Pick<UserCidr, 'cidr'>): Block => ({ kind: 'block', cidr, except: [] });
  const own = parseUserCidr(block.cidr);
  if (!own || own.family === 6) return [of({ cidr: '2001:db8::/32' })];
  if (own.prefix === 0 && block.except.length === 0) return [of(own)];
  const except = block.except.flatMap((cidr) => parseUserCidr(cidr) ?? []);
  const holds = (text: string): boolean => {
    const range = parseUserCidr(text);
    return (
      range !== undefined &&
      isInside(range, own) &&
      !except.some((cut) => isInside(range, cut) || isInside(cut, range))
    );
  };
  const { ranges, ips } = known(small);
  const wide = [...new Set(ranges)].filter(holds);
  const single = [...new Set(ips)]
    .map((ip) => `${ip}/32`)
    .filter((text) => {
      const range = parseUserCidr(text);
      return (
        holds(text) &&
        !wide.some((cidr) => {
          const outer = parseUserCidr(cidr);
          return range && outer && isInside(range, outer);
        })
      );
    });
  const cidrs = [...wide, ...single].map((cidr) => addresses.cidr(cidr));
  return (cidrs.length === 0 ? ['198.51.100.0/25'] : cidrs).map((cidr) => of({ cidr }));
};

const isPresent = <Value>(value: Value | undefined): value is Value => value !== undefined;

/** The policies of a small scenario, in the same order. */
export const neutralPolicies = (
  small: SmallScenario,
  names: Names,
  labels: NeutralLabels,
  addresses: AddressMap,
): Policy[] => {
  const selection = ({ namespaces, pods }: PodSelection): PodSelection => ({
    namespaces: namespaces === 'own' ? namespaces : labels.selector(namespaces),
    pods: labels.selector(pods),
  });
  const peer = (one: PolicyPeer): PolicyPeer[] => {
    switch (one.kind) {
      case 'pods':
        return [{ kind: 'pods', ...selection(one) }];
      case 'block':
        return neutralBlock(one, small, addresses);
      case 'nodes':
        return [{ kind: 'nodes', nodes: labels.selector(one.nodes) }];
      case 'domain-names':
        return [
          { kind: 'domain-names', names: one.names.map((_, at) => `name-${at + 1}.example`) },
        ];
      default:
        return one satisfies never;
    }
  };
  const rule = ({ name, action, peers, ports }: PolicyRule, at: number): PolicyRule => ({
    action,
    ...(isPresent(name) && { name: `rule-${at + 1}` }),
    peers: peers === 'everyone' ? peers : peers.flatMap(peer),
    ports:
      ports === 'all'
        ? ports
        : ports.map(({ protocol, port, endPort }) => ({
            protocol,
            ...(isPresent(port) && { port: typeof port === 'string' ? names.port(port) : port }),
            ...(isPresent(endPort) && { endPort }),
          })),
  });
  const digits = String(small.policies.length).length;
  return small.policies.map((policy, at) => ({
    kind: policy.kind,
    tier: policy.tier,
    ...(isPresent(policy.namespace) && { namespace: names.namespace(policy.namespace) }),
    name:
      policy.kind === 'BaselineAdminNetworkPolicy'
        ? 'default'
        : `policy-${String(at + 1).padStart(digits, '0')}`,
    ...(isPresent(policy.priority) && { priority: policy.priority }),
    subject: selection(policy.subject),
    ...(policy.ingress && { ingress: policy.ingress.map(rule) }),
    ...(policy.egress && { egress: policy.egress.map(rule) }),
  }));
};
