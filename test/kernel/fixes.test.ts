/** The fixes of the scenarios, typed at a real kernel: what was broken there works there, too. */
import { describe, expect, it } from 'vitest';
import { ask, readyFor } from '../../src/check/ask.ts';
import { mend } from '../../src/check/mend.ts';
import { netnsOf } from '../../src/kernel/netns.ts';
import type { Netns, World } from '../../src/kernel/world.ts';
import { buildLab, type Lab } from '../../src/lab/build.ts';
import { proveProbe } from '../../src/lab/prove.ts';
import { unsupportedIn } from '../../src/lab/unsupported.ts';
import type { OpenedScenario } from '../../src/scenario/open.ts';
import type { Fix } from '../../src/trace/remedy.ts';
import { commandWords } from '../../src/userland/edit/words.ts';
import { openFile, scenarioFiles } from '../scenarios.ts';
import { lacking, privileged, suite, tell, WIDTH } from './lab-machine.ts';
import { probesOf } from './scenario-probes.ts';

interface Case {
  readonly name: string;
  readonly broken: OpenedScenario;
  readonly mended: OpenedScenario;
  readonly fixes: readonly Extract<Fix, { kind: 'commands' }>[];
  readonly question: Parameters<typeof ask>[1];
}

/** Every question that commands alone mend. */
const cases = async (file: string): Promise<Case[]> => {
  const opened = await openFile(file);
  // The DNS that a name needs is there for all questions of the file.
  const broken = opened.expectations.reduce(readyFor, opened);
  const found: Case[] = [];
  for (const { n, from, to, port, protocol, size } of broken.expectations) {
    const question = { from, to, port, protocol, size };
    const answer = ask(broken, question);
    if (!answer.ok) continue;
    // What is read is not kept: only commands are typed here, no input is patched.
    const { facts } = answer;
    const { withFix, traces } = await mend({ scenario: broken, facts }, question, ask);
    const fixes = withFix.rounds.flatMap(({ fix }) => (fix.kind === 'commands' ? [fix] : []));
    const after = traces.at(-1);
    if (!withFix.mended || !after || fixes.length < withFix.rounds.length) continue;
    found.push({ name: `${file} ${n}`, broken, mended: after.scenario, fixes, question });
  }
  return found;
};

/** A device made anew gets the number that it has in the World, by which captures know it. */
const numbered = (netns: Netns | undefined, command: string): string[] => {
  const words = commandWords(command);
  const [tool, object, verb, name] = words;
  if (tool !== 'ip' || object !== 'link' || verb !== 'add') return words;
  const made = netns?.devices.find(({ ifname }) => ifname === name);
  return [...words.slice(0, 4), 'index', `${made?.ifindex ?? 0}`, ...words.slice(4)];
};

const type = async (
  lab: Lab,
  after: World,
  { on, commands }: Case['fixes'][number],
): Promise<string[]> => {
  const [ns] =
    [...lab.byName].find(([, { host, name }]) => host === on.node && name === on.netns) ?? [];
  if (ns === undefined) return [`there is no ${on.node}/${on.netns}`];
  const netns = after.host(on.node).netns.get(on.netns);
  // One after the other: the agent runs what it is given at once side by side.
  for (const command of commands) {
    const jobs = [{ ns, argv: numbered(netns, command) }];
    const [[code, , err] = [-1, '', '']] = await lab.agent.ask('run', { jobs });
    if (code !== 0) return [`${command}: ${err}`];
  }
  return [];
};

/** The same lab, once it holds another World. */
const holding = (lab: Lab, world: World): Lab => ({
  ...lab,
  world,
  byName: new Map([...lab.byName].map(([name, { id }]) => [name, netnsOf(world, id)])),
});

const prove = async ({ name, broken, mended, fixes, question }: Case): Promise<string[]> => {
  const { world } = mended;
  const probes = probesOf(mended, question);
  if (probes.length === 0) return [`${name}: nothing is sent`];
  const lab = await buildLab(broken.world, privileged);
  try {
    for (const fix of fixes) {
      const refused = await type(lab, world, fix);
      if (refused.length > 0) return [name, ...refused];
    }
    for (const { in: met, ...probe } of probes) {
      const { facts, differences } = await proveProbe(holding(lab, world), probe, met);
      if (facts.disposition !== 'delivered') return [`${name}: ${facts.disposition}`];
      if (differences.length > 0) return [name, ...differences.slice(0, 12)];
    }
    return [];
  } finally {
    await lab.stop();
  }
};

describe.skipIf(lacking.length > 0)(suite('fixes'), () => {
  it('mend a real kernel', async () => {
    const all = (await Promise.all(scenarioFiles.map(cases)))
      .flat()
      .filter(({ broken }) => unsupportedIn(broken.world) === undefined);
    const failures: string[] = [];
    const queue = [...all];
    const worker = async (): Promise<void> => {
      for (let one = queue.shift(); one; one = queue.shift()) {
        const problems = await prove(one);
        if (problems.length > 0) failures.push(problems.join('\n  '));
      }
    };
    await Promise.all(Array.from({ length: WIDTH }, worker));
    tell(`kernel proof, fixes: ${all.length - failures.length} of ${all.length} mend it`);
    expect(failures).toEqual([]);
    expect(all.length).toBeGreaterThan(35);
  });
});
