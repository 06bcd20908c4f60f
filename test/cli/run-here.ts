/** The command line in this process, its output no terminal: what needs no process of its own. */
import type { Io, Sink } from '../../src/cli/io.ts';
import { run } from '../../src/cli/program.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const runHere = async (args: readonly string[], env: Io['env'] = {}): Promise<Ran> => {
  const texts = { stdout: [] as string[], stderr: [] as string[] };
  const sink = (name: keyof typeof texts): Sink => ({
    write: (text) => {
      texts[name].push(text);
    },
    isTTY: false,
    columns: undefined,
  });
  const code = await run(args, { stdout: sink('stdout'), stderr: sink('stderr'), env });
  return { code, stdout: texts.stdout.join(''), stderr: texts.stderr.join('') };
};
