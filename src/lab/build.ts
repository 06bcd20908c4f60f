/** Builds a World as real network namespaces, and holds the result against the World. */
import { conntrackActive } from '../kernel/netfilter/conntrack-in.ts';
import type { Netns, World } from '../kernel/world.ts';
import { type Agent, type Job, type JobResult, startAgent } from './agent.ts';
import { emptyDynamicSets, firewallCommands } from './firewall.ts';
import { type LabPlan, planLab, type SpacePlan, WIRES } from './plan.ts';
import { sysctlsOf, WIRE_SYSCTLS } from './sysctls.ts';
import { unsupportedIn } from './unsupported.ts';
import { differences, readBack } from './verify.ts';

/** A World that a real kernel holds, until `stop`. */
export interface Lab {
  readonly world: World;
  readonly agent: Agent;
  readonly plan: LabPlan;
  /** Namespaces by their name in the lab. */
  readonly byName: ReadonlyMap<string, Netns>;
  /** Why the kernel's drop reasons cannot be had on this machine. */
  readonly noDrops: string | undefined;
  readonly stop: () => Promise<void>;
}

/** The kernel refused a command, or holds something else than the World afterwards. */
export class LabError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`the lab is not the World:\n  ${problems.join('\n  ')}`);
    this.name = 'LabError';
    this.problems = problems;
  }
}

const batch = (ns: string, lines: readonly string[], tool: 'ip' | 'bridge' = 'ip'): Job[] =>
  lines.length === 0 ? [] : [{ ns, argv: [tool, '-batch', '-'], input: `${lines.join('\n')}\n` }];

const describe = (job: Job, [code, , err]: JobResult): string[] => {
  if (code === 0) return [];
  const failed = /-:(\d+)/.exec(err)?.[1];
  const line = failed === undefined ? '' : (job.input?.split('\n')[Number(failed) - 1] ?? '');
  return [`${job.ns}: ${job.argv[0]} ${line}: ${err.trim().replaceAll('\n', ' | ')}`];
};

const runAll = async (agent: Agent, jobs: readonly Job[]): Promise<readonly JobResult[]> => {
  const results = await agent.ask('run', { jobs });
  const problems = jobs.flatMap((job, n) => describe(job, results[n] ?? [1, '', 'no answer']));
  if (problems.length > 0) throw new LabError(problems);
  return results;
};

const writeSysctls = async (agent: Agent, plan: LabPlan): Promise<void> => {
  const failed = await agent.ask('sysctl', {
    values: Object.fromEntries([
      [WIRES, WIRE_SYSCTLS],
      ...plan.spaces.map(({ name, netns }) => [name, sysctlsOf(netns)] as const),
    ]),
  });
  const problems = Object.entries(failed).flatMap(([name, paths]) =>
    paths.map(([path, why]) => `${name}: ${path}: ${why}`),
  );
  if (problems.length > 0) throw new LabError(problems);
};

const read = async (
  agent: Agent,
  world: World,
  spaces: readonly SpacePlan[],
): Promise<readonly string[]> => {
  const results = await runAll(
    agent,
    spaces.flatMap(({ name }) => readBack(name)),
  );
  return spaces.flatMap(({ netns }, n) =>
    differences(world, netns, [results[2 * n]?.[1] ?? '', results[2 * n + 1]?.[1] ?? '']),
  );
};

/**
 * Milliseconds for which a kernel may still say that a device works whose link is gone
 * (linkwatch_schedule_work, net/core/link_watch.c), with room for a busy machine.
 */
const SETTLED = 2000;
const PAUSE = 50;

const check = async (agent: Agent, world: World, spaces: readonly SpacePlan[]): Promise<void> => {
  const start = Date.now();
  let problems = await read(agent, world, spaces);
  while (problems.length > 0 && Date.now() - start < SETTLED) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    problems = await read(agent, world, spaces);
  }
  if (problems.length > 0) throw new LabError(problems);
};

/** Every namespace's next command at once; what one command needs, the ones before have made. */
const loadFirewalls = async (agent: Agent, spaces: readonly SpacePlan[]): Promise<void> => {
  const queues = spaces.map(({ name, netns }) =>
    firewallCommands(netns).map((command): Job => ({ ns: name, ...command })),
  );
  const rounds = Math.max(0, ...queues.map((queue) => queue.length));
  for (let round = 0; round < rounds; round++)
    await runAll(
      agent,
      queues.flatMap((queue) => queue.slice(round, round + 1)),
    );
};

/** The counters that the rules of a namespace name. */
const countersOf = ({ netfilter }: Netns): string[] => [
  ...new Set(
    netfilter.tables.flatMap(({ chains }) =>
      chains.flatMap(({ rules }) =>
        rules.flatMap(({ matches }) =>
          matches.flatMap((match) => (match.kind === 'nfacct' ? [match.name] : [])),
        ),
      ),
    ),
  ),
];

const construct = async (agent: Agent, world: World): Promise<LabPlan> => {
  const plan = planLab(world);
  const { spaces, wires } = plan;
  await agent.ask('make', { names: [WIRES, ...spaces.map(({ name }) => name)] });
  await runAll(agent, batch(WIRES, wires.create));
  // One at a time: a pair is made by one end, and the other end's batch may stand on it.
  for (const { name, create } of spaces) await runAll(agent, batch(name, create));
  await writeSysctls(agent, plan);
  await agent.ask('account', {
    counters: Object.fromEntries(spaces.map(({ name, netns }) => [name, countersOf(netns)])),
  });
  await runAll(agent, [
    ...batch(WIRES, wires.configure),
    ...spaces.flatMap(({ name, configure }) => batch(name, configure)),
  ]);
  await runAll(agent, [
    ...batch(WIRES, wires.bridge, 'bridge'),
    ...(wires.cuts === '' ? [] : [{ ns: WIRES, argv: ['nft', '-f', '-'], input: wires.cuts }]),
    ...spaces.flatMap(({ name, route, bridge }) => [
      ...batch(name, route),
      ...batch(name, bridge, 'bridge'),
    ]),
  ]);
  await loadFirewalls(agent, spaces);
  await check(agent, world, spaces);
  return plan;
};

/**
 * Builds `world` and opens a capture in each of its namespaces.
 * @throws {LabError} when the kernel refuses a command or its state differs from the World's
 */
export const buildLab = async (world: World, as: 'root' | 'rootless'): Promise<Lab> => {
  const lacks = unsupportedIn(world);
  if (lacks !== undefined) throw new LabError([`this kernel has no ${lacks}`]);
  const agent = startAgent(as);
  try {
    const plan = await construct(agent, world);
    const noDrops = await agent.ask('capture', {
      names: plan.spaces.map(({ name }) => name),
      tracked: plan.spaces
        .filter(({ netns }) => conntrackActive(netns.netfilter))
        .map(({ name }) => name),
      ruled: plan.spaces
        .filter(({ netns }) => netns.netfilter.tables.length > 0)
        .map(({ name }) => name),
      nft: plan.spaces
        .filter(({ netns }) => netns.netfilter.nft !== undefined)
        .map(({ name }) => name),
      dynamic: Object.fromEntries(
        plan.spaces
          .map(({ name, netns }) => [name, emptyDynamicSets(netns.netfilter)] as const)
          .filter(([, commands]) => commands !== ''),
      ),
    });
    return {
      world,
      agent,
      plan,
      byName: new Map(plan.spaces.map(({ name, netns }) => [name, netns])),
      noDrops: noDrops ?? undefined,
      stop: agent.stop,
    };
  } catch (error) {
    await agent.stop();
    throw error;
  }
};
