/**
 * Opens inputs as a cluster, without a World: read → cluster. What is built on top of that
 * (`open.ts`) says so in one function.
 */
import type { Cluster } from '../cluster/cluster.ts';
import { atPlace, createDiagnostics, type Diagnostic, type Report } from '../cluster/diagnostic.ts';
import { formatPath, type KubeObject } from '../cluster/kube-object.ts';
import type { LintIgnore } from '../cluster/lint-ignore.ts';
import { resolveCluster } from '../cluster/resolve.ts';
import type { PlacedBefore } from '../cluster/top-controller.ts';
import { checkNetworkConfig } from '../compile/cni/network-config.ts';
import type { Expectation } from './expectation.ts';
import { findBuiltIn, readBuiltIn } from './find-built-in.ts';
import { thawObject } from './frozen.ts';
import {
  checkDocument,
  type LoadedScenario,
  onlyScenario,
  readSources,
  takeApart,
} from './load.ts';
import type { Setting } from './override.ts';
import { type ObjectPatch, patchObjects } from './patch.ts';
import { listInputs } from './read/list-inputs.ts';
import type { ReadObjects } from './read/objects.ts';
import type { ReadOptions } from './read/read-inputs.ts';
import type { Source, SourceText } from './read/source.ts';

/**
 * A path of a file or directory, `-` for standard input, `git:REV:path` for either at a revision, a
 * text with the name it has, or a source that was found before.
 */
export type Input = string | SourceText | Source;

