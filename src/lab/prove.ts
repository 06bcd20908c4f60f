/** One probe through the simulator and through a real kernel: do the two agree? */
import type { Tap } from '../kernel/event.ts';
import type { ConntrackEntry, CtTuple } from '../kernel/netfilter/conntrack.ts';
import type { Probe } from '../kernel/probe.ts';
import type { NetnsId, World } from '../kernel/world.ts';
import { compareTaps, sameTap } from '../trace/compare-taps.ts';
import { acknowledgement, type FlowTaps, tapsOf } from '../trace/taps.ts';
import type { Symptom, TraceFacts } from '../trace/trace.ts';
import type { Layer } from '../wire/packet.ts';
import type { Lab } from './build.ts';
import { callersIn, compareCallers } from './callers.ts';
import type { TimedTap } from './capture.ts';
import { compareCounters } from './counters.ts';
import { type Outcome, outcomesOf, portsTaken } from './outcomes.ts';
import { type Observation, probeLab } from './probe.ts';

export interface Proof {
  readonly facts: TraceFacts;
  readonly observation: Observation;
  /** What the kernel did otherwise, one line each. */
  readonly differences: readonly string[];
  /** Taps that both have. */
  readonly taps: number;
  /** Firewall rules whose packets were counted. */
  readonly rules: number;
}

const STUCK: Symptom = 'hangs on large data';

/** What an application sees of each errno (man 7 ip, tcp, udp; strerror). */
const SYMPTOMS: Readonly<Record<string, Symptom>> = {
  ok: 'connected',
  timeout: 'timeout',
  stuck: STUCK,
  ETIMEDOUT: 'timeout',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  EINVAL: 'invalid argument',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EMSGSIZE: 'message too long',
  ENOPROTOOPT: 'protocol not available',
};

/** What an application sees of an outcome that the agent tells. */
export const symptomOfOutcome = (outcome: string): string => SYMPTOMS[outcome] ?? outcome;

/** The first SYN's retransmission timeout in ns (TCP_TIMEOUT_INIT), with room for a busy machine. */
const RETRANSMITTED = 900e6;

const isSyn = (packet: readonly Layer[]): boolean =>
  packet.some((layer) => layer.type === 'tcp' && layer.flags.join() === 'syn');

/** A SYN that is sent again only says that the machine was slow: its taps are the first one's. */
const foldRetransmissions = (taps: readonly TimedTap[]): TimedTap[] => {
  const start = taps[0]?.time ?? 0;
  return taps.filter(
    (tap, n) =>
      tap.time - start < RETRANSMITTED ||
      !isSyn(tap.packet) ||
      !taps.slice(0, n).some((earlier) => sameTap(earlier, tap)),
  );
};

type Kind = 'data' | 'ack';

/**
 * A segment after the handshake, by what it is and by everybody it travels between: a tunnel that
 * sends it to several remotes makes one copy for each. Undefined for anything else.
 */
const segmentOf = (packet: readonly Layer[]): { kind: Kind; key: string } | undefined => {
  const tcp = packet.findLast((layer) => layer.type === 'tcp');
  if (tcp?.type !== 'tcp') return undefined;
  if (tcp.flags.some((flag) => flag !== 'ack' && flag !== 'psh')) return undefined;
  const kind = packet.at(-1)?.type === 'data' ? 'data' : 'ack';
  const ends = packet.flatMap((layer) => ('src' in layer ? [layer.src, layer.dst] : []));
  return { kind, key: [kind, ...ends, String(tcp.sport)].join(' ') };
};

/** ICMP fragmentation needed: the sender of the data starts again with a shorter segment. */
const saysTooLong = (packet: readonly Layer[]): boolean =>
  packet.some((layer) => layer.type === 'icmp' && layer.mtu !== undefined);

/**
 * A trace tells of the first segment of data and of its acknowledgement. A real sender has more of
 * both in flight, and sends again what is lost: of each, every tap's first is compared, and the
 * first after an error that said how long it may be.
 */
const firstSegments = (taps: readonly TimedTap[]): TimedTap[] => {
  const seen = new Map<string, Set<string>>();
  return taps.filter(({ netns, device, direction, packet }) => {
    const at = `${netns} ${device}`;
    const segment = segmentOf(packet);
    if (segment === undefined) {
      if (saysTooLong(packet)) seen.delete(at);
      return true;
    }
    const key = `${direction} ${segment.key}`;
    const known = seen.get(at) ?? new Set();
    seen.set(at, known);
    return !known.has(key) && known.add(key);
  });
};

