/**
 * Steps of policies are what the objects mean; what drops a packet are rules that somebody else's
 * code wrote. Both have to say the same, wherever a packet goes.
 */
import { describe, expect, it } from 'vitest';
import { type Answer, ask, type Question } from '../../src/check/ask.ts';
import { type OpenedScenario, openScenario } from '../../src/scenario/open.ts';
import type { PolicyFacts } from '../../src/trace/policies.ts';
import { allLegs } from '../../src/trace/resolution.ts';
import { shapeViolations } from '../../src/trace/shape.ts';
import type { Hop, Step, TraceFacts } from '../../src/trace/trace.ts';
import { random } from '../kernel/random.ts';
import { randomPolicies, randomTopology } from '../kernel/random-policies.ts';
import { openFile, scenarioFiles } from '../scenarios.ts';

const SIDES: Readonly<Record<string, PolicyFacts['direction'] | 'either'>> = {
  'policy-ingress-default-deny': 'ingress',
  'policy-egress-default-deny': 'egress',
  'policy-deny': 'either',
};

/** The rule of policies behind a step that ended the packet, or that nobody can decide. */
const stopBehind = ({ steps }: Hop, { n }: Step): Step | undefined =>
  steps.find(
    (step) =>
      step.n > n &&
      step.kind === 'rule' &&
      step.origin?.by === 'policy' &&
      (step.action === 'drop' || step.action === 'unmodelled'),
  );

const problemsOf = (facts: TraceFacts): string[] => {
  const problems: string[] = [...shapeViolations(facts)];
  for (const leg of allLegs(facts)) {
    for (const hop of leg.hops) {
      const policies = hop.steps.filter(({ kind }) => kind === 'policy');
      for (const step of policies) {
        const { direction, decision } = step.detail as PolicyFacts;
        const stop = stopBehind(hop, step);
        const side = stop?.origin && SIDES[stop.origin.why];
        const other = direction === 'ingress' ? 'egress' : 'ingress';
        const isStop = stop?.action === 'drop' && (side === direction || side === 'either');
        const name = `step ${step.n} ${step.action} ${direction}`;
        if (step.action === 'denied' && !isStop) problems.push(`${name}: no rule does it`);
        if (step.action === 'unknown' && stop?.action !== 'unmodelled')
          problems.push(`${name}: a rule decides all the same`);
        if (step.action === 'allowed' && stop && side !== other && side !== 'either')
          problems.push(`${name}: rule ${stop.n} stops it`);
        if (step.action === 'escaped' && stop) problems.push(`${name}: it does not escape`);
        if (step.action === 'allowed' && decision !== 'allow')
          problems.push(`${name}: ${decision}`);
      }
      for (const step of hop.steps) {
        const isDrop = step.kind === 'rule' && step.action === 'drop';
        if (!isDrop || step.origin?.by !== 'policy') continue;
        if (!policies.some(({ n, action }) => n < step.n && action === 'denied'))
          problems.push(`rule ${step.n} drops, and no step says so`);
      }
    }
  }
  const { cause } = facts;
  const step = allLegs(facts)
    .flatMap(({ hops }) => hops.flatMap(({ steps }) => steps))
    .find(({ n }) => n === cause?.step);
  if (cause?.code.startsWith('NETPOL_') && step?.action !== 'denied')
    problems.push(`${cause.code} is step ${cause.step}, which is no denial`);
  return problems;
};

const factsOf = (answer: Answer): TraceFacts[] => (answer.ok ? [answer.facts] : []);

const open = async (
  documents: readonly object[],
  set: readonly string[] = [],
): Promise<OpenedScenario> => {
  const text = documents.map((one) => JSON.stringify(one)).join('\n---\n');
  const opened = await openScenario([{ file: 'policies.yaml', text }], { set });
  if (!opened.ok) throw new Error(JSON.stringify(opened.diagnostics));
  return opened.scenario;
};

const openSet = async (file: string, set: readonly string[]): Promise<OpenedScenario> => {
  const opened = await openScenario([file], { set });
  if (!opened.ok) throw new Error(JSON.stringify(opened.diagnostics));
  return opened.scenario;
};

const counts = new Map<string, number>();

/** How kube-proxy sends on decides where a packet meets policies. */
const IPVS = ['kubeProxy.mode=ipvs'];

/** Asks, and counts what the steps say. */
const problemsWith = (scenario: OpenedScenario, question: Question): string[] =>
  factsOf(ask(scenario, question)).flatMap((facts) => {
    for (const step of allLegs(facts).flatMap(({ hops }) => hops.flatMap(({ steps }) => steps)))
      if (step.kind === 'policy') counts.set(step.action, (counts.get(step.action) ?? 0) + 1);
    return problemsOf(facts).map(
      (problem) => `${question.from} > ${question.to} ${question.protocol ?? ''}: ${problem}`,
    );
  });

