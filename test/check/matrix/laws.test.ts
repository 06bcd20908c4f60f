/** What holds between the forms of a matrix, over random clusters and policies. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, connectionsOf, matrixOf } from '../../../src/check/matrix/all-pairs.ts';
import type { AllowedPorts, Matrix, MatrixConnection } from '../../../src/check/matrix/matrix.ts';
import { narrow } from '../../../src/check/matrix/narrow.ts';
import { type OpenedMatrix, openMatrix } from '../../../src/check/matrix/open-matrix.ts';
import { rolesOf } from '../../../src/check/matrix/roles.ts';
import type { Cluster } from '../../../src/cluster/cluster.ts';
import { clusterOf } from '../../cluster/cluster-of.ts';
import { allowedText, deployment, namespace, pod, policy } from './clusters.ts';

const NAMESPACES = ['blue', 'green'];
const APPS = ['web', 'db', 'job'];

const app = fc.constantFrom(...APPS);
const selector = fc.oneof(
  fc.constant('{}'),
  app.map((name) => `{matchLabels: {app: ${name}}}`),
  app.map((name) => `{matchExpressions: [{key: app, operator: NotIn, values: [${name}]}]}`),
);
const peer = fc.oneof(
  selector.map((pods) => `{podSelector: ${pods}}`),
  fc.constant('{namespaceSelector: {}}'),
  fc
    .constantFrom(...NAMESPACES)
    .map((name) => `{namespaceSelector: {matchLabels: {color: ${name}}}}`),
  fc
    .constantFrom('10.0.0.0/8', '10.244.1.0/24', '0.0.0.0/0')
    .map((cidr) => `{ipBlock: {cidr: ${cidr}}}`),
);
const port = fc.constantFrom(
  '{port: 80}',
  '{port: http}',
  '{port: 70, endPort: 90}',
  '{protocol: UDP}',
);
const rule = fc
  .record({ peers: fc.array(peer, { maxLength: 2 }), ports: fc.array(port, { maxLength: 2 }) })
  .map(
    ({ peers, ports }) =>
      (side: string) =>
        `{${side}: [${peers.join(', ')}], ports: [${ports.join(', ')}]}`,
  );
const policyText = fc
  .record({
    ns: fc.constantFrom(...NAMESPACES),
    subject: selector,
    ingress: fc.option(fc.array(rule, { maxLength: 2 })),
    egress: fc.option(fc.array(rule, { maxLength: 2 })),
  })
  .map(({ ns, subject, ingress, egress }) => (at: number) => {
    const rules = [
      ...(ingress ? [`ingress: [${ingress.map((one) => one('from')).join(', ')}]`] : []),
      ...(egress ? [`egress: [${egress.map((one) => one('to')).join(', ')}]`] : []),
    ];
    const types = [...(ingress ? ['Ingress'] : []), ...(egress ? ['Egress'] : [])];
    return policy(
      `p-${at}`,
      `podSelector: ${subject}, policyTypes: [${types.join(', ')}]${rules.map((text) => `, ${text}`).join('')}`,
      ns,
    );
  });

const workload = fc
  .record({
    ns: fc.constantFrom(...NAMESPACES),
    name: app,
    replicas: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ ns, name, replicas }) => ({
    key: `${ns}/${name}`,
    yaml: deployment(name, `app: ${name}`, replicas, ns),
  }));

const member = fc
  .record({
    ns: fc.constantFrom(...NAMESPACES),
    name: app,
    set: fc.constantFrom('x', 'y'),
    host: fc.boolean(),
  })
  .map(
    ({ ns, name, set, host }) =>
      (at: number) =>
        pod(
          `${set}-${at}`,
          `app: ${name}`,
          `namespace: ${ns}, ownerReferences: [{kind: StatefulSet, name: ${set}, controller: true}]`,
          host ? 'hostNetwork: true' : '',
        ),
  );

const clusters = fc
  .record({
    workloads: fc.uniqueArray(workload, { selector: ({ key }) => key, maxLength: 4 }),
    members: fc.array(member, { maxLength: 4 }),
    policies: fc.array(policyText, { maxLength: 4 }),
  })
  .map(({ workloads, members, policies }) =>
    [
      ...NAMESPACES.map((name) => namespace(name, `color: ${name}`)),
      pod('bare', 'app: web'),
      ...workloads.map(({ yaml }) => yaml),
      ...members.map((one, at) => one(at)),
      ...policies.map((one, at) => one(at)),
    ].join(''),
  );

const RUNS = { numRuns: 30 };
const holds = (law: (cluster: Cluster) => void) =>
  fc.assert(
    fc.asyncProperty(clusters, async (yaml) => law(await clusterOf(yaml))),
    RUNS,
  );

const narrowed = (matrix: OpenedMatrix, wanted: Parameters<typeof narrow>[1]): OpenedMatrix => {
  const found = narrow(matrix, wanted);
  if (!found.ok) throw new Error(JSON.stringify(found.diagnostics));
  return found.matrix;
};

/** Every port of every protocol that is allowed, at the ports that policies here can tell apart. */
const SAMPLES = [1, 53, 70, 75, 79, 80, 81, 90, 91, 8080, 65_535];
const points = (allowed: readonly AllowedPorts[]): string[] =>
  allowed.flatMap(({ protocol, ports }) =>
    SAMPLES.filter((port) =>
      ports.split(',').some((text) => {
        const [from = '', to = from] = text.split('-');
        return Number(from) <= port && port <= Number(to);
      }),
    ).map((port) => `${protocol} ${port}`),
  );

