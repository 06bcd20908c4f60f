/** Loads one set of policies after the other into a lab, and holds every connection against what is expected. */
import { POLICY_TABLE } from '../../src/compile/policy/agent.ts';
import { netnsOf } from '../../src/kernel/netns.ts';
import type { Probe } from '../../src/kernel/probe.ts';
import type { World } from '../../src/kernel/world.ts';
import type { CallRequest, ListenerRequest } from '../../src/lab/agent.ts';
import { buildLab, type Lab } from '../../src/lab/build.ts';
import { symptomOfOutcome } from '../../src/lab/prove.ts';
import { engineOf } from '../../src/policy/engine.ts';
import type { ConnectionSet, PolicyEngine } from '../../src/policy/policy-engine.ts';
import type { Verdict } from '../../src/policy/verdict.ts';
import { type OpenedScenario, openScenario } from '../../src/scenario/open.ts';
import type { TraceFacts } from '../../src/trace/trace.ts';
import { traceProbe } from '../../src/trace/trace-probe.ts';
import { nftListRuleset } from '../../src/userland/nft/print.ts';
import { ipv4ToNumber, isIpv4 } from '../../src/wire/ip.ts';
import { type Cell, causeOfDenial, cellsOf, type Expected, expectedOf } from './policy-cells.ts';
import type { ProofCase } from './proof-run.ts';
import { random } from './random.ts';
import { type Document, randomPolicies, randomTopology, type Topology } from './random-policies.ts';

export interface PolicyProof {
  sets: number;
  labs: number;
  cells: number;
  /** Of these, those about which not everybody says the same. */
  differences: number;
  /** Cells that were asked once more, slowly. */
  repeated: number;
  /** Denied by policies, and let through since no rule sees frames within a bridge. */
  escaped: number;
  /** Not claimed: a rule about names of domains would have to decide. */
  undecided: number;
  readonly kinds: Map<string, number>;
  /** Who decided, of those that the kernel agrees about. */
  readonly decided: Map<string, number>;
  readonly failures: string[];
  seconds: number;
}

const count = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

/** Sets of policies that one lab sees. */
const SETS_OF_LAB = 8;

const open = async (documents: readonly Document[]): Promise<OpenedScenario> => {
  const text = documents.map((one) => JSON.stringify(one)).join('\n---\n');
  const opened = await openScenario([{ file: 'policies.yaml', text }]);
  if (!opened.ok) throw new Error(`${JSON.stringify(opened.diagnostics)}\n${text}`);
  return opened.scenario;
};

/** Every listener of the World, and some of the host outside, which answers on all ports. */
const listenersOf = ({ world, plan }: Lab, cells: readonly Cell[]): ListenerRequest[] => {
  const open = new Map(
    cells
      .filter(({ kind }) => kind === 'Pod to outside')
      .map(({ protocol, dport }) => [`${protocol} ${dport}`, { protocol, port: dport }] as const),
  );
  return [...plan.names].flatMap(([id, ns]): ListenerRequest[] => {
    const { sockets, listeners } = netnsOf(world, id);
    if (listeners.unlisted === 'assumed-open')
      return [...open.values()].map((one) => ({ ns, ip: '0.0.0.0', ...one }));
    return sockets.map(({ protocol, ip, port }) => ({ ns, protocol, ip, port }));
  });
};

/** What `nft -f` reads to put the table of a node in place of the one that is there. */
const replacement = (world: World, node: string): string => {
  const { netfilter } = netnsOf(world, `${node}/host`);
  const tables = (netfilter.nft ?? []).filter(({ name }) => name === POLICY_TABLE);
  const empty = `table inet ${POLICY_TABLE}`;
  return [empty, `delete ${empty}`, ...nftListRuleset(tables), ''].join('\n');
};

const load = async ({ agent, plan }: Lab, { cluster, world }: OpenedScenario): Promise<void> => {
  const jobs = cluster.nodes.map(({ name }) => ({
    ns: plan.names.get(`${name}/host`) ?? '',
    argv: ['nft', '-f', '-'],
    input: replacement(world, name),
  }));
  const results = await agent.ask('run', { jobs });
  const problems = results.filter(([code]) => code !== 0).map(([, , err]) => err);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  await agent.ask('forget', {});
};

