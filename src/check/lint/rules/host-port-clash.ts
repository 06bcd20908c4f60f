/** Two Pods that want one port of one node. */
import type { Pod } from '../../../cluster/cluster.ts';
import { type Found, type LintRule, ownerTitle, podRefs, someOf } from '../rule.ts';

interface Wish {
  readonly pod: Pod;
  readonly key: string;
  readonly ip: string;
}

const wishesOf = (pod: Pod): Wish[] =>
  pod.hostNetwork || pod.phase === 'Succeeded' || pod.phase === 'Failed'
    ? []
    : pod.containers.flatMap(({ ports }) =>
        ports.flatMap(({ hostPort, protocol, hostIP }) =>
          hostPort === undefined
            ? []
            : [{ pod, key: `${hostPort}/${protocol}`, ip: hostIP ?? '0.0.0.0' }],
        ),
      );

const meet = (a: Wish, b: Wish): boolean => a.ip === b.ip || [a.ip, b.ip].includes('0.0.0.0');

export const hostPortClash: LintRule = {
  code: 'host-port-clash',
  severity: 'error',
  title: 'Two Pods want one port of a node',
  find: ({ cluster }) => {
    const wishes = cluster.pods.flatMap(wishesOf);
    const groups = new Map<string, Wish[]>();
    for (const wish of wishes) groups.set(wish.key, [...(groups.get(wish.key) ?? []), wish]);
    return [...groups].flatMap(([key, group]): Found[] => {
      const report = (list: readonly Wish[], message: string, fix: string): Found => ({
        place: list.at(-1)?.pod.place,
        objects: list.slice(0, 50).flatMap(({ pod }) => podRefs(pod)),
        message,
        fix,
      });
      const placed = group.filter(({ pod }) => pod.node !== undefined && !pod.invented.node);
      const clashes = placed.flatMap((one, at) => {
        const other = placed
          .slice(0, at)
          .find((before) => before.pod.node === one.pod.node && meet(before, one));
        if (!other || other.pod === one.pod) return [];
        const names = [other, one].map(({ pod }) => `Pod ${pod.namespace}/${pod.name}`);
        return [
          report(
            [other, one],
            `${names.join(' and ')} both want port ${key} of node ${one.pod.node}`,
            'Give one of them another hostPort, or another node.',
          ),
        ];
      });
      const isMade = group.some(({ pod }) => pod.invented.node);
      const own = new Set(group.map(({ pod }) => pod)).size;
      if (!isMade || own <= cluster.nodes.length || clashes.length > 0) return clashes;
      // How many nodes there are is nobody's word where they are made up.
      if (cluster.nodes.every(({ invented }) => invented.node)) return [];
      const owners = [...new Set(group.map(({ pod }) => ownerTitle(pod)))];
      return [
        report(
          group,
          `${own} Pods (${someOf(owners)}) want port ${key} of a node each, and there are ${cluster.nodes.length} nodes`,
          'Run as many replicas as there are nodes at most, or leave hostPort out and use a Service.',
        ),
      ];
    });
  },
};
