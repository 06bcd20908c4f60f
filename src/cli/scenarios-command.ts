/** `k8snet scenarios`: the built-in scenarios, all or those of a folder listed, or one printed. */
import type { BuiltInEntry } from '../scenario/compile-built-in.ts';
import { listBuiltIn, readBuiltIn } from '../scenario/find-built-in.ts';
import { styleFor, wantsColor, widthOf } from './appearance.ts';
import { EXIT, type Io } from './io.ts';
import type { InputOptions } from './open-input.ts';
import { report } from './report.ts';

/** @returns the exit code. */
export async function scenariosCommand(
  name: string | undefined,
  options: Pick<InputOptions, 'color'>,
  io: Io,
): Promise<number> {
  const entries = await listBuiltIn();
  const folder = `${name?.replace(/\/$/, '')}/`;
  const listed =
    name === undefined ? entries : entries.filter((entry) => entry.name.startsWith(folder));
  if (listed.length > 0) {
    io.stdout.write(await list(listed, options, io));
    return EXIT.ok;
  }
  const source = await readBuiltIn(name ?? '');
  if ('diagnostic' in source) {
    await report([source.diagnostic], options, io);
    return EXIT.usage;
  }
  io.stdout.write(source.text);
  return EXIT.ok;
}

async function list(
  entries: readonly BuiltInEntry[],
  { color }: Pick<InputOptions, 'color'>,
  io: Io,
): Promise<string> {
  const style = await styleFor(wantsColor(color, io.env, io.stdout));
  const { twoColumns } = await import('../render/table.ts');
  return twoColumns(
    entries.map(({ name, description }) => [name, description] as const),
    widthOf(io.env, io.stdout),
    style.label,
  );
}
