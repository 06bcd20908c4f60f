/** `k8snet matrix`: its arguments, options and help. */
import type { MatrixCommandOptions } from '../matrix-options.ts';
import { portsOf } from '../port-list.ts';
import { type Define, examples } from './command.ts';
import { type Command, InvalidArgumentError, Option } from './commander.ts';
import { inputOptions, once, pairOptions, policyOption } from './options.ts';

const EXAMPLES = [
  'k8snet matrix -s services/cluster-ip',
  'k8snet matrix -s services/cluster-ip --group-by namespace -o csv',
  'k8snet matrix -s services/cluster-ip --to shop/svc/web --port 8080',
  'k8snet matrix -s services/cluster-ip --exposure',
  'k8snet matrix -s services/cluster-ip --path',
  'k8snet matrix -s services/cluster-ip -o json',
  'k8snet matrix -s services/cluster-ip -o svg > matrix.svg',
  'k8snet scenarios services/cluster-ip | k8snet matrix -',
];

const portList = (text: string): NonNullable<ReturnType<typeof portsOf>> => {
  const ports = portsOf(text);
  if (ports) return ports;
  throw new InvalidArgumentError(
    'Ports are wanted as 80, 80,443, 8000-9000, 53/udp or 80/any; without a protocol they are of TCP.',
  );
};

export const defineMatrix: Define = (program, io, end) => {
  const matrix = program
    .command('matrix')
    .summary('who may talk to whom: what policies allow, over all pairs')
    .description(
      'Shows what NetworkPolicies and the policies of the admin and baseline tiers allow between all workloads, and between them and addresses outside.',
    )
    .argument(
      '[paths...]',
      'manifests, scenarios, directories of them, or - for standard input; together they are one cluster',
    )
    .option('-s, --scenario <name>', 'built-in scenario (k8snet scenarios)', once);
  policyOption(inputOptions(matrix))
    .option('-n, --namespace <name>', 'namespace of names that have none', 'default')
    .option(
      '--from <who>',
      'only these sources: a peer as the matrix calls it, a Pod, kind/name, a namespace, an address, external',
    )
    .option('--to <who>', 'only these destinations: the same, or svc/name')
    .option('--port <ports>', 'only these ports: 80, 80,443, 8000-9000, 53/udp, 80/any', portList)
    .option('--exposure', 'what is reachable from everywhere, and what lets everybody in')
    .option(
      '--path',
      'send packets, too: what is allowed but not connected, and the other way round',
    );
  pairOptions(matrix)
    .addOption(
      new Option('-o, --output <format>', 'format')
        .choices(['table', 'json', 'csv', 'yaml', 'dot', 'svg'])
        .default('table'),
    )
    .addHelpText(
      'after',
      examples(
        EXAMPLES,
        `Without a path or -s: the file or directory that K8SNET_SCENARIO names, else the
built-in scenario basics/two-nodes.
Exit codes: 0, whatever is allowed; 2 bad usage or bad input.`,
      ),
    )
    .action(async (paths: string[], _: object, command: Command) => {
      const { matrixCommand } = await import('../matrix-command.ts');
      end(await matrixCommand(paths, command.optsWithGlobals<MatrixCommandOptions>(), io));
    });
};
