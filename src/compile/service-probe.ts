/** A question about a Service by its name. */
import type { Cluster, Target } from '../cluster/cluster.ts';
import type { Assumption, Probe } from '../kernel/probe.ts';
import type { World } from '../kernel/world.ts';
import type { Ip } from '../wire/packet.ts';
import { assumptionsAbout } from './assumption.ts';
import type { Endpoint, ProbeEnd } from './endpoint.ts';
import {
  nameOf,
  type OtherProbe,
  type ProbeOptions,
  type ProbePlan,
  type Unsupported,
  withText,
} from './probe-plan.ts';
import { hasNoRoom, sentBy } from './sender.ts';
import { type Aim, aimsOf } from './service-target.ts';

/** One probe for each address that the client of a Service may use. */
export const serviceProbe = (
  cluster: Cluster,
  world: World,
  [source, target]: readonly [Endpoint, Extract<Endpoint, { kind: 'service' }>],
  to: Target,
  options: ProbeOptions,
): ProbePlan => {
  const { service } = target;
  const found = aimsOf(cluster, service, {
    ...options,
    ...(to.port !== undefined && { port: to.port }),
    ...(to.kind === 'service' && to.portName !== undefined && { portName: to.portName }),
    outside: source.kind === 'owned' && source.outside === true,
  });
  const aims = found.kind === 'aims' ? found.aims : [];
  const [aim] = aims;
  const asked = to.port ?? options.port;
  const end = (ip: Ip | undefined): ProbeEnd =>
    withText({ ...target.end, ...(ip !== undefined && { ip }) }, options.text?.to);
  const about = assumptionsAbout(cluster, world, [source, target]);
  const port = aim ? aim.port : asked;
  const answer = {
    from: withText(source.end, options.text?.from),
    to: end(aim?.ip),
    protocol: aim?.protocol ?? options.protocol ?? ('tcp' as const),
    ...(port !== undefined && { port }),
    assumptions: about,
  };
  const unsupported = (why: Unsupported): ProbePlan => ({ kind: 'unsupported', ...answer, why });
  if (source.kind === 'not-running')
    return { kind: 'not-running', ...answer, cause: 'SRC_NOT_RUNNING', pod: source.pod };
  if (source.kind === 'unanswerable') return unsupported(source.why);
  if (source.kind !== 'owned') return unsupported('no-such-source');
  if (found.kind === 'problem') return unsupported(found.why);
  if (!aim || found.kind === 'no-address') return { kind: 'no-address', ...answer, service };
  if (hasNoRoom(cluster, source)) return unsupported('range-too-small');
  const sent = sentBy(world, source, aim.protocol, options);
  const probe = ({ ip, port: dport }: Aim): Probe => ({
    ...sent,
    dst: ip,
    ...(dport !== undefined && { dport }),
  });
  const others = aims.slice(1).flatMap((one): OtherProbe[] =>
    one.chosen
      ? [
          {
            probe: probe(one),
            to: end(one.ip),
            chosen: one.chosen,
            ...(one.port !== undefined && { port: one.port }),
          },
        ]
      : [],
  );
  const picked: Assumption[] =
    found.portChosen && found.port
      ? [
          {
            code: 'port-chosen',
            subject: nameOf(target.end),
            values: { port: `${found.port.port}/${found.port.protocol}` },
          },
        ]
      : [];
  return {
    kind: 'probe',
    ...answer,
    assumptions: [...about, ...picked],
    probe: probe(aim),
    world,
    ...(aim.chosen && { chosen: aim.chosen }),
    ...(others.length > 0 && { others }),
  };
};
