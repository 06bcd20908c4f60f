/** `k8snet exec`: its arguments, options and help. */
import type { ExecOptions } from '../exec-command.ts';
import { type Define, examples } from './command.ts';
import type { Command } from './commander.ts';
import { clusterOptions, inputOptions, policyOption } from './options.ts';

const EXAMPLES = [
  'k8snet exec node/node-1 -- iptables-save -t nat',
  'k8snet exec node/node-2 -- ip route',
  'k8snet exec pod-a -s basics/one-node -- ip addr show eth0',
  "k8snet exec node/node-1 --break 'node/node-1: ip route del 10.244.2.0/24' -- ip route",
  'k8snet exec node/node-1 --set kubeProxy.mode=none -- iptables-save',
  'k8snet exec node/node-1 -s services/mode-nftables -- nft list ruleset',
  'k8snet exec node/node-1 -s services/mode-ipvs -- ipvsadm -Ln',
];

export const defineExec: Define = (program, io, end) => {
  const exec = program
    .command('exec')
    .summary('what iptables-save, ip, bridge and other tools print on a node or in a Pod')
    .description(
      'Runs a command that only looks, on a node or in a Pod, and prints what the real tool prints there: iptables-save, ip6tables-save, nft list ruleset, ipset list, ipvsadm -Ln, ip, bridge, sysctl.',
    )
    .argument('<where>', 'node/name, [namespace/]pod or [namespace/]kind/name')
    .argument('<command...>', 'the command and its arguments, behind --');
  policyOption(inputOptions(clusterOptions(exec)))
    .option('-n, --namespace <name>', 'namespace of names that have none', 'default')
    .addHelpText(
      'after',
      examples(
        EXAMPLES,
        `Exit codes: those of the command; 127 for one that is not here, 2 bad usage or
bad input.`,
      ),
    )
    .action(async (where: string, argv: string[], _: object, command: Command) => {
      const { execCommand } = await import('../exec-command.ts');
      end(await execCommand(where, argv, command.optsWithGlobals<ExecOptions>(), io));
    });
};
