/** What is reachable from everywhere, and what lets everybody in. */
import { atPlace } from '../../cluster/diagnostic.ts';
import {
  type ConnectionSet,
  intersectionOf,
  isEmpty,
  NO_CONNECTIONS,
  PROTOCOLS,
  unionOf,
} from '../../policy/connection-set.ts';
import type { Party } from '../../policy/verdict.ts';
import type { Exposure, ExposureReason } from './matrix.ts';
import type { OpenedMatrix } from './open-matrix.ts';

type From = Exposure['from'];

/** What every address outside of a family may open to Pods of a class. */
const fromOutside = ({ engine }: OpenedMatrix, of: number): ConnectionSet => {
  const byFamily = new Map<number, ConnectionSet>();
  for (const [block, { family }] of engine.blocks.entries()) {
    const set = engine.fromBlock(block, of);
    const before = byFamily.get(family);
    byFamily.set(family, before && before !== set ? intersectionOf(before, set) : set);
  }
  return [...byFamily.values()].reduce(unionOf, NO_CONNECTIONS);
};

const keyOf = (reason: ExposureReason): string => JSON.stringify(reason);

/** Asked at the first port of each range: what decides there lets the range in. */
const reasonsOf = (
  matrix: OpenedMatrix,
  subject: number,
  peer: Party,
  set: ConnectionSet,
): ExposureReason[] => {
  const reasons = new Map<string, ExposureReason>();
  for (const protocol of PROTOCOLS)
    for (const { from } of set[protocol] ?? []) {
      const { by } = matrix.engine.judge({
        direction: 'ingress',
        subject,
        peer,
        protocol,
        port: from,
      });
      const reason: ExposureReason =
        by.kind === 'rule'
          ? {
              kind: 'rule',
              policy: {
                kind: by.policy.kind,
                ...(by.policy.namespace !== undefined && { namespace: by.policy.namespace }),
                name: by.policy.name,
              },
              rule: by.rule,
              ...atPlace(by.policy.ingress?.[by.rule]?.place ?? by.policy.place),
            }
          : { kind: 'not-isolated' };
      reasons.set(keyOf(reason), reason);
    }
  return [...reasons.values()];
};

/**
 * For each destination that is a peer inside.
 *
 * @param matrix opened with a stranger
 * @param within only these ports
 */
export const exposureOf = (matrix: OpenedMatrix, within?: ConnectionSet): Exposure[] => {
  const { engine, groups, table, destinations, strangerClass, cluster } = matrix;
  const stranger = strangerClass === undefined ? undefined : engine.classes[strangerClass]?.pods[0];
  const sources: { from: From; peer: Party; to: (of: number) => ConnectionSet }[] = [
    {
      from: 'outside',
      peer: { kind: 'address', ip: cluster.external.ip },
      to: (of) => fromOutside(matrix, of),
    },
  ];
  if (strangerClass !== undefined && stranger !== undefined)
    sources.push({
      from: 'every-namespace',
      peer: { kind: 'pod', pod: stranger },
      to: (of) => engine.between(strangerClass, of),
    });
  return destinations.flatMap((at) => {
    const group = groups[at];
    if (!group) return [];
    return sources.flatMap(({ from, peer, to }) => {
      const reasons = new Map<string, ExposureReason>();
      let sum = NO_CONNECTIONS;
      for (const { class: of } of group.parts) {
        const all = to(of);
        const set = within ? intersectionOf(all, within) : all;
        const subject = group.pods.find((pod) => engine.classOf(pod) === of);
        if (isEmpty(set) || subject === undefined) continue;
        sum = unionOf(sum, set);
        for (const reason of reasonsOf(matrix, subject, peer, set))
          reasons.set(keyOf(reason), reason);
      }
      if (isEmpty(sum)) return [];
      return [
        { peer: group.peer.id, from, allowed: table.of(sum), because: [...reasons.values()] },
      ];
    });
  });
};
