/**
 * What becomes of packets between the peers, beside what policies say: "allowed, but not connected",
 * and where nobody enforces policies "not allowed, but connected".
 */
import type { Listener, Pod } from '../../cluster/cluster.ts';
import { includes } from '../../policy/connection-set.ts';
import type { OpenedScenario } from '../../scenario/open.ts';
import { ask } from '../ask.ts';
import type { MatrixPath, MatrixWarning } from './matrix.ts';
import type { OpenedMatrix } from './open-matrix.ts';

/** Each is a trace; more take longer than anybody waits. */
const MOST_PROBES = 2_000;

export interface PathOptions {
  /** Called before each probe. */
  readonly progress?: ((done: number, of: number) => void) | undefined;
}

interface Pair {
  readonly src: number;
  readonly dst: number;
  readonly from: number;
  readonly to: number;
}

interface PathProbe extends Pair {
  readonly protocol: Listener['protocol'];
  readonly port: number;
}

export interface PathsFound {
  readonly paths: readonly MatrixPath[];
  readonly warnings: readonly MatrixWarning[];
}

const isRunning = ({ phase, ip }: Pod): boolean => phase === 'Running' && ip !== undefined;

/** Pods looked at of each peer: they stand for the others of their workload. */
const FEW = 8;

/** One pair of Pods on one node and one on two, as far as there are such. */
const pairsOf = (matrix: OpenedMatrix, src: number, dst: number): Pair[] => {
  const { cluster, groups } = matrix;
  const running = (at: number): number[] =>
    (groups[at]?.pods ?? [])
      .filter((pod) => {
        const found = cluster.pods[pod];
        return found !== undefined && isRunning(found);
      })
      .slice(0, FEW);
  const pairs = new Map<boolean, Pair>();
  for (const from of running(src))
    for (const to of running(dst)) {
      const sameNode = cluster.pods[from]?.node === cluster.pods[to]?.node;
      if (from !== to && !pairs.has(sameNode)) pairs.set(sameNode, { src, dst, from, to });
    }
  return [...pairs.values()];
};

/** Ports that something shows to be listened on, each once. */
const portsOf = ({ listeners }: Pod): Pick<PathProbe, 'protocol' | 'port'>[] => {
  const found = new Map(
    listeners.rows.map(({ protocol, port }) => [`${protocol}/${port}`, { protocol, port }]),
  );
  return [...found.values()];
};

function* probesOf(matrix: OpenedMatrix): Generator<PathProbe> {
  const { cluster, groups, sources, destinations } = matrix;
  for (const src of sources)
    for (const dst of destinations) {
      if (src === dst || !groups[src] || !groups[dst]) continue;
      for (const pair of pairsOf(matrix, src, dst)) {
        const target = cluster.pods[pair.to];
        for (const probe of target ? portsOf(target) : []) yield { ...pair, ...probe };
      }
    }
}

const nameOf = ({ namespace, name }: Pod): string => `${namespace}/${name}`;
/** A kind wins over a namespace of its name, so the kind is said. */
const typed = ({ namespace, name }: Pod): string => `${namespace}/pod/${name}`;

/** Of a plugin that the input does not show, the matrix says nothing; but packets went its way. */
const assumedPlugin = (
  { cluster, warnings }: OpenedMatrix,
  paths: readonly MatrixPath[],
): MatrixWarning[] => {
  const { policies, policyEngine, network } = cluster;
  const isLeaky = paths.some(({ allowed, disposition }) => !allowed && disposition === 'delivered');
  if (!isLeaky || policies.length === 0 || policyEngine !== 'none') return [];
  if (warnings.some(({ code }) => code === 'policies-not-enforced')) return [];
  return [
    {
      code: 'policies-not-enforced',
      message: `the input shows no plugin, and ${network.plugin}, which is assumed, enforces no policy (--policy enforced: as if something did)`,
    },
  ];
};

/** @param scenario the same input, with its World */
export const pathsOf = (
  matrix: OpenedMatrix,
  scenario: OpenedScenario,
  { progress }: PathOptions = {},
): PathsFound => {
  const { cluster, engine, peers } = matrix;
  const probes: PathProbe[] = [];
  let isCut = false;
  for (const probe of probesOf(matrix)) {
    isCut = probes.length === MOST_PROBES;
    if (isCut) break;
    probes.push(probe);
  }
  const paths: MatrixPath[] = [];
  for (const [done, { src, dst, from, to, protocol, port }] of probes.entries()) {
    progress?.(done, probes.length);
    const source = cluster.pods[from];
    const target = cluster.pods[to];
    const [fromClass, toClass] = [engine.classOf(from), engine.classOf(to)];
    if (!source || !target || fromClass === undefined || toClass === undefined) continue;
    const answer = ask(scenario, { from: typed(source), to: typed(target), protocol, port });
    if (!answer.ok) continue;
    const { disposition, symptom, cause } = answer.facts;
    paths.push({
      src: peers[src]?.id ?? '',
      dst: peers[dst]?.id ?? '',
      from: nameOf(source),
      to: nameOf(target),
      protocol: protocol === 'tcp' ? 'TCP' : 'UDP',
      port,
      allowed: includes(engine.between(fromClass, toClass), protocol, port),
      disposition,
      symptom,
      ...(cause && { cause: cause.code }),
    });
  }
  const cut: MatrixWarning = {
    code: 'paths-cut',
    message: `there are more than ${MOST_PROBES} pairs to send a packet between; the first ones were tried (--from and --to choose others)`,
  };
  return { paths, warnings: [...assumedPlugin(matrix, paths), ...(isCut ? [cut] : [])] };
};
