import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../src/cluster/cluster.ts';
import {
  type ConnectionSet,
  includes,
  NO_CONNECTIONS,
  PROTOCOLS,
  unionOf,
} from '../../src/policy/connection-set.ts';
import { engineOf } from '../../src/policy/engine.ts';
import type { EngineOptions } from '../../src/policy/policy-engine.ts';
import { type End, oracle } from './oracle.ts';
import { INTERESTING, randomCluster } from './random-policies.ts';

const OPTIONS: readonly EngineOptions[] = [
  {},
  { hostNetwork: 'pods' },
  { hostNetwork: 'pods', finished: 'pods' },
];

/** Addresses of a Pod; one that is not known yet is `undefined`. */
const ipsOf = (pod: Pod): (string | undefined)[] => {
  const ips = [pod.onlyIpv6 ?? pod.ip, pod.ipv6].filter((ip) => ip !== undefined);
  const isOnNode = pod.hostNetwork && pod.node !== undefined;
  return ips.length > 0 ? ips : isOnNode ? [`192.168.10.1${pod.node?.at(-1)}`] : [undefined];
};

const canMeet = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined || b === undefined || a.includes(':') === b.includes(':');

const endOf = (pod: Pod, ip: string | undefined): End => ({ pod, ip });

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const runs = Number(process.env['POLICY_RUNS'] ?? 60);

describe('the engine agrees with a naive reading of the reference', () => {
  it.each(OPTIONS)(
    'over all pairs of Pods, with %o',
    (options) => {
      let cells = 0;
      fc.assert(
        fc.property(seeds, (seed) => {
          const cluster = randomCluster(seed);
          const engine = engineOf(cluster, options);
          for (const [from, source] of cluster.pods.entries())
            for (const [to, target] of cluster.pods.entries()) {
              const [sourceClass, targetClass] = [engine.classOf(from), engine.classOf(to)];
              if (from === to || sourceClass === undefined || targetClass === undefined) continue;
              const set = engine.between(sourceClass, targetClass);
              for (const protocol of PROTOCOLS)
                for (const port of INTERESTING) {
                  let allowed = false;
                  for (const fromIp of ipsOf(source))
                    for (const toIp of ipsOf(target)) {
                      if (!canMeet(fromIp, toIp)) continue;
                      const connection = {
                        from: endOf(source, fromIp),
                        to: endOf(target, toIp),
                        protocol,
                        port,
                      };
                      const egress = oracle(cluster, options, 'egress', connection);
                      const ingress = oracle(cluster, options, 'ingress', connection);
                      const cell = JSON.stringify({ seed, from, to, fromIp, toIp, protocol, port });
                      const out = engine.judge({
                        direction: 'egress',
                        subject: from,
                        peer: { kind: 'pod', pod: to },
                        peerIp: toIp,
                        protocol,
                        port,
                      });
                      const into = engine.judge({
                        direction: 'ingress',
                        subject: to,
                        peer: { kind: 'pod', pod: from },
                        peerIp: fromIp,
                        protocol,
                        port,
                      });
                      expect(out.decision, `egress ${cell}`).toBe(egress);
                      if (into.by.kind === 'exempt' && into.by.why === 'own-node')
                        expect(source.node).toBe(target.node);
                      else expect(into.decision, `ingress ${cell}`).toBe(ingress);
                      allowed ||= egress === 'allow' && ingress === 'allow';
                      cells++;
                    }
                  expect(
                    includes(set, protocol, port),
                    `between ${JSON.stringify({ seed, from, to, protocol, port })}`,
                  ).toBe(allowed);
                }
            }
        }),
        { numRuns: runs },
      );
      expect(cells).toBeGreaterThan(runs * 200);
    },
    120_000,
  );

  it('over blocks of addresses, in both directions', () => {
    let cells = 0;
    fc.assert(
      fc.property(seeds, (seed) => {
        const cluster = randomCluster(seed);
        const engine = engineOf(cluster);
        for (const [block, { from, to, family }] of engine.blocks.entries())
          for (const [index, pod] of cluster.pods.entries()) {
            const own = engine.classOf(index);
            if (own === undefined) continue;
            const into = engine.fromBlock(block, own);
            const out = engine.toBlock(own, block);
            const has = ipsOf(pod).find((ip) => canMeet(ip, from));
            const meets = ipsOf(pod).some((ip) => canMeet(ip, from));
            for (const ip of [from, to])
              for (const protocol of PROTOCOLS)
                for (const port of INTERESTING) {
                  cells++;
                  const here = endOf(pod, has);
                  const ingress = oracle(cluster, {}, 'ingress', {
                    from: { ip },
                    to: here,
                    protocol,
                    port,
                  });
                  const egress = oracle(cluster, {}, 'egress', {
                    from: here,
                    to: { ip },
                    protocol,
                    port,
                  });
                  const cell = JSON.stringify({ seed, block, family, ip, index, protocol, port });
                  expect(includes(into, protocol, port), `in ${cell}`).toBe(
                    meets && ingress === 'allow',
                  );
                  expect(includes(out, protocol, port), `out ${cell}`).toBe(
                    meets && egress === 'allow',
                  );
                  const asked = {
                    subject: index,
                    peer: { kind: 'address', ip },
                    protocol,
                    port,
                  } as const;
                  expect(engine.judge({ ...asked, direction: 'ingress' }).decision, cell).toBe(
                    ingress,
                  );
                  expect(engine.judge({ ...asked, direction: 'egress' }).decision, cell).toBe(
                    egress,
                  );
                }
          }
      }),
      { numRuns: Math.ceil(runs / 3) },
    );
    expect(cells).toBeGreaterThan(2000);
  }, 120_000);

  it('for echoes, which only rules without ports admit', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const cluster = randomCluster(seed);
        const engine = engineOf(cluster);
        for (const [from, source] of cluster.pods.entries())
          for (const [to, target] of cluster.pods.entries()) {
            if (from === to || source.hostNetwork) continue;
            const [fromIp, toIp] = [ipsOf(source)[0], ipsOf(target)[0]];
            const { decision } = engine.judge({
              direction: 'egress',
              subject: from,
              peer: { kind: 'pod', pod: to },
              protocol: 'icmp',
            });
            expect(decision, JSON.stringify({ seed, from, to })).toBe(
              oracle(cluster, {}, 'egress', {
                from: endOf(source, fromIp),
                to: endOf(target, toIp),
                protocol: 'icmp',
              }),
            );
          }
      }),
      { numRuns: runs },
    );
  }, 60_000);
});

