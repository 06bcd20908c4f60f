/** Classes of Pods and blocks of addresses: the ends of all pairs, none of which policies tell apart. */
import type { Pod } from '../cluster/cluster.ts';
import { type AddressAtom, atomOf, cutFamily, type Family, familyOf } from './address-set.ts';
import { PROTOCOLS } from './connection-set.ts';
import { namedPorts } from './named-port.ts';
import type { Parties, PolicyCluster } from './party.ts';
import { createSelectorIndex } from './selector-index.ts';
import type { Selection, Vocabulary } from './vocabulary.ts';

/** An address family of a vertex, as rules see it. */
export interface End {
  /** `none`: a Pod without an address yet, which may get one of either family. */
  readonly family: Family | 'none';
  /** Blocks of the vocabulary that hold the address. */
  readonly blocks: readonly number[];
}

export interface Vertex {
  readonly kind: 'pod' | 'node' | 'block';
  /** What of the vocabulary selects it: selections of a Pod, selectors of a node. */
  readonly selected: readonly number[];
  readonly ends: readonly End[];
  /** Numbers of the port names that rules use: `name/protocol` → numbers. */
  readonly named: NamedPorts;
}

export interface NamedPorts {
  /** Equal ones are one object. */
  readonly key: string;
  readonly numbers: ReadonlyMap<string, readonly number[]>;
}

export interface PodVertex extends Vertex {
  readonly kind: 'pod' | 'node';
  readonly namespace: string;
  /** Ascending. */
  readonly pods: readonly number[];
}

export interface Vertices {
  readonly classes: readonly PodVertex[];
  /** IPv4 first, in order. */
  readonly blocks: readonly (Vertex & { readonly atom: AddressAtom })[];
  /** Class of each Pod; -1: it has no network. */
  readonly classOf: Int32Array;
}

export const portKey = (name: string, protocol: string): string => `${name}/${protocol}`;

const NO_PORT_NAMES: NamedPorts = { key: '', numbers: new Map() };

/** What selects a Pod: the numbers of selections, one array for all Pods that have the same. */
const createSelectionsOf = (
  { podSelectors, namespaceSelectors, selections }: Vocabulary,
  { namespaceLabels }: Parties,
): ((pod: Pod) => readonly number[]) => {
  const podIndex = createSelectorIndex(podSelectors);
  const namespaceIndex = createSelectorIndex(namespaceSelectors);
  const byPods = new Map<number, { readonly id: number; readonly selection: Selection }[]>();
  const own = new Map<string, number>();
  for (const [id, selection] of selections.entries()) {
    if (typeof selection.namespaces === 'string')
      own.set(`${selection.pods} ${selection.namespaces}`, id);
    else {
      const list = byPods.get(selection.pods);
      if (list) list.push({ id, selection });
      else byPods.set(selection.pods, [{ id, selection }]);
    }
  }
  const results = new Map<string, readonly number[]>();
  interface Scope {
    readonly selectors: ReadonlySet<number>;
    /** By what a Pod's labels match. */
    readonly found: Map<readonly number[], readonly number[]>;
  }
  const scopes = new Map<string, Scope>();
  return ({ namespace, labels }) => {
    let scope = scopes.get(namespace);
    if (!scope) {
      scope = { selectors: new Set(namespaceIndex(namespaceLabels(namespace))), found: new Map() };
      scopes.set(namespace, scope);
    }
    const { selectors, found } = scope;
    const matched = podIndex(labels);
    let result = found.get(matched);
    if (!result) {
      result = matched
        .flatMap((pods) => [
          own.get(`${pods} ${namespace}`) ?? [],
          (byPods.get(pods) ?? []).flatMap(({ id, selection }) =>
            selectors.has(selection.namespaces as number) ? [id] : [],
          ),
        ])
        .flat()
        .sort((a, b) => a - b);
      const key = result.join();
      result = results.get(key) ?? result;
      results.set(key, result);
      found.set(matched, result);
    }
    return result;
  };
};

