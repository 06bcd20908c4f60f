/** Clusters for tests of the matrix, and how its cells are read. */
import { matrixOf } from '../../../src/check/matrix/all-pairs.ts';
import type { AllowedPorts, Matrix, MatrixOptions } from '../../../src/check/matrix/matrix.ts';
import type { Cluster } from '../../../src/cluster/cluster.ts';

export const namespace = (name: string, labels = ''): string =>
  `---\n{apiVersion: v1, kind: Namespace, metadata: {name: ${name}, labels: {${labels}}}}\n`;

/** `spec` and `metadata` are flow YAML, without braces. */
export const pod = (name: string, labels = '', metadata = '', spec = '', status = ''): string =>
  `---\n{apiVersion: v1, kind: Pod, metadata: {name: ${name}, labels: {${labels}}${metadata && `, ${metadata}`}}, spec: {containers: [{name: app}]${spec && `, ${spec}`}}${status && `, status: {${status}}`}}\n`;

export const deployment = (name: string, labels: string, replicas = 1, ns = 'default'): string =>
  `---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: ${name}, namespace: ${ns}}, spec: {replicas: ${replicas}, selector: {matchLabels: {${labels}}}, template: {metadata: {labels: {${labels}}}, spec: {containers: [{name: app, ports: [{containerPort: 8080, name: http}]}]}}}}\n`;

export const policy = (name: string, spec: string, ns = 'default'): string =>
  `---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${name}, namespace: ${ns}}, spec: {${spec}}}\n`;

export const allowedText = (allowed: readonly AllowedPorts[]): string =>
  allowed.length === 3 && allowed.every(({ ports }) => ports === '1-65535')
    ? 'all'
    : allowed.map(({ protocol, ports }) => `${protocol} ${ports}`).join(' ');

/** `src > dst: TCP 80`, a line a connection. */
export const cells = ({ connections }: Pick<Matrix, 'connections'>): string[] =>
  connections.map(({ src, dst, allowed }) => `${src} > ${dst}: ${allowedText(allowed)}`);

export const cellsOf = (cluster: Cluster, options: MatrixOptions = {}): string[] =>
  cells(matrixOf(cluster, options));
