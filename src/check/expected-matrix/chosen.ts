/** Who is meant by a peer of a matrix expectation: Pods and blocks of addresses, with ports. */
import type { Cluster, Service, Target } from '../../cluster/cluster.ts';
import { atPlace, type Diagnostic } from '../../cluster/diagnostic.ts';
import { resolveEndpoint } from '../../cluster/endpoint.ts';
import { didYouMean, nearest } from '../../cluster/nearest.ts';
import { cidrRange, familyOf } from '../../policy/address-set.ts';
import {
  type ConnectionSet,
  connectionsOf,
  connectionText,
  includes,
  unionOf,
} from '../../policy/connection-set.ts';
import type { PolicyEngine } from '../../policy/policy-engine.ts';
import type { PeerText } from '../../scenario/expectations/matrix-expectation.ts';
import { everywhere, NOWHERE, type Outside, within } from './outside.ts';
import { type ParsedPeer, type PeerAndPorts, parsePeer } from './peer-text.ts';

/** Pods and addresses that are asked about together. */
export interface Chosen {
  /** Indexes into `Cluster.pods`. */
  readonly pods: ReadonlySet<number>;
  readonly outside: Outside;
  /** Of the destination; absent: whatever port. */
  readonly ports?: ConnectionSet | undefined;
}

export interface World {
  readonly cluster: Cluster;
  readonly engine: PolicyEngine;
  /** Of names that have none. */
  readonly namespace: string | undefined;
}

type Found = readonly Chosen[] | Diagnostic;

const problem = (code: string, message: string, hint?: string): Diagnostic => ({
  severity: 'error',
  code,
  message,
  ...(hint !== undefined && { hint }),
});

/** A Pod that has ended has no network, and nobody to talk to. */
const isThere =
  ({ engine }: World) =>
  (pod: number): boolean =>
    engine.classOf(pod) !== undefined;

const NOBODY: ReadonlySet<number> = new Set();

/** Behind a Service, what its endpoints serve: ports are those that they listen on. */
const behind = (service: Service, ports: ConnectionSet | undefined): Chosen[] => {
  const byPod = new Map<number, ConnectionSet>();
  for (const slice of service.slices)
    for (const { name, port, protocol } of slice.ports) {
      const front = service.ports.find(
        (item) => (item.name ?? '') === (name ?? '') && item.protocol === protocol,
      );
      if (port === undefined) continue;
      if (ports && !(front && includes(ports, protocol, front.port))) continue;
      const served = connectionsOf([protocol], [{ from: port, to: port }]);
      for (const { pod } of slice.endpoints)
        if (pod !== undefined) byPod.set(pod, unionOf(byPod.get(pod) ?? {}, served));
    }
  const bySet = new Map<string, { ports: ConnectionSet; pods: Set<number> }>();
  for (const [pod, served] of byPod) {
    const key = connectionText(served);
    const known = bySet.get(key) ?? { ports: served, pods: new Set<number>() };
    bySet.set(key, known);
    known.pods.add(pod);
  }
  return [...bySet.values()].map((one) => ({ ...one, outside: NOWHERE }));
};

/** All Pods of a workload, or the one. */
const podsOf = (
  { pods, workloads }: Cluster,
  { pod, workload }: Extract<Target, { kind: 'container' }>,
): readonly number[] => {
  if (!workload) return [pod];
  const namespace = pods[pod]?.namespace;
  const { kind, name } = workload;
  const found = workloads.find(
    (item) => item.kind === kind && item.name === name && item.namespace === namespace,
  );
  return found?.pods ?? [pod];
};

