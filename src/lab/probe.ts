/** Sends a probe from a real socket to real listeners and reports what the kernel did. */
import type { ConntrackEntry } from '../kernel/netfilter/conntrack.ts';
import { netnsOf } from '../kernel/netns.ts';
import type { Probe } from '../kernel/probe.ts';
import type { NetnsId, World } from '../kernel/world.ts';
import type { Opaque } from '../wire/packet.ts';
import type { ListenerRequest } from './agent.ts';
import type { Lab } from './build.ts';
import type { Caller } from './callers.ts';
import { type TimedTap, timedTaps } from './capture.ts';
import { parseConntrack } from './conntrack.ts';
import { countedBetween, type RuleCounters } from './counters.ts';

/** What a real kernel did with a probe. */
export interface Observation {
  /** As the agent says it. */
  readonly outcome: string;
  readonly taps: readonly TimedTap[];
  readonly conntrack: ReadonlyMap<NetnsId, readonly ConntrackEntry[]>;
  /** Whom the listeners heard. */
  readonly callers: readonly Caller[];
  /** How many packets met each firewall rule. */
  readonly counters: ReadonlyMap<NetnsId, RuleCounters>;
  /** Reasons for which IPv4 packets were dropped meanwhile, machine-wide; undefined: not to be had. */
  readonly drops: ReadonlySet<string> | undefined;
}

/** Seconds; a neighbour that nobody answers for takes 0.1 s between two frames. */
const QUIET = 0.03;
const PATIENCE = 0.35;
const LIMIT = 6;

/** Listeners as the World has them, and one at each port where it assumes that somebody listens. */
const listenersOf = (
  lab: Lab,
  world: World,
  { protocol, dport }: Probe,
  translated: readonly number[],
): ListenerRequest[] =>
  [...lab.plan.names].flatMap(([id, name]) => {
    const netns = netnsOf(world, id);
    const rows = netns.sockets.map(({ protocol, ip, port }) => ({ ns: name, protocol, ip, port }));
    if (protocol === 'icmp' || dport === undefined) return rows;
    if (netns.listeners.unlisted !== 'assumed-open') return rows;
    const open = [...new Set([dport, ...translated])].filter(
      (port) => !rows.some((row) => row.protocol === protocol && row.port === port),
    );
    return [...rows, ...open.map((port) => ({ ns: name, protocol, ip: '0.0.0.0', port }))];
  });

/** The bytes of a datagram, with the zeros that are not stored. */
const hexOf = (data: Opaque | undefined): string | undefined =>
  data &&
  Buffer.from(data.bytes ?? [])
    .toString('hex')
    .padEnd(data.length * 2, '0');

export interface LabProbe {
  /** Keep what earlier packets left behind. Default: start cold. */
  readonly warm?: boolean;
  /** UDP: the next warm probe is sent out of this one's socket. */
  readonly keep?: boolean;
  /** The World whose listeners wait for the probe, where they are not the lab's own. */
  readonly world?: World;
  /** Ports that the packet may have when it arrives, beside the one that it is sent to. */
  readonly translated?: readonly number[];
}

/**
 * One probe through a lab.
 * @throws {Error} when the sender's namespace is not in the lab, when the capture lost frames, or
 *   when the network did not fall silent
 */
export const probeLab = async (
  lab: Lab,
  probe: Probe,
  { warm = false, keep = false, world = lab.world, translated = [] }: LabProbe = {},
): Promise<Observation> => {
  const ns = lab.plan.names.get(probe.from.netns);
  if (ns === undefined) throw new Error(`no namespace ${probe.from.netns} in the lab`);
  const { protocol, dst, dport, sport, src, size, ttl } = probe;
  const payload = hexOf(probe.payload);
  const answer = await lab.agent.ask('probe', {
    listeners: listenersOf(lab, world, probe, translated),
    client: { ns, protocol, dst, dport, sport, src, size, payload, ttl },
    answer: hexOf(probe.answer),
    quiet: QUIET,
    patience: PATIENCE,
    limit: LIMIT,
    warm,
    keep,
  });
  if (answer.lost > 0) throw new Error(`the capture lost ${answer.lost} frames`);
  if (!answer.silent) throw new Error(`frames still flow ${LIMIT} s after the probe`);
  const idOf = (name: string): NetnsId => lab.byName.get(name)?.id ?? name;
  return {
    outcome: answer.outcome,
    taps: timedTaps(lab, answer.frames),
    drops: answer.drops === null ? undefined : new Set(answer.drops.map(([, reason]) => reason)),
    conntrack: new Map(
      Object.entries(answer.conntrack).map(([name, text]) => [idOf(name), parseConntrack(text)]),
    ),
    callers: answer.callers.map(([name, ip, port]) => ({ netns: idOf(name), ip, port })),
    counters: new Map(
      Object.entries(answer.counters).map(([name, texts]) => [idOf(name), countedBetween(texts)]),
    ),
  };
};
