/**
 * Inputs as a cluster whose World is only made when somebody sends a packet in it, and all that any
 * of them expects: Scenarios as well as Expectations.
 */
import { createDiagnostics, type Diagnostic } from '../cluster/diagnostic.ts';
import { type Expectation, expectationsOf } from './expectation.ts';
import type { OpenResult } from './open.ts';
import {
  type Build,
  type Input,
  nameOf,
  type Opened,
  type OpenedCluster,
  type OpenOptions,
  openBuiltInAs,
  openParts,
  type ReadParts,
  readParts,
} from './open-cluster.ts';
import type { Setting } from './override.ts';
import { listInputs } from './read/list-inputs.ts';

/** What is asked, and what its document changes in the Scenario before that. */
export type LateExpectation = Expectation & { readonly under?: readonly Setting[] };

/** How a World is to be other than the input has it. */
export interface LateChange {
  /** Of Expectations; what the command line sets has the last word. */
  readonly set: readonly Setting[];
  readonly placedBefore?: OpenOptions['placedBefore'];
}

export interface LateScenario extends OpenedCluster {
  readonly expectations: readonly LateExpectation[];
  /** With its faults; diagnostics are those that came with them, or with the change. */
  withWorld(change?: LateChange): Promise<OpenResult>;
}

type Reopen = (change: LateChange) => Promise<OpenResult>;

const later =
  (reopen: Reopen): Build<LateScenario> =>
  (resolved, options) => ({
    ok: true,
    scenario: {
      ...resolved.opened,
      withWorld: async (change) => {
        if (change) return reopen(change);
        const { withWorld } = await import('./open.ts');
        return withWorld({ ...resolved, diagnostics: [] }, options);
      },
    },
    diagnostics: resolved.diagnostics,
  });

/** The same input once more, changed; what was said before is not said again. */
const reopened =
  (parts: ReadParts, options: OpenOptions, said: () => readonly Diagnostic[]): Reopen =>
  async ({ set, placedBefore = options.placedBefore }) => {
    const { withWorld } = await import('./open.ts');
    const changed = { ...options, set: [...set, ...(options.set ?? [])], placedBefore };
    const result = await openParts(parts, changed, withWorld);
    const known = new Set(said().map((one) => JSON.stringify(one)));
    const diagnostics = result.diagnostics.filter((one) => !known.has(JSON.stringify(one)));
    return { ...result, diagnostics };
  };

export const openBuiltInLate = (
  typed: string | undefined,
  options: OpenOptions = {},
): Promise<Opened<LateScenario>> => {
  const open = (changed: OpenOptions): Promise<OpenResult> =>
    import('./open.ts').then(({ withWorld }) => openBuiltInAs(typed, changed, withWorld));
  const reopen: Reopen = ({ set, placedBefore = options.placedBefore }) =>
    open({ ...options, set: [...set, ...(options.set ?? [])], placedBefore });
  return openBuiltInAs(typed, options, later(reopen));
};

export const openLate = async (
  inputs: readonly Input[],
  options: OpenOptions = {},
): Promise<Opened<LateScenario>> => {
  const [first] = inputs;
  if (first === undefined) return openBuiltInLate(undefined, options);
  const { report, list } = createDiagnostics();
  const paths = inputs.filter((input) => typeof input === 'string');
  const others = inputs.filter((input) => typeof input !== 'string');
  const sources = [...(await listInputs(paths, options, report)), ...others];
  const read = await readParts(sources, report, options);
  const more: LateExpectation[] = [];
  for (const object of read.expectations) {
    const { checkExpectations } = await import('./expectations/schema.ts');
    const { settingsOf } = await import('./expectations/settings.ts');
    const document = checkExpectations(object, report);
    if (!document) continue;
    const under = settingsOf(document, object);
    more.push(...expectationsOf(document, object).map((one) => ({ ...one, under })));
  }
  // Another side may ask under a setting that this one does not have: what was read stays.
  const parts: ReadParts = {
    ...read,
    name: nameOf(first),
    file: sources[0]?.file,
    release: () => undefined,
    diagnostics: list(),
  };
  let said: readonly Diagnostic[] = [];
  const build = later(reopened(parts, options, () => said));
  const opened = await openParts(parts, options, build);
  said = opened.diagnostics;
  if (!opened.ok) return opened;
  const { scenario } = opened;
  const expectations = [...scenario.expectations, ...more];
  return { ...opened, scenario: { ...scenario, expectations } };
};