const endpoint = (
  text: string,
  ports: ConnectionSet | undefined,
  side: 'from' | 'to',
  world: World,
): Found => {
  const { cluster, namespace } = world;
  const resolved = resolveEndpoint(cluster, text, { namespace, side });
  if ('diagnostic' in resolved) return resolved.diagnostic;
  const { target } = resolved;
  switch (target.kind) {
    case 'container': {
      const pods = podsOf(cluster, target).filter(isThere(world));
      return pods.length > 0
        ? [{ pods: new Set(pods), outside: NOWHERE, ports }]
        : problem('no-peer', `${text} has no Pod with a network: policies say nothing of it`);
    }
    case 'service': {
      const service = cluster.services[target.service];
      const chosen = service ? behind(service, ports) : [];
      return chosen.length > 0
        ? chosen
        : problem(
            'no-peer',
            `${text} has no Pod behind it${ports ? ` at ${connectionText(ports)}` : ''}`,
            'Policies are about Pods; name the workload that is meant.',
          );
    }
    case 'node':
      return problem(
        'no-peer',
        `${text} is a node, which no policy is about`,
        'Name Pods, workloads, Services, namespaces or addresses.',
      );
    case 'name':
      return problem('unknown-endpoint', `there is no Pod ${JSON.stringify(text)}`);
    case 'ip':
    case 'external':
      throw new RangeError(`an address was taken for an endpoint: ${text}`);
    default:
      return target satisfies never;
  }
};

const block = (cidr: string, ports: ConnectionSet | undefined, world: World): Found => {
  const { cluster, engine } = world;
  const [ip = ''] = cidr.split('/');
  const range = cidrRange(cidr);
  if (range.from === range.to) {
    const own = cluster.pods.findIndex(
      (pod) => !pod.hostNetwork && [pod.ip, pod.ipv6, pod.onlyIpv6].includes(ip),
    );
    if (own >= 0) return [{ pods: new Set([own]), outside: NOWHERE, ports }];
  }
  const outside = within(engine, familyOf(ip), range);
  return outside.size > 0
    ? [{ pods: NOBODY, outside, ports }]
    : problem('no-peer', `${cidr}: nothing in the input has addresses of its family`);
};

const find = ({ peer, ports }: PeerAndPorts, side: 'from' | 'to', world: World): Found => {
  const { cluster } = world;
  const form = peer satisfies ParsedPeer;
  switch (form.form) {
    case 'everything':
      return [
        {
          pods: new Set([...cluster.pods.keys()].filter(isThere(world))),
          outside: everywhere(world.engine),
          ports,
        },
      ];
    case 'external':
      return [{ pods: NOBODY, outside: everywhere(world.engine), ports }];
    case 'namespace': {
      const { namespace } = form;
      const pods = [...cluster.pods.entries()].flatMap(([at, pod]) =>
        pod.namespace === namespace && isThere(world)(at) ? [at] : [],
      );
      return pods.length > 0
        ? [{ pods: new Set(pods), outside: NOWHERE, ports }]
        : problem(
            'no-peer',
            `namespace ${namespace} has no Pods`,
            didYouMean(nearest(namespace, cluster.namespaces)),
          );
    }
    case 'block':
      return block(form.cidr, ports, world);
    case 'endpoint':
      return endpoint(form.text, ports, side, world);
    default:
      return form satisfies never;
  }
};

/**
 * Everybody that some peers mean, and all that is wrong with them.
 * @param side ports are of the destination: those of a source are wrong
 */
export const chosenBy = (
  peers: readonly PeerText[],
  side: 'from' | 'to',
  world: World,
): { readonly chosen: readonly Chosen[]; readonly diagnostics: readonly Diagnostic[] } => {
  const chosen: Chosen[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const { text, place } of peers) {
    const parsed = parsePeer(text);
    const found: Found =
      'message' in parsed
        ? problem('bad-peer', parsed.message, parsed.hint)
        : side === 'from' && parsed.ports
          ? problem(
              'bad-peer',
              `${text} talks, and its ports are not looked at`,
              'Ports stand on the side that is talked to: { to: "deploy/cart:7070/tcp", only: deploy/web }',
            )
          : find(parsed, side, world);
    if ('severity' in found) diagnostics.push({ ...found, ...atPlace(place) });
    else chosen.push(...found);
  }
  return { chosen, diagnostics };
};
