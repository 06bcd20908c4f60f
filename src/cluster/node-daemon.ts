/** Kubernetes' own daemons, and the ports that each of them has on every node. */
export const NODE_DAEMONS = [
  { name: 'kubelet', port: 10250 },
  { name: 'kube-proxy', port: 10256 },
] as const;
