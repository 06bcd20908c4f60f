/**
 * A trace told: header, legs, places, lines, verdict, all in words but without layout. Text
 * output, the tour and pictures lay the same story out.
 */
import type { NatEvent } from '../kernel/event.ts';
import type { Assumption, AssumptionCode } from '../kernel/probe.ts';
import type { Remedy } from '../trace/remedy.ts';
import type { Why } from '../trace/situation.ts';
import type {
  Before,
  Cost,
  Hop,
  Leg,
  PlacedStep,
  Resolution,
  Step,
  TraceFacts,
  WithFix,
} from '../trace/trace.ts';
import type { Catalogue } from './catalogue.ts';
import { type CauseWords, tellCause } from './cause.ts';
import { eventOf } from './event-of.ts';
import { gistOf, type Machine } from './gist.ts';
import type { Telling } from './quote.ts';
import { factsOf, type QueryWords, tellQuery } from './resolution.ts';
import { portSuffix, type ToldStep, tellOrigin, tellStep } from './step.ts';
import { verdictOf } from './verdict.ts';
import { backendsOf, type ToldWays, tellWays } from './ways.ts';

/** A network namespace as the story introduces it. */
export interface Place {
  readonly node: string;
  readonly netns: string;
  /** `netns of the pause container, shared by app and sidecar`. */
  readonly about: string;
}

export interface ToldHop extends Place {
  readonly steps: readonly ToldStep[];
  /** What somebody who sees this for the first time should know. */
  readonly note?: string;
}

export interface ToldLeg {
  readonly title: string;
  readonly direction: Leg['direction'];
  readonly hops: readonly ToldHop[];
  readonly brief: Brief;
  /** It came through and brings nothing new: the brief form tells enough. */
  readonly uneventful: boolean;
}

/** A leg in one breath: where it went, and whether that is the way of the request. */
export interface Brief {
  readonly numbers: string;
  readonly way?: string;
  readonly stations: readonly Station[];
  /** What must not be left out: edits of the packet, and errors that the sender hears. */
  readonly steps: readonly ToldStep[];
}

export interface Station {
  readonly node: string;
  readonly netns: string;
  /** Each once, in the order of the packet. */
  readonly devices: readonly string[];
  /** It leaves over a wire to another machine. */
  readonly overWire: boolean;
}

export interface StoryHeader {
  readonly from: string;
  readonly to: string;
  /** `TCP 10.244.1.2:40000 → 10.244.2.2:8080`. */
  readonly flow: string;
  /** `flannel vxlan`. */
  readonly network: string;
  /** What the question left open, and how it was decided; the story in one sentence. */
  readonly notes: readonly string[];
}

export interface ToldCause extends CauseWords {
  readonly code: string;
  readonly step?: number;
  /** Who programmed what decided. */
  readonly by?: string;
  /** The fix and the check as data. */
  readonly remedy: Remedy;
}

/** A fix that was tried. The first is that of the cause itself; others are for what came next. */
export interface ToldTry {
  readonly cause?: ToldCause;
  readonly outcome: string;
}

/** A step that is otherwise than it was the first time, with its place. */
export interface ToldChange {
  readonly title: string;
  readonly place: Place;
  readonly was?: ToldStep;
  readonly is?: ToldStep;
}

/** The second probe. */
export interface ToldWarm {
  readonly changes: readonly ToldChange[];
  /** What it cost: a name, then how often the first time, and the second. */
  readonly costs: readonly (readonly [name: string, first: number, second: number])[];
}

/** A query of a name, with the way of its packets. */
export interface ToldQuery extends QueryWords {
  readonly legs: readonly ToldLeg[];
}

export interface ToldResolution {
  readonly title: string;
  readonly about: string;
  readonly queries: readonly ToldQuery[];
}

