/** Kubernetes' own daemons on every node, with the TCP port that each of them has. */
import type { Pod } from './cluster.ts';

export const NODE_DAEMONS = [
  { name: 'kubelet', port: 10250 },
  { name: 'kube-proxy', port: 10256 },
] as const;

/** Whether a Pod is the daemon itself: kube-proxy runs as one in most clusters. */
export const isDaemon = ({ owners }: Pick<Pod, 'owners'>, name: string): boolean =>
  owners.some((owner) => owner.kind === 'DaemonSet' && owner.name === name);
