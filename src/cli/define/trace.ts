/** `k8snet trace`: its arguments, options and help. */
import type { TraceOptions } from '../trace-options.ts';
import { type Define, examples } from './command.ts';
import { type Command, Option } from './commander.ts';
import { clusterOptions, inputOptions, numberFrom, policyOption } from './options.ts';

const EXAMPLES = [
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
];

/** Of `--repeat`; each has a source port of its own. */
const MOST_PROBES = 1_000;

/** Most that an IPv4 packet can carry behind its smallest headers (IPv4 20, ICMP or UDP 8). */
const LARGEST_PAYLOAD = 65_507;

export const defineTrace: Define = (program, io, end) => {
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
    );
  policyOption(inputOptions(clusterOptions(trace)))
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
        EXAMPLES,
        `Without -f or -s: the file or directory that K8SNET_SCENARIO names, else the
built-in scenario basics/two-nodes.
Exit codes: 0 delivered, 1 it does not get through, 2 bad usage or bad input,
3 nobody can tell from this input.`,
      ),
    )
    .action(async (from: string, to: string, _: object, command: Command) => {
      const { traceCommand } = await import('../trace-command.ts');
      end(await traceCommand(from, to, command.optsWithGlobals<TraceOptions>(), io));
    });
};