export interface Story {
  readonly header: StoryHeader;
  /** Where a name was asked for: how it was resolved, before the legs. */
  readonly resolution?: ToldResolution;
  readonly legs: readonly ToldLeg[];
  readonly verdict: string;
  readonly status: 'good' | 'bad' | 'unsure';
  readonly symptom: string;
  readonly cause?: ToldCause;
  /** Fixes that were tried, where that was asked for; empty: nothing to mend. */
  readonly tries?: readonly ToldTry[];
  /** How the question fared before the cluster was changed, and where that parts from this. */
  readonly before?: string;
  /** Only on the second probe. */
  readonly warm?: ToldWarm;
  /** Where chance decides: every way, the told one first. */
  readonly ways?: ToldWays;
  /** The source that the server sees, where an address was rewritten. */
  readonly seen?: string;
  readonly hops: string;
  /** Every assumption, in the order of the facts. */
  readonly assumptions: readonly string[];
  /** Those that the header does not tell already. */
  readonly assumed: readonly string[];
}

/** Who is in a namespace: the process that holds it open, and those that joined. */
export interface Inhabitants {
  readonly holder?: string;
  readonly members: readonly string[];
}

export interface StoryOptions extends Telling {
  readonly words: Catalogue;
  /** What joins the Pods, e.g. `flannel vxlan`. */
  readonly network: string;
  /** False leaves out what only `-v` shows of a step. Default true. */
  readonly withFacts?: boolean;
  inhabitants(node: string, netns: string): Inhabitants;
  machine(name: string): Machine;
  /** Why a trace failed; undefined where it has no cause. */
  whyOf(facts: TraceFacts): Why | undefined;
  /** The story after each of the fixes that were applied (`withFix`). */
  readonly tried?: readonly Story[];
}

/** Tells a trace that was pruned to the wanted depth. `whole` is the trace before pruning. */
export function tellStory(shown: TraceFacts, whole: TraceFacts, options: StoryOptions): Story {
  const { words } = options;
  const sentence = ({ code, subject, values = {}, origin }: Assumption) =>
    words.assumptions[code](subject, values, origin);
  const cause = tellWhy(whole, options);
  const ways = tellWays(whole, words);
  const resolution = shown.resolution && tellResolution(shown.resolution, whole, options);
  return {
    header: tellHeader(whole, options, sentence),
    ...(resolution && { resolution }),
    legs: shown.legs.map((leg, index) => tellLeg(leg, whole.legs[index] ?? leg, whole, options)),
    verdict: words.verdicts[verdictOf(whole)],
    status: statusOf(whole),
    symptom: symptomsOf(whole, words),
    ...(cause && { cause }),
    ...(whole.withFix && { tries: tellTries(whole.withFix, options) }),
    ...(whole.before && { before: tellBefore(whole.before, whole, options) }),
    ...(whole.warm && { warm: tellWarm(whole.warm, whole, options) }),
    ...(ways && { ways }),
    ...tellSeen(whole, options),
    hops: words.story.hops(whole.legs[0]?.hops.length ?? 0, wayBack(whole)?.hops.length),
    assumptions: whole.assumptions.map(sentence),
    assumed: whole.assumptions.filter(({ code }) => !aboutTheQuestion.has(code)).map(sentence),
  };
}

function tellResolution(
  shown: Resolution,
  whole: TraceFacts,
  options: StoryOptions,
): ToldResolution {
  const { words } = options;
  const { title, about } = words.story.resolution;
  return {
    title: title(shown.name),
    about: about(shown),
    queries: shown.queries.map((query, at) => {
      const all = whole.resolution?.queries[at] ?? query;
      const facts = factsOf(whole, all);
      const legs = query.legs.map((leg, n) => tellLeg(leg, all.legs[n] ?? leg, facts, options));
      return { ...tellQuery(all, whole, words), legs };
    }),
  };
}

/** Decisions about the question itself: the header is where they are looked for. */
const aboutTheQuestion: ReadonlySet<AssumptionCode> = new Set<AssumptionCode>([
  'port-chosen',
  'representative',
]);

function tellHeader(
  facts: TraceFacts,
  options: StoryOptions,
  sentence: (assumption: Assumption) => string,
): StoryHeader {
  const { words, network } = options;
  const gist = gistOf(facts, options.machine);
  const decided = facts.assumptions.filter(({ code }) => aboutTheQuestion.has(code)).map(sentence);
  const warm = facts.warm ? [words.story.warm(facts.probe.protocol === 'tcp')] : [];
  return {
    from: facts.probe.from.text,
    to: facts.probe.to.text,
    flow: tellFlow(facts, options),
    network,
    notes: [...decided, ...(gist === undefined ? [] : [words.gists[gist]]), ...warm],
  };
}