export interface OpenOptions {
  /** `FIELD=VALUE` for any field below the Scenario's `spec`, in order. */
  readonly set?: readonly Setting[] | undefined;
  /** `ENDPOINT: COMMAND`, after the Scenario's own faults. */
  readonly break?: readonly string[] | undefined;
  /** Of endpoints of `break` that name none; default `default`. */
  readonly namespace?: string | undefined;
  /** `declared`: a port that nothing shows refuses, instead of leaving the trace inconclusive. */
  readonly listen?: 'evidence' | 'declared' | undefined;
  /** Pods that were placed in another state of the cluster stay there. */
  readonly placedBefore?: PlacedBefore | undefined;
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

/** What every opened input has, whatever was made of it. */
export interface OpenedCluster {
  /** The Scenario's name, else what the first input is called. */
  readonly name: string;
  readonly cluster: Cluster;
  readonly expectations: readonly Expectation[];
  /** Objects that do not matter to the network, by kind. */
  readonly skipped: ReadonlyMap<string, number>;
  /** What objects, and the Scenario, ask not to be told of. */
  readonly ignores: readonly LintIgnore[];
  /** Only with `keep`: the same input with patches, in place of those before. */
  readonly reopen?: (patch: readonly ObjectPatch[]) => Promise<Opened<OpenedCluster>>;
}

export type Opened<Scenario> =
  | {
      readonly ok: true;
      readonly scenario: Scenario;
      /** Warnings only. */
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** A cluster without an error, and all that was said until then. */
export interface Resolved {
  readonly loaded: LoadedScenario;
  readonly opened: Omit<OpenedCluster, 'reopen'>;
  readonly diagnostics: readonly Diagnostic[];
}

/** What is made of a cluster. */
export type Build<Scenario> = (
  resolved: Resolved,
  options: OpenOptions,
) => Opened<Scenario> | Promise<Opened<Scenario>>;

/** The cluster itself; nothing is done with `break`. */
export const asItIs: Build<OpenedCluster> = ({ opened, diagnostics }) => ({
  ok: true,
  scenario: opened,
  diagnostics,
});

/** `a/b/shop.yaml`, `a/b/shop/` and `git:main:a/b/shop` → `shop`. */
export const nameOf = (input: Input): string => {
  const path = typeof input === 'string' ? input : input.file;
  const base =
    path
      .replace(/^git:[^:]*:/, '')
      .replace(/\/+$/, '')
      .split('/')
      .at(-1) ?? '';
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

export const hasErrors = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.some(({ severity }) => severity === 'error');

/** Objects → a cluster, and what is made of it. */
const resolve = <Scenario>(
  loaded: LoadedScenario,
  before: readonly Diagnostic[],
  options: OpenOptions,
  build: Build<Scenario>,
  release?: () => void,
): Opened<Scenario> | Promise<Opened<Scenario>> => {
  const { report, list } = createDiagnostics();
  for (const diagnostic of before) report(diagnostic);
  const resolved = resolveCluster({
    name: loaded.name,
    spec: loaded.spec,
    objects: loaded.objects,
    release,
    listen: options.listen,
    placedBefore: options.placedBefore,
  });
  for (const diagnostic of resolved.diagnostics) report(diagnostic);
  if (!hasErrors(resolved.diagnostics)) reportConfig(resolved.cluster, loaded, report);
  if (hasErrors(list())) return { ok: false, diagnostics: list() };
  const { cluster, skipped } = resolved;
  const { name, expectations } = loaded;
  const ignores = [...loaded.ignores, ...resolved.ignores];
  const opened = { name, cluster, expectations, skipped, ignores };
  return build({ loaded, opened, diagnostics: list() }, options);
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

const openRead = async <Scenario>(
  read: ReadInput,
  options: OpenOptions,
  build: Build<Scenario>,
): Promise<Opened<Scenario>> => {
  const { report, list } = createDiagnostics();
  const { name } = read;
  for (const diagnostic of read.diagnostics) report(diagnostic);
  const checked = await checkDocument(read.scenario, name, options, report);
  if (read.empty && !hasErrors(list())) report(read.empty);
  const objects = patchObjects(read.objects, options.patch ?? [], report);
  const release = options.keep ? undefined : read.release;
  const result = await resolve(takeApart(name, objects, checked), list(), options, build, release);
  return kept(result, options, (patch) => openRead(read, { ...options, patch }, build));
};

/** With a way back to the input, where that is asked for. */
const kept = <Scenario>(
  result: Opened<Scenario>,
  { keep }: OpenOptions,
  reopen: (patch: readonly ObjectPatch[]) => Promise<Opened<Scenario>>,
): Opened<Scenario> =>
  keep && result.ok ? { ...result, scenario: { ...result.scenario, reopen } } : result;

/** What was read of inputs that are one cluster. */
export interface ReadParts extends Pick<ReadObjects, 'objects' | 'scenarios' | 'release'> {
  readonly name: string;
  /** Of the first input. */
  readonly file: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Objects that were read before, as one cluster. */
export const openParts = <Scenario>(
  { name, file, objects, scenarios, release, diagnostics }: ReadParts,
  options: OpenOptions,
  build: Build<Scenario>,
): Promise<Opened<Scenario>> => {
  const { report, list } = createDiagnostics();
  for (const diagnostic of diagnostics) report(diagnostic);
  const scenario = onlyScenario(scenarios, report);
  const isEmpty = objects.length + scenarios.length === 0;
  const empty: Diagnostic = {
    severity: 'error',
    code: 'no-objects',
    message: 'the input has no Kubernetes object and no Scenario',
    ...(file !== undefined && { file, line: 1, column: 1 }),
  };
  return openRead(
    { name, objects, release, scenario, diagnostics: list(), empty: isEmpty ? empty : undefined },
    options,
    build,
  );
};

/** Reads inputs; what is wrong with them is reported. */
export const readParts = (
  sources: readonly (Source | SourceText)[],
  report: Report,
  { progress, threads }: Pick<OpenOptions, 'progress' | 'threads'>,
): Promise<ReadObjects> =>
  readSources(sources, report, { progress, helpers: threads ? startThreads : undefined });

const openTexts = async <Scenario>(
  name: string,
  sources: readonly (Source | SourceText)[],
  before: readonly Diagnostic[],
  options: OpenOptions,
  build: Build<Scenario>,
): Promise<Opened<Scenario>> => {
  const { report, list } = createDiagnostics();
  for (const diagnostic of before) report(diagnostic);
  const read = await readParts(sources, report, options);
  return openParts({ ...read, name, file: sources[0]?.file, diagnostics: list() }, options, build);
};

/**
 * Opens files, directories, standard input and texts as one cluster. All problems come at once,
 * those of the objects too when a Scenario is wrong; nothing is thrown for what an input holds.
 */
export const openInputs = async <Scenario>(
  inputs: readonly Input[],
  options: OpenOptions,
  build: Build<Scenario>,
): Promise<Opened<Scenario>> => {
  const [first] = inputs;
  if (first === undefined) return openBuiltInAs(undefined, options, build);
  const { report, list } = createDiagnostics();
  const paths = inputs.filter((input) => typeof input === 'string');
  const others = inputs.filter((input) => typeof input !== 'string');
  const sources = [...(await listInputs(paths, options, report)), ...others];
  return openTexts(nameOf(first), sources, list(), options, build);
};

/**
 * Opens a built-in scenario; the default one (`basics/two-nodes`) without any parser, unless it is
 * overridden.
 */
export const openBuiltInAs = async <Scenario>(
  typed: string | undefined,
  options: OpenOptions,
  build: Build<Scenario>,
): Promise<Opened<Scenario>> => {
  const { defaultName, defaultScenario } = await import('./built-in.ts');
  const found = typed === undefined ? { name: defaultName } : await findBuiltIn(typed);
  if ('diagnostic' in found) return { ok: false, diagnostics: [found.diagnostic] };
  const { name } = found;
  const isChanged = (options.set ?? []).length > 0 || (options.patch ?? []).length > 0;
  if (name === defaultName && defaultScenario && !isChanged) {
    const object = thawObject(defaultScenario.scenario);
    const checked = { document: defaultScenario.document, object };
    const objects = defaultScenario.objects.map(thawObject);
    const result = await resolve(takeApart(name, objects, checked), [], options, build);
    return kept(result, options, (patch) => openBuiltInAs(typed, { ...options, patch }, build));
  }
  const source = await readBuiltIn(name);
  if ('diagnostic' in source) return { ok: false, diagnostics: [source.diagnostic] };
  return openTexts(name, [source], [], options, build);
};

/** Inputs as a cluster alone. */
export const openCluster = (
  inputs: readonly Input[],
  options: OpenOptions = {},
): Promise<Opened<OpenedCluster>> => openInputs(inputs, options, asItIs);

/** A built-in scenario as a cluster alone. */
export const openBuiltInCluster = (
  typed: string | undefined,
  options: OpenOptions = {},
): Promise<Opened<OpenedCluster>> => openBuiltInAs(typed, options, asItIs);