/** What was expected of a scenario, and every pair of its Pods. */
const questionsOf = ({ cluster, expectations }: OpenedScenario): Question[] => {
  const asked = expectations.map(({ from, to, port, protocol, size, backend }) => ({
    ...{ from, to, port, protocol, size, backend },
  }));
  const pods = cluster.pods.filter(({ phase }) => phase === 'Running');
  const pairs = pods.flatMap((from) =>
    pods.map((to) => ({
      from: `${from.namespace}/pod/${from.name}`,
      to: `${to.namespace}/pod/${to.name}`,
    })),
  );
  return [...asked, ...pairs];
};

/** Who calls in a random cluster; Services and ports of nodes are only called. */
const endsOf = ({ cluster }: OpenedScenario) => ({
  ends: [
    ...cluster.pods.map(({ namespace, name }) => `${namespace}/pod/${name}`),
    'node/node-1',
    'external',
  ],
  services: cluster.services.map(({ namespace, name }) => `${namespace}/svc/${name}`),
  nodePorts: cluster.services.flatMap(({ ports }) =>
    ports.flatMap(({ nodePort, protocol }) =>
      nodePort === undefined || protocol !== 'tcp'
        ? []
        : [`node/node-1:${nodePort}`, `node/node-2:${nodePort}`],
    ),
  ),
});

const SEEDS = Array.from({ length: 24 }, (_, seed) => seed + 1);

describe.each([
  ['', undefined],
  [' in IPVS mode', IPVS],
])('steps of policies agree with the rules that enforce them%s', (_, set) => {
  const files = scenarioFiles.filter((file) => file.includes('policies/'));

  it.each(files)('in %s', async (file) => {
    const scenario = set ? await openSet(file, set) : await openFile(file);
    const questions = questionsOf(scenario);
    expect(questions.flatMap((question) => problemsWith(scenario, question))).toEqual([]);
  });

  it.each(SEEDS)('in random cluster %i', async (seed) => {
    const source = random(seed);
    const topology = randomTopology(source, true);
    const scenario = await open(randomPolicies(topology, source), set);
    const { ends, services, nodePorts } = endsOf(scenario);
    const problems = ends.flatMap((from) =>
      [...ends, ...services, ...nodePorts].flatMap((to) => {
        const protocol = source.pick(['tcp', 'tcp', 'udp', 'icmp'] as const);
        const port = { tcp: 8080, udp: 5353, icmp: undefined }[protocol];
        return from === 'external' && to === 'external'
          ? []
          : problemsWith(scenario, {
              from,
              to,
              ...(ends.includes(to) ? { protocol, ...(port && { port }) } : {}),
            });
      }),
    );
    expect(problems).toEqual([]);
  });
});

/** What policies say of the first packet, one after the other. */
const saidOf = (scenario: OpenedScenario, question: Question): string[] =>
  factsOf(ask(scenario, question)).flatMap(({ legs }) =>
    (legs[0]?.hops ?? []).flatMap(({ steps }) =>
      steps.flatMap(({ kind, action, detail }) => {
        if (kind !== 'policy' || action === 'not-isolated') return [];
        const { direction, pod, peer, protocol, port } = detail as PolicyFacts;
        const from = peer.kind === 'node' ? `${peer.kind} ${peer.name}` : peer.ip;
        return [`${action} ${direction} of ${pod}: ${from} ${protocol} ${port}`];
      }),
    ),
  );

describe('IPVS', () => {
  const said = { Pod: 0, 'node/node-1': 0, external: 0 };

  it.each(SEEDS)(
    'is no way past policies, nor a wall: Services of random cluster %i',
    async (seed) => {
      const source = random(seed);
      const documents = randomPolicies(randomTopology(source, true), source);
      const [usual, ipvs] = [await open(documents), await open(documents, IPVS)];
      const { ends, services, nodePorts } = endsOf(usual);
      for (const from of ends)
        for (const to of [...services, ...nodePorts]) {
          const told = saidOf(ipvs, { from, to });
          expect(told, `${from} > ${to}`).toEqual(saidOf(usual, { from, to }));
          said[from === 'external' || from === 'node/node-1' ? from : 'Pod'] += told.length;
        }
    },
  );

  it('has been judged whoever calls', () => {
    for (const [who, times] of Object.entries(said)) expect(times, who).toBeGreaterThan(50);
  });
});

describe('steps of policies', () => {
  it('meets every answer that a step may give', () => {
    expect([...counts.keys()].sort()).toEqual([
      'allowed',
      'denied',
      'escaped',
      'not-enforced',
      'not-isolated',
      'unknown',
    ]);
  });
});
