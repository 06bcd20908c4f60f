import { describe, expect, it } from 'vitest';
import type { Listeners } from '../../src/cluster/cluster.ts';
import { codesOf, resolveYaml } from './cluster-of.ts';

const manifest = (containers: string, annotation = '', extra = ''): string => `
apiVersion: v1
kind: Pod
metadata:
  name: p
  labels: { app: p }
  ${annotation && `annotations: { k8snet/listen: "${annotation}" }`}
spec:
  containers: [${containers}]
  ${extra}
`;

const listeners = async (...yaml: string[]): Promise<Listeners | undefined> =>
  (await resolveYaml(yaml)).cluster.pods[0]?.listeners;

const rows = (found: Listeners | undefined): string[] =>
  (found?.rows ?? []).map(
    ({ container, ip, port, protocol, evidence }) =>
      `${container} ${ip}:${port}/${protocol} ${evidence}`,
  );

describe('evidence that somebody listens', () => {
  it('is the annotation, exactly: all else refuses', async () => {
    const found = await listeners(
      manifest(
        '{name: a, ports: [{containerPort: 80}]}, {name: b, ports: [{containerPort: 53, protocol: UDP}]}',
        '8080/tcp, 127.0.0.1:9000/tcp ,53/UDP',
      ),
    );
    expect(rows(found)).toEqual([
      'a 0.0.0.0:8080/tcp annotation',
      'a 127.0.0.1:9000/tcp annotation',
      'b 0.0.0.0:53/udp annotation',
    ]);
    expect(found?.unlisted).toBe('refused');
  });

  it('an empty annotation: nobody listens', async () => {
    const { cluster } = await resolveYaml(
      '{apiVersion: v1, kind: Pod, metadata: {name: p, annotations: {k8snet/listen: ""}}, spec: {containers: [{name: a, ports: [{containerPort: 80}]}]}}',
    );
    expect(cluster.pods[0]?.listeners).toEqual({ rows: [], unlisted: 'refused' });
  });

  it.each(['8080', '8080/sctp', '0/tcp', '65536/tcp', '10.1:80/tcp', 'http/tcp'])(
    'an annotation that makes no sense is left out: %s',
    async (text) => {
      const { diagnostics, cluster } = await resolveYaml(manifest('{name: a}', `${text}, 81/tcp`));
      expect(codesOf(diagnostics)).toEqual(['warning bad-listen']);
      expect(diagnostics[0]).toMatchObject({
        line: 7,
        path: 'metadata.annotations["k8snet/listen"]',
      });
      expect(rows(cluster.pods[0]?.listeners)).toEqual(['a 0.0.0.0:81/tcp annotation']);
    },
  );

  it('then declared ports, probes, and Services that select the Pod', async () => {
    const found = await listeners(
      manifest(
        `{name: a, ports: [{containerPort: 80, name: web}],
          readinessProbe: {httpGet: {port: web}},
          livenessProbe: {tcpSocket: {port: 81}},
          startupProbe: {grpc: {port: 82}}}`,
      ),
      `
apiVersion: v1
kind: Service
metadata: { name: s }
spec:
  selector: { app: p }
  ports:
    - { port: 1, targetPort: 80 }
    - { port: 2, targetPort: 83 }
    - { port: 84 }
    - { port: 3, targetPort: web }
    - { port: 53, protocol: UDP }
---
apiVersion: v1
kind: Service
metadata: { name: other }
spec: { selector: { app: q }, ports: [{ port: 99 }] }
---
apiVersion: v1
kind: Service
metadata: { name: nothing }
spec: { ports: [{ port: 98 }] }
---
apiVersion: v1
kind: Service
metadata: { name: elsewhere, namespace: elsewhere }
spec: { selector: { app: p }, ports: [{ port: 97 }] }
`,
    );
    expect(rows(found)).toEqual([
      'a 0.0.0.0:80/tcp containerPort',
      'a 0.0.0.0:82/tcp probe',
      'a 0.0.0.0:81/tcp probe',
      'a 0.0.0.0:83/tcp service',
      'a 0.0.0.0:84/tcp service',
      'a 0.0.0.0:53/udp service',
    ]);
    expect(found?.unlisted).toBe('unknown');
  });

  it('none at all: the Pod is assumed to listen', async () => {
    expect(await listeners(manifest('{name: a}'))).toEqual({ rows: [], unlisted: 'assumed-open' });
  });

  it('SCTP alone is evidence too, of a port that cannot be traced', async () => {
    expect(
      await listeners(manifest('{name: a, ports: [{containerPort: 9, protocol: SCTP}]}')),
    ).toEqual({ rows: [], unlisted: 'unknown' });
  });

  it('with `declared`, what nothing shows refuses; an open Pod stays open', async () => {
    const declared = async (containers: string) =>
      (await resolveYaml(manifest(containers), { listen: 'declared' })).cluster.pods[0]?.listeners
        .unlisted;
    expect(await declared('{name: a, ports: [{containerPort: 80}]}')).toBe('refused');
    expect(await declared('{name: a}')).toBe('assumed-open');
  });
});

