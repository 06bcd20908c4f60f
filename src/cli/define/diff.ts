/** `k8snet diff`: its arguments, options and help. */
import type { FailOn } from '../../check/diff/fails-on.ts';
import { type DiffCommandOptions, FAIL_ON } from '../diff-options.ts';
import { type Define, examples } from './command.ts';
import { type Command, InvalidArgumentError, Option } from './commander.ts';
import { collect, inputOptions, once, pairOptions, policyOption } from './options.ts';

const EXAMPLES = [
  'k8snet scenarios basics/two-nodes > old.yaml && cp old.yaml new.yaml && k8snet diff old.yaml new.yaml',
  "k8snet scenarios basics/two-nodes > a.yaml && sed 's/vxlan/host-gw/' a.yaml > b.yaml && k8snet diff a.yaml b.yaml --fail-on paths  # exit code 1",
  "k8snet scenarios basics/two-nodes > a.yaml && k8snet diff a.yaml a.yaml --trace 'pod-b pod-a' -o markdown",
];

const failOn = (value: string, before: readonly FailOn[] = []): readonly FailOn[] => {
  const words = value.split(',').map((word) => word.trim());
  const known = words.flatMap((word) => FAIL_ON.find((one) => one === word) ?? []);
  if (known.length === words.length) return [...before, ...known];
  throw new InvalidArgumentError(`Allowed are ${FAIL_ON.join(', ')}, also several with commas.`);
};

export const defineDiff: Define = (program, io, end) => {
  const diff = program
    .command('diff')
    .summary('what a change opens, closes and changes: connections, and paths of packets')
    .description(
      'Compares two states of a cluster: which connections policies allow, and how packets travel where a path is expected or asked for.',
    )
    .argument(
      '<base>',
      'before: manifests, a scenario, a directory of them, - for standard input, or git:REV:path for either at a revision',
    )
    .argument('<head>', 'after: the same')
    .option('--base <path>', 'another input of BASE; repeatable', collect)
    .option('--head <path>', 'another input of HEAD; repeatable', collect)
    .option('-f, --file <path>', 'an input of both sides; repeatable', collect)
    .option('-s, --scenario <name>', 'built-in scenario, on both sides', once);
  policyOption(inputOptions(diff))
    .option('-n, --namespace <name>', 'namespace of names that have none', 'default')
    .option(
      '--trace <question>',
      "compare a path: 'FROM TO', with a protocol behind it where it is not TCP; repeatable",
      collect,
    )
    .option('--no-paths', 'do not compare the paths that the inputs expect');
  pairOptions(diff)
    .addOption(
      new Option(
        '--match <how>',
        'workload: a ReplicaSet of the next rollout is the one before; id: only what is called the same',
      )
        .choices(['workload', 'id'])
        .default('workload'),
    )
    .option(
      '--fail-on <what>',
      'end with 1 for these: opened, closed, changed, added, removed, paths, any; commas, repeatable',
      failOn,
    )
    .addOption(
      new Option('-o, --output <format>', 'format')
        .choices(['text', 'json', 'markdown'])
        .default('text'),
    )
    .addHelpText(
      'after',
      examples(
        EXAMPLES,
        `opened and closed are ports between peers of both sides; added and removed are
connections that come or go with a peer.
Exit codes: 0; 1 for a difference that --fail-on names; 2 bad usage or input.`,
      ),
    )
    .action(async (base: string, head: string, _: object, command: Command) => {
      const { diffCommand } = await import('../diff-command.ts');
      end(await diffCommand(base, head, command.optsWithGlobals<DiffCommandOptions>(), io));
    });
};
