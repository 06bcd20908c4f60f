/** Pods on their node's network share the node's ports, with each other and with its daemons. */
import type { Pod } from './cluster.ts';
import { warn } from './field.ts';
import { isDaemon, NODE_DAEMONS } from './node-daemon.ts';
import { compareText } from './order.ts';
import type { PodDraft } from './pod-draft.ts';

/** Reports each port of a node that a second Pod wants. `drafts` are in the order of `pods`. */
export const reportHostClashes = (drafts: readonly PodDraft[], pods: readonly Pod[]): void => {
  const holders = new Map<string, string>();
  const inOrder = pods
    .flatMap((pod, at) => {
      const draft = drafts[at];
      return draft && pod.hostNetwork && pod.phase === 'Running' ? [{ pod, draft }] : [];
    })
    // As they are bound.
    .sort(
      (a, b) =>
        compareText(a.pod.namespace, b.pod.namespace) || compareText(a.pod.name, b.pod.name),
    );
  for (const { pod, draft } of inOrder) {
    for (const { port, protocol, ip } of pod.listeners.rows) {
      const daemon = protocol === 'tcp' && NODE_DAEMONS.find((one) => one.port === port);
      if (daemon && isDaemon(pod, daemon.name)) continue;
      const key = `${pod.node} ${port}/${protocol} ${ip}`;
      const everywhere = `${pod.node} ${port}/${protocol} 0.0.0.0`;
      const holder = daemon ? daemon.name : (holders.get(key) ?? holders.get(everywhere));
      const name = `${pod.namespace}/${pod.name}`;
      if (holder === undefined) holders.set(key, `Pod ${name}`);
      else if (holder !== `Pod ${name}`)
        warn(
          draft.field,
          'port-clash',
          `wants port ${port}/${protocol} of node ${pod.node}, whose network it is on: ${holder} has it`,
        );
    }
  }
};
