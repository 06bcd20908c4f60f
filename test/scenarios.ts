/** Every scenario file of the repository, opened: a new file takes part in every test of them. */
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type OpenedScenario, openScenario } from '../src/scenario/open.ts';

const root = join(import.meta.dirname, '..');

/** `scenarios/basics/one-pod.yaml`, … in order. */
export const scenarioFiles: readonly string[] = readdirSync(join(root, 'scenarios'), {
  recursive: true,
  encoding: 'utf8',
})
  .filter((name) => /\.(?:ya?ml|json)$/.test(name))
  .map((name) => join('scenarios', name))
  .sort();

/** @throws {Error} with the diagnostics of a file that does not open */
export async function openFile(file: string): Promise<OpenedScenario> {
  const result = await openScenario([relative('', join(root, file))]);
  if (result.ok) return result.scenario;
  throw new Error(result.diagnostics.map((d) => `${d.file}:${d.line}: ${d.message}`).join('\n'));
}