const isHandshake = ({ legs }: TraceFacts): boolean =>
  legs[0]?.packet === 'syn' && legs[1]?.packet === 'synack' && legs[1].disposition === 'delivered';

/** The trace's taps, with the ACK that it leaves out where it fares as the SYN did. */
const expectedTaps = (facts: TraceFacts): FlowTaps => {
  const taps = tapsOf(facts);
  if (
    !isHandshake(facts) ||
    facts.legs.some(({ packet, direction }) => packet === 'ack' && direction === 'request')
  )
    return taps;
  const cut = taps.own.findIndex(({ leg }) => leg !== 'syn' && leg !== 'synack');
  const at = cut < 0 ? taps.own.length : cut;
  const syn = taps.own.filter(({ leg }) => leg === 'syn');
  return {
    ...taps,
    own: [...taps.own.slice(0, at), ...acknowledgement(syn), ...taps.own.slice(at)],
  };
};

/**
 * Where the first segment is lost, a shorter one behind it may get through, and is acknowledged in
 * vain: the trace does not tell of it.
 */
const withoutTail = (
  { symptom }: TraceFacts,
  expected: FlowTaps,
  taps: readonly TimedTap[],
): readonly TimedTap[] =>
  symptom === STUCK
    ? taps.filter(
        (tap) =>
          segmentOf(tap.packet) === undefined || expected.own.some((own) => sameTap(own, tap)),
      )
    : taps;

const layerText = (layer: Layer): string => {
  const values = Object.entries(layer).filter(([key]) => key !== 'type');
  return `${layer.type}(${values.map(([key, value]) => `${key} ${JSON.stringify(value)}`).join(' ')})`;
};

/** One tap in one line. */
export const tapText = ({ netns, device, direction, packet }: Tap): string =>
  `${netns} ${device} ${direction} ${packet.map(layerText).join(' ')}`;

const compareAllTaps = (
  world: World,
  facts: TraceFacts,
  taps: readonly TimedTap[],
): { readonly lines: string[]; readonly equal: number } => {
  const expected = expectedTaps(facts);
  const { differences, equal } = compareTaps(
    expected,
    withoutTail(facts, expected, firstSegments(foldRetransmissions(taps))),
    (segment, tap) =>
      world.segments
        .get(segment)
        ?.attachments.some((end) => end.netns === tap.netns && end.ifname === tap.device) ?? false,
  );
  const lines = differences.map(
    ({ kind, what, tap }) =>
      `${kind === 'missing' ? 'only the trace has' : 'only the kernel has'} ${what}: ${tapText(tap)}`,
  );
  return { lines, equal };
};

type Port = CtTuple['sport'];

const samePort = (expected: Port, found: Port): boolean => {
  if (typeof expected === 'number' || typeof found !== 'number') return expected === found;
  const [low, high] = expected.range;
  return low <= found && found <= high;
};

const sameTuple = (expected: CtTuple, found: CtTuple): boolean =>
  expected.src === found.src &&
  expected.dst === found.dst &&
  expected.protocol === found.protocol &&
  samePort(expected.sport, found.sport) &&
  samePort(expected.dport, found.dport);

const sameEntry = (expected: ConntrackEntry, found: ConntrackEntry): boolean =>
  sameTuple(expected.original, found.original) &&
  sameTuple(expected.reply, found.reply) &&
  expected.seenReply === found.seenReply &&
  expected.assured === found.assured &&
  expected.tcpState === found.tcpState;

const portText = (port: Port): string =>
  typeof port === 'number' ? String(port) : port.range.join('-');

const tupleText = ({ src, dst, protocol, sport, dport }: CtTuple): string =>
  `${protocol} ${src}:${portText(sport)} > ${dst}:${portText(dport)}`;

const entryText = (entry: ConntrackEntry): string =>
  `${tupleText(entry.original)} / ${tupleText(entry.reply)}` +
  `${entry.tcpState === undefined ? '' : ` ${entry.tcpState}`}` +
  `${entry.seenReply ? '' : ' UNREPLIED'}${entry.assured ? ' ASSURED' : ''}`;

/** What is sent again goes through a tunnel by another port (sk_rethink_txhash, net/sock.h). */
const isSentAgain = (expected: readonly ConntrackEntry[], found: ConntrackEntry): boolean =>
  expected.some((entry) => typeof entry.original.sport !== 'number' && sameEntry(entry, found));

