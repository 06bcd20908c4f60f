/** A part of a matrix: some sources, some destinations, some ports. */
import type { Cluster, Target } from '../../cluster/cluster.ts';
import type { Diagnostic } from '../../cluster/diagnostic.ts';
import { resolveEndpoint } from '../../cluster/endpoint.ts';
import { addressNumber, familyOf } from '../../policy/address-set.ts';
import { type ConnectionSet, intersectionOf } from '../../policy/connection-set.ts';
import { parseUserIp } from '../../wire/parse-ip.ts';
import type { AllowedPorts, MatrixRow } from './matrix.ts';
import type { OpenedMatrix } from './open-matrix.ts';

export interface Narrowing {
  /** A peer's id, a namespace, an endpoint, `external`, or an address of either family. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly ports?: ConnectionSet | undefined;
  /** Of names that have none; default `default`. */
  readonly namespace?: string | undefined;
}

export type Narrowed =
  | { readonly ok: true; readonly matrix: OpenedMatrix }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

type Found = readonly number[] | { readonly diagnostic: Diagnostic };

const blockOf = ({ blocks, peers }: OpenedMatrix, ip: string): number[] => {
  const family = familyOf(ip);
  const number = addressNumber(ip);
  const first = peers.length - blocks.length;
  return blocks.flatMap(({ block }, at) =>
    block.family === family &&
    addressNumber(block.from) <= number &&
    number <= addressNumber(block.to)
      ? [first + at]
      : [],
  );
};

const peersOfPods = ({ groups }: OpenedMatrix, pods: readonly number[]): number[] => {
  const wanted = new Set(pods);
  return groups.flatMap((group, at) => (group.pods.some((pod) => wanted.has(pod)) ? [at] : []));
};

/** The Pods that a target stands for. */
const podsOf = ({ workloads, pods, services }: Cluster, target: Target): readonly number[] => {
  switch (target.kind) {
    case 'container': {
      const { workload } = target;
      if (!workload) return [target.pod];
      const namespace = pods[target.pod]?.namespace;
      const found = workloads.find(
        (item) =>
          item.kind === workload.kind &&
          item.name === workload.name &&
          item.namespace === namespace,
      );
      return found?.pods ?? [target.pod];
    }
    case 'service':
      return (services[target.service]?.slices ?? []).flatMap(({ endpoints }) =>
        endpoints.flatMap(({ pod }) => pod ?? []),
      );
    case 'node':
    case 'ip':
    case 'name':
    case 'external':
      return [];
    default:
      return target satisfies never;
  }
};

const find = (
  matrix: OpenedMatrix,
  text: string,
  side: 'from' | 'to',
  namespace: string | undefined,
): Found => {
  const { cluster, peers, groups, blocks } = matrix;
  const exact = peers.findIndex(({ id }) => id === text);
  if (exact >= 0) return [exact];
  if (text === 'external') return blocks.map((_, at) => peers.length - blocks.length + at);
  const address = parseUserIp(text)?.ip;
  if (address !== undefined) {
    const pod = cluster.pods.findIndex(
      ({ ip, ipv6, onlyIpv6, hostNetwork }) =>
        !hostNetwork && (ip === address || ipv6 === address || onlyIpv6 === address),
    );
    return pod < 0 ? blockOf(matrix, address) : peersOfPods(matrix, [pod]);
  }
  const ofNamespace = (name: string): number[] =>
    groups.flatMap(({ peer }, at) => (peer.namespace === name ? [at] : []));
  const prefix = 'namespace:';
  if (text.startsWith(prefix)) {
    const name = text.slice(prefix.length);
    if (cluster.namespaces.includes(name)) return ofNamespace(name);
  }
  const resolved = resolveEndpoint(cluster, text, { namespace, side });
  const pods = 'target' in resolved ? podsOf(cluster, resolved.target) : [];
  if (pods.length > 0) return peersOfPods(matrix, pods);
  const called = groups.flatMap(({ peer }, at) => {
    const full = `${peer.namespace}/${peer.name}`;
    return full === text || full === `${namespace ?? 'default'}/${text}` ? [at] : [];
  });
  if (called.length > 0) return called;
  if (cluster.namespaces.includes(text)) return ofNamespace(text);
  if ('diagnostic' in resolved) return resolved;
  return {
    diagnostic: {
      severity: 'error',
      code: 'no-peer',
      message: `nothing in the matrix is ${JSON.stringify(text)}`,
      hint: 'Name a peer by its id, a Pod, a workload, a Service, a namespace, an address, or external.',
    },
  };
};

