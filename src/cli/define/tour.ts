/** `k8snet tour`: its arguments, options and help. */
import type { TourOptions } from '../tour-command.ts';
import { type Define, examples } from './command.ts';
import type { Command } from './commander.ts';

const EXAMPLES = ['k8snet tour --yes', 'k8snet tour service --yes'];

export const defineTour: Define = (program, io, end) => {
  program
    .command('tour')
    .summary('a guided tour: one Pod, one node, two nodes, a Service')
    .description(
      'Walks through the basic stories of Pod networking and a Service, asks before it reveals, and lets the engine grade the answers. Without a terminal it runs by itself.',
    )
    .argument('[stage]', 'one-pod, one-node, two-nodes or service; default all')
    .option('-y, --yes', 'run by itself, with the right answers')
    .addHelpText(
      'after',
      examples(EXAMPLES, 'Exit codes: 0 every stage holds, 1 one does not, 130 interrupted.'),
    )
    .action(async (stage: string | undefined, _: object, command: Command) => {
      const { tourCommand } = await import('../tour-command.ts');
      end(await tourCommand(stage, command.optsWithGlobals<TourOptions>(), io));
    });
};
