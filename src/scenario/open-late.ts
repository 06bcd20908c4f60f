/**
 * Inputs as a cluster whose World is only made when somebody sends a packet in it, and all that any
 * of them expects: Scenarios as well as Expectations.
 */
import { createDiagnostics } from '../cluster/diagnostic.ts';
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
  readParts,
} from './open-cluster.ts';
import { listInputs } from './read/list-inputs.ts';

export interface LateScenario extends OpenedCluster {
  /** With its faults; diagnostics are those that came with them. */
  withWorld(): Promise<OpenResult>;
}

const later: Build<LateScenario> = (resolved, options) => ({
  ok: true,
  scenario: {
    ...resolved.opened,
    withWorld: async () =>
      (await import('./open.ts')).withWorld({ ...resolved, diagnostics: [] }, options),
  },
  diagnostics: resolved.diagnostics,
});

export const openBuiltInLate = (
  typed: string | undefined,
  options: OpenOptions = {},
): Promise<Opened<LateScenario>> => openBuiltInAs(typed, options, later);

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
  const more: Expectation[] = [];
  for (const object of read.expectations) {
    const { checkExpectations } = await import('./expectations/schema.ts');
    const document = checkExpectations(object, report);
    if (document) more.push(...expectationsOf(document, object));
  }
  const parts = { ...read, name: nameOf(first), file: sources[0]?.file, diagnostics: list() };
  const opened = await openParts(parts, options, later);
  if (!opened.ok) return opened;
  const { scenario } = opened;
  const expectations = [...scenario.expectations, ...more];
  return { ...opened, scenario: { ...scenario, expectations } };
};
