/** Opens a scenario: the one place that joins a cluster, compile and faults to a World. */
import type { Cluster } from '../cluster/cluster.ts';
import { createDiagnostics } from '../cluster/diagnostic.ts';
import { dnsServiceOf, withClusterDns } from '../cluster/dns/cluster-dns.ts';
import { compileWorld } from '../compile/compile.ts';
import { PluginError, pluginProblem } from '../compile/plugin-error.ts';
import type { World } from '../kernel/world.ts';
import type { PolicyEngine } from '../policy/policy-engine.ts';
import { applyFaults, type PlacedFault, parseBreak } from './fault.ts';
import {
  hasErrors,
  type Input,
  type Opened,
  type OpenedCluster,
  type OpenOptions,
  openBuiltInAs,
  openInputs,
  type Resolved,
} from './open-cluster.ts';
import type { ObjectPatch } from './patch.ts';
import type { ScenarioFault } from './schema.ts';

export type { Input, OpenOptions } from './open-cluster.ts';

export interface OpenedScenario extends OpenedCluster {
  /** With its faults. */
  readonly world: World;
  /** The World without faults, where there are any. */
  readonly unfaulted?: World;
  /** What was done to the World, in order. */
  readonly faults: readonly ScenarioFault[];
  /** Those of the Scenario itself, without what was asked for beside it. */
  readonly writtenFaults: readonly ScenarioFault[];
  /** Where the input has no DNS Service: the same with the one that is assumed (`cluster-dns.ts`). */
  readonly assumingDns?: () => OpenedScenario;
  /** Where the cluster has policies: what judges by them. */
  readonly engineOf?: (cluster: Cluster) => PolicyEngine;
  readonly reopen?: (patch: readonly ObjectPatch[]) => Promise<OpenResult>;
}

export type OpenResult = Opened<OpenedScenario>;

/** A cluster and its faults → a World. */
export const withWorld = async (
  { loaded, opened, diagnostics: before }: Resolved,
  options: OpenOptions,
): Promise<OpenResult> => {
  const { report, list } = createDiagnostics();
  for (const diagnostic of before) report(diagnostic);
  const { cluster } = opened;
  const faults: PlacedFault[] = [
    ...loaded.faults,
    ...(options.break ?? []).flatMap((text) => parseBreak(text, options.namespace, report) ?? []),
  ];
  const unfaulted = compileWorld(cluster);
  let world = unfaulted;
  try {
    world = applyFaults(unfaulted, cluster, faults, report);
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    report(pluginProblem(error, cluster));
  }
  if (hasErrors(list())) return { ok: false, diagnostics: list() };
  // Loaded late: many clusters have no policy.
  const engineOf =
    cluster.policies.length > 0 ? (await import('../policy/engine.ts')).engineOf : undefined;
  const scenario: OpenedScenario = {
    ...opened,
    ...(engineOf && { engineOf }),
    world,
    ...(faults.length > 0 && { unfaulted }),
    faults: faults.map(({ fault }) => fault),
    writtenFaults: loaded.faults.map(({ fault }) => fault),
  };
  const assuming = (): OpenedScenario => assumeDns(scenario, faults);
  return {
    ok: true,
    scenario: dnsServiceOf(cluster) ? scenario : { ...scenario, assumingDns: assuming },
    diagnostics: list(),
  };
};

/** The scenario with the DNS that it has not; its faults were applied once, and are reported. */
const assumeDns = (scenario: OpenedScenario, faults: readonly PlacedFault[]): OpenedScenario => {
  const cluster = withClusterDns(scenario.cluster);
  if (cluster === scenario.cluster) return scenario;
  const unfaulted = compileWorld(cluster);
  const world = applyFaults(unfaulted, cluster, faults, () => undefined);
  return { ...scenario, cluster, world, ...(faults.length > 0 && { unfaulted }) };
};

/** Inputs as one cluster with its World (`openInputs`). */
export const openScenario = (
  inputs: readonly Input[],
  options: OpenOptions = {},
): Promise<OpenResult> => openInputs(inputs, options, withWorld);

/**
 * Opens a built-in scenario; the default one (`basics/two-nodes`) without any parser, unless it is
 * overridden.
 */
export const openBuiltIn = (
  typed: string | undefined,
  options: OpenOptions = {},
): Promise<OpenResult> => openBuiltInAs(typed, options, withWorld);
