/** `k8snet test`: its arguments, options and help. */
import type { TestOptions } from '../test-command.ts';
import { type Define, examples } from './command.ts';
import type { Command } from './commander.ts';
import { collect, inputOptions } from './options.ts';

const EXAMPLES = [
  'k8snet test --scenario basics/one-node',
  'k8snet scenarios flannel/host-gw > my.yaml && k8snet test my.yaml',
];

export const defineTest: Define = (program, io, end) => {
  const test = program
    .command('test')
    .summary('check what scenarios expect of their traces')
    .description(
      'Checks the expectations of scenarios (spec.expect), each file by itself. A difference is shown as expected against found, with the trace.',
    )
    .argument('[paths...]', 'scenario files, directories of them, or - for standard input');
  test.option('-s, --scenario <name>', 'built-in scenario (k8snet scenarios); repeatable', collect);
  inputOptions(test)
    .option('-v, --verbose', 'show the whole trace of a difference, not its minimal form')
    .addHelpText(
      'after',
      examples(EXAMPLES, 'Exit codes: 0 all hold, 1 one does not, 2 bad usage or input.'),
    )
    .action(async (paths: string[], _: object, command: Command) => {
      const { testCommand } = await import('../test-command.ts');
      end(await testCommand(paths, command.optsWithGlobals<TestOptions>(), io));
    });
};
