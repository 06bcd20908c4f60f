/** Opens a scenario: the one place that joins read → cluster → compile → faults. */
import type { Cluster } from '../cluster/cluster.ts';
import { atPlace, createDiagnostics, type Diagnostic, type Report } from '../cluster/diagnostic.ts';
import { dnsServiceOf, withClusterDns } from '../cluster/dns/cluster-dns.ts';
import { formatPath, type KubeObject } from '../cluster/kube-object.ts';
import { resolveCluster } from '../cluster/resolve.ts';
import { checkNetworkConfig } from '../compile/cni/network-config.ts';
import { compileWorld } from '../compile/compile.ts';
import { PluginError, pluginProblem } from '../compile/plugin-error.ts';
import type { World } from '../kernel/world.ts';
import type { Expectation } from './expectation.ts';
import { applyFaults, type PlacedFault, parseBreak } from './fault.ts';
import { findBuiltIn, readBuiltIn } from './find-built-in.ts';
import { thawObject } from './frozen.ts';
import {
  checkDocument,
  type LoadedScenario,
  onlyScenario,
  readSources,
  takeApart,
} from './load.ts';
import { type ObjectPatch, patchObjects } from './patch.ts';
import { listSources } from './read/files.ts';
import type { ReadOptions } from './read/read-inputs.ts';
import type { Source, SourceText } from './read/source.ts';
import type { ScenarioFault } from './schema.ts';

/**
 * A path of a file or directory, `-` for standard input, a text with the name it has, or a source
 * that was found before.
 */
export type Input = string | SourceText | Source;

export interface OpenOptions {
  /** `FIELD=VALUE` for any field below the Scenario's `spec`, in order. */
  readonly set?: readonly string[] | undefined;
  /** `ENDPOINT: COMMAND`, after the Scenario's own faults. */
  readonly break?: readonly string[] | undefined;
  /** Of endpoints of `break` that name none; default `default`. */
  readonly namespace?: string | undefined;
  /** `declared`: a port that nothing shows refuses, instead of leaving the trace inconclusive. */
  readonly listen?: 'evidence' | 'declared' | undefined;
  /** Patches of objects and of the Scenario, after what `set` replaces. */
  readonly patch?: readonly ObjectPatch[] | undefined;
  /** Keep what was read, so that it can be opened once more with patches. */
  readonly keep?: boolean | undefined;
  /** Read sub-directories. */
  readonly recursive?: boolean | undefined;
  /** Other threads may help with a large input; only where the package was built. */
  readonly threads?: boolean | undefined;
  /** Called while inputs are read. */
  readonly progress?: ReadOptions['progress'];
}

export interface OpenedScenario {
  /** The Scenario's name, else what the first input is called. */
  readonly name: string;
  readonly cluster: Cluster;
  /** With its faults. */
  readonly world: World;
  /** The World without faults, where there are any. */
  readonly unfaulted?: World;
  /** What was done to the World, in order. */
  readonly faults: readonly ScenarioFault[];
  /** Those of the Scenario itself, without what was asked for beside it. */
  readonly writtenFaults: readonly ScenarioFault[];
  readonly expectations: readonly Expectation[];
  /** Objects that do not matter to the network, by kind. */
  readonly skipped: ReadonlyMap<string, number>;
  /** Where the input has no DNS Service: the same with the one that is assumed (`cluster-dns.ts`). */
  readonly assumingDns?: () => OpenedScenario;
  /** Only with `keep`: the same input with patches, in place of those before. */
  readonly reopen?: (patch: readonly ObjectPatch[]) => Promise<OpenResult>;
}

