/** The built-in scenarios as data; computed when the package is built. */
import { type BuiltInEntry, compileBuiltIn, type FrozenScenario } from './compile-built-in.ts';
import { listOwnFolder, readOwnFile } from './read/files.ts';

const root = new URL('../../scenarios/', import.meta.url);

const names = listOwnFolder(root)
  .filter((topic) => topic.endsWith('/'))
  .flatMap((topic) =>
    listOwnFolder(new URL(topic, root))
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => `${topic}${file.slice(0, -'.yaml'.length)}`),
  );

const textOf = (name: string): string => readOwnFile(new URL(`${name}.yaml`, root));

const compiled = await Promise.all(
  names.map(async (name) => compileBuiltIn(`scenarios/${name}.yaml`, textOf(name))),
);

/** Every scenario file of the package, by name. */
export const builtInIndex: readonly BuiltInEntry[] = names.map((name, at) => ({
  name,
  description: compiled[at]?.document.spec?.description ?? '',
}));

/** What is used when nothing else is named. */
export const defaultName = 'basics/two-nodes';

export const defaultScenario: FrozenScenario | undefined = compiled[names.indexOf(defaultName)];
