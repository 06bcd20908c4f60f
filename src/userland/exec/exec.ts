/** Runs a command in a namespace that only looks at it, and prints what the real tool prints. */
import { type ExecCommand, type ExecPlace, type ExecResult, failed } from './command.ts';
import {
  ip6tables,
  ip6tablesSaveCommand,
  ipset,
  iptables,
  iptablesSaveCommand,
  ipvsadm,
  nft,
} from './firewall.ts';
import { bridge, ip, sysctlCommand } from './iproute2.ts';

/** By the names under which a node has them. */
const COMMANDS: Readonly<Record<string, ExecCommand>> = {
  'iptables-save': iptablesSaveCommand,
  iptables,
  'ip6tables-save': ip6tablesSaveCommand,
  ip6tables,
  nft,
  ipset,
  ipvsadm,
  ip,
  bridge,
  sysctl: sysctlCommand,
};

/** Every form that is understood. */
export const EXEC_FORMS: readonly string[] = Object.values(COMMANDS).flatMap(({ forms }) => forms);

/** Exit codes of a shell: the command is not there. */
const NOT_FOUND = 127;
const USAGE = 2;

/**
 * Runs one command; nothing is changed by it.
 * @param argv the command and its arguments; `sudo` before it is taken for granted
 * @returns what it prints and its exit code: 127 for a command that is not here, 2 for a form of it
 *   that is not, each with the forms that are
 */
export const exec = (place: ExecPlace, argv: readonly string[]): ExecResult => {
  const [name = '', ...args] = argv[0] === 'sudo' ? argv.slice(1) : argv;
  const base = name.slice(name.lastIndexOf('/') + 1);
  const command = Object.hasOwn(COMMANDS, base) ? COMMANDS[base] : undefined;
  if (!command)
    return failed(
      NOT_FOUND,
      `${name}: command not found`,
      'What there is:',
      ...EXEC_FORMS.map((form) => `  ${form}`),
    );
  return (
    command.run(place, args) ??
    failed(
      USAGE,
      `${[base, ...args].join(' ')}: not modelled`,
      `What there is of ${base}:`,
      ...command.forms.map((form) => `  ${form}`),
    )
  );
};
