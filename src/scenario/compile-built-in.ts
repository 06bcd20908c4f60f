/** Makes the data of the built-in scenario: runs when the package is built, never in it. */
import { createDiagnostics } from '../cluster/diagnostic.ts';
import { type FrozenObject, freezeObject } from './frozen.ts';
import { checkDocument, onlyScenario, readSources } from './load.ts';
import type { ScenarioDocument } from './schema.ts';

/** A scenario that was read and checked, as plain JSON. */
export interface FrozenScenario {
  readonly document: ScenarioDocument;
  readonly scenario: FrozenObject;
  readonly objects: readonly FrozenObject[];
}

export interface BuiltInEntry {
  /** `basics/two-nodes`: the file's name below scenarios/. */
  readonly name: string;
  readonly description: string;
}

/**
 * Reads and checks the text of a scenario file.
 * @throws {Error} when anything is wrong with it: a package must not be built then
 */
export const compileBuiltIn = async (file: string, text: string): Promise<FrozenScenario> => {
  const { report, list } = createDiagnostics();
  const { objects, scenarios } = await readSources([{ file, text }], report);
  const checked = await checkDocument(onlyScenario(scenarios, report), file, {}, report);
  const [problem] = list();
  if (problem || !checked)
    throw new Error(`${file}:${problem?.line ?? 1}: ${problem?.message ?? 'has no Scenario'}`);
  return {
    document: checked.document,
    scenario: freezeObject(checked.object),
    objects: objects.map(freezeObject),
  };
};