/** An IPv6 address, as it is written before a port. */
const bracketed = (ip: string | undefined): string | undefined =>
  ip?.includes(':') ? `[${ip}]` : ip;

/** The packet as its socket sends it: the address is the route's choice, the port is ours. */
function tellFlow({ legs, probe }: TraceFacts, { glyphs, words }: StoryOptions): string {
  const first = legs[0]?.hops[0]?.steps.map(eventOf).find(({ kind }) => kind === 'socket');
  const sent = first?.kind === 'socket' && first.action === 'send' ? first.detail : undefined;
  const protocol = probe.protocol.toUpperCase();
  const size = probe.size === undefined ? '' : `, ${words.story.bytes(probe.size)}`;
  // Without a route there is no source yet.
  const src = sent && sent.src !== '0.0.0.0' ? sent.src : probe.from.ip;
  const dst = bracketed(sent?.dst ?? probe.to.ip);
  if (src === undefined || dst === undefined) {
    return `${protocol}${probe.port === undefined ? '' : ` ${probe.port}`}${size}`;
  }
  const [sport, dport] =
    probe.protocol === 'icmp' ? [] : [sent?.sport ?? probe.sourcePort, sent?.dport ?? probe.port];
  return `${protocol} ${src}${portSuffix(sport)} ${glyphs.to} ${dst}${portSuffix(dport)}${size}`;
}

function statusOf(facts: TraceFacts): Story['status'] {
  if (facts.disposition === 'delivered') return 'good';
  return facts.disposition === 'inconclusive' || facts.disposition === 'ambiguous'
    ? 'unsure'
    : 'bad';
}

function tellWhy(facts: TraceFacts, options: StoryOptions): ToldCause | undefined {
  const why = options.whyOf(facts);
  if (why === undefined) return undefined;
  const { fix, check } = why;
  const { code, step, origin } = why.cause;
  return {
    ...tellCause(why, options, options.words),
    remedy: { fix, check },
    code,
    ...(step !== undefined && { step }),
    // Of policies the step names all that have a part; the rule has one object.
    ...(origin && origin.by !== 'policy' && { by: tellOrigin(origin, options.words) }),
  };
}

/** What the application sees, where that depends: everything that it may see. */
function symptomsOf({ disposition, symptom, alternatives = [] }: TraceFacts, words: Catalogue) {
  const all =
    disposition === 'ambiguous'
      ? new Set([symptom, ...alternatives.map((one) => one.symptom)])
      : [symptom];
  return words.story.either([...all].map((one) => words.symptoms[one]));
}

/** The source that the server sees: a question of those whose packet somebody rewrites. */
function tellSeen(facts: TraceFacts, { words, nameOf }: StoryOptions): Pick<Story, 'seen'> {
  const { sourceSeen, dnat } = facts;
  if (sourceSeen === undefined) return {};
  const { ip, port, rewritten } = sourceSeen;
  const source = `${ip}${portSuffix(port)}`;
  if (rewritten === undefined)
    return dnat === undefined ? {} : { seen: words.story.seesClient(source) };
  const { step, node, netns, was } = rewritten;
  const detail = placedAt(facts, step)?.step.detail;
  const rule = detail && 'chain' in detail ? detail : undefined;
  const by = rule?.chain === undefined ? undefined : `${rule.chain} ${rule.number ?? ''}`.trim();
  const place = netns === 'host' ? node : netns;
  const owner = nameOf(ip);
  const whose = owner === undefined ? source : `${source} (${owner})`;
  const client = `${was.ip}${portSuffix(was.port)}`;
  return { seen: words.story.seesOther(whose, client, place, step, by) };
}

function tellTries({ rounds }: WithFix, { words, tried = [] }: StoryOptions): ToldTry[] {
  return rounds.map(({ outcome, problem = '' }, at) => {
    const [cause, after] = [tried[at - 1]?.cause, tried[at]];
    const fared = after ? words.story.fared(after.verdict, after.symptom) : '';
    return { ...(cause && { cause }), outcome: words.story.triedFix[outcome](fared, problem) };
  });
}

