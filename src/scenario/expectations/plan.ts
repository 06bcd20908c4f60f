/**
 * What `test` opens. Without Expectations each file is a cluster of its own, with what its Scenario
 * expects. With them, every document of kind Expectations is laid over one cluster: what all other
 * files hold, or, where there are none, its own inputs; and what stands in its own file.
 */
import type { Cluster } from '../../cluster/cluster.ts';
import { createDiagnostics, type Diagnostic } from '../../cluster/diagnostic.ts';
import type { KubeObject } from '../../cluster/kube-object.ts';
import { type Expectation, expectationsOf } from '../expectation.ts';
import type { OpenedScenario } from '../open.ts';
import {
  asItIs,
  hasErrors,
  nameOf,
  type OpenOptions,
  openParts,
  type ReadParts,
  readParts,
} from '../open-cluster.ts';
import { pathBeside } from '../read/files.ts';
import { listInputs } from '../read/list-inputs.ts';
import type { ReadObjects } from '../read/objects.ts';
import type { Source, SourceText } from '../read/source.ts';
import { type MatrixExpectation, matrixExpectationsOf } from './matrix-expectation.ts';
import type { ExpectationsDocument } from './schema.ts';
import { settingsOf } from './settings.ts';

/** One thing that is tested: a file, or a document of kind Expectations. */
export interface TestTarget {
  /** As the user named it. */
  readonly file: string;
  /** Of Expectations: what they are called. */
  readonly name?: string;
  readonly open: () => Promise<OpenedTest>;
}

export type OpenedTest =
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly ok: true;
      readonly diagnostics: readonly Diagnostic[];
      readonly description?: string;
      readonly cluster: Cluster;
      /** Absent: nothing is expected of a trace. */
      readonly scenario?: OpenedScenario;
      readonly expectations: readonly Expectation[];
      readonly matrix: readonly MatrixExpectation[];
    };

export interface TestPlan {
  readonly targets: readonly TestTarget[];
  /** What is wrong beside the targets. */
  readonly diagnostics: readonly Diagnostic[];
}

export type AnySource = Source | SourceText;

interface Read {
  readonly file: string;
  readonly objects: ReadObjects;
  readonly diagnostics: readonly Diagnostic[];
}

export interface PlanOptions extends OpenOptions {
  /** Told of every file that is read: what to look at for changes. */
  readonly onRead?: ((file: string) => void) | undefined;
}

const read = async (source: AnySource, options: PlanOptions): Promise<Read> => {
  options.onRead?.(source.file);
  const { report, list } = createDiagnostics();
  const objects = await readParts([source], report, options);
  return { file: source.file, objects, diagnostics: list() };
};

const readAll = async (sources: readonly AnySource[], options: PlanOptions): Promise<Read[]> => {
  const all: Read[] = [];
  for (const source of sources) all.push(await read(source, options));
  return all;
};

const loadOpen = () => import('../open.ts');

/** A file by itself. */
const ownTarget = ({ file, objects, diagnostics }: Read, options: OpenOptions): TestTarget => ({
  file,
  open: async () => {
    const { withWorld } = await loadOpen();
    const parts = { ...objects, name: nameOf({ file, text: '' }), file, diagnostics };
    const opened = await openParts(parts, options, withWorld);
    if (!opened.ok) return opened;
    const { scenario } = opened;
    const { cluster, expectations } = scenario;
    const { description } = cluster;
    return {
      ok: true,
      diagnostics: opened.diagnostics,
      ...(description !== undefined && { description }),
      cluster,
      scenario,
      expectations,
      matrix: [],
    };
  },
});

/** What all Expectations of one run share. */
interface Base {
  readonly reads: readonly Read[];
  readonly options: PlanOptions;
  /** Expectations of Scenarios that were taken before, by their place: each is judged once. */
  readonly taken: Set<string>;
}

/** The inputs that a document names, where the command line names none. */
const inputsOf = async (
  { spec: { inputs = [] } }: ExpectationsDocument,
  file: string,
  { reads, options }: Base,
): Promise<{ readonly reads: readonly Read[]; readonly diagnostics: readonly Diagnostic[] }> => {
  if (reads.length > 0) return { reads, diagnostics: [] };
  const { report, list } = createDiagnostics();
  const paths = inputs.map((path) => pathBeside(file, path));
  const sources = await listInputs(paths, options, report);
  const found = await readAll(
    sources.filter((source) => source.file !== file),
    options,
  );
  return { reads: found, diagnostics: [...list(), ...found.flatMap((one) => one.diagnostics)] };
};

