/** The packets that a question of a scenario sends: queries of names, and connections. */
import { resolveName } from '../../src/check/resolve-name.ts';
import type { Target } from '../../src/cluster/cluster.ts';
import { resolveEndpoint } from '../../src/cluster/endpoint.ts';
import { probeFor } from '../../src/compile/probe.ts';
import type { ProbeOptions, ProbePlan } from '../../src/compile/probe-plan.ts';
import type { Expectation } from '../../src/scenario/expectation.ts';
import type { OpenedScenario } from '../../src/scenario/open.ts';
import type { ProofCase } from './proof-run.ts';

type ProbeIn = ProofCase['probes'][number];

const planned = (plan: ProbePlan): ProbeIn[] => {
  if (plan.kind !== 'probe') return [];
  const { probe, others = [] } = plan;
  const probes = [probe, ...others.map((other) => other.probe)];
  return probes.map((one) => ({ ...one, in: plan.world }));
};

/** The queries of a name, each by itself, then the connections to what it stands for. */
const probesOfName = (
  { name, cluster, world }: OpenedScenario,
  source: Target,
  target: Extract<Target, { kind: 'name' }>,
  options: ProbeOptions,
): ProbeIn[] => {
  const sender = probeFor(cluster, world, source, { kind: 'external', port: 53 });
  if (sender.kind !== 'probe') return [];
  const { from, to, protocol } = sender;
  const meta = { scenario: name, probe: { from, to, protocol }, assumptions: [] };
  const asker = { from: sender.probe.from, meta };
  const question = { cluster, world, asker, source, name: target.name, port: target.port };
  const { probes, targets } = resolveName({ ...question, packets: true });
  return [
    ...probes.map((probe) => ({ ...probe, in: world })),
    ...targets.flatMap((one) => planned(probeFor(cluster, world, source, one, options))),
  ];
};

/**
 * The probes of a question, several where the client may choose; none where nothing is sent (a Pod
 * that does not run).
 */
export const probesOf = (
  scenario: OpenedScenario,
  {
    from,
    to,
    port,
    protocol,
    size,
  }: Pick<Expectation, 'from' | 'to' | 'port' | 'protocol' | 'size'>,
): ProbeIn[] => {
  const { cluster, world } = scenario;
  const source = resolveEndpoint(cluster, from, { side: 'from' });
  const target = resolveEndpoint(cluster, to, { side: 'to' });
  if ('diagnostic' in source || 'diagnostic' in target) return [];
  const options: ProbeOptions = {
    ...(port !== undefined && { port }),
    ...(protocol !== undefined && { protocol }),
    ...(size !== undefined && { size }),
  };
  if (target.target.kind === 'name')
    return probesOfName(scenario, source.target, target.target, options);
  return planned(probeFor(cluster, world, source.target, target.target, options));
};