/** A step of another trace: of its leg and its hop, the step itself is all there is. */
function tellPlaced(placed: PlacedStep, facts: TraceFacts, options: StoryOptions): ToldStep {
  const { step, direction, packet } = placed;
  const hop = { node: placed.node, netns: placed.netns, steps: [step] };
  const leg = { direction, packet, disposition: facts.disposition, hops: [hop] };
  return tellStep(
    { ...options, step, hop, leg, protocol: facts.probe.protocol },
    options.words,
    options.withFacts,
  );
}

function tellBefore(before: Before, facts: TraceFacts, options: StoryOptions): string {
  const { words } = options;
  const { without, disposition, symptom, parts } = before;
  const fared = words.story.faredBefore(
    words.story.without[without],
    words.verdicts[disposition],
    words.symptoms[symptom],
  );
  if (parts === undefined) return `${fared} ${words.story.sameSteps}`;
  const said = (placed: PlacedStep | undefined): string | undefined => {
    if (placed === undefined) return undefined;
    const { label, text } = tellPlaced(placed, facts, options);
    return `${label}: ${text}`;
  };
  const now = placedAt(facts, parts.step);
  return `${fared} ${words.story.parted(parts.step, said(parts.before), said(now))}`;
}

function placedAt(facts: TraceFacts, n: number | undefined): PlacedStep | undefined {
  const queries = facts.resolution?.queries ?? [];
  const all = [...queries.flatMap(({ legs }) => legs), ...facts.legs];
  for (const { direction, packet, hops } of all) {
    for (const { node, netns, steps } of hops) {
      const step = steps.find((candidate) => candidate.n === n);
      if (step !== undefined) return { direction, packet, node, netns, step };
    }
  }
  return undefined;
}

function tellWarm(
  { first, second, changes }: NonNullable<TraceFacts['warm']>,
  facts: TraceFacts,
  options: StoryOptions,
): ToldWarm {
  const { words } = options;
  const counts = Object.keys(words.story.costs) as (keyof Cost)[];
  return {
    changes: changes.flatMap(({ was, is }): ToldChange[] => {
      const placed = is ?? was;
      if (placed === undefined) return [];
      const { node, netns, direction, packet } = placed;
      return [
        {
          title: tellTitle(direction, words.packets[packet], words),
          place: { node, netns, about: tellPlace(placed, options) },
          ...(was && { was: tellPlaced(was, facts, options) }),
          ...(is && { is: tellPlaced(is, facts, options) }),
        },
      ];
    }),
    costs: counts.map((count) => [words.story.costs[count], first[count], second[count]] as const),
  };
}

function tellTitle(direction: Leg['direction'], packet: string, { story }: Catalogue): string {
  return direction === 'request' ? story.request(packet) : story.reply(packet);
}

function wayBack({ legs }: TraceFacts): Leg | undefined {
  return legs.find(({ direction }) => direction === 'reply');
}

function tellLeg(leg: Leg, all: Leg, facts: TraceFacts, options: StoryOptions): ToldLeg {
  const { words } = options;
  const packet = words.packets[leg.packet];
  const hops = leg.hops.map((hop, index): ToldHop => {
    const nextHop = hopAfter(hop, all);
    const backends = backendsOf(facts);
    const note = index === 0 && staysInPod(all, facts) ? words.story.oneNamespace : undefined;
    return {
      node: hop.node,
      netns: hop.netns,
      about: tellPlace(hop, options),
      ...(note !== undefined && { note }),
      steps: hop.steps.map((step, at) => {
        const next: Step | undefined = hop.steps[at + 1] ?? nextHop?.steps[0];
        const boundAt = step.kind === 'nat' ? boundIn(facts, hop, step) : undefined;
        const context = { ...options, step, hop, leg: all, protocol: facts.probe.protocol };
        return tellStep(
          {
            ...context,
            ...(next && { next }),
            ...(nextHop && { nextHop }),
            ...(backends !== undefined && { backends }),
            ...(boundAt !== undefined && { boundAt }),
          },
          words,
        );
      }),
    };
  });
  const steps = hops.flatMap((hop) => hop.steps);
  return {
    title: tellTitle(leg.direction, packet, words),
    direction: leg.direction,
    hops,
    brief: { ...tellBrief(all, facts, words), steps: steps.filter(cannotBeLeftOut) },
    uneventful: all !== facts.legs[0] && cameThrough(all, facts),
  };
}