const createNamedPortsOf = (names: readonly string[]): ((pod: Pod) => NamedPorts) => {
  const pool = new Map<string, NamedPorts>();
  const byContainers = new Map<Pod['containers'], NamedPorts>();
  const find = ({ containers }: Pod): NamedPorts => {
    const numbers = new Map<string, readonly number[]>();
    for (const name of names)
      for (const protocol of PROTOCOLS) {
        const found = namedPorts(containers, name, protocol).toSorted((a, b) => a - b);
        if (found.length > 0) numbers.set(portKey(name, protocol), found);
      }
    if (numbers.size === 0) return NO_PORT_NAMES;
    const key = JSON.stringify([...numbers]);
    const known = pool.get(key) ?? { key, numbers };
    pool.set(key, known);
    return known;
  };
  return (pod) => {
    if (names.length === 0) return NO_PORT_NAMES;
    const known = byContainers.get(pod.containers) ?? find(pod);
    byContainers.set(pod.containers, known);
    return known;
  };
};

/** A number for each different object: small, and cheap to put into a key. */
const createNumbers = (): ((value: object) => number) => {
  const ids = new Map<object, number>();
  return (value) => {
    const id = ids.get(value) ?? ids.size;
    ids.set(value, id);
    return id;
  };
};

export const verticesOf = (
  cluster: PolicyCluster,
  vocabulary: Vocabulary,
  parties: Parties,
): Vertices => {
  const atoms: Readonly<Record<Family, readonly AddressAtom[]>> = {
    4: cutFamily(4, vocabulary.blocks),
    6: cutFamily(6, vocabulary.blocks),
  };
  const selectionsOf = createSelectionsOf(vocabulary, parties);
  const nodeIndex = createSelectorIndex(vocabulary.nodeSelectors);
  const namedPortsOf = createNamedPortsOf(vocabulary.portNames);
  const idOf = createNumbers();
  const noSelectors: readonly number[] = [];
  const noBlocks: readonly number[] = [];

  const classes: (Omit<PodVertex, 'pods'> & { readonly pods: number[] })[] = [];
  const classOf = new Int32Array(cluster.pods.length).fill(-1);
  const known = new Map<string, number>();
  let hasIpv6 = vocabulary.blocks.some(({ family }) => family === 6);
  for (const [index, pod] of cluster.pods.entries()) {
    if (!parties.hasNetwork(pod)) continue;
    const kind = parties.isNodeTraffic(pod) ? 'node' : 'pod';
    const node = kind === 'node' ? parties.nodeOf(pod.node) : undefined;
    const selected =
      kind === 'pod' ? selectionsOf(pod) : node ? nodeIndex(node.labels) : noSelectors;
    const named = kind === 'pod' ? namedPortsOf(pod) : NO_PORT_NAMES;
    const families = parties.addressesOf(pod).map((ip) => {
      const family = familyOf(ip);
      return { family, blocks: atoms[family][atomOf(atoms[family], ip)]?.sets ?? noBlocks };
    });
    hasIpv6 ||= families.some(({ family }) => family === 6);
    const key = [
      pod.namespace,
      kind,
      idOf(selected),
      idOf(named),
      ...families.map(({ family, blocks }) => `${family}:${idOf(blocks)}`),
    ].join(' ');
    let at = known.get(key);
    if (at === undefined) {
      at = classes.length;
      known.set(key, at);
      const ends: readonly End[] =
        families.length > 0 ? families : [{ family: 'none', blocks: noBlocks }];
      classes.push({ kind, namespace: pod.namespace, selected, ends, named, pods: [] });
    }
    classes[at]?.pods.push(index);
    classOf[index] = at;
  }
  const blocks = (hasIpv6 ? [...atoms[4], ...atoms[6]] : atoms[4]).map((atom) => ({
    kind: 'block' as const,
    selected: noSelectors,
    ends: [{ family: atom.family, blocks: atom.sets }],
    named: NO_PORT_NAMES,
    atom,
  }));
  return { classes, blocks, classOf };
};
