/** What of an object the cluster is resolved from: the rest is dropped while it is read. */

import { groupOf, isRelevant } from './kinds.ts';
import { isObject, type Json, type JsonObject } from './kube-object.ts';
import { LINT_IGNORE } from './lint-annotation.ts';

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

/**
 * `all`: the value as it is. `keys`: an object's keys, with empty texts. An object: these fields,
 * of a list those of its items. What is not of the type that is expected stays, to be reported.
 */
type Keep = 'all' | 'keys' | { readonly [field: string]: Keep };

const IDENTITY: Keep = { name: 'all', generateName: 'all', namespace: 'all' };
const METADATA: Keep = {
  ...IDENTITY,
  labels: 'all',
  annotations: 'keys',
  ownerReferences: { controller: 'all', kind: 'all', name: 'all' },
  deletionTimestamp: 'all',
};

const HANDLER: Keep = {
  httpGet: { port: 'all' },
  tcpSocket: { port: 'all' },
  grpc: { port: 'all' },
};
const CONTAINER: Keep = {
  name: 'all',
  restartPolicy: 'all',
  ports: 'all',
  startupProbe: HANDLER,
  readinessProbe: HANDLER,
  livenessProbe: HANDLER,
};

const PLACED = {
  hostNetwork: 'all',
  nodeName: 'all',
  hostname: 'all',
  subdomain: 'all',
  dnsPolicy: 'all',
  dnsConfig: 'all',
  hostAliases: 'all',
  containers: CONTAINER,
  initContainers: CONTAINER,
} as const;

const STATUS: Keep = {
  phase: 'all',
  podIP: 'all',
  podIPs: 'all',
  hostIP: 'all',
  reason: 'all',
  conditions: { type: 'all', status: 'all', message: 'all' },
  containerStatuses: { ready: 'all', state: { waiting: { reason: 'all' } } },
};

/** A Pod that is on a node: why it is there is no longer asked. */
const PLACED_POD: Keep = {
  apiVersion: 'all',
  kind: 'all',
  metadata: METADATA,
  spec: PLACED,
  status: STATUS,
};

const POD: Keep = {
  apiVersion: 'all',
  kind: 'all',
  metadata: METADATA,
  spec: {
    ...PLACED,
    nodeSelector: 'all',
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: 'all' },
    },
    tolerations: { key: 'all', operator: 'all', value: 'all', effect: 'all' },
  },
  status: STATUS,
};

const NODE: Keep = {
  apiVersion: 'all',
  kind: 'all',
  metadata: METADATA,
  spec: { podCIDR: 'all', podCIDRs: 'all', taints: 'all', unschedulable: 'all' },
  status: {
    addresses: 'all',
    allocatable: { cpu: 'all' },
    conditions: { type: 'all', status: 'all' },
  },
};

const BACKEND: Keep = { service: 'all', serviceName: 'all', servicePort: 'all' };

const INGRESS: Keep = {
  apiVersion: 'all',
  kind: 'all',
  metadata: IDENTITY,
  spec: {
    defaultBackend: BACKEND,
    backend: BACKEND,
    rules: { http: { paths: { backend: BACKEND } } },
  },
};

const SERVICE: Keep = {
  apiVersion: 'all',
  kind: 'all',
  metadata: { ...IDENTITY, annotations: 'keys' },
  spec: 'all',
  status: { loadBalancer: 'all' },
};

const TARGET: Keep = { kind: 'all', namespace: 'all', name: 'all' };

const ENDPOINT_SLICE: Keep = {
  apiVersion: 'all',
  kind: 'all',
  metadata: { ...IDENTITY, labels: { 'kubernetes.io/service-name': 'all' } },
  addressType: 'all',
  ports: { name: 'all', port: 'all', protocol: 'all' },
  endpoints: {
    addresses: 'all',
    conditions: { ready: 'all', serving: 'all', terminating: 'all' },
    hostname: 'all',
    nodeName: 'all',
    zone: 'all',
    hints: 'all',
    targetRef: TARGET,
  },
};

const ENDPOINT_ADDRESS: Keep = {
  ip: 'all',
  hostname: 'all',
  nodeName: 'all',
  targetRef: TARGET,
};