/** Seconds without a sign of life after which a connection counts as dropped; and the second time. */
const QUIET = 0.3;
const PATIENT = 1.6;
const LIMIT = 20;

const callAll = ({ agent, plan }: Lab, cells: readonly Cell[], quiet: number) =>
  agent.ask('call', {
    calls: cells.map(
      ({ from, protocol, dst, dport }): CallRequest => ({
        ns: plan.names.get(from) ?? '',
        protocol,
        dst,
        dport,
      }),
    ),
    quiet,
    limit: LIMIT,
  });

const REF = { text: 'probe', kind: 'ip' } as const;

const trace = (world: World, { from, protocol, dst, dport }: Cell, at: number): TraceFacts =>
  traceProbe(
    world,
    { from: { netns: from }, protocol, dst, dport, sport: 33_000 + at },
    { scenario: world.name, probe: { from: REF, to: REF, protocol }, assumptions: [] },
  ).facts;

const isPolicy = (code: string | undefined): boolean => code?.startsWith('NETPOL_') ?? false;

/** A row for each point where trace and engine disagree about a cell. */
const compareTrace = (facts: TraceFacts, expected: Expected, escapes: boolean): string[] => {
  const { disposition, cause } = facts;
  const code = cause?.code;
  if (disposition === 'inconclusive')
    return expected.undecided ? [] : ['the trace does not know, and no rule is about names'];
  if (expected.decision === 'unknown')
    return [`the engine does not know, the trace ${disposition}`];
  if (escapes) return isPolicy(code) ? [`the trace has ${code} where no rule sees it`] : [];
  if (expected.decision === 'allow' || !expected.by)
    return isPolicy(code) ? [`the engine allows, the trace has ${code}`] : [];
  const wanted = causeOfDenial(expected.by);
  const { by } = expected.by;
  const name = by.kind === 'rule' ? by.policy.name : undefined;
  return [
    ...(code === wanted ? [] : [`the engine says ${wanted}, the trace ${code}`]),
    ...(disposition === 'dropped' ? [] : [`denied, and the trace is ${disposition}`]),
    ...(name === undefined || cause?.origin?.object?.name === name
      ? []
      : [`the engine says ${name}, the trace ${cause?.origin?.object?.name}`]),
  ];
};

/** What the matrix has for a cell between Pods, or from one to the outside. */
const connectionsOf = (
  engine: PolicyEngine,
  { kind, dst, pods, questions }: Cell,
): ConnectionSet | undefined => {
  const [from, to] = (pods ?? questions.map(({ subject }) => subject)).map((pod) =>
    engine.classOf(pod),
  );
  if (pods && from !== undefined && to !== undefined) return engine.between(from, to);
  if (pods) throw new RangeError(`a Pod without a class: ${pods.join()}`);
  if (from === undefined) return undefined;
  if (kind !== 'Pod to outside') return undefined;
  const ip = ipv4ToNumber(dst);
  const block = engine.blocks.findIndex(
    (one) => isIpv4(one.from) && ipv4ToNumber(one.from) <= ip && ip <= ipv4ToNumber(one.to),
  );
  return engine.toBlock(from, block);
};

/** The matrix has classes in place of Pods, and says the same. */
const compareMatrix = (
  engine: PolicyEngine,
  cell: Cell,
  { decision, undecided }: Expected,
): string[] => {
  const connections = decision === 'unknown' || undecided ? undefined : connectionsOf(engine, cell);
  if (!connections) return [];
  const { protocol, dport } = cell;
  const allowed =
    connections[protocol]?.some(({ from, to }) => from <= dport && dport <= to) === true;
  return allowed === (decision === 'allow')
    ? []
    : [`judge says ${decision}, the matrix ${allowed ? 'allow' : 'deny'}`];
};

