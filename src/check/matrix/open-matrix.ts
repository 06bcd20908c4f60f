/** A cluster's policies as a matrix: who its peers are, and what each may send to the others. */
import type { Cluster } from '../../cluster/cluster.ts';
import {
  type ConnectionSet,
  isEmpty,
  NO_CONNECTIONS,
  unionOf,
} from '../../policy/connection-set.ts';
import { engineOf } from '../../policy/engine.ts';
import type { PolicyEngine, VertexGroup } from '../../policy/policy-engine.ts';
import { type AllowedTable, createAllowedTable } from './allowed.ts';
import { type BlockGroup, groupBlocks } from './blocks.ts';
import { groupPods, type PodGroup } from './groups.ts';
import { type ControllerRow, controllerRow } from './ingress-controller.ts';
import type { AllowedPorts, MatrixOptions, MatrixPeer, MatrixRow, MatrixView } from './matrix.ts';
import { strangerAt, withStranger } from './stranger.ts';
import { warningsOf } from './warnings.ts';

export const INGRESS_CONTROLLER = '{ingress-controller}';

/** A matrix with what it was made of. */
export interface OpenedMatrix extends MatrixView {
  readonly cluster: Cluster;
  readonly engine: PolicyEngine;
  /** The first peers. */
  readonly groups: readonly PodGroup[];
  /** The last peers. */
  readonly blocks: readonly BlockGroup[];
  /** The class of a Pod that no policy knows: where it was asked for, or an Ingress needs it. */
  readonly strangerClass: number | undefined;
  readonly table: AllowedTable;
  /** One pair, by numbers of peers. */
  connections(src: number, dst: number): ConnectionSet;
  /** What Pods such as a peer's own may send to each other. */
  self(peer: number): ConnectionSet;
}

export const sumOf = (sets: Iterable<ConnectionSet>): ConnectionSet => {
  let sum: ConnectionSet | undefined;
  for (const set of sets) sum = sum === undefined || sum === set ? set : unionOf(sum, set);
  return sum ?? NO_CONNECTIONS;
};

const NOBODY: VertexGroup = { classes: [], blocks: [] };

interface Parts {
  readonly engine: PolicyEngine;
  readonly groups: readonly PodGroup[];
  readonly blocks: readonly BlockGroup[];
  /** Members of every peer, by its number. */
  readonly vertices: readonly VertexGroup[];
  readonly controller: ControllerRow;
  readonly table: AllowedTable;
  /** A group may be told with itself. */
  readonly withSelf: boolean;
}

function* rowsOf(parts: Parts): Generator<MatrixRow> {
  const { engine, groups, vertices, controller, table, withSelf } = parts;
  const at = groups.length;
  const controllerTo = [...controller.row].map(([dst, set]) => ({ dst, allowed: table.of(set) }));
  let told = controllerTo.length === 0;
  for (const { from, to } of engine.unions(vertices)) {
    if (!told && from > at) {
      told = true;
      yield { src: at, to: controllerTo, self: table.of(NO_CONNECTIONS) };
    }
    const others: { dst: number; allowed: readonly AllowedPorts[] }[] = [];
    // A loop: there may be hundreds of millions of them.
    for (const { group, connections } of to)
      if (group !== from || withSelf) others.push({ dst: group, allowed: table.of(connections) });
    yield { src: from, to: others, self: table.of(selfOf(parts, from)) };
  }
  if (!told) yield { src: at, to: controllerTo, self: table.of(NO_CONNECTIONS) };
}

/** One pair; a pair of blocks, and what is with itself, has nothing. */
const pairOf = (
  { engine, groups, blocks, controller, vertices, withSelf }: Parts,
  src: number,
  dst: number,
): ConnectionSet => {
  const from = groups[src];
  const to = groups[dst];
  if (src === dst && !withSelf) return NO_CONNECTIONS;
  if (from && to) {
    const sets = new Set<ConnectionSet>();
    for (const a of from.parts)
      for (const b of to.parts)
        if (src !== dst || a.class !== b.class || a.count > 1)
          sets.add(engine.between(a.class, b.class));
    return sumOf(sets);
  }
  const firstBlock = vertices.length - blocks.length;
  const outside = blocks[(from ? dst : src) - firstBlock];
  if (from && outside)
    return sumOf(from.parts.map((part) => engine.toBlock(part.class, outside.first)));
  if (to && outside)
    return sumOf(to.parts.map((part) => engine.fromBlock(outside.first, part.class)));
  return to ? (controller.row.get(dst) ?? NO_CONNECTIONS) : NO_CONNECTIONS;
};

const selfOf = (parts: Parts, peer: number): ConnectionSet => {
  if (parts.withSelf) return pairOf(parts, peer, peer);
  const { classes } = parts.vertices[peer] ?? NOBODY;
  const sets = new Set<ConnectionSet>();
  for (const from of classes) for (const to of classes) sets.add(parts.engine.between(from, to));
  return sumOf(sets);
};

/** @param wantsStranger a Pod that no policy knows is asked about */
export const openMatrix = (
  cluster: Cluster,
  options: MatrixOptions = {},
  wantsStranger = false,
): OpenedMatrix => {
  const { groupBy = 'workload', hostNetwork, finished } = options;
  const withOne = wantsStranger || cluster.ingressBackends.length > 0;
  const asked = withOne ? withStranger(cluster) : cluster;
  const engine = engineOf(asked, { hostNetwork, finished });
  const strangerClass = withOne ? engine.classOf(strangerAt(asked)) : undefined;
  const groups = groupPods(cluster, engine, groupBy);
  const table = createAllowedTable();
  const classes = engine.classes.flatMap((_, at) => (at === strangerClass ? [] : [at]));
  const blocks = groupBlocks(engine, classes);
  const controller = controllerRow(cluster, engine, groups, strangerClass);
  const hasController = !isEmpty(sumOf(controller.row.values()));
  const peers: MatrixPeer[] = [
    ...groups.map(({ peer }) => peer),
    ...(hasController ? [{ id: INGRESS_CONTROLLER }] : []),
    ...blocks.map(({ id }) => ({ id })),
  ];
  const vertices: VertexGroup[] = [
    ...groups.map(({ parts }) => ({ classes: parts.map((part) => part.class), blocks: [] })),
    ...(hasController ? [NOBODY] : []),
    ...blocks.map(({ first }) => ({ classes: [], blocks: [first] })),
  ];
  const withSelf = groupBy === 'namespace';
  const parts: Parts = { engine, groups, blocks, vertices, controller, table, withSelf };
  const all = peers.map((_, at) => at);
  return {
    peers,
    sources: all,
    destinations: all,
    rows: () => rowsOf(parts),
    warnings: [...warningsOf(cluster, engine, groups, options), ...controller.warnings],
    cluster,
    engine,
    groups,
    blocks,
    strangerClass,
    table,
    connections: (src, dst) => pairOf(parts, src, dst),
    self: (peer) => selfOf(parts, peer),
  };
};