describe('groups', () => {
  it('are the unions of their pairs', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.array(fc.nat({ max: 3 }), { minLength: 8, maxLength: 8 }),
        (seed, places) => {
          const cluster = randomCluster(seed);
          const engine = engineOf(cluster, { hostNetwork: 'pods' });
          // Groups of Pods, not of classes: two groups may share a class.
          const groups = [0, 1, 2, 3].map((group) => ({
            classes: [
              ...new Set(
                cluster.pods.flatMap((_, index) => {
                  const own = engine.classOf(index);
                  return places[index] === group && own !== undefined ? [own] : [];
                }),
              ),
            ],
            blocks: [],
          }));
          const all = [
            ...groups,
            ...engine.blocks.map((_, block) => ({ classes: [], blocks: [block] })),
          ];
          const rows = new Map(
            [...engine.unions(all)].map(({ from, to }) => [
              from,
              new Map(to.map(({ group, connections }) => [group, connections])),
            ]),
          );
          for (const [from, source] of all.entries())
            for (const [to, target] of all.entries()) {
              let expected: ConnectionSet = NO_CONNECTIONS;
              const add = (set: ConnectionSet): void => {
                expected = unionOf(expected, set);
              };
              for (const a of source.classes) {
                for (const b of target.classes)
                  if (from !== to || a !== b || (engine.classes[a]?.pods.length ?? 0) > 1)
                    add(engine.between(a, b));
                for (const b of target.blocks) add(engine.toBlock(a, b));
              }
              for (const a of source.blocks)
                for (const b of target.classes) add(engine.fromBlock(a, b));
              expect(
                rows.get(from)?.get(to) ?? NO_CONNECTIONS,
                JSON.stringify({ seed, from, to }),
              ).toEqual(expected);
            }
        },
      ),
      { numRuns: runs * 2 },
    );
  }, 60_000);
});
