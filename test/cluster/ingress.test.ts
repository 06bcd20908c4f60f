import { describe, expect, it } from 'vitest';
import { clusterOf, codesOf, resolveYaml } from './cluster-of.ts';

const ingress = (spec: string, version = 'networking.k8s.io/v1') =>
  `{apiVersion: ${version}, kind: Ingress, metadata: {name: front, namespace: shop}, spec: ${spec}}`;

describe('the backends of an Ingress', () => {
  it('are those of its paths and the default one, with where they stand', async () => {
    const { ingressBackends } = await clusterOf(
      ingress(
        '{defaultBackend: {service: {name: web, port: {number: 80}}}, rules: [{http: {paths: [{backend: {service: {name: api, port: {name: http}}}}, {backend: {resource: {kind: Bucket, name: b}}}]}}]}',
      ),
    );
    expect(ingressBackends.map(({ place: _, ...backend }) => backend)).toEqual([
      { namespace: 'shop', ingress: 'front', service: 'web', port: 80 },
      { namespace: 'shop', ingress: 'front', service: 'api', port: 'http' },
    ]);
    expect(ingressBackends[0]?.place).toMatchObject({ file: '0.yaml', line: 1 });
  });

  it('of the older versions are read, too', async () => {
    const { ingressBackends } = await clusterOf(
      ingress('{backend: {serviceName: web, servicePort: http}}', 'extensions/v1beta1'),
    );
    expect(ingressBackends).toMatchObject([{ service: 'web', port: 'http' }]);
  });

  it('of no port are reported and left out', async () => {
    const { cluster, diagnostics } = await resolveYaml(
      ingress('{defaultBackend: {service: {name: web}}}'),
    );
    expect(cluster.ingressBackends).toEqual([]);
    expect(codesOf(diagnostics)).toEqual(['warning missing-field']);
  });

  it('are none where another group has the kind', async () => {
    const { ingressBackends } = await clusterOf(
      ingress('{defaultBackend: {service: {name: web, port: {number: 80}}}}', 'example.com/v1'),
    );
    expect(ingressBackends).toEqual([]);
  });
});
