/** The command line: commands, options, help. Each command's work is loaded when it is called. */
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { harmless } from '../render/harmless.ts';
import { widthOf } from './appearance.ts';
import type { ExecOptions } from './exec-command.ts';
import { EXIT, type Io } from './io.ts';
import type { TestOptions } from './test-command.ts';
import type { TourOptions } from './tour-command.ts';
import type { TraceOptions } from './trace-options.ts';

/** Examples are tested: each runs in an empty directory and ends with the code of its remark, or 0. */
const EXAMPLES = {
  k8snet: [
    'k8snet trace pod-a pod-b',
    'k8snet trace --help',
    'k8snet scenarios',
    'k8snet test --scenario basics/one-pod',
  ],
  trace: [
    'k8snet trace pod-a pod-b',
    'k8snet trace pod-a pod-b:8081 -v             # refused: exit code 1',
    'k8snet trace shop:app shop:cache -s basics/one-pod',
    'k8snet trace pod-a pod-b -s basics/one-node --proto icmp --minimal',
    'k8snet trace pod-a pod-b --set network.plugin=bridge',
    'k8snet trace pod-a pod-b --proto icmp --warm',
    'k8snet trace client shop/svc/web -s services/cluster-ip',
    'k8snet trace client shop/svc/web -s services/cluster-ip --repeat 4',
    'k8snet trace client shop/svc/web -s services/one-broken --backend web-1',
    'k8snet trace external node/node-1:30080 -s services/node-port',
    'k8snet trace pod-a web.shop -s dns/short-names --no-dns',
    "k8snet trace pod-a pod-b --break 'node/node-2: ip link set flannel.1 down'  # exit code 1",
    'k8snet trace pod-a pod-b -s failures/route-shadowed --with-fix  # exit code 1',
    'k8snet trace pod-a pod-b -o table',
    'k8snet trace pod-a pod-b -o json',
    'k8snet trace pod-a pod-b -o scenario --redact > small.yaml && k8snet test small.yaml',
    'k8snet trace pod-a pod-b -o runbook > check.sh && sh -n check.sh',
    'k8snet scenarios basics/one-node | k8snet trace pod-a pod-b:8080 -f -',
    'k8snet scenarios flannel/host-gw > my.yaml && k8snet trace pod-a pod-b -f my.yaml',
  ],
  test: [
    'k8snet test --scenario basics/one-node',
    'k8snet scenarios flannel/host-gw > my.yaml && k8snet test my.yaml',
  ],
  exec: [
    'k8snet exec node/node-1 -- iptables-save -t nat',
    'k8snet exec node/node-2 -- ip route',
    'k8snet exec pod-a -s basics/one-node -- ip addr show eth0',
    "k8snet exec node/node-1 --break 'node/node-1: ip route del 10.244.2.0/24' -- ip route",
    'k8snet exec node/node-1 --set kubeProxy.mode=none -- iptables-save',
    'k8snet exec node/node-1 -s services/mode-nftables -- nft list ruleset',
    'k8snet exec node/node-1 -s services/mode-ipvs -- ipvsadm -Ln',
  ],
  scenarios: ['k8snet scenarios', 'k8snet scenarios basics/one-pod'],
  tour: ['k8snet tour --yes', 'k8snet tour service --yes'],
  schema: ['k8snet schema scenario > scenario.schema.json', 'k8snet schema trace'],
} as const;

/** What follows the options: examples, and a paragraph below them. */
const examples = (lines: readonly string[], ...below: readonly string[]): string =>
  [`\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`, ...below].join('\n\n');

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** Every built-in holds a Scenario, and a cluster has one. */
const once = (value: string, before: string | undefined): string => {
  if (before === undefined) return value;
  throw new InvalidArgumentError(`A trace has one scenario, and ${before} was given, too.`);
};

const numberFrom =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`A whole number from ${min} to ${max} is wanted.`);
  };

/** Of `--repeat`; each has a source port of its own. */
const MOST_PROBES = 1_000;

/** Most that an IPv4 packet can carry behind its smallest headers (IPv4 20, ICMP or UDP 8). */
const LARGEST_PAYLOAD = 65_507;

