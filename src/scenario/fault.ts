/** Faults: what a Scenario breaks in the World that was compiled from it. */
import type { Cluster, Place, Pod } from '../cluster/cluster.ts';
import { atPlace, type Report } from '../cluster/diagnostic.ts';
import { didYouMean, nearest } from '../cluster/nearest.ts';
import type { Origin } from '../kernel/origin.ts';
import type { NetnsId, WireCut, World } from '../kernel/world.ts';
import { withCuts } from '../kernel/world-build.ts';
import { applyCommand } from '../userland/edit/apply-command.ts';
import type { ScenarioFault } from './schema.ts';

export interface PlacedFault {
  readonly fault: ScenarioFault;
  readonly place: Place;
}

type Complain = (message: string, hint?: string) => undefined;

const complainer =
  (place: Place, report: Report): Complain =>
  (message, hint) => {
    report({
      severity: 'error',
      code: 'bad-fault',
      message,
      ...atPlace(place),
      ...(hint !== undefined && { hint }),
    });
    return undefined;
  };

/** `node-2: ip link set flannel.1 down` after `node/`, as `--break` has it. */
export const parseBreak = (text: string, report: Report): PlacedFault | undefined => {
  const place: Place = { file: `--break ${text}`, line: 1, column: 1 };
  const [, on = '', run = ''] = /^\s*((?:node|pod)\/[^\s:]+)\s*:\s*(.*\S)\s*$/s.exec(text) ?? [];
  if (on !== '') return { fault: { on, run }, place };
  return complainer(place, report)(
    `--break ${text}: expected node/NAME: COMMAND or pod/[NAMESPACE/]NAME: COMMAND`,
    "For example: --break 'node/node-2: ip link set flannel.1 down'",
  );
};

const podName = ({ namespace, name }: Pod): string =>
  namespace === 'default' ? name : `${namespace}/${name}`;

/** The namespace that a fault's command runs in. */
const netnsOn = (
  on: string,
  cluster: Cluster,
  world: World,
  complain: Complain,
): NetnsId | undefined => {
  const [kind, ...rest] = on.split('/');
  const name = rest.join('/');
  if (kind === 'node') {
    if (world.hostNames.includes(name)) return `${name}/host`;
    const hint = didYouMean(nearest(name, world.hostNames));
    return complain(`there is no node ${JSON.stringify(name)}`, hint);
  }
  const [namespace = 'default', pod = ''] = rest.length === 1 ? ['default', rest[0]] : rest;
  const found = cluster.pods.find((item) => item.namespace === namespace && item.name === pod);
  if (!found) {
    const hint = didYouMean(nearest(name, cluster.pods.map(podName)));
    return complain(`there is no Pod ${JSON.stringify(name)}`, hint);
  }
  if (found.phase !== 'Running' || found.node === undefined)
    return complain(`Pod ${name} is ${found.phase}: it has no network namespace`);
  return found.hostNetwork
    ? `${found.node}/host`
    : `${found.node}/${found.namespace}/${found.name}`;
};

const dropOf = (text: string): WireCut['drop'] | undefined => {
  if (text === 'all') return 'all';
  const [protocol, digits] = text.split('/');
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'icmp') return undefined;
  return { protocol, ...(digits !== undefined && { port: Number(digits) }) };
};

const cutWire = (
  world: World,
  [a, b]: readonly [string, string],
  text: string,
  origin: Origin,
  complain: Complain,
): World | undefined => {
  for (const name of [a, b]) {
    if (!world.hostNames.includes(name))
      return complain(
        `there is no node ${JSON.stringify(name)}`,
        didYouMean(nearest(name, world.hostNames)),
      );
  }
  const drop = dropOf(text);
  if (!drop) return complain(`a wire cannot drop ${JSON.stringify(text)}`);
  const segment = [...world.segments.values()].find(({ attachments }) =>
    [a, b].every((name) => attachments.some(({ host }) => host === name)),
  );
  if (!segment || a === b) return complain(`no wire joins ${a} and ${b}`);
  return withCuts(world, segment.name, [
    { from: a, to: b, drop, origin },
    { from: b, to: a, drop, origin },
  ]);
};

/** Applies faults in order; those that cannot be are reported and left out. */
export const applyFaults = (
  world: World,
  cluster: Cluster,
  faults: readonly PlacedFault[],
  report: Report,
): World => {
  let broken = world;
  for (const { fault, place } of faults) {
    const complain = complainer(place, report);
    const origin: Origin = { by: 'fault', why: 'fault-command', at: place };
    if ('wire' in fault) {
      broken = cutWire(broken, fault.wire, fault.drop, origin, complain) ?? broken;
      continue;
    }
    const netns = netnsOn(fault.on, cluster, broken, complain);
    if (netns === undefined) continue;
    const outcome = applyCommand(broken, netns, fault.run, origin);
    if (outcome.ok) broken = outcome.world;
    else complain(`${fault.run} (on ${fault.on}): ${outcome.message}`, outcome.hint);
  }
  return broken;
};
