/** Everything that policies can tell apart, each once: selections, blocks, node selectors, port names. */
import type {
  PodSelection,
  Policy,
  PolicyDirection,
  PolicyPort,
  PolicyRule,
} from '../cluster/policy/policy.ts';
import type { Selector } from '../cluster/selector.ts';
import { type AddressSet, blockAddresses } from './address-set.ts';
import { connectionsOf, unionOf } from './connection-set.ts';
import type { ConnectionTable } from './connection-table.ts';
import { mayNamePods } from './domain-names.ts';
import { protocolsOf } from './named-port.ts';
import { ALL_PORTS } from './port-set.ts';
import { selectorKey } from './selector-index.ts';

/** Pods of namespaces, as numbers of selectors. */
export interface Selection {
  readonly pods: number;
  /** The name of one namespace, or the number of a namespace selector. */
  readonly namespaces: string | number;
}

/** Peers of a rule, as numbers of what the vocabulary holds. */
export interface RulePeers {
  readonly selections: readonly number[];
  readonly blocks: readonly number[];
  readonly nodes: readonly number[];
  /** `pods`: a name may be that of a Pod. */
  readonly names: 'none' | 'outside' | 'pods';
}

export interface NamedPort {
  readonly name: string;
  readonly protocol: PolicyPort['protocol'];
}

export interface CompiledRule {
  readonly action: PolicyRule['action'];
  readonly peers: RulePeers | 'everyone';
  /** Its numbers, in the table. */
  readonly ports: number;
  /** Its names, which mean other numbers on other Pods. */
  readonly named: readonly NamedPort[];
}

export interface CompiledPolicy {
  readonly policy: Policy;
  readonly subject: number;
  readonly rules: Readonly<Record<PolicyDirection, readonly CompiledRule[] | undefined>>;
  /** Names of ports are used in the direction. */
  readonly hasNames: Readonly<Record<PolicyDirection, boolean>>;
}

export interface Vocabulary {
  /** In order of evaluation. */
  readonly policies: readonly CompiledPolicy[];
  readonly podSelectors: readonly Selector[];
  readonly namespaceSelectors: readonly Selector[];
  readonly nodeSelectors: readonly Selector[];
  readonly selections: readonly Selection[];
  readonly blocks: readonly AddressSet[];
  /** Names of ports that rules use. */
  readonly portNames: readonly string[];
}

/** Numbers things by a text that equal ones share. */
const numbering = <T>(): { readonly all: T[]; idOf(key: string, make: () => T): number } => {
  const all: T[] = [];
  const ids = new Map<string, number>();
  return {
    all,
    idOf: (key, make) => {
      let id = ids.get(key);
      if (id === undefined) {
        id = all.length;
        all.push(make());
        ids.set(key, id);
      }
      return id;
    },
  };
};

/** @param policies in order of evaluation */
export const vocabularyOf = (policies: readonly Policy[], table: ConnectionTable): Vocabulary => {
  const podSelectors = numbering<Selector>();
  const namespaceSelectors = numbering<Selector>();
  const nodeSelectors = numbering<Selector>();
  const selections = numbering<Selection>();
  const blocks = numbering<AddressSet>();
  const portNames = new Set<string>();

  const selectorId = (pool: ReturnType<typeof numbering<Selector>>, selector: Selector): number =>
    pool.idOf(selectorKey(selector), () => selector);

  const selectionId = ({ namespaces, pods }: PodSelection, own: string | undefined): number => {
    const selection: Selection = {
      pods: selectorId(podSelectors, pods),
      namespaces: namespaces === 'own' ? (own ?? '') : selectorId(namespaceSelectors, namespaces),
    };
    return selections.idOf(JSON.stringify([selection.pods, selection.namespaces]), () => selection);
  };

  const peersOf = (rule: PolicyRule, policy: Policy): CompiledRule['peers'] => {
    if (rule.peers === 'everyone') return 'everyone';
    const of = { selections: [] as number[], blocks: [] as number[], nodes: [] as number[] };
    let names: RulePeers['names'] = 'none';
    for (const peer of rule.peers) {
      switch (peer.kind) {
        case 'pods':
          of.selections.push(selectionId(peer, policy.namespace));
          break;
        case 'block': {
          const key = JSON.stringify([peer.cidr, ...peer.except.toSorted()]);
          of.blocks.push(blocks.idOf(key, () => blockAddresses(peer)));
          break;
        }
        case 'nodes':
          of.nodes.push(selectorId(nodeSelectors, peer.nodes));
          break;
        case 'domain-names':
          if (names !== 'pods') names = mayNamePods(peer.names) ? 'pods' : 'outside';
          break;
        default:
          throw new TypeError(`not a peer: ${JSON.stringify(peer satisfies never)}`);
      }
    }
    return { ...of, names };
  };

  const compileRule = (rule: PolicyRule, policy: Policy): CompiledRule => {
    const named: NamedPort[] = [];
    let ports = connectionsOf(rule.ports === 'all' ? ['tcp', 'udp', 'sctp'] : [], ALL_PORTS);
    for (const { protocol, port, endPort } of rule.ports === 'all' ? [] : rule.ports) {
      if (typeof port === 'string') {
        portNames.add(port);
        named.push({ name: port, protocol });
        continue;
      }
      const range = port === undefined ? ALL_PORTS : [{ from: port, to: endPort ?? port }];
      ports = unionOf(ports, connectionsOf(protocolsOf(protocol), range));
    }
    return { action: rule.action, peers: peersOf(rule, policy), ports: table.idOf(ports), named };
  };

  const compiled = policies.map((policy): CompiledPolicy => {
    const subject = selectionId(policy.subject, policy.namespace);
    const ingress = policy.ingress?.map((rule) => compileRule(rule, policy));
    const egress = policy.egress?.map((rule) => compileRule(rule, policy));
    const hasNames = (rules: readonly CompiledRule[] | undefined): boolean =>
      rules?.some(({ named }) => named.length > 0) ?? false;
    return {
      policy,
      subject,
      rules: { ingress, egress },
      hasNames: { ingress: hasNames(ingress), egress: hasNames(egress) },
    };
  });
  return {
    policies: compiled,
    podSelectors: podSelectors.all,
    namespaceSelectors: namespaceSelectors.all,
    nodeSelectors: nodeSelectors.all,
    selections: selections.all,
    blocks: blocks.all,
    portNames: [...portNames].sort(),
  };
};
