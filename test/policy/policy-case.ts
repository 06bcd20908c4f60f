/** Hand-written cases of policy semantics (`cases/*.yaml`), opened: a cluster and the cells expected of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import type { Cluster } from '../../src/cluster/cluster.ts';
import type { ConnectionSet, EngineOptions, PortRange } from '../../src/policy/policy-engine.ts';
import { clusterOf } from '../cluster/cluster-of.ts';

interface PodShape {
  readonly labels?: Record<string, string>;
  /** `8080`, `http=8080`, `dns=53/udp`. */
  readonly ports?: readonly (string | number)[];
  readonly sidecar?: readonly (string | number)[];
  readonly init?: readonly (string | number)[];
  readonly ip?: string;
  readonly ipv6?: string;
  readonly node?: string;
  readonly phase?: string;
  readonly hostNetwork?: boolean;
  readonly deleted?: boolean;
}

interface CaseShape {
  readonly case: string;
  readonly options?: EngineOptions;
  readonly nodes?: Record<string, Record<string, string>>;
  readonly namespaces?: Record<string, Record<string, string>>;
  readonly pods: Record<string, PodShape>;
  readonly policies?: Record<string, unknown>;
  /** Pods that have no network. */
  readonly without?: readonly string[];
  readonly cells: Record<string, string>;
}

/** All connections of two ends, or one of them. */
export type Cell = { readonly text: string; readonly from: string; readonly to: string } & (
  | { readonly kind: 'all'; readonly allowed: ConnectionSet }
  | {
      readonly kind: 'one';
      readonly protocol: 'tcp' | 'udp' | 'icmp';
      readonly port?: number;
      readonly decision: string;
    }
);

export interface PolicyCase {
  readonly file: string;
  readonly name: string;
  readonly options: EngineOptions;
  readonly cluster: () => Promise<Cluster>;
  /** How many policies it has. */
  readonly policies: number;
  readonly without: readonly string[];
  readonly cells: readonly Cell[];
}

const API: Record<string, string> = {
  NetworkPolicy: 'networking.k8s.io/v1',
  AdminNetworkPolicy: 'policy.networking.k8s.io/v1alpha1',
  BaselineAdminNetworkPolicy: 'policy.networking.k8s.io/v1alpha1',
  ClusterNetworkPolicy: 'policy.networking.k8s.io/v1alpha2',
};

const metadataOf = (text: string): { name: string; namespace?: string } => {
  const [first = '', second] = text.split('/');
  return second === undefined ? { name: first } : { namespace: first, name: second };
};

const portOf = (text: string | number): object => {
  const [, name, number, protocol = 'tcp'] =
    /^(?:([\w-]+)=)?(\d+)(?:\/(\w+))?$/.exec(String(text)) ?? [];
  return {
    ...(name !== undefined && { name }),
    containerPort: Number(number),
    protocol: protocol.toUpperCase(),
  };
};

const podOf = (key: string, shape: PodShape): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    ...metadataOf(key),
    labels: shape.labels ?? {},
    ...(shape.deleted === true && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
  },
  spec: {
    ...(shape.node !== undefined && { nodeName: shape.node }),
    ...(shape.hostNetwork === true && { hostNetwork: true }),
    ...(shape.init && { initContainers: [{ name: 'init', ports: shape.init.map(portOf) }] }),
    containers: [
      { name: 'app', ports: (shape.ports ?? []).map(portOf) },
      ...(shape.sidecar ? [{ name: 'sidecar', ports: shape.sidecar.map(portOf) }] : []),
    ],
  },
  status: {
    phase: shape.phase ?? 'Running',
    ...(shape.ip !== undefined && {
      podIP: shape.ip,
      podIPs: [shape.ip, ...(shape.ipv6 === undefined ? [] : [shape.ipv6])].map((ip) => ({ ip })),
    }),
  },
});

const policyOf = (key: string, spec: unknown): object => {
  const [kind = '', name = ''] = key.split(' ');
  return { apiVersion: API[kind], kind, metadata: metadataOf(name), spec };
};

