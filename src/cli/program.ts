/** The command line: commands, global options, help. Each command's work is loaded when it is called. */

import manifest from '../../package.json' with { type: 'json' };
import { harmless } from '../render/harmless.ts';
import { widthOf } from './appearance.ts';
import { type Define, examples } from './define/command.ts';
import { Command, CommanderError } from './define/commander.ts';
import { defineDiff } from './define/diff.ts';
import { defineExec } from './define/exec.ts';
import { defineLint } from './define/lint.ts';
import { defineMatrix } from './define/matrix.ts';
import { defineScenarios } from './define/scenarios.ts';
import { defineSchema } from './define/schema.ts';
import { defineTest } from './define/test.ts';
import { defineTour } from './define/tour.ts';
import { defineTrace } from './define/trace.ts';
import { EXIT, type Io } from './io.ts';

/** In the order of the help. */
const COMMANDS: Readonly<Record<string, Define>> = {
  trace: defineTrace,
  matrix: defineMatrix,
  test: defineTest,
  lint: defineLint,
  diff: defineDiff,
  exec: defineExec,
  tour: defineTour,
  scenarios: defineScenarios,
  schema: defineSchema,
};

/** The command that is named first needs no other beside it; help, and what is none, needs all. */
const definitionsFor = ([first = '']: readonly string[]): readonly Define[] => {
  const named = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  return named ? [named] : Object.values(COMMANDS);
};

const EXAMPLES = [
  'k8snet trace pod-a pod-b',
  'k8snet trace --help',
  'k8snet scenarios',
  'k8snet test --scenario basics/one-pod',
];

/** `help nope` is as wrong as `nope`, and is told so as well. */
const helpOfNothing = (program: Command, args: readonly string[]): string[] | undefined => {
  const [help, name] = args.filter((word) => !word.startsWith('-'));
  if (help !== 'help' || name === undefined || name === 'help') return undefined;
  return program.commands.some((command) => command.name() === name) ? undefined : [name];
};

/**
 * Runs one command line.
 *
 * @param args without the interpreter and the script.
 * @returns the exit code; throws only for what is a bug.
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let exit: number = EXIT.ok;
  const width = widthOf(io.env, io.stdout);
  const program = new Command('k8snet')
    .description(
      'Shows how a packet really travels between two containers of a Kubernetes cluster, offline: every namespace, veth pair, bridge, route, NAT rule, tunnel and wire, there and back.',
    )
    .version(manifest.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .option('--color', 'colour, whatever the output is')
    .option('--no-color', 'no colour, even on a terminal')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => width,
      getErrHelpWidth: () => width,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => {
        const [message = '', ...hints] = text.trimEnd().split('\n');
        const lines = [
          `k8snet: ${harmless(message)}`,
          ...hints.map((hint) => `  ${harmless(hint)}`),
        ];
        write(`${lines.join('\n')}\n`);
      },
    })
    .exitOverride()
    .addHelpText('after', examples(EXAMPLES));

  for (const define of definitionsFor(args))
    define(program, io, (code) => {
      exit = code;
    });

  if (args.length === 0) {
    program.outputHelp();
    return EXIT.ok;
  }
  try {
    await program.parseAsync(helpOfNothing(program, args) ?? args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return exit;
}
