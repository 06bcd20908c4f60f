/** Clusters from YAML written in a test. */
import type { Cluster, Pod } from '../../src/cluster/cluster.ts';
import { createDiagnostics, type Diagnostic } from '../../src/cluster/diagnostic.ts';
import {
  type ClusterInput,
  type ResolvedCluster,
  resolveCluster,
} from '../../src/cluster/resolve.ts';
import { checkDocument, onlyScenario, readSources, takeApart } from '../../src/scenario/load.ts';

export const resolveYaml = async (
  yaml: string | readonly string[],
  options: Pick<ClusterInput, 'listen'> = {},
): Promise<ResolvedCluster> => {
  const { report, list } = createDiagnostics();
  const texts = typeof yaml === 'string' ? [yaml] : yaml;
  const sources = texts.map((text, at) => ({ file: `${at}.yaml`, text }));
  const { objects, scenarios } = await readSources(sources, report);
  const checked = await checkDocument(onlyScenario(scenarios, report), 'test', {}, report);
  const { name, spec } = takeApart('test', objects, checked);
  const resolved = resolveCluster({ name, spec, objects, ...options });
  return { ...resolved, diagnostics: [...list(), ...resolved.diagnostics] };
};

export const clusterOf = async (yaml: string | readonly string[]): Promise<Cluster> =>
  (await resolveYaml(yaml)).cluster;

export const codesOf = (diagnostics: readonly Diagnostic[]): string[] =>
  diagnostics.map(({ severity, code }) => `${severity} ${code}`);

export const podNamed = (cluster: Cluster, name: string): Pod => {
  const pod = cluster.pods.find((item) => item.name === name);
  if (!pod) throw new Error(`no Pod ${name}: ${cluster.pods.map((item) => item.name).join(' ')}`);
  return pod;
};

/** A Pod in one line; `spec` and `rest` are flow YAML. */
export const pod = (name: string, spec = '', rest = ''): string =>
  `---\n{apiVersion: v1, kind: Pod, metadata: {name: ${name}}, spec: {containers: [{name: app}]${spec && `, ${spec}`}}${rest && `, ${rest}`}}\n`;