const allowedBy = ({ by }: Verdict): string => {
  switch (by.kind) {
    case 'rule':
      return `allow, ${by.tier}`;
    case 'not-isolated':
      return 'allow, not isolated';
    default:
      return `allow, ${by.kind}`;
  }
};

const whoDecided = (engine: PolicyEngine, cell: Cell, { by }: Expected): string[] => {
  if (by) {
    if (by.by.kind === 'rule') return [`deny, ${by.by.tier} ${by.direction}`];
    return [`deny, default ${by.direction}`];
  }
  return cell.questions.flatMap((question) => {
    const verdict = engine.judge(question);
    const passed = verdict.outcomes.some(({ outcome }) => outcome === 'passes');
    return [...(passed ? ['allow, after a rule that passes'] : []), allowedBy(verdict)];
  });
};

const cellText = ({ kind, from, protocol, dst, dport }: Cell): string =>
  `${kind}: ${from} > ${protocol} ${dst}:${dport}`;

interface Row {
  readonly cell: Cell;
  readonly facts: TraceFacts;
  readonly expected: Expected;
  readonly problems: readonly string[];
}

const isClaimed = ({ facts }: Row): boolean => facts.disposition !== 'inconclusive';

/** What the kernel is asked about, with what everybody else says. */
const rowsOf = ({ cluster, world }: OpenedScenario, bridged: boolean): Row[] => {
  const engine = engineOf(cluster, {});
  return cellsOf(cluster).map((cell, at) => {
    const expected = expectedOf(engine, cell);
    const facts = trace(world, cell, at);
    const escapes = cell.sameBridge === true && !bridged;
    const problems = [
      ...compareTrace(facts, expected, escapes),
      ...compareMatrix(engine, cell, expected),
    ];
    return { cell, facts, expected, problems };
  });
};

const agrees = ({ facts }: Row, outcome: string | undefined): boolean =>
  outcome !== undefined && symptomOfOutcome(outcome) === facts.symptom;

/** Of each row what the kernel did; what seems to differ is asked again, with patience. */
const askKernel = async (
  lab: Lab,
  rows: readonly Row[],
  total: PolicyProof,
): Promise<readonly string[]> => {
  const cells = rows.map(({ cell }) => cell);
  const outcomes = [...(await callAll(lab, cells, QUIET))];
  const again = rows.flatMap((row, n) => (agrees(row, outcomes[n]) ? [] : [n]));
  if (again.length === 0) return outcomes;
  total.repeated += again.length;
  await lab.agent.ask('forget', {});
  const second = await callAll(
    lab,
    again.flatMap((n) => cells[n] ?? []),
    PATIENT,
  );
  for (const [at, n] of again.entries()) outcomes[n] = second[at] ?? '';
  return outcomes;
};

const proveSet = async (
  lab: Lab,
  seed: number,
  topology: Topology,
  total: PolicyProof,
): Promise<void> => {
  const documents = randomPolicies(topology, random(seed));
  const scenario = await open(documents);
  await load(lab, scenario);
  const engine = engineOf(scenario.cluster, {});
  const bridged = topology.bridged;
  const rows = rowsOf(scenario, bridged);
  const claimed = rows.filter(isClaimed);
  total.undecided += rows.length - claimed.length;
  const outcomes = await askKernel(lab, claimed, total);
  const failures = [
    ...rows
      .filter((row) => !isClaimed(row))
      .flatMap(({ cell, problems }) => problems.map((problem) => `${cellText(cell)}: ${problem}`)),
  ];
  for (const [n, row] of claimed.entries()) {
    const { cell, facts, expected, problems } = row;
    total.cells += 1;
    const outcome = outcomes[n] ?? '';
    const all = agrees(row, outcome)
      ? problems
      : [
          ...problems,
          `the trace says ${facts.symptom} (${facts.cause?.code}), the kernel ${outcome}`,
        ];
    failures.push(...all.map((problem) => `${cellText(cell)}: ${problem}`));
    if (all.length > 0) {
      total.differences += 1;
      continue;
    }
    count(total.kinds, cell.kind);
    if (cell.sameBridge && !bridged && expected.decision === 'deny') total.escaped += 1;
    else for (const who of whoDecided(engine, cell, expected)) count(total.decided, who);
  }
  total.sets += 1;
  if (failures.length > 0)
    total.failures.push(
      [commandOf(seed), topology.about, ...failures.slice(0, 8), `${failures.length} in all`].join(
        '\n    ',
      ),
    );
};