const cellMap = (connections: readonly MatrixConnection[]): Map<string, string> =>
  new Map(connections.map(({ src, dst, allowed }) => [`${src} > ${dst}`, allowedText(allowed)]));

/** The cells of Pods, put together by what the Pods are told as. */
const united = (matrix: Matrix, groupOf: (id: string) => string): Map<string, Set<string>> => {
  const sums = new Map<string, Set<string>>();
  for (const { src, dst, allowed } of matrix.connections) {
    const key = `${groupOf(src)} > ${groupOf(dst)}`;
    const sum = sums.get(key) ?? new Set();
    sums.set(key, sum);
    for (const point of points(allowed)) sum.add(point);
  }
  return sums;
};

const sorted = (sums: ReadonlyMap<string, ReadonlySet<string>>): [string, string[]][] =>
  [...sums].map(([key, all]): [string, string[]] => [key, [...all].sort()]).sort();

describe('a matrix', () => {
  it.each(['workload', 'pod', 'namespace'] as const)(
    'by %s is filtered by --from and --to as the whole is',
    (groupBy) =>
      holds((cluster) => {
        const whole = openMatrix(cluster, { groupBy });
        const all = [...connectionsOf(whole)];
        for (const { id: from } of whole.peers) {
          const some = [...connectionsOf(narrowed(whole, { from }))];
          expect(some).toEqual(all.filter(({ src }) => src === from));
          const others = [...connectionsOf(narrowed(whole, { to: from }))];
          expect(others).toEqual(all.filter(({ dst }) => dst === from));
        }
      }),
  );

  it('is cut to --port cell by cell', () =>
    holds((cluster) => {
      const whole = openMatrix(cluster);
      const ports = { tcp: [{ from: 75, to: 80 }], udp: [{ from: 53, to: 53 }] };
      const cut = [...connectionsOf(narrowed(whole, { ports }))];
      const wanted = new Set(['TCP 75', 'TCP 79', 'TCP 80', 'UDP 53']);
      const expected = [...connectionsOf(whole)].flatMap(({ src, dst, allowed }) => {
        const left = points(allowed).filter((point) => wanted.has(point));
        return left.length > 0 ? [[src, dst, left]] : [];
      });
      expect(cut.map(({ src, dst, allowed }) => [src, dst, points(allowed)])).toEqual(expected);
    }));

  it('asks pair by pair what it tells row by row', () =>
    holds((cluster) => {
      const { rows, connections, self, table, peers } = openMatrix(cluster);
      for (const { src, to, self: own } of rows()) {
        expect(table.of(self(src))).toBe(own);
        const told = new Map(to.map(({ dst, allowed }) => [dst, allowed]));
        for (const dst of peers.keys())
          expect(table.of(connections(src, dst))).toBe(told.get(dst) ?? table.of({}));
      }
    }));

  it.each(['workload', 'namespace'] as const)('by %s is the sum of its Pods', (groupBy) =>
    holds((cluster) => {
      const byGroup = matrixOf(cluster, { groupBy });
      const byPod = matrixOf(cluster, { groupBy: 'pod' });
      const groupOf = (id: string): string => {
        const name = byPod.peers.find((one) => one.id === id);
        const group = byGroup.peers.find(
          ({ namespace: ns, pods }) => ns === name?.namespace && pods?.includes(name?.name ?? ''),
        );
        return group?.id ?? id;
      };
      const expected = united(byPod, groupOf);
      if (groupBy === 'workload')
        for (const key of expected.keys()) {
          const [src, dst] = key.split(' > ');
          if (src === dst) expected.delete(key);
        }
      const found = united(byGroup, (id) => id);
      // Blocks that single Pods tell apart may fare alike for all of a group, and the other way round.
      const inside = (sums: Map<string, Set<string>>) =>
        new Map([...sums].filter(([key]) => !key.includes('ipblock:')));
      expect(sorted(inside(found))).toEqual(sorted(inside(expected)));
    }),
  );

  it.each(['workload', 'pod', 'namespace'] as const)(
    'by %s is what its roles unfold to',
    (groupBy) =>
      holds((cluster) => {
        const matrix = openMatrix(cluster, { groupBy });
        const roles = rolesOf(matrix);
        const unfolded = new Map<string, string>();
        for (const [from, { peers: sources }] of (roles?.roles ?? []).entries())
          for (const { role, allowed } of roles?.row(from) ?? [])
            for (const src of sources)
              for (const dst of roles?.roles[role]?.peers ?? [])
                if (src !== dst || groupBy === 'namespace')
                  unfolded.set(
                    `${matrix.peers[src]?.id} > ${matrix.peers[dst]?.id}`,
                    allowedText(allowed),
                  );
        expect(new Map([...unfolded].sort())).toEqual(
          new Map([...cellMap([...connectionsOf(matrix)])].sort()),
        );
        for (const from of (roles?.roles ?? []).keys())
          for (const { role, allowed } of roles?.row(from) ?? [])
            expect(roles?.column(role)).toContainEqual({ role: from, allowed });
      }),
  );

  it('is the same however often it is made', () =>
    holds((cluster) => {
      expect(collect(openMatrix(cluster))).toEqual(matrixOf(cluster));
    }));
});
