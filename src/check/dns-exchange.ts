/** One question to a name server, as packets: the query, and the answer of whoever takes it. */
import type { Cluster } from '../cluster/cluster.ts';
import { answerOf, type Zone, type ZoneAnswer } from '../cluster/dns/zone.ts';
import { isRunning, podNetnsName } from '../compile/machine.ts';
import type { Probe } from '../kernel/probe.ts';
import type { NetnsId, World } from '../kernel/world.ts';
import { fork } from '../trace/forks.ts';
import type { CauseFact, Disposition, DnsQuery, Hop, Leg } from '../trace/trace.ts';
import type { TraceMeta } from '../trace/trace-probe.ts';
import { DNS_PORT, type DnsMessage, type DnsQuestion, dnsQuery } from '../wire/dns.ts';
import { DNS_UDP_LENGTH, dnsPayload } from '../wire/dns-encode.ts';
import type { Ip } from '../wire/packet.ts';

/** Who asks: the socket, and what its traces have in common. */
export interface Asker {
  readonly from: Probe['from'];
  readonly meta: TraceMeta;
}

export interface NameServer {
  readonly ip: Ip;
  readonly zone: Zone;
  /** Namespaces in which CoreDNS answers from the zone. */
  readonly netns: ReadonlySet<NetnsId>;
}

/** Namespaces of Pods. */
export const netnsOfPods = (pods: Cluster['pods']): ReadonlySet<NetnsId> =>
  new Set(
    pods
      .filter(isRunning)
      .map((pod) => (pod.hostNetwork ? `${pod.node}/host` : `${pod.node}/${podNetnsName(pod)}`)),
  );

/** Labels of one are asked for at the root, which is public: there is no such top-level domain. */
export const isRootName = (name: string): boolean => !name.includes('.');

/** What comes back; undefined where CoreDNS asks outside, and nobody knows. */
const messageOf = (
  id: number,
  question: DnsQuestion,
  answer: ZoneAnswer,
): DnsMessage | undefined => {
  const base = { ...dnsQuery(id, question), response: true };
  if (answer.kind === 'answer') {
    const { rcode, answers, authority, additional } = answer;
    return { ...base, authoritative: true, rcode, answers, authority, additional };
  }
  return isRootName(answer.name) && answer.answers.length === 0
    ? { ...base, recursionAvailable: true, rcode: 'NXDOMAIN' }
    : undefined;
};

const lastHop = (leg: Leg | undefined): Hop | undefined => leg?.hops.at(-1);

export interface Exchange {
  readonly query: DnsQuery;
  readonly probe: Probe;
  /** After its packets. */
  readonly world: World;
}

const unanswered = (
  query: DnsQuery,
  code: CauseFact['code'],
  unmodelled?: CauseFact['unmodelled'],
): DnsQuery => {
  const { rcode: _, ...rest } = query;
  const [request] = query.legs;
  const disposition: Disposition = 'inconclusive';
  return {
    ...rest,
    answers: [],
    disposition,
    symptom: 'unknown',
    cause: { code, ...(unmodelled && { unmodelled }) },
    legs: request ? [request] : [],
  };
};

/**
 * Asks a name server in UDP. The query is a real datagram: what stops it stops the name. Where chance
 * picks one of several Pods, each is asked, and one that does not answer is told.
 * @param sport the resolver's port; the id of the message is made of it
 */
export const exchange = (
  world: World,
  { from, meta }: Asker,
  server: NameServer,
  question: DnsQuestion,
  sport: number,
): Exchange => {
  const answer = answerOf(server.zone, question);
  const message = messageOf(sport, question, answer);
  const payload = message && dnsPayload(message);
  const probe: Probe = {
    from,
    protocol: 'udp',
    dst: server.ip,
    dport: DNS_PORT,
    sport,
    payload: dnsPayload(dnsQuery(sport, question)),
    ...(payload && { answer: payload }),
  };
  const forked = fork([{ world, probe, meta }], 'all');
  if (!forked.ok) throw new RangeError('a question without a way');
  const { world: after } = forked.leaf;
  const { facts } = forked;
  const { cause, legs, told, alternatives } = facts;
  // Of several servers the one that is told; what all of them come to is the name's fate.
  const disposition = told?.disposition ?? facts.disposition;
  const taker = legs[0]?.disposition === 'delivered' ? lastHop(legs[0]) : undefined;
  const query: DnsQuery = {
    ...question,
    server: server.ip,
    transport: 'udp',
    ...(taker && { takenBy: { node: taker.node, netns: taker.netns } }),
    ...(disposition === 'delivered' && message && { rcode: message.rcode }),
    answers: (disposition === 'delivered' && message?.answers) || [],
    disposition,
    symptom: facts.symptom,
    ...(cause && { cause }),
    legs,
    ...(told && { told }),
    ...(alternatives && { alternatives }),
  };
  if (!taker) return { query, probe, world: after };
  if (!server.netns.has(`${taker.node}/${taker.netns}`))
    return { query: unanswered(query, 'FACT_MISSING'), probe, world: after };
  if (answer.kind === 'forward' && !message)
    return {
      query: {
        ...unanswered(query, 'FACT_MISSING'),
        forwarded: answer.name,
        answers: answer.answers,
      },
      probe,
      world: after,
    };
  if (payload && payload.length > DNS_UDP_LENGTH)
    return {
      query: unanswered(query, 'MODEL_UNSUPPORTED', 'dns-over-tcp'),
      probe,
      world: after,
    };
  return { query, probe, world: after };
};