const compareConntrack = (
  netns: NetnsId,
  expected: readonly ConntrackEntry[],
  found: readonly ConntrackEntry[],
  stuck: boolean,
): string[] => {
  const spare = [...found];
  const absent = expected
    .filter(({ confirmed }) => confirmed)
    .filter((entry) => {
      const at = spare.findIndex((other) => sameEntry(entry, other));
      if (at >= 0) spare.splice(at, 1);
      return at < 0;
    });
  return [
    ...absent.map((entry) => `only the trace has connection in ${netns}: ${entryText(entry)}`),
    ...spare
      .filter((entry) => !stuck || !isSentAgain(expected, entry))
      .map((entry) => `only the kernel has connection in ${netns}: ${entryText(entry)}`),
  ];
};

const compareFate = (facts: TraceFacts, outcome: string): string[] => {
  const seen = symptomOfOutcome(outcome);
  return seen === facts.symptom
    ? []
    : [`the trace says ${facts.symptom} (${facts.disposition}), the kernel ${seen} (${outcome})`];
};

/** Names of the kernel's own drop reasons; the model's own are in lower case. */
const KERNEL_REASON = /^[A-Z]/;

/** The trace's reason must be among the kernel's: these are machine-wide, so more are no evidence. */
const compareDrops = (facts: TraceFacts, drops: Observation['drops']): string[] => {
  if (drops === undefined) return [];
  return facts.legs
    .flatMap(({ hops }) => hops.flatMap(({ steps }) => steps))
    .flatMap(({ kind, detail }) =>
      kind === 'drop' && 'reason' in detail ? [String(detail.reason)] : [],
    )
    .filter((reason) => KERNEL_REASON.test(reason) && !drops.has(reason))
    .map(
      (reason) => `the trace drops with ${reason}, the kernel with ${[...drops].join() || 'none'}`,
    );
};

/**
 * Whether a trace has as many packets as the kernel sent: it tells of the first segment of data, and
 * of the first round of a loop.
 */
const hasEveryPacket = ({ legs }: TraceFacts): boolean =>
  legs.every(
    ({ packet, disposition, hops }) =>
      packet !== 'data' &&
      disposition !== 'looped' &&
      !hops.some(({ steps }) =>
        steps.some(({ detail }) => 'reason' in detail && detail.reason === 'looped'),
      ),
  );

/** What a kernel and one outcome of a trace disagree about. */
export const compareProof = (
  world: World,
  traced: Pick<Outcome, 'facts' | 'world' | 'counters'>,
  observation: Observation,
): Proof => {
  const { facts } = traced;
  const { lines, equal } = compareAllTaps(world, facts, observation.taps);
  let rules = 0;
  const counted = hasEveryPacket(facts)
    ? [...observation.counters].flatMap(([netns, found]) => {
        rules += found.size;
        return compareCounters(netns, traced.counters.get(netns) ?? new Map(), found);
      })
    : [];
  const differences = [
    ...compareFate(facts, observation.outcome),
    ...compareCallers(callersIn(facts), observation.callers),
    ...lines,
    ...compareDrops(facts, observation.drops),
    ...[...observation.conntrack].flatMap(([netns, entries]) =>
      compareConntrack(
        netns,
        traced.world.dynamic.get(netns)?.conntrack ?? [],
        entries,
        facts.symptom === STUCK,
      ),
    ),
    ...counted,
  ];
  return { facts, observation, differences, taps: equal, rules };
};

/**
 * Holds what a kernel did against every outcome that chance allows: the one that the kernel's own
 * picks led to, or else the one that comes nearest.
 */
export const compareOutcomes = (
  world: World,
  outcomes: readonly Outcome[],
  observation: Observation,
): { readonly proof: Proof; readonly outcome: Outcome } => {
  let best: { readonly proof: Proof; readonly outcome: Outcome } | undefined;
  for (const outcome of outcomes) {
    const proof = compareProof(world, outcome, observation);
    if (best === undefined || proof.differences.length < best.proof.differences.length)
      best = { proof, outcome };
    if (proof.differences.length === 0) break;
  }
  if (best === undefined) throw new RangeError('a probe without an outcome');
  return best;
};

/**
 * Traces `probe` and sends it through the lab, both cold.
 *
 * A lab that has seen many probes is not quite cold: a router that said `unreachable` five times at
 * once says it once a second (ip_error, net/ipv4/route.c), one that sent redirects sends fewer
 * (ip_rt_send_redirect), and nothing resets their counts. A difference stands when a new lab shows
 * it too.
 * @param world the lab's World, or one that differs from it in listeners alone
 */
export const proveProbe = async (lab: Lab, probe: Probe, world = lab.world): Promise<Proof> => {
  const outcomes = [...outcomesOf(world, probe)];
  const seen = await probeLab(lab, probe, { world, translated: portsTaken(outcomes) });
  return compareOutcomes(lab.world, outcomes, seen).proof;
};
