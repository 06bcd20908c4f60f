/** What rules look at, made once for all of them. */
import type { Cluster } from '../../cluster/cluster.ts';
import { withClusterDns } from '../../cluster/dns/cluster-dns.ts';
import type { Policy } from '../../cluster/policy/policy.ts';
import { selects } from '../../cluster/policy/selects.ts';
import { engineOf } from '../../policy/engine.ts';
import type { LintContext, PodKind } from './rule.ts';

/** Pods that have ended have no network. */
const hasEnded = ({ phase }: Cluster['pods'][number]): boolean =>
  phase === 'Succeeded' || phase === 'Failed';

const kindsOf = ({ pods }: Cluster): PodKind[] => {
  const found = new Map<string, Cluster['pods'][number][]>();
  for (const pod of pods) {
    if (hasEnded(pod)) continue;
    const { namespace, labels } = pod;
    const key = JSON.stringify([namespace, Object.entries(labels).sort()]);
    const known = found.get(key);
    if (known) known.push(pod);
    else found.set(key, [pod]);
  }
  return [...found.values()].flatMap((same) => {
    const [pod] = same;
    return pod ? [{ namespace: pod.namespace, labels: pod.labels, pods: same }] : [];
  });
};

export const lintContext = (cluster: Cluster): LintContext => {
  const kinds = kindsOf(cluster);
  const subjects = new Map<Policy, readonly PodKind[]>();
  let dns: ReturnType<LintContext['dns']> | undefined;
  return {
    cluster,
    kinds,
    subjectsOf: (policy) => {
      const known = subjects.get(policy) ?? kinds.filter((kind) => selects(cluster, policy, kind));
      subjects.set(policy, known);
      return known;
    },
    dns: () => {
      if (!dns) {
        const whole = withClusterDns(cluster);
        dns = { cluster: whole, engine: engineOf(whole) };
      }
      return dns;
    },
  };
};
