/** `k8snet lint`: its arguments, options and help. */
import { FAIL_ON, LINT_FORMATS, type LintCommandOptions } from '../lint-options.ts';
import { type Define, examples } from './command.ts';
import { type Command, Option } from './commander.ts';
import { collect, once } from './options.ts';

const EXAMPLES = [
  'k8snet lint -s basics/two-nodes',
  'k8snet scenarios services/cluster-ip | k8snet lint - --ignore selects-nothing',
  'k8snet lint -s services/cluster-ip -o sarif > k8snet.sarif',
  'k8snet lint -s services/cluster-ip -o github --fail-on error',
];

export const defineLint: Define = (program, io, end) => {
  program
    .command('lint')
    .summary('what is wrong before any packet: Services, policies, ranges, ports')
    .description(
      'Looks for what can never work or is not what was meant: Services and policies that select nothing, policies that change nothing or keep Pods from DNS, ports that no Pod has, addresses and ranges that clash. Each finding has a code (docs/lint.md), its place and what to do.',
    )
    .argument(
      '[paths...]',
      'manifests, scenarios, directories of them, or - for standard input; together they are one cluster',
    )
    .option('-s, --scenario <name>', 'built-in scenario (k8snet scenarios)', once)
    .option('-R, --recursive', 'read sub-directories, too')
    .option(
      '--set <field=value>',
      'change the Scenario: network.plugin=bridge; repeatable',
      collect,
    )
    .addOption(new Option('-o, --output <format>', 'format').choices(LINT_FORMATS).default('text'))
    .addOption(
      new Option('--fail-on <severity>', 'the least severity that ends with 1')
        .choices(FAIL_ON)
        .default('warning'),
    )
    .option('--only <code>', 'only findings of this code; repeatable', collect)
    .option('--ignore <code>', 'no findings of this code; repeatable', collect)
    .addHelpText(
      'after',
      examples(
        EXAMPLES,
        `An object suppresses findings by its annotation
k8snet/lint-ignore: "CODE: reason; CODE: reason"; a Namespace and the Scenario
do so for all that is in them.
Exit codes: 0 nothing of that severity, 1 something, 2 bad usage or bad input.`,
      ),
    )
    .action(async (paths: string[], _: object, command: Command) => {
      const { lintCommand } = await import('../lint-command.ts');
      end(await lintCommand(paths, command.optsWithGlobals<LintCommandOptions>(), io));
    });
};