export type OpenResult =
  | {
      readonly ok: true;
      readonly scenario: OpenedScenario;
      /** Warnings only. */
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** `a/b/shop.yaml` and `a/b/shop/` → `shop`. */
const nameOf = (input: Input): string => {
  const path = typeof input === 'string' ? input : input.file;
  const base = path.replace(/\/+$/, '').split('/').at(-1) ?? '';
  return path === '-' ? 'stdin' : base.replace(/\.(?:ya?ml|json)$/i, '') || 'cluster';
};

/** The plugin's own configuration is checked by those who know the plugin. */
const reportConfig = (cluster: Cluster, { spec }: LoadedScenario, report: Report): void => {
  const { network, nodes } = cluster;
  const written = spec?.value.network?.config !== undefined;
  for (const { path, severity, message } of checkNetworkConfig(network, nodes)) {
    const full = ['network', 'config', ...path];
    report({
      severity: severity === 'error' ? 'error' : 'warning',
      code: severity === 'error' ? 'bad-value' : 'not-modelled',
      message: `${formatPath(full)} ${message}`,
      path: formatPath(written ? ['spec', ...full] : full),
      ...atPlace((written ? spec?.place(full) : undefined) ?? network.place),
    });
  }
};

const hasErrors = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.some(({ severity }) => severity === 'error');

/** Objects and faults → a World. */
const build = (
  loaded: LoadedScenario,
  before: readonly Diagnostic[],
  options: OpenOptions,
  release?: () => void,
): OpenResult => {
  const { report, list } = createDiagnostics();
  for (const diagnostic of before) report(diagnostic);
  const resolved = resolveCluster({
    name: loaded.name,
    spec: loaded.spec,
    objects: loaded.objects,
    release,
    listen: options.listen,
  });
  for (const diagnostic of resolved.diagnostics) report(diagnostic);
  if (!hasErrors(resolved.diagnostics)) reportConfig(resolved.cluster, loaded, report);
  if (hasErrors(list())) return { ok: false, diagnostics: list() };

  const { cluster, skipped } = resolved;
  const faults: PlacedFault[] = [
    ...loaded.faults,
    ...(options.break ?? []).flatMap((text) => parseBreak(text, options.namespace, report) ?? []),
  ];
  const unfaulted = compileWorld(cluster);
  let world = unfaulted;
  try {
    world = applyFaults(unfaulted, cluster, faults, report);
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    report(pluginProblem(error, cluster));
  }
  if (hasErrors(list())) return { ok: false, diagnostics: list() };
  const scenario: OpenedScenario = {
    name: loaded.name,
    cluster,
    world,
    ...(faults.length > 0 && { unfaulted }),
    faults: faults.map(({ fault }) => fault),
    writtenFaults: loaded.faults.map(({ fault }) => fault),
    expectations: loaded.expectations,
    skipped,
  };
  const assuming = (): OpenedScenario => assumeDns(scenario, faults);
  return {
    ok: true,
    scenario: dnsServiceOf(cluster) ? scenario : { ...scenario, assumingDns: assuming },
    diagnostics: list(),
  };
};

/** The scenario with the DNS that it has not; its faults were applied once, and are reported. */
const assumeDns = (scenario: OpenedScenario, faults: readonly PlacedFault[]): OpenedScenario => {
  const cluster = withClusterDns(scenario.cluster);
  if (cluster === scenario.cluster) return scenario;
  const unfaulted = compileWorld(cluster);
  const world = applyFaults(unfaulted, cluster, faults, () => undefined);
  return { ...scenario, cluster, world, ...(faults.length > 0 && { unfaulted }) };
};

/** Loaded late: hardly any input is large. */
const startThreads: ReadOptions['helpers'] = async () =>
  (await import('./read/threads.ts')).startThreads(
    new URL('../../dist/read-worker.cjs', import.meta.url),
  );

/** What an input holds, before it is changed. */
interface ReadInput {
  readonly name: string;
  readonly objects: readonly KubeObject[];
  /** Lets go of the objects' values. */
  readonly release: () => void;
  readonly scenario: KubeObject | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Where there is nothing in it. */
  readonly empty: Diagnostic | undefined;
}

const openRead = async (read: ReadInput, options: OpenOptions): Promise<OpenResult> => {
  const { report, list } = createDiagnostics();
  const { name } = read;
  for (const diagnostic of read.diagnostics) report(diagnostic);
  const checked = await checkDocument(read.scenario, name, options, report);
  if (read.empty && !hasErrors(list())) report(read.empty);
  const objects = patchObjects(read.objects, options.patch ?? [], report);
  const release = options.keep ? undefined : read.release;
  const result = build(takeApart(name, objects, checked), list(), options, release);
  return kept(result, options, (patches) => openRead(read, { ...options, patch: patches }));
};

/** With a way back to the input, where that is asked for. */
const kept = (
  result: OpenResult,
  { keep }: OpenOptions,
  reopen: NonNullable<OpenedScenario['reopen']>,
): OpenResult =>
  keep && result.ok ? { ...result, scenario: { ...result.scenario, reopen } } : result;

const openTexts = async (
  name: string,
  sources: readonly (Source | SourceText)[],
  before: readonly Diagnostic[],
  options: OpenOptions,
): Promise<OpenResult> => {
  const { report, list } = createDiagnostics();
  for (const diagnostic of before) report(diagnostic);
  const { objects, scenarios, release } = await readSources(sources, report, {
    progress: options.progress,
    helpers: options.threads ? startThreads : undefined,
  });
  const scenario = onlyScenario(scenarios, report);
  const isEmpty = objects.length + scenarios.length === 0;
  const empty: Diagnostic = {
    severity: 'error',
    code: 'no-objects',
    message: 'the input has no Kubernetes object and no Scenario',
    ...(sources[0] && { file: sources[0].file, line: 1, column: 1 }),
  };
  return openRead(
    { name, objects, release, scenario, diagnostics: list(), empty: isEmpty ? empty : undefined },
    options,
  );
};

/**
 * Opens files, directories, standard input and texts as one cluster. All problems come at once,
 * those of the objects too when a Scenario is wrong; nothing is thrown for what an input holds.
 */
export const openScenario = (
  inputs: readonly Input[],
  options: OpenOptions = {},
): Promise<OpenResult> => {
  const [first] = inputs;
  if (first === undefined) return openBuiltIn(undefined, options);
  const { report, list } = createDiagnostics();
  const paths = inputs.filter((input) => typeof input === 'string');
  const others = inputs.filter((input) => typeof input !== 'string');
  const sources = [...listSources(paths, options, report), ...others];
  return openTexts(nameOf(first), sources, list(), options);
};

/**
 * Opens a built-in scenario; the default one (`basics/two-nodes`) without any parser, unless it is
 * overridden.
 */
export const openBuiltIn = async (
  typed: string | undefined,
  options: OpenOptions = {},
): Promise<OpenResult> => {
  const { defaultName, defaultScenario } = await import('./built-in.ts');
  const found = typed === undefined ? { name: defaultName } : await findBuiltIn(typed);
  if ('diagnostic' in found) return { ok: false, diagnostics: [found.diagnostic] };
  const { name } = found;
  const isChanged = (options.set ?? []).length > 0 || (options.patch ?? []).length > 0;
  if (name === defaultName && defaultScenario && !isChanged) {
    const object = thawObject(defaultScenario.scenario);
    const checked = { document: defaultScenario.document, object };
    const objects = defaultScenario.objects.map(thawObject);
    const result = build(takeApart(name, objects, checked), [], options);
    return kept(result, options, (patch) => openBuiltIn(typed, { ...options, patch }));
  }
  const source = await readBuiltIn(name);
  if ('diagnostic' in source) return { ok: false, diagnostics: [source.diagnostic] };
  return openTexts(name, [source], [], options);
};