/** What is read, and how it is changed before anything is sent: on every command that reads. */
const inputOptions = (command: Command): Command =>
  command
    .option('-R, --recursive', 'read sub-directories, too')
    .option(
      '--set <field=value>',
      'change the Scenario: network.plugin=bridge; repeatable',
      collect,
    )
    .option(
      '--break <command>',
      "run a command first, on a node or in a Pod: 'node/node-2: ip link set flannel.1 down'; repeatable",
      collect,
    )
    .addOption(
      new Option('--listen <what>', 'what a port is that nothing shows: unknown, or refused')
        .choices(['evidence', 'declared'])
        .default('evidence'),
    );

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
    .addHelpText('after', examples(EXAMPLES.k8snet));

  const trace = program
    .command('trace')
    .summary('follow a packet from one container to another, and its answer back')
    .description(
      'Follows a packet from one container, node or address to another, and its answer back.',
    )
    .argument('<from>', '[namespace/]pod[:container], [namespace/]kind/name, an address, external')
    .argument(
      '<to>',
      'the same, svc/name[:port], or a name as a Pod looks it up (web.shop); :8080 behind it asks for a port',
    )
    .option(
      '-f, --file <path>',
      'scenario, manifest, directory of them, or - for standard input; repeat to merge',
      collect,
    );
  trace.option('-s, --scenario <name>', 'built-in scenario (k8snet scenarios)', once);
  inputOptions(trace)
    .option('-n, --namespace <name>', 'namespace of names that have none', 'default')
    .option('-p, --port <number>', 'port to ask for', numberFrom(1, 65_535))
    .addOption(
      new Option(
        '--proto <protocol>',
        'protocol; default tcp, or icmp where no port is known',
      ).choices(['tcp', 'udp', 'icmp', 'sctp']),
    )
    .option('--size <bytes>', 'application data to send', numberFrom(0, LARGEST_PAYLOAD))
    .option(
      '--backend <name>',
      'which backends are traced: all, first, or one by its Pod or its address',
      'all',
    )
    .option('--with-fix', 'try the fix of the cause, and trace again: what comes of it')
    .option('--no-dns', 'look a name up in the records, without the packets that ask for it')
    .option(
      '--repeat <n>',
      'so many probes, one after the other: which backends they come to, and what affinity does',
      numberFrom(1, MOST_PROBES),
    )
    .option('--warm', 'the second probe: what the first one left behind makes cheaper, and why')
    .option('--minimal', 'verdict and packet edits only: stable text to commit and compare')
    .option(
      '-v, --verbose',
      'every lookup: the row that won, who programmed it, how to see it; -vv adds all headers',
      (_: string, times: number) => times + 1,
      0,
    )
    .addOption(
      new Option('-o, --output <format>', 'format')
        .choices(['text', 'table', 'json', 'yaml', 'runbook', 'scenario'])
        .default('text'),
    )
    .option('--redact', 'with -o scenario: neutral names and addresses')
    .addHelpText(
      'after',
      examples(
        EXAMPLES.trace,
        `Without -f or -s: the file or directory that K8SNET_SCENARIO names, else the
built-in scenario basics/two-nodes.
Exit codes: 0 delivered, 1 it does not get through, 2 bad usage or bad input,
3 nobody can tell from this input.`,
      ),
    )
    .action(async (from: string, to: string, _: object, command: Command) => {
      const { traceCommand } = await import('./trace-command.ts');
      exit = await traceCommand(from, to, command.optsWithGlobals<TraceOptions>(), io);
    });

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
      examples(EXAMPLES.test, 'Exit codes: 0 all hold, 1 one does not, 2 bad usage or input.'),
    )
    .action(async (paths: string[], _: object, command: Command) => {
      const { testCommand } = await import('./test-command.ts');
      exit = await testCommand(paths, command.optsWithGlobals<TestOptions>(), io);
    });

  const exec = program
    .command('exec')
    .summary('what iptables-save, ip, bridge and other tools print on a node or in a Pod')
    .description(
      'Runs a command that only looks, on a node or in a Pod, and prints what the real tool prints there: iptables-save, ip6tables-save, nft list ruleset, ipset list, ipvsadm -Ln, ip, bridge, sysctl.',
    )
    .argument('<where>', 'node/name, [namespace/]pod or [namespace/]kind/name')
    .argument('<command...>', 'the command and its arguments, behind --')
    .option(
      '-f, --file <path>',
      'scenario, manifest, directory of them, or - for standard input; repeat to merge',
      collect,
    );
  exec.option('-s, --scenario <name>', 'built-in scenario (k8snet scenarios)', once);
  inputOptions(exec)
    .option('-n, --namespace <name>', 'namespace of names that have none', 'default')
    .addHelpText(
      'after',
      examples(
        EXAMPLES.exec,
        `Exit codes: those of the command; 127 for one that is not here, 2 bad usage or
bad input.`,
      ),
    )
    .action(async (where: string, argv: string[], _: object, command: Command) => {
      const { execCommand } = await import('./exec-command.ts');
      exit = await execCommand(where, argv, command.optsWithGlobals<ExecOptions>(), io);
    });

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
      examples(EXAMPLES.tour, 'Exit codes: 0 every stage holds, 1 one does not, 130 interrupted.'),
    )
    .action(async (stage: string | undefined, _: object, command: Command) => {
      const { tourCommand } = await import('./tour-command.ts');
      exit = await tourCommand(stage, command.optsWithGlobals<TourOptions>(), io);
    });

  program
    .command('scenarios')
    .summary('list the built-in scenarios, or print one')
    .description('Lists the built-in scenarios, or prints the file of one.')
    .argument('[name]', 'as the list shows it')
    .addHelpText('after', examples(EXAMPLES.scenarios))
    .action(async (name: string | undefined, _: object, command: Command) => {
      const { scenariosCommand } = await import('./scenarios-command.ts');
      exit = await scenariosCommand(name, command.optsWithGlobals<{ color?: boolean }>(), io);
    });

  program
    .command('schema')
    .summary('print the JSON Schema of scenario files or of traces')
    .description(
      'Prints the JSON Schema of scenario files, of traces (trace -o json), or of lists of traces (trace --repeat -o json).',
    )
    .addArgument(
      new Argument('[what]', 'which one')
        .choices(['scenario', 'trace', 'trace-list'])
        .default('scenario'),
    )
    .addHelpText('after', examples(EXAMPLES.schema))
    .action(async (what: 'scenario' | 'trace' | 'trace-list') => {
      const { schemaCommand } = await import('./schema-command.ts');
      exit = await schemaCommand(what, io);
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