const nodesOf = (nodes: Record<string, Record<string, string>>): object => ({
  apiVersion: 'k8snet/v1',
  kind: 'Scenario',
  metadata: { name: 'case' },
  spec: { nodes: Object.entries(nodes).map(([name, labels]) => ({ name, labels })) },
});

const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;

const FULL: readonly PortRange[] = [{ from: 1, to: 65_535 }];

const rangesOf = (text: string): PortRange[] =>
  text.split(',').map((part) => {
    const [from = '', to = from] = part.split('-');
    return { from: Number(from), to: Number(to) };
  });

const outside = (ranges: readonly PortRange[]): PortRange[] => {
  let next = 1;
  const gaps = ranges.flatMap(({ from, to }) => {
    const gap = from > next ? [{ from: next, to: from - 1 }] : [];
    next = to + 1;
    return gap;
  });
  return next <= 65_535 ? [...gaps, { from: next, to: 65_535 }] : gaps;
};

/** `none`, `all`, `TCP 80,8000-8010 UDP 53`, `all but TCP 80`. */
const connectionsOf = (text: string): ConnectionSet => {
  if (text === 'none') return {};
  if (text === 'all') return { tcp: FULL, udp: FULL, sctp: FULL };
  const listed = new Map(
    [...text.matchAll(/(TCP|UDP|SCTP) ([\d,-]+)/g)].map(
      ([, protocol = '', ports = '']) => [protocol.toLowerCase(), rangesOf(ports)] as const,
    ),
  );
  if (listed.size === 0) throw new Error(`not connections: ${text}`);
  const but = text.startsWith('all but ');
  return Object.fromEntries(
    PROTOCOLS.flatMap((protocol) => {
      const ranges = listed.get(protocol);
      const left = but ? (ranges ? outside(ranges) : FULL) : (ranges ?? []);
      return left.length > 0 ? [[protocol, left] as const] : [];
    }),
  );
};

const cellOf = (key: string, value: string): Cell => {
  const [, from, to, rest] = /^(\S+) > (\S+)(?: (\S+))?$/.exec(key) ?? [];
  if (from === undefined || to === undefined) throw new Error(`not a cell: ${key}`);
  const base = { text: `${key}: ${value}`, from, to };
  if (rest === undefined) return { ...base, kind: 'all', allowed: connectionsOf(value) };
  if (rest === 'ping') return { ...base, kind: 'one', protocol: 'icmp', decision: value };
  const [protocol, port] = rest.split('/');
  if (protocol !== 'tcp' && protocol !== 'udp') throw new Error(`not a protocol: ${key}`);
  return { ...base, kind: 'one', protocol, port: Number(port), decision: value };
};

const folder = join(import.meta.dirname, 'cases');

/** In order of file and place. */
export const policyCases: readonly PolicyCase[] = readdirSync(folder)
  .sort()
  .flatMap((file) => {
    const shapes = load(readFileSync(join(folder, file), 'utf8')) as readonly CaseShape[];
    return shapes.map((shape) => {
      const objects = [
        nodesOf(shape.nodes ?? { 'node-1': {}, 'node-2': {} }),
        ...Object.entries(shape.namespaces ?? {}).map(([name, labels]) => ({
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name, labels },
        })),
        ...Object.entries(shape.pods).map(([key, pod]) => podOf(key, pod)),
        ...Object.entries(shape.policies ?? {}).map(([key, spec]) => policyOf(key, spec)),
      ];
      return {
        file,
        name: shape.case,
        options: shape.options ?? {},
        cluster: () =>
          clusterOf(objects.map((object) => `---\n${JSON.stringify(object)}\n`).join('')),
        policies: Object.keys(shape.policies ?? {}).length,
        without: shape.without ?? [],
        cells: Object.entries(shape.cells).map(([key, value]) => cellOf(key, value)),
      };
    });
  });
