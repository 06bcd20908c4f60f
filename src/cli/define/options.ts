/** Options that several commands share, and what checks their values. */
import { type Command, InvalidArgumentError, Option } from './commander.ts';

export const collect = (value: string, before: readonly string[] = []): string[] => [
  ...before,
  value,
];

/** Every built-in holds a Scenario, and a cluster has one. */
export const once = (value: string, before: string | undefined): string => {
  if (before === undefined) return value;
  throw new InvalidArgumentError(`A trace has one scenario, and ${before} was given, too.`);
};

export const numberFrom =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`A whole number from ${min} to ${max} is wanted.`);
  };

/** `-f` and `-s`: on every command that takes all its input as one cluster. */
export const clusterOptions = (command: Command): Command =>
  command
    .option(
      '-f, --file <path>',
      'scenario, manifest, directory of them, or - for standard input; repeat to merge',
      collect,
    )
    .option('-s, --scenario <name>', 'built-in scenario (k8snet scenarios)', once);

/** What is told as one, and which Pods count: on every command that asks about all pairs. */
export const pairOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--group-by <what>', 'what is told as one')
        .choices(['workload', 'pod', 'namespace'])
        .default('workload'),
    )
    .addOption(
      new Option('--host-network <as>', "what a Pod on its node's network is to policies")
        .choices(['node', 'pods'])
        .default('node'),
    )
    .addOption(
      new Option('--finished <as>', 'Pods that have ended')
        .choices(['omit', 'pods'])
        .default('omit'),
    );

/** `--policy`: on every command whose packets meet policies. */
export const policyOption = (command: Command): Command =>
  command.addOption(
    new Option(
      '--policy <how>',
      'enforced: as if something enforced NetworkPolicies on every node (spec.policyEngine)',
    )
      .choices(['as-is', 'enforced'])
      .default('as-is'),
  );

/** What is read, and how it is changed before anything is sent: on every command that reads. */
export const inputOptions = (command: Command): Command =>
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