/** Seeds of one topology stand next to each other: they share a lab. */
const topologyOf = (seed: number): number => Math.floor((seed - 1) / SETS_OF_LAB);

const SEED_OF_FIRST = 1000;

/** A seed's cluster with its policies, and connections to follow on their whole way. */
export const policyCase = async (seed: number, flows: number): Promise<ProofCase> => {
  const topology = randomTopology(random(SEED_OF_FIRST + topologyOf(seed)), true);
  const { cluster, world } = await open(randomPolicies(topology, random(seed)));
  const { below } = random(seed);
  const cells = cellsOf(cluster);
  const probes = Array.from({ length: flows }, (_, n): Probe[] => {
    const cell = cells[below(cells.length)];
    if (!cell) return [];
    const { from, protocol, dst, dport } = cell;
    return [{ from: { netns: from }, protocol, dst, dport, sport: 42_000 + n }];
  }).flat();
  return { name: commandOf(seed), about: topology.about, world, probes };
};

const commandOf = (seed: number): string =>
  `K8SNET_SEED=${seed} npx vitest run test/kernel/policies.test.ts`;

/** A lab for all sets of one topology. */
const proveTopology = async (
  seeds: readonly number[],
  number: number,
  as: 'root' | 'rootless',
  total: PolicyProof,
): Promise<void> => {
  const topology = randomTopology(random(SEED_OF_FIRST + number), true);
  const bare = randomTopology(random(SEED_OF_FIRST + number), false);
  const { world, cluster } = await open([
    bare.scenario,
    ...randomPolicies({ ...bare }, random(1)).filter(
      ({ kind }) => kind === 'Pod' || kind === 'Service',
    ),
  ]);
  const lab = await buildLab(world, as);
  total.labs += 1;
  try {
    await lab.agent.ask('attend', { listeners: listenersOf(lab, cellsOf(cluster)) });
    for (const seed of seeds) await proveSet(lab, seed, topology, total);
  } finally {
    await lab.stop();
  }
};

/** @param width labs at a time */
export const provePolicies = async (
  seeds: readonly number[],
  width: number,
  as: 'root' | 'rootless',
): Promise<PolicyProof> => {
  const start = Date.now();
  const total: PolicyProof = {
    sets: 0,
    labs: 0,
    cells: 0,
    differences: 0,
    repeated: 0,
    escaped: 0,
    undecided: 0,
    kinds: new Map(),
    decided: new Map(),
    failures: [],
    seconds: 0,
  };
  // A seed has the same topology, whoever asks for it.
  const groups = new Map<number, number[]>();
  for (const seed of seeds) {
    const number = topologyOf(seed);
    groups.set(number, [...(groups.get(number) ?? []), seed]);
  }
  const waiting = groups.entries();
  const work = async (): Promise<void> => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
      const [number, own] = next.value;
      try {
        await proveTopology(own, number, as, total);
      } catch (error) {
        total.failures.push(`topology ${number}: ${String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  total.seconds = Math.round((Date.now() - start) / 1000);
  return total;
};

const listed = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort()
    .map(([key, n]) => `${key} ${n}`)
    .join('; ');

/** The counts in the words that the proof promises. */
export const summary = (total: PolicyProof): string =>
  [
    `${total.sets} sets of policies in ${total.labs} labs, ${total.seconds} s`,
    `  ${total.cells} cells compared, differences ${total.differences}, ${total.repeated} asked again, ${total.escaped} escaped within a bridge`,
    `  by kind: ${listed(total.kinds)}`,
    `  decided: ${listed(total.decided)}`,
    `  not claimed, since names of domains would decide: ${total.undecided}`,
  ].join('\n');
