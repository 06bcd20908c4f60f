/**
 * A trace told: header, legs, places, lines, verdict, all in words but without layout. Text
 * output, the tour and pictures lay the same story out.
 */
import type { Hop, Leg, Step, TraceFacts } from '../trace/trace.ts';
import type { Catalogue, CauseWords } from './catalogue.ts';
import { tellCause } from './cause.ts';
import type { Telling } from './quote.ts';
import { type ToldStep, tellStep } from './step.ts';

/** A network namespace as the story introduces it. */
export interface Place {
  readonly node: string;
  readonly netns: string;
  /** `netns of the pause container, shared by app and sidecar`. */
  readonly about: string;
}

export interface ToldHop extends Place {
  readonly steps: readonly ToldStep[];
}

export interface ToldLeg {
  readonly title: string;
  readonly direction: Leg['direction'];
  readonly hops: readonly ToldHop[];
}

export interface Story {
  readonly legs: readonly ToldLeg[];
  readonly verdict: string;
  readonly status: 'good' | 'bad' | 'unsure';
  readonly symptom: string;
  readonly cause?: CauseWords & { readonly code: string; readonly step?: number };
  readonly hops: string;
  readonly assumptions: readonly string[];
}

/** Who is in a namespace: the process that holds it open, and those that joined. */
export interface Inhabitants {
  readonly holder?: string;
  readonly members: readonly string[];
}

export interface StoryOptions extends Telling {
  readonly words: Catalogue;
  inhabitants(node: string, netns: string): Inhabitants;
}

/** Tells a trace that was pruned to the wanted depth. `whole` is the trace before pruning. */
export function tellStory(shown: TraceFacts, whole: TraceFacts, options: StoryOptions): Story {
  const { words } = options;
  const cause = tellCause(whole, options, words);
  return {
    legs: shown.legs.map((leg) => tellLeg(leg, shown.probe.protocol, options)),
    verdict: words.dispositions[whole.disposition],
    status: statusOf(whole),
    symptom: words.symptoms[whole.symptom],
    ...(cause &&
      whole.cause && {
        cause: {
          ...cause,
          code: whole.cause.code,
          ...(whole.cause.step !== undefined && { step: whole.cause.step }),
        },
      }),
    hops: hopCount(whole, words),
    assumptions: whole.assumptions.map((a) => words.assumptions[a.code](a.subject, a.values ?? {})),
  };
}

function statusOf(facts: TraceFacts): Story['status'] {
  if (facts.disposition === 'delivered') return 'good';
  return facts.disposition === 'inconclusive' || facts.disposition === 'ambiguous'
    ? 'unsure'
    : 'bad';
}

function hopCount(facts: TraceFacts, words: Catalogue): string {
  const [there, back] = facts.legs;
  return words.story.hops(there?.hops.length ?? 0, back?.hops.length);
}

function tellLeg(leg: Leg, protocol: string, options: StoryOptions): ToldLeg {
  const { words } = options;
  const packet = words.packets[leg.packet];
  return {
    title: leg.direction === 'request' ? words.story.request(packet) : words.story.reply(packet),
    direction: leg.direction,
    hops: leg.hops.map((hop, index) => {
      const nextHop = leg.hops[index + 1];
      return {
        node: hop.node,
        netns: hop.netns,
        about: tellPlace(hop, options),
        steps: hop.steps.map((step, at) => {
          const next: Step | undefined = hop.steps[at + 1] ?? nextHop?.steps[0];
          return tellStep(
            {
              ...options,
              step,
              hop,
              leg,
              protocol,
              ...(next && { next }),
              ...(nextHop && { nextHop }),
            },
            words,
          );
        }),
      };
    }),
  };
}

function tellPlace(hop: Hop, { words, inhabitants }: StoryOptions): string {
  const { holder, members } = inhabitants(hop.node, hop.netns);
  if (holder !== undefined) return words.story.podNetns(holder, members);
  if (hop.netns !== 'host') return words.story.otherNetns;
  return hop.node === 'gw' || hop.node === 'external' ? words.story.outside : words.story.hostNetns;
}
