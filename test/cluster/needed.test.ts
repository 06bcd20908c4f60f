import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { JsonObject, KubeObject } from '../../src/cluster/kube-object.ts';
import { keepNeeded } from '../../src/cluster/needed.ts';
import { resolveCluster } from '../../src/cluster/resolve.ts';

const place = () => ({ file: 'a', line: 1, column: 1 });
const asObjects = (values: readonly JsonObject[]): KubeObject[] =>
  values.map((value) => ({ value, place }));

const isSame = (values: readonly JsonObject[]): void => {
  const whole = resolveCluster({ name: 'x', objects: asObjects(values) });
  const trimmed = resolveCluster({ name: 'x', objects: asObjects(values.map(keepNeeded)) });
  expect(trimmed).toEqual(whole);
};

const probe = (handler: JsonObject): JsonObject => ({ ...handler, periodSeconds: 10 });

/** A Pod with everything that the cluster could be resolved from, and much that it is not. */
const pod: JsonObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-0',
    namespace: 'shop',
    labels: { app: 'web', n: 1 },
    annotations: {
      'k8snet/listen': '8080/tcp',
      'cni.projectcalico.org/podIP': '10.9.0.2/32',
      n: 1,
    },
    ownerReferences: [
      { controller: false, kind: 'Other', name: 'o' },
      { controller: true, kind: 'StatefulSet', name: 'web', uid: 'u' },
    ],
    managedFields: [{ manager: 'kubelet' }],
    deletionTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: {
    nodeName: 'n1',
    hostNetwork: false,
    nodeSelector: { zone: 'a' },
    affinity: {},
    tolerations: [
      { key: 'a', operator: 'Equal', value: 'b', effect: 'NoSchedule', tolerationSeconds: 1 },
    ],
    containers: [
      {
        name: 'app',
        image: 'x',
        env: [{ name: 'A', value: 'b' }],
        ports: [{ containerPort: 80, name: 'http', hostPort: 80, hostIP: '1.2.3.4' }],
        livenessProbe: probe({ httpGet: { port: 'none', path: '/' } }),
        readinessProbe: probe({ tcpSocket: { port: 81 } }),
        startupProbe: probe({ grpc: { port: 82 } }),
      },
    ],
    initContainers: [
      { name: 'first', image: 'x' },
      { name: 'side', restartPolicy: 'Always', ports: [{ containerPort: 99, protocol: 'UDP' }] },
    ],
  },
  status: {
    phase: 'Running',
    podIP: '10.9.0.2',
    podIPs: [{ ip: '10.9.0.2' }, { ip: 'fd00::1' }],
    hostIP: '192.168.1.1',
    conditions: [{ type: 'Ready', status: 'False', message: 'm', reason: 'r' }],
    containerStatuses: [{ name: 'app', ready: false, state: { waiting: { reason: 'Slow' } } }],
  },
};

const unplaced: JsonObject = {
  ...pod,
  metadata: { name: 'somewhere' },
  spec: {
    nodeSelector: { zone: 'a' },
    affinity: {
      podAffinity: {},
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'Maybe' }] }],
        },
      },
    },
    tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 1 }],
    containers: [{ name: 'app' }],
  },
  status: {},
};

const pending: JsonObject = {
  ...pod,
  metadata: { name: 'waits' },
  spec: { containers: [] },
  status: {
    phase: 'Pending',
    reason: 'Evicted',
    conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes' }],
  },
};

const node: JsonObject = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'n1',
    labels: { zone: 'a' },
    annotations: { 'flannel.alpha.coreos.com/x': 'y' },
  },
  spec: {
    podCIDR: 'nonsense',
    podCIDRs: ['10.9.0.0/24'],
    taints: [{ key: 'k', effect: 'NoExecute', value: 'v' }],
    unschedulable: true,
    providerID: 'x',
  },
  status: {
    allocatable: { cpu: '3920m', memory: '8Gi' },
    addresses: [
      { type: 'Hostname', address: 'n1' },
      { type: 'InternalIP', address: '192.168.1.1' },
    ],
    conditions: [{ type: 'Ready', status: 'False', reason: 'r' }],
    images: [{ names: ['x'] }],
  },
};

