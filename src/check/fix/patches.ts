/** Patches of the input: of its Scenario, and of a Pod or the template that it is made from. */
import type { Cluster, Place, Pod } from '../../cluster/cluster.ts';
import type { ScenarioFault } from '../../scenario/schema.ts';
import type { Advice, AdviceCode, Fix } from '../../trace/remedy.ts';
import type { Layer } from '../../wire/packet.ts';
import { type Ailment, adviceOf } from './ailment.ts';

type Values = Readonly<Record<string, string | number | undefined>>;
type Body = Readonly<Record<string, unknown>>;

const SCENARIO_NAME = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/;

/** A patch of the Scenario's `spec`; a Scenario is made where the input has none. */
export const scenarioPatch = (
  { scenario }: Ailment,
  spec: Body,
  code: AdviceCode,
  values: Values,
): Fix => {
  const name = SCENARIO_NAME.test(scenario.name) ? scenario.name : 'fixed';
  return {
    kind: 'patch',
    object: { kind: 'Scenario', name },
    patch: { apiVersion: 'k8snet/v1', kind: 'Scenario', metadata: { name }, spec },
    advice: adviceOf(code, values),
  };
};

/** What a cut of a wire loses, as far as it can be told from the packet. */
const isLost = (
  fault: ScenarioFault,
  ends: readonly string[],
  packet: readonly Layer[],
): boolean => {
  if (!('wire' in fault) || !fault.wire.every((end) => ends.includes(end))) return false;
  const transport = packet.find(({ type }) => type === 'tcp' || type === 'udp' || type === 'icmp');
  const [protocol, port] = fault.drop.split('/');
  if (protocol === 'all') return true;
  if (protocol !== transport?.type) return false;
  return (
    port === undefined ||
    ((transport?.type === 'tcp' || transport?.type === 'udp') && transport.dport === Number(port))
  );
};

/** Takes the cut out of the Scenario; a wire that no Scenario cut is for people to mend. */
export const wireFix = (ailment: Ailment, advice: Advice): Fix => {
  const { about, packet, scenario, step } = ailment;
  const ends = [about.node, about.peer].filter((end) => end !== undefined);
  // ARP is neither of the protocols: only a cut of everything loses it.
  const lost = step?.kind === 'neighbour' ? [] : packet;
  const kept = scenario.writtenFaults.filter((fault) => !isLost(fault, ends, lost));
  if (kept.length === scenario.writtenFaults.length) return { kind: 'advice', advice };
  return scenarioPatch(ailment, { faults: kept }, advice.code, advice.values);
};

const isSamePlace = (a: Place | undefined, b: Place | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.file === b.file &&
  a.line === b.line &&
  a.column === b.column;

const API_VERSIONS: Readonly<Record<string, string>> = {
  Pod: 'v1',
  ReplicationController: 'v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
};

/**
 * A patch of what the input says about a Pod: of the Pod itself, or of the template of the workload
 * that it was made from. Undefined for a Pod without a name of its own, which no patch can name.
 */
export const podPatch = (
  { workloads }: Cluster,
  pod: Pod,
  template: { readonly metadata?: Body; readonly spec?: Body },
): Omit<Extract<Fix, { kind: 'patch' }>, 'advice'> | undefined => {
  const { namespace } = pod;
  const workload = workloads.find(
    (one) => one.namespace === namespace && isSamePlace(one.place, pod.place),
  );
  if (!workload && pod.invented.name) return undefined;
  const { kind, name } = workload ?? { kind: 'Pod', name: pod.name };
  const head = { apiVersion: API_VERSIONS[kind] ?? 'apps/v1', kind };
  const names = { name, ...(namespace !== 'default' && { namespace }) };
  const object = { kind, namespace, name };
  switch (kind) {
    case 'Pod': {
      const metadata = { ...names, ...template.metadata };
      return {
        kind: 'patch',
        object,
        patch: { ...head, metadata, ...(template.spec && { spec: template.spec }) },
      };
    }
    case 'CronJob':
      return {
        kind: 'patch',
        object,
        patch: { ...head, metadata: names, spec: { jobTemplate: { spec: { template } } } },
      };
    default:
      return { kind: 'patch', object, patch: { ...head, metadata: names, spec: { template } } };
  }
};