/** Only some sources: their pairs are asked one by one. */
function* rowsFrom(
  { connections, self, table }: OpenedMatrix,
  sources: readonly number[],
  destinations: readonly number[],
): Generator<MatrixRow> {
  for (const src of sources) {
    const to = destinations.flatMap((dst) => {
      const allowed = table.of(connections(src, dst));
      return allowed.length > 0 ? [{ dst, allowed }] : [];
    });
    yield { src, to, self: table.of(self(src)) };
  }
}

/** Rows of all sources, without what is not wanted. */
function* rowsAmong(
  { rows }: OpenedMatrix,
  sources: ReadonlySet<number>,
  destinations: ReadonlySet<number>,
): Generator<MatrixRow> {
  for (const { src, to, self } of rows())
    if (sources.has(src)) yield { src, to: to.filter(({ dst }) => destinations.has(dst)), self };
}

function* rowsAt(
  rows: Iterable<MatrixRow>,
  within: (allowed: readonly AllowedPorts[]) => readonly AllowedPorts[],
): Generator<MatrixRow> {
  for (const { src, to, self } of rows)
    yield {
      src,
      to: to.flatMap(({ dst, allowed }) => {
        const rest = within(allowed);
        return rest.length > 0 ? [{ dst, allowed: rest }] : [];
      }),
      self: within(self),
    };
}

/** What of some ports is allowed, by what is allowed. */
const cutTo = (
  { table }: OpenedMatrix,
  ports: ConnectionSet,
): ((allowed: readonly AllowedPorts[]) => readonly AllowedPorts[]) => {
  const known = new Map<readonly AllowedPorts[], readonly AllowedPorts[]>();
  return (allowed) => {
    const cut = known.get(allowed) ?? table.of(intersectionOf(table.setOf(allowed), ports));
    known.set(allowed, cut);
    return cut;
  };
};

/** So many times fewer sources are asked pair by pair: all rows at once are made faster. */
const FEW = 8;

/** All that is wrong with what is asked for comes at once. */
export const narrow = (matrix: OpenedMatrix, wanted: Narrowing): Narrowed => {
  const { from, to, ports, namespace } = wanted;
  const sources = from === undefined ? matrix.sources : find(matrix, from, 'from', namespace);
  const destinations = to === undefined ? matrix.destinations : find(matrix, to, 'to', namespace);
  const diagnostics = [sources, destinations].flatMap((one) =>
    'diagnostic' in one ? [one.diagnostic] : [],
  );
  if ('diagnostic' in sources || 'diagnostic' in destinations) return { ok: false, diagnostics };
  const few = sources.length * FEW < matrix.peers.length;
  const isWhole = from === undefined && to === undefined;
  const rows = (): Iterable<MatrixRow> => {
    if (isWhole) return matrix.rows();
    return few
      ? rowsFrom(matrix, sources, destinations)
      : rowsAmong(matrix, new Set(sources), new Set(destinations));
  };
  const within = ports && cutTo(matrix, ports);
  return {
    ok: true,
    matrix: {
      ...matrix,
      sources,
      destinations,
      rows: within ? () => rowsAt(rows(), within) : rows,
      connections: (src, dst) => {
        const all = matrix.connections(src, dst);
        return ports ? intersectionOf(all, ports) : all;
      },
    },
  };
};
