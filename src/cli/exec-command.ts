/** `k8snet exec`: what a tool prints on a node or in a Pod. */
import { resolveEndpoint } from '../cluster/endpoint.ts';
import { findEndpoint } from '../compile/endpoint.ts';
import { PluginError, pluginProblem } from '../compile/plugin-error.ts';
import { netnsOf } from '../kernel/netns.ts';
import type { NetnsId } from '../kernel/world.ts';
import { harmlessTabbed } from '../render/harmless.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import { exec } from '../userland/exec/exec.ts';
import { EXIT, type Io } from './io.ts';
import type { InputOptions } from './open-input.ts';
import { openInput } from './open-scenario-input.ts';
import { report } from './report.ts';

export interface ExecOptions extends InputOptions {
  readonly namespace: string;
}

const lines = (text: readonly string[]): string => text.map((line) => `${line}\n`).join('');

/** The namespace that a person names; undefined, with a word about it, where there is none. */
const placeOf = async (
  scenario: OpenedScenario,
  typed: string,
  options: ExecOptions,
  io: Io,
): Promise<NetnsId | undefined> => {
  const { cluster, world } = scenario;
  const found = resolveEndpoint(cluster, typed, { namespace: options.namespace, side: 'from' });
  if ('diagnostic' in found) {
    await report([found.diagnostic], options, io);
    return undefined;
  }
  const endpoint = findEndpoint(cluster, world, found.target);
  if (endpoint.kind === 'owned') return endpoint.netns;
  const message =
    endpoint.kind === 'not-running'
      ? `${typed} does not run: nothing can be executed in it`
      : `nothing can be executed in ${typed}`;
  const hint = 'Name a node (node/node-1) or a running Pod.';
  await report([{ severity: 'error', code: 'bad-usage', message, hint }], options, io);
  return undefined;
};

/**
 * Runs a command that only looks, in the cluster as its faults left it.
 * @returns the command's own exit code; 2 for bad usage or bad input
 */
export async function execCommand(
  target: string,
  argv: readonly string[],
  options: ExecOptions,
  io: Io,
): Promise<number> {
  const scenario = await openInput(options, io);
  if (scenario === undefined) return EXIT.usage;
  try {
    const id = await placeOf(scenario, target, options, io);
    if (id === undefined) return EXIT.usage;
    const { world } = scenario;
    const { code, out, err } = exec({ world, netns: netnsOf(world, id) }, argv);
    io.stdout.write(lines(out.map(harmlessTabbed)));
    io.stderr.write(lines(err.map(harmlessTabbed)));
    return code;
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    await report([pluginProblem(error, scenario.cluster)], options, io);
    return EXIT.usage;
  }
}
