/** Faults: what a Scenario breaks in the World that was compiled from it. */
import type { Cluster, Place } from '../cluster/cluster.ts';
import { atPlace, type Report } from '../cluster/diagnostic.ts';
import { parseEndpoint, resolveEndpoint } from '../cluster/endpoint.ts';
import { didYouMean, nearest } from '../cluster/nearest.ts';
import { isRunning, podNetnsName } from '../compile/machine.ts';
import { otherHosts } from '../compile/underlay.ts';
import type { Origin } from '../kernel/origin.ts';
import type { NetnsId, WireCut, World } from '../kernel/world.ts';
import { withCuts } from '../kernel/world-build.ts';
import { applyCommand } from '../userland/edit/apply-command.ts';
import type { ScenarioFault } from './schema.ts';

export interface PlacedFault {
  readonly fault: ScenarioFault;
  /** Without a line: it is from the command line. */
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

/** `node/node-2: ip link set flannel.1 down`: an endpoint, a colon, a command. */
const BREAK = [/^\s*([^\s:]+(?::[^\s:]+)?)\s*:\s+(\S.*?)\s*$/s, /^\s*([^\s:]+):(\S.*?)\s*$/s];

/** `pod/NAMESPACE/NAME` is another way to write `NAMESPACE/pod/NAME`. */
const endpointOf = (on: string): string => on.replace(/^(pods?|po)\/([^/]+)\/([^/]+)$/, '$2/$1/$3');

/** With the namespace of the question where it names none: what reads the fault later knows no other. */
const qualified = (on: string, namespace = 'default'): string => {
  const parsed = parseEndpoint(endpointOf(on));
  const isNamed = 'form' in parsed && parsed.form === 'object' && parsed.kind !== 'Node';
  if (namespace === 'default' || !isNamed || parsed.namespace !== undefined) return on;
  return `${namespace}/${parsed.explicit ? '' : 'pod/'}${on}`;
};

/**
 * A fault as `--break` has it.
 * @param namespace of a place that names none; default `default`
 */
export const parseBreak = (
  text: string,
  namespace: string | undefined,
  report: Report,
): PlacedFault | undefined => {
  const place: Place = { file: `--break ${text}` };
  const found = BREAK.map((pattern) => pattern.exec(text)).find((match) => match !== null);
  const [, on, run] = found ?? [];
  if (on !== undefined && run !== undefined)
    return { fault: { on: qualified(on, namespace), run }, place };
  return complainer(place, report)(
    'expected ENDPOINT: COMMAND',
    "For example: --break 'node/node-2: ip link set flannel.1 down' or --break 'pod-a: ip route del default'",
  );
};

const hostOf = (name: string, world: World, complain: Complain): NetnsId | undefined =>
  world.hostNames.includes(name)
    ? `${name}/host`
    : complain(
        `there is no node ${JSON.stringify(name)}`,
        didYouMean(nearest(name, world.hostNames)),
      );

/** The namespace that a fault's command runs in. */
const netnsOn = (
  on: string,
  cluster: Cluster,
  world: World,
  complain: Complain,
): NetnsId | undefined => {
  const typed = endpointOf(on);
  const parsed = parseEndpoint(typed);
  // The router and the outside are machines, though no nodes of the cluster.
  if ('form' in parsed && parsed.form === 'object' && parsed.kind === 'Node' && !parsed.suffix)
    return hostOf(parsed.name, world, complain);
  const found = resolveEndpoint(cluster, typed, { side: 'from' });
  if ('diagnostic' in found) return complain(found.diagnostic.message, found.diagnostic.hint);
  const { target } = found;
  if (target.port !== undefined)
    return complain(`${on}: a command runs in a namespace, not on a port`);
  if (target.kind === 'external') return hostOf(otherHosts(cluster).external, world, complain);
  if (target.kind === 'node') return hostOf(target.node, world, complain);
  const pod = target.kind === 'container' ? cluster.pods[target.pod] : undefined;
  if (!pod) return complain(`${on} is no place for a command`);
  const name = podNetnsName(pod);
  if (!isRunning(pod))
    return complain(
      `Pod ${name} ${pod.phase === 'Running' ? 'has no IPv4 address' : `is ${pod.phase}`}: it has no network namespace`,
    );
  return pod.hostNetwork ? `${pod.node}/host` : `${pod.node}/${podNetnsName(pod)}`;
};

const dropOf = (text: string): WireCut['drop'] | undefined => {
  if (text === 'all') return 'all';
  const [protocol, digits] = text.split('/');
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'icmp') return undefined;
  return { protocol, ...(digits !== undefined && { port: Number(digits) }) };
};

const cutWire = (
  world: World,
  { wire: [a, b], drop: text, oneWay }: Extract<ScenarioFault, { wire: unknown }>,
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
    ...(oneWay ? [] : [{ from: b, to: a, drop, origin }]),
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
    const typed = place.line === undefined;
    const why = typed ? 'break-command' : 'fault-command';
    const origin: Origin = { by: 'fault', why, at: place };
    if ('wire' in fault) {
      broken = cutWire(broken, fault, origin, complain) ?? broken;
      continue;
    }
    const netns = netnsOn(fault.on, cluster, broken, complain);
    if (netns === undefined) continue;
    const outcome = applyCommand(broken, netns, fault.run, origin);
    if (outcome.ok) broken = outcome.world;
    else
      complain(
        typed ? outcome.message : `${fault.run} (on ${fault.on}): ${outcome.message}`,
        outcome.hint,
      );
  }
  return broken;
};