describe('one Pod is one port space', () => {
  it('the first container holds the port, the second is warned of', async () => {
    const { cluster, diagnostics } = await resolveYaml(
      manifest('{name: a, ports: [{containerPort: 80}]}, {name: b, ports: [{containerPort: 80}]}'),
    );
    expect(rows(cluster.pods[0]?.listeners)).toEqual(['a 0.0.0.0:80/tcp containerPort']);
    expect(codesOf(diagnostics)).toEqual(['warning port-clash']);
  });

  it('TCP and UDP are two', async () => {
    const { diagnostics } = await resolveYaml(
      manifest(
        '{name: a, ports: [{containerPort: 53}]}, {name: b, ports: [{containerPort: 53, protocol: UDP}]}',
      ),
    );
    expect(diagnostics).toEqual([]);
  });

  it('a sidecar starts first, so it binds first', async () => {
    const { cluster } = await resolveYaml(
      manifest(
        '{name: a, ports: [{containerPort: 80}]}',
        '',
        'initContainers: [{name: proxy, restartPolicy: Always, ports: [{containerPort: 80}]}]',
      ),
    );
    expect(rows(cluster.pods[0]?.listeners)).toEqual(['proxy 0.0.0.0:80/tcp containerPort']);
  });
});

it('sidecars are members, other init containers are not', async () => {
  const { cluster } = await resolveYaml(
    manifest(
      '{name: app}',
      '',
      'initContainers: [{name: setup}, {name: proxy, restartPolicy: Always}]',
    ),
  );
  expect(cluster.pods[0]?.containers.map(({ name, sidecar }) => [name, sidecar])).toEqual([
    ['app', false],
    ['proxy', true],
  ]);
  expect(cluster.pods[0]?.initContainers).toEqual(['setup']);
});

it('host ports are kept', async () => {
  const { cluster } = await resolveYaml(
    manifest('{name: a, ports: [{containerPort: 80, hostPort: 8080, hostIP: 10.0.0.1}]}'),
  );
  expect(cluster.pods[0]?.containers[0]?.ports).toEqual([
    { port: 80, protocol: 'tcp', hostPort: 8080, hostIP: '10.0.0.1' },
  ]);
});

it('what is odd in a manifest is warned of, with its place, and left out', async () => {
  const { cluster, diagnostics } = await resolveYaml(`
apiVersion: v1
kind: Pod
metadata: { name: p }
spec:
  containers:
    - name: a
      ports:
        - { containerPort: http }
        - { containerPort: 70000 }
        - { containerPort: "8080" }
        - { name: nothing }
        - { containerPort: 1, protocol: QUIC }
      readinessProbe: { httpGet: { port: missing } }
    - name: a
    - ports: {}
`);
  expect(diagnostics.map(({ code, line, path }) => `${code} ${line} ${path}`)).toEqual([
    'wrong-type 9 spec.containers[0].ports[0].containerPort',
    'out-of-range 10 spec.containers[0].ports[1].containerPort',
    'wrong-type 11 spec.containers[0].ports[2].containerPort',
    'missing-field 12 spec.containers[0].ports[3]',
    'unknown-protocol 13 spec.containers[0].ports[4].protocol',
    'unknown-port-name 14 spec.containers[0].readinessProbe.httpGet.port',
    'duplicate-name 15 spec.containers[1]',
    'missing-field 16 spec.containers[2]',
    'wrong-type 16 spec.containers[2].ports',
  ]);
  expect(cluster.pods[0]?.listeners.rows.map(({ port }) => port)).toEqual([8080]);
});

describe('ports of a node', () => {
  const host = (name: string, port: number, more = ''): string =>
    `---\n{apiVersion: v1, kind: Pod, metadata: {name: ${name}${more}}, spec: {nodeName: n0, hostNetwork: true, containers: [{name: app, ports: [{containerPort: ${port}}]}]}}\n`;
  const clashes = async (...texts: readonly string[]): Promise<string[]> =>
    (await resolveYaml(texts)).diagnostics
      .filter(({ code }) => code === 'port-clash')
      .map(({ message }) => message);

  it('are one Pod’s of those on its network; the second is odd', async () => {
    expect(await clashes(host('b', 9100), host('a', 9100), host('c', 9101))).toEqual([
      'Pod b: wants port 9100/tcp of node n0, whose network it is on: Pod default/a has it',
    ]);
    const elsewhere = host('b', 9100).replace('n0', 'n1');
    expect(await clashes(host('a', 9100), elsewhere)).toEqual([]);
  });

  it('are taken where a daemon of the node has them, unless the Pod is that daemon', async () => {
    expect(await clashes(host('a', 10250), host('b', 10256))).toEqual([
      'Pod a: wants port 10250/tcp of node n0, whose network it is on: kubelet has it',
      'Pod b: wants port 10256/tcp of node n0, whose network it is on: kube-proxy has it',
    ]);
    const owner =
      ', ownerReferences: [{kind: DaemonSet, name: kube-proxy, controller: true, apiVersion: apps/v1}]';
    expect(await clashes(host('kube-proxy-x', 10256, owner))).toEqual([]);
  });
});