/** The step of this namespace that bound what a later one applies: the first of the connection. */
function boundIn({ legs }: TraceFacts, hop: Hop, { n, detail }: Step): number | undefined {
  const { entry } = detail as NatEvent['detail'];
  const key = JSON.stringify(entry.original);
  for (const { node, netns, steps } of legs.flatMap(({ hops }) => hops)) {
    if (node !== hop.node || netns !== hop.netns) continue;
    for (const step of steps) {
      if (step.n >= n) return undefined;
      if (step.kind !== 'nat' || step.action.startsWith('un-')) continue;
      if (JSON.stringify((step.detail as NatEvent['detail']).entry.original) === key) return step.n;
    }
  }
  return undefined;
}

function cannotBeLeftOut({ kind, action, status }: ToldStep): boolean {
  if (kind === 'nat') return true;
  return status === 'bad' && (kind === 'deliver' || (kind === 'socket' && action === 'error'));
}

/** It ended with somebody who took it, and nothing in it is why the trace failed. */
function cameThrough({ hops }: Leg, { cause }: TraceFacts): boolean {
  const isCause = hops.some(({ steps }) => steps.some(({ n }) => n === cause?.step));
  return !isCause && hops.at(-1)?.steps.some(({ kind }) => kind === 'deliver') === true;
}

/** What comes next is looked for in the whole leg: a depth may not show how the packet comes in. */
function hopAfter({ steps }: Hop, { hops }: Leg): Hop | undefined {
  const n = steps[0]?.n;
  return hops[hops.findIndex((hop) => hop.steps.some((step) => step.n === n)) + 1];
}

/** One container of a Pod talks to another one, or to itself: the request that shows it first. */
function staysInPod(leg: Leg, { legs, probe: { from, to } }: TraceFacts): boolean {
  return (
    leg === legs[0] &&
    leg.hops.length === 1 &&
    from.kind === 'pod' &&
    to.kind === 'pod' &&
    from.name === to.name &&
    from.namespace === to.namespace &&
    leg.hops[0]?.netns !== 'host'
  );
}

function tellBrief(leg: Leg, facts: TraceFacts, { story }: Catalogue): Omit<Brief, 'steps'> {
  const all = leg.hops.flatMap(({ steps }) => steps.map(({ n }) => n));
  const numbers = story.steps(all[0] ?? 0, all.at(-1) ?? 0);
  const stations = leg.hops.map(stationOf);
  const [request] = facts.legs;
  if (request === undefined || request === leg) return { numbers, stations };
  const there = request.hops.map(stationOf).flatMap(fullNames);
  if (leg.direction === 'reply') there.reverse();
  const way = stations.flatMap(fullNames);
  // Who answers on the way joins the way back where it is.
  const met = leg.direction === 'reply' ? there.slice(-way.length) : there;
  const same = way.length === met.length && way.every((name, at) => name === met[at]);
  return { numbers, way: same ? story.sameWay : story.otherWay, stations };
}

function stationOf({ node, netns, steps }: Hop): Station {
  const taps = steps.filter(({ kind }) => kind === 'transmit' || kind === 'receive');
  const last = taps.at(-1);
  const event = last && eventOf(last);
  return {
    node,
    netns,
    // A tunnel's packets cross the same device twice, before it and behind it.
    devices: taps
      .flatMap(({ device }) => device ?? [])
      .filter((device, at, all) => device !== all[at - 1]),
    overWire: event?.kind === 'transmit' && event.detail.via === 'wire',
  };
}

function fullNames({ node, netns, devices }: Station): string[] {
  return devices.map((device) => `${node}/${netns}/${device}`);
}

function tellPlace(
  hop: Pick<Hop, 'node' | 'netns'>,
  { words, inhabitants, machine }: StoryOptions,
): string {
  const { places } = words;
  const { holder, members } = inhabitants(hop.node, hop.netns);
  if (holder !== undefined) return places.pod(holder, members);
  if (hop.netns !== 'host') return places.other;
  return places[machine(hop.node)];
}
