/** `k8snet scenarios`: its arguments, options and help. */
import { type Define, examples } from './command.ts';
import type { Command } from './commander.ts';

const EXAMPLES = [
  'k8snet scenarios',
  'k8snet scenarios policies',
  'k8snet scenarios basics/one-pod',
];

export const defineScenarios: Define = (program, io, end) => {
  program
    .command('scenarios')
    .summary('list the built-in scenarios, or print one')
    .description(
      'Lists the built-in scenarios, all or those of a folder, or prints the file of one.',
    )
    .argument('[name]', 'as the list shows it, or a folder: policies')
    .addHelpText('after', examples(EXAMPLES))
    .action(async (name: string | undefined, _: object, command: Command) => {
      const { scenariosCommand } = await import('../scenarios-command.ts');
      end(await scenariosCommand(name, command.optsWithGlobals<{ color?: boolean }>(), io));
    });
};