const ENDPOINTS: Keep = {
  apiVersion: 'all',
  kind: 'all',
  metadata: {
    ...IDENTITY,
    labels: { 'endpointslice.kubernetes.io/skip-mirror': 'all' },
    annotations: 'keys',
  },
  subsets: {
    addresses: ENDPOINT_ADDRESS,
    notReadyAddresses: ENDPOINT_ADDRESS,
    ports: { name: 'all', port: 'all', protocol: 'all' },
  },
};

/** Policies say something about namespaces by their labels. */
const NAMESPACE: Keep = {
  apiVersion: 'all',
  kind: 'all',
  metadata: { ...IDENTITY, labels: 'all', annotations: 'keys' },
};

/** Whole: what is no field of a policy is reported. */
const POLICY: Keep = {
  apiVersion: 'all',
  kind: 'all',
  metadata: { ...IDENTITY, annotations: 'keys' },
  spec: 'all',
};

/** Any ConfigMap may be a plugin's or kube-proxy's; one key of each is read. */
const CONFIG_MAP: Keep = {
  apiVersion: 'all',
  kind: 'all',
  metadata: IDENTITY,
  data: { 'net-conf.json': 'all', 'config.conf': 'all' },
};

/** Objects that are counted, not read. */
const COUNTED: Keep = { apiVersion: 'all', kind: 'all', metadata: IDENTITY };

const BY_KIND: ReadonlyMap<string, Keep> = new Map([
  ['Node', NODE],
  ['ConfigMap', CONFIG_MAP],
  ['Service', SERVICE],
  ['Ingress', INGRESS],
  ['EndpointSlice', ENDPOINT_SLICE],
  ['Endpoints', ENDPOINTS],
  ['Namespace', NAMESPACE],
  ['NetworkPolicy', POLICY],
  ['AdminNetworkPolicy', POLICY],
  ['BaselineAdminNetworkPolicy', POLICY],
  ['ClusterNetworkPolicy', POLICY],
]);

const keepOf = (kind: string, { spec }: JsonObject): Keep | undefined => {
  if (kind !== 'Pod') return BY_KIND.get(kind);
  return isObject(spec) && text(spec['nodeName']) ? PLACED_POD : POD;
};

/** Annotations whose text is read. */
const READ_ANNOTATIONS: ReadonlySet<string> = new Set([
  LINT_IGNORE,
  'k8snet/listen',
  'service.kubernetes.io/topology-mode',
  'service.kubernetes.io/topology-aware-hints',
]);

const keysOf = (value: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(value).map(([key, text]) => [
      key,
      typeof text === 'string' && !READ_ANNOTATIONS.has(key) ? '' : text,
    ]),
  );

const kept = (value: Json, keep: Keep): Json => {
  if (keep === 'all' || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value))
    return keep === 'keys' ? value : value.map((item: Json) => kept(item, keep));
  if (!isObject(value)) return value;
  if (keep === 'keys') return keysOf(value);
  const result: Record<string, Json> = {};
  for (const field in keep) {
    const inner = Object.hasOwn(value, field) ? value[field] : undefined;
    const how = keep[field];
    if (inner !== undefined && how !== undefined) result[field] = kept(inner, how);
  }
  return result;
};

const withoutManagedFields = (value: JsonObject): JsonObject => {
  const { metadata } = value;
  if (!isObject(metadata) || !Object.hasOwn(metadata, 'managedFields')) return value;
  const { managedFields: _, ...rest } = metadata;
  return { ...value, metadata: rest };
};

/**
 * A copy of a Kubernetes object without what nobody reads. An object without a name keeps all: its
 * name is made of it. The fields that are kept are those that this layer reads (`pod-draft.ts`,
 * `pod-spec.ts`, `node.ts`, `namespace.ts`, `plugin.ts`, `policy/`, `service/`); a test compares clusters of whole and of trimmed objects.
 */
export const keepNeeded = (value: JsonObject): JsonObject => {
  const { kind, apiVersion, metadata } = value;
  if (!isRelevant(text(kind), groupOf(text(apiVersion)))) return kept(value, COUNTED) as JsonObject;
  if (!isObject(metadata) || !text(metadata['name'])) return value;
  const keep = keepOf(text(kind), value);
  return keep ? (kept(value, keep) as JsonObject) : withoutManagedFields(value);
};