const partsOf = (
  reads: readonly Read[],
  own: Read,
  before: readonly Diagnostic[],
): ReadParts | Diagnostic => {
  const all = [...reads, own];
  const objects = all.flatMap((one) => one.objects.objects);
  const scenarios = all.flatMap((one) => one.objects.scenarios);
  if (objects.length + scenarios.length === 0)
    return {
      severity: 'error',
      code: 'no-objects',
      message: 'these Expectations are laid over nothing',
      file: own.file,
      line: 1,
      column: 1,
      hint: `Give the manifests beside them (k8snet test manifests/ ${own.file}), or name them in spec.inputs.`,
    };
  return {
    name: nameOf({ file: own.file, text: '' }),
    file: own.file,
    objects,
    scenarios,
    // Others are still to look at them.
    release: () => undefined,
    diagnostics: before,
  };
};

const overlay = async (own: Read, object: KubeObject, base: Base): Promise<OpenedTest> => {
  const { report, list } = createDiagnostics();
  for (const diagnostic of own.diagnostics) report(diagnostic);
  const { checkExpectations } = await import('./schema.ts');
  const document = checkExpectations(object, report);
  if (!document) return { ok: false, diagnostics: list() };
  const inputs = await inputsOf(document, own.file, base);
  for (const diagnostic of inputs.diagnostics) report(diagnostic);
  const parts = partsOf(inputs.reads, own, list());
  if ('severity' in parts) {
    if (!hasErrors(list())) report(parts);
    return { ok: false, diagnostics: list() };
  }
  const { description } = document.spec;
  const set = [...settingsOf(document, object), ...(base.options.set ?? [])];
  const options = { ...base.options, set };
  const expectations = expectationsOf(document, object);
  const matrix = matrixExpectationsOf(document, object);
  const told = { ...(description !== undefined && { description }), matrix };
  const isTraced = expectations.length > 0 || parts.scenarios.length > 0;
  if (!isTraced) {
    const opened = await openParts(parts, options, asItIs);
    if (!opened.ok) return opened;
    const { diagnostics, scenario } = opened;
    return { ok: true, diagnostics, ...told, cluster: scenario.cluster, expectations };
  }
  const { withWorld } = await loadOpen();
  const opened = await openParts(parts, options, withWorld);
  if (!opened.ok) return opened;
  const { diagnostics, scenario } = opened;
  const others = scenario.expectations.filter(({ place: { file, line, column } }) => {
    const key = [file, line, column].join(':');
    return !base.taken.has(key) && base.taken.add(key);
  });
  return {
    ok: true,
    diagnostics,
    ...told,
    cluster: scenario.cluster,
    scenario,
    expectations: [...expectations, ...others],
  };
};

const nameIn = ({ value }: KubeObject): string | undefined => {
  const { metadata } = value;
  const name =
    typeof metadata === 'object' && metadata !== null && 'name' in metadata
      ? metadata['name']
      : undefined;
  return typeof name === 'string' ? name : undefined;
};

const overlayTargets = (own: Read, base: Base): TestTarget[] =>
  own.objects.expectations.map((object) => {
    const name = nameIn(object);
    return {
      file: own.file,
      ...(name !== undefined && { name }),
      open: () => overlay(own, object, base),
    };
  });

/**
 * Reads all sources and says what is to be tested.
 * @param overlays sources that have to hold Expectations
 */
export const planTests = async (
  sources: readonly AnySource[],
  overlays: readonly AnySource[],
  options: PlanOptions,
): Promise<TestPlan> => {
  const given = new Set(overlays.map(({ file }) => file));
  const reads = await readAll(
    sources.filter(({ file }) => !given.has(file)),
    options,
  );
  const laid = await readAll(overlays, options);
  const isLaid = ({ objects }: Read): boolean => objects.expectations.length > 0;
  const missing = laid
    .filter((one) => !isLaid(one) && !hasErrors(one.diagnostics))
    .map(
      ({ file }): Diagnostic => ({
        severity: 'error',
        code: 'no-expectations',
        message: `${file} has no document of kind Expectations`,
        file,
        hint: 'k8snet schema expectations prints what one may hold.',
      }),
    );
  const withThem = [...reads.filter(isLaid), ...laid.filter(isLaid)];
  const unread = laid.filter((one) => !isLaid(one)).flatMap(({ diagnostics }) => diagnostics);
  if (withThem.length === 0 && laid.length === 0)
    return { targets: reads.map((one) => ownTarget(one, options)), diagnostics: [] };
  const others = reads.filter((one) => !isLaid(one));
  const diagnostics = [...others.flatMap((one) => one.diagnostics), ...unread, ...missing];
  // A cluster that is half read would be judged by what is missing in it.
  if (hasErrors(diagnostics)) return { targets: [], diagnostics };
  const base = { reads: others, options, taken: new Set<string>() };
  return { targets: withThem.flatMap((one) => overlayTargets(one, base)), diagnostics };
};
