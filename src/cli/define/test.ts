/** `k8snet test`: its arguments, options and help. */
import { TEST_FORMATS, type TestOptions } from '../test-options.ts';
import { type Define, examples } from './command.ts';
import { type Command, InvalidArgumentError, Option } from './commander.ts';
import { collect, inputOptions, policyOption } from './options.ts';

const EXAMPLES = [
  'k8snet test --scenario basics/one-node',
  'k8snet scenarios flannel/host-gw > my.yaml && k8snet test my.yaml',
  'k8snet test -s basics/one-pod -o junit > junit.xml',
];

/** An optional value takes whatever comes next, also a path. */
const failures = (value: string): number => {
  if (/^[1-9]\d*$/.test(value)) return Number(value);
  throw new InvalidArgumentError('A number of failures is wanted: --bail=1.');
};

export const defineTest: Define = (program, io, end) => {
  const test = program
    .command('test')
    .summary('check what scenarios and Expectations expect')
    .description(
      'Checks the expectations of scenarios (spec.expect), each file by itself; or those of files of kind Expectations, laid over what all other files hold. A difference is shown as expected against found, with the trace or with the policies that decide.',
    )
    .argument(
      '[paths...]',
      'scenarios, manifests, Expectations, directories of them, or - for standard input',
    )
    .option('-e, --expect <path>', 'a file of kind Expectations; repeatable', collect)
    .option('-s, --scenario <name>', 'built-in scenario (k8snet scenarios); repeatable', collect);
  policyOption(inputOptions(test))
    .addOption(new Option('-o, --output <format>', 'format').choices(TEST_FORMATS).default('text'))
    .option(
      '--only <pattern>',
      'expectations whose name or one of whose ends matches; * is a wildcard',
    )
    .addOption(
      new Option('--bail [failures]', 'leave the rest out after so many failures')
        .preset('1')
        .argParser(failures),
    )
    .option('--soft', 'differences are told, and the exit code is 0 all the same')
    .option('--update', 'write what traces found into the files; refused where an outcome changed')
    .option('-w, --watch', 'test again whenever a file changes, until Ctrl-C')
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
