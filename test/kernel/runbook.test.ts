/**
 * The runbook on a real kernel: the script itself, in a lab after a packet, with kubectl, crictl and
 * nsenter played by small scripts. Every command prints the line that stands below it.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { runbookOutput } from '../../src/cli/runbook-output.ts';
import { resolveEndpoint } from '../../src/cluster/endpoint.ts';
import { probeFor } from '../../src/compile/probe.ts';
import { buildLab, type Lab } from '../../src/lab/build.ts';
import { probeLab } from '../../src/lab/probe.ts';
import { type OpenedScenario, openBuiltIn } from '../../src/scenario/open.ts';
import { lacking, privileged, suite } from './lab-machine.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'k8snet-runbook-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tool = (name: string, text: string): void => {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}`);
  chmodSync(path, 0o755);
};

/** A cluster of namespaces: Pods are found by name, a node is its namespace. */
const fakeTools = ({ cluster }: OpenedScenario, { plan }: Lab): void => {
  const nsOf = (id: string): string => plan.names.get(id) ?? id;
  const cases = [
    ...cluster.pods.map(
      ({ namespace, name, ip }) =>
        `"get pod -n ${namespace} ${name} -o "*) printf %s '${ip ?? ''}' ;;`,
    ),
    ...cluster.nodes.flatMap(({ name, ip, podCIDR }) => [
      `"get node ${name} -o jsonpath={.spec"*) printf %s '${podCIDR}' ;;`,
      `"get node ${name} -o "*) printf %s '${ip}' ;;`,
      `"debug node/${name} "*) exec ip netns exec '${nsOf(`${name}/host`)}' sh -vs 2>&1 ;;`,
    ]),
  ];
  tool('kubectl', `case "$*" in\n${cases.join('\n')}\n*) echo "no: $*" >&2; exit 1 ;;\nesac\n`);
  const sandboxes = cluster.pods.map(
    ({ namespace, name, node }) =>
      `*"namespace=${namespace} --label io.kubernetes.pod.name=${name}") echo '${nsOf(`${node}/${namespace}/${name}`)}' ;;`,
  );
  tool(
    'crictl',
    `if [ "$1" = inspectp ]; then eval "echo \\"\\\${$#}\\""; exit; fi\ncase "$*" in\n${sandboxes.join('\n')}\nesac\n`,
  );
  tool('nsenter', 'ns=$2\nshift 3\nexec ip netns exec "$ns" "$@"\n');
};

/** What a command printed, and what stands below it. */
const answersIn = (output: string): { found: string; expected: string }[] => {
  const answers: { found: string; expected: string }[] = [];
  let printed: string[] = [];
  for (const line of output.split('\n')) {
    if (line.startsWith('#> '))
      answers.push({ found: printed.join('\n'), expected: line.slice(3) });
    if (line.startsWith('#') || line === '' || /^mac\d+=/.test(line)) printed = [];
    else printed.push(line.trimEnd());
  }
  return answers.map(({ found, expected }) => ({
    // The first line is the command.
    found: found.split('\n').slice(1).join('\n'),
    expected,
  }));
};

const STATE = /\b(?:REACHABLE|STALE|DELAY|PROBE)$/;

/** Names that stand for what is drawn by chance: the same name is the same thing. */
const agrees = (expected: string, found: string, names: Map<string, string>): boolean => {
  const line = expected.replace(/^a line with: /, '');
  if (line !== expected) return line.split(/, \*:| or /).some((part) => found.includes(part));
  const [wanted, seen] = [expected.replace(STATE, 'S'), found.replace(STATE, 'S')];
  const words = seen.split(' ');
  return (
    wanted.split(' ').length === words.length &&
    wanted.split(' ').every((word, at) => {
      const is = words[at] ?? '';
      if (!/^(?:MAC|VETH)-\d+$/.test(word)) return word === is;
      const known = names.get(word);
      names.set(word, known ?? is);
      return known === undefined || known === is;
    })
  );
};

describe.skipIf(lacking.length > 0 || privileged !== 'root')(suite('the runbook'), () => {
  it.each([
    ['basics/two-nodes', 'pod-a', 'pod-b', 30],
    ['basics/one-node', 'pod-a', 'pod-b', 10],
    ['flannel/host-gw', 'pod-a', 'pod-b', 25],
    ['outside/pod-to-outside', 'pod-a', 'external:443', 8],
  ] as const)('of %s, %s to %s, prints what it says', async (name, from, to, least) => {
    const opened = await openBuiltIn(name);
    if (!opened.ok) throw new Error('does not open');
    const { scenario } = opened;
    const answer = ask(scenario, { from, to });
    const source = resolveEndpoint(scenario.cluster, from, { side: 'from' });
    const target = resolveEndpoint(scenario.cluster, to, { side: 'to' });
    if (!answer.ok || 'diagnostic' in source || 'diagnostic' in target) throw new Error('unknown');
    const plan = probeFor(scenario.cluster, scenario.world, source.target, target.target);
    if (plan.kind !== 'probe') throw new Error(plan.kind);
    const lab = await buildLab(plan.world, privileged);
    try {
      fakeTools(scenario, lab);
      writeFileSync(
        join(folder, 'runbook.sh'),
        runbookOutput(answer.facts, scenario, { from, to }),
      );
      await probeLab(lab, plan.probe);
      const [ns = ''] = lab.plan.names.values();
      const [ran] = await lab.agent.ask('run', {
        jobs: [{ ns, argv: ['sh', '-c', `PATH=${folder}:$PATH sh ${folder}/runbook.sh`] }],
      });
      const answers = answersIn(ran?.[1] ?? '');
      const names = new Map<string, string>();
      // Nobody listens any more: the lab's servers end with the probe.
      const checked = answers.filter(({ expected }) => !expected.includes('*:'));
      expect(checked.filter((one) => !agrees(one.expected, one.found, names))).toEqual([]);
      expect(checked.length).toBeGreaterThanOrEqual(least);
    } finally {
      await lab.stop();
    }
  });
});