describe('what is kept of an object is enough', () => {
  it('for Pods and nodes that say everything', () => {
    isSame([pod, unplaced, pending, node]);
    const kept = JSON.stringify([pod, node].map(keepNeeded));
    expect(kept).not.toMatch(/managedFields|image|env|providerID|tolerationSeconds/);
  });

  it('for what has no name, which is made of the whole', () => {
    const { name: _, ...metadata } = pod['metadata'] as JsonObject;
    isSame([{ ...pod, metadata: { ...metadata, generateName: 'web-' } }]);
  });

  it('for wrong types, which are reported', () => {
    isSame([
      {
        ...pod,
        metadata: { name: 'a', annotations: [], labels: 'x', ownerReferences: {} },
        spec: [],
      },
      { ...pod, metadata: { name: 'b' }, spec: { containers: [1, [], null] }, status: 'x' },
      { ...pod, metadata: { name: 'c' }, spec: null, status: { conditions: [null, {}] } },
      { ...node, metadata: { name: 'd' }, spec: 1, status: { addresses: 'x' } },
    ]);
  });

  it('for a plugin that a ConfigMap shows', () => {
    const data = { 'net-conf.json': '{"Network":"10.1.0.0/16"}', other: 'x'.repeat(1000) };
    const map = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kube-flannel-cfg' },
      data,
    };
    isSame([map, { ...map, metadata: { name: 'other' } }]);
    expect(JSON.stringify(keepNeeded(map)).length).toBeLessThan(200);
  });

  it('for Services, their slices and kube-proxy', () => {
    const metadata = (name: string, more: JsonObject = {}): JsonObject => ({
      name,
      namespace: 'shop',
      uid: 'u',
      managedFields: [{ manager: 'kubectl' }],
      ...more,
    });
    const target = { kind: 'Pod', name: 'web-0', namespace: 'shop', uid: 'u' };
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata('web', {
        annotations: {
          'service.kubernetes.io/topology-mode': 'Auto',
          'kubectl.kubernetes.io/last-applied-configuration': 'long',
        },
      }),
      spec: {
        type: 'LoadBalancer',
        selector: { app: 'web' },
        ports: [{ port: 80, targetPort: 'http', nodePort: 30080, appProtocol: 'http' }],
        externalTrafficPolicy: 'Local',
        trafficDistribution: 'PreferClose',
      },
      status: { loadBalancer: { ingress: [{ ip: '198.51.100.7' }] }, conditions: [] },
    };
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: metadata('web-x', {
        labels: { 'kubernetes.io/service-name': 'other', app: 'web' },
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': 'now' },
      }),
      addressType: 'IPv4',
      ports: [{ name: '', port: 80, protocol: 'TCP', appProtocol: 'http' }],
      endpoints: [
        {
          addresses: ['10.9.0.2'],
          conditions: { ready: true, serving: true, terminating: false },
          hostname: 'h',
          nodeName: 'n1',
          zone: 'a',
          hints: { forZones: [{ name: 'a' }], forNodes: [{ name: 'n1' }] },
          targetRef: target,
          deprecatedTopology: { x: 'y' },
        },
        'nonsense',
      ],
    };
    const endpoints = {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: metadata('own', { labels: { app: 'web' } }),
      subsets: [
        {
          addresses: [{ ip: '10.9.0.2', nodeName: 'n1', hostname: 'h', targetRef: target }],
          notReadyAddresses: [{ ip: 'x' }, { ip: '10.9.0.3' }],
          ports: [{ port: 80, appProtocol: 'http' }],
        },
      ],
    };
    const named = (name: string) => ({ ...service, metadata: metadata(name) });
    const { selector: _, ...spec } = service.spec;
    const proxy = {
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      mode: 'ipvs',
      clientConnection: { qps: 5 },
    };
    isSame([
      pod,
      node,
      service,
      named('other'),
      { ...named('own'), spec },
      slice,
      endpoints,
      {
        ...endpoints,
        metadata: metadata('skipped', {
          labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
        }),
      },
      {
        ...endpoints,
        metadata: metadata('leader', {
          annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' },
        }),
      },
      proxy,
    ]);
    expect(JSON.stringify([service, slice, endpoints].map(keepNeeded))).not.toMatch(
      /uid|managedFields|long|trigger-time|deprecatedTopology|conditions":\[\]|"app":"web"},"annot/,
    );
  });

  it('for Ingresses', () => {
    const spec = {
      ingressClassName: 'nginx',
      tls: [{ secretName: 'cert' }],
      defaultBackend: { service: { name: 'web', port: { number: 80 } } },
      backend: { serviceName: 'old', servicePort: 'http' },
      rules: [
        {
          host: 'shop.example',
          http: {
            paths: [
              { path: '/', backend: { service: { name: 'web', port: { name: 'http' } } } },
              { path: '/x', backend: { resource: { kind: 'Bucket', name: 'b' } } },
              { path: '/y', backend: { service: { name: 'web' } } },
            ],
          },
        },
        'nonsense',
      ],
    };
    const ingress = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'front', namespace: 'shop', managedFields: [] },
      spec,
      status: { loadBalancer: {} },
    };
    isSame([ingress, { ...ingress, metadata: { name: 'other' }, spec: { rules: 'x' } }]);
    expect(JSON.stringify(keepNeeded(ingress))).not.toMatch(/shop\.example|cert|status|path"/);
  });

  it('for policies of every kind and the labels of namespaces', () => {
    const of = (kind: string, spec: JsonObject, name = 'one'): JsonObject => ({
      apiVersion: kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'policy.networking.k8s.io/v1',
      kind,
      metadata: {
        name,
        namespace: 'shop',
        labels: { long: 'l' },
        annotations: { other: 'long', 'k8snet/lint-ignore': 'policy-shadowed: kept' },
        managedFields: [],
      },
      spec,
      status: { conditions: [] },
    });
    const everyone = { namespaces: {} };
    const tier = {
      priority: 5,
      subject: everyone,
      ingress: [{ action: 'Deny', from: [everyone] }],
    };
    const objects = [
      pod,
      node,
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'shop', labels: { team: 'a', n: 1 }, annotations: { other: 'long' } },
        spec: { finalizers: ['kubernetes'] },
      },
      of('NetworkPolicy', { podSelector: {}, odd: 1, ingress: [{ from: [{ ipBlock: {} }] }] }),
      of('NetworkPolicy', { podSelector: 'odd' }, 'other'),
      of('AdminNetworkPolicy', tier),
      of('ClusterNetworkPolicy', { ...tier, tier: 'Admin', ports: [] }),
      of('BaselineAdminNetworkPolicy', { ...tier, priority: 'high' }),
    ];
    isSame(objects);
    expect(JSON.stringify(objects.slice(2).map(keepNeeded))).not.toMatch(
      /long|managedFields|status|finalizers/,
    );
  });

  const root = join(import.meta.dirname, '../../scenarios');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.yaml'),
  );
  it.each(files)('for %s', (file) => {
    const documents = parseAllDocuments(readFileSync(join(root, file), 'utf8'));
    const values = documents.map((one) => one.toJS() as JsonObject);
    isSame(values.filter(({ kind }) => kind !== 'Scenario'));
  });
});
