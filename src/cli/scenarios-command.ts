/** `k8snet scenarios`: the built-in scenarios, listed or printed. */
import { columns, pad, wrap } from '../render/width.ts';
import { listBuiltIn, readBuiltIn } from '../scenario/open.ts';
import { styleFor, wantsColor, widthOf } from './appearance.ts';
import { EXIT, type Io } from './io.ts';
import { type InputOptions, report } from './open-input.ts';

/** @returns the exit code. */
export async function scenariosCommand(
  name: string | undefined,
  options: Pick<InputOptions, 'color'>,
  io: Io,
): Promise<number> {
  if (name === undefined) {
    io.stdout.write(await list(options, io));
    return EXIT.ok;
  }
  const source = await readBuiltIn(name);
  if ('diagnostic' in source) {
    await report([source.diagnostic], options, io);
    return EXIT.usage;
  }
  io.stdout.write(source.text);
  return EXIT.ok;
}

async function list({ color }: Pick<InputOptions, 'color'>, io: Io): Promise<string> {
  const style = await styleFor(wantsColor(color, io.env, io.stdout));
  const entries = await listBuiltIn();
  const left = Math.max(...entries.map(({ name }) => columns(name))) + 2;
  const room = widthOf(io.env, io.stdout) - left;
  const lines = entries.flatMap(({ name, description }) =>
    wrap(description, Math.max(20, room)).map((text, index) =>
      index === 0 ? `${style.label(pad(name, left))}${text}` : `${' '.repeat(left)}${text}`,
    ),
  );
  return `${lines.join('\n')}\n`;
}
