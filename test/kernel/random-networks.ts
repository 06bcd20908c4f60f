/** Networks that random clusters are laid on; the commonest more often. */
export const NETWORKS = [
  { plugin: 'bridge', backend: 'static-routes' },
  { plugin: 'bridge', backend: 'cloud-routes' },
  { plugin: 'flannel', backend: 'vxlan' },
  { plugin: 'flannel', backend: 'vxlan' },
  { plugin: 'flannel', backend: 'host-gw' },
] as const;
