/** The kinds of objects that matter to the network, and the API groups they come from. */

/** Another group's kind of the same name is not it. */
const GROUPS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Pod', ['']],
  ['Node', ['']],
  ['Namespace', ['']],
  ['Service', ['']],
  ['Endpoints', ['']],
  ['EndpointSlice', ['discovery.k8s.io']],
  ['ConfigMap', ['']],
  ['KubeProxyConfiguration', ['kubeproxy.config.k8s.io']],
  ['ReplicationController', ['']],
  ['Deployment', ['apps', 'extensions']],
  ['ReplicaSet', ['apps', 'extensions']],
  ['DaemonSet', ['apps', 'extensions']],
  ['StatefulSet', ['apps']],
  ['Job', ['batch']],
  ['CronJob', ['batch']],
  ['Ingress', ['networking.k8s.io', 'extensions']],
  ['NetworkPolicy', ['networking.k8s.io', 'extensions']],
  ['AdminNetworkPolicy', ['policy.networking.k8s.io']],
  ['BaselineAdminNetworkPolicy', ['policy.networking.k8s.io']],
  ['ClusterNetworkPolicy', ['policy.networking.k8s.io']],
]);

/** `apps/v1` → `apps`; Kubernetes' first group has no name. */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';

/** Whether objects of this kind are read at all. */
export const isRelevant = (kind: string, group: string): boolean =>
  GROUPS.get(kind)?.includes(group) ?? false;
