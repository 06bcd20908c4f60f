/** The ways that a question may go, in words: which one is told, and how the others end. */
import type { Alternative, Disposition, TraceFacts } from '../trace/trace.ts';
import type { Catalogue } from './catalogue.ts';

export interface ToldWay {
  readonly status: 'good' | 'bad' | 'unsure';
  /** Name, address, and through whom. */
  readonly names: readonly string[];
  readonly fate: string;
  /** It is the one that the legs tell. */
  readonly told: boolean;
}

export interface ToldWays {
  /** What there are several of. */
  readonly title: string;
  readonly listed: readonly ToldWay[];
  /** What is not listed. */
  readonly more: readonly string[];
}

/** A screen has room for so many; those that fail come first where there are more. */
const MOST_LISTED = 12;

/** Undefined where there is one way only. */
export function tellWays(facts: TraceFacts, words: Catalogue): ToldWays | undefined {
  const { told, alternatives = [], notWalked } = facts;
  if (told === undefined) return undefined;
  const { story } = words;
  const all = byTarget([told, ...alternatives]);
  const title = story.ways[told.choice];
  if (told.others === undefined)
    return { title, listed: [], more: [story.firstWay(namesOf(told, words).join(' '))] };
  const ranked = all.length > MOST_LISTED ? [...all].sort((a, b) => rank(a) - rank(b)) : all;
  const rest = counted(ranked.slice(MOST_LISTED).flatMap(({ ways }) => ways));
  return {
    title,
    listed: ranked.slice(0, MOST_LISTED).map(({ way, ways }) => ({
      status: statusOf(way.disposition),
      names: namesOf(way, words, nodesOf(ways)),
      fate: story.wayFate(way.disposition, way.cause),
      told: ways.includes(told),
    })),
    more: [
      ...(rest.length > 0 ? [story.moreWays(rest)] : []),
      ...(notWalked === undefined ? [] : [story.notWalked(notWalked)]),
    ],
  };
}

/** Ways that end alike at one target, and differ in the machine that they go through. */
interface Alike {
  /** The first of them. */
  readonly way: Alternative;
  readonly ways: readonly Alternative[];
}

/** Several balanced nodes times several backends are too many lines: one for each target and fate. */
function byTarget(all: readonly Alternative[]): Alike[] {
  const found = new Map<string, Alternative[]>();
  for (const way of all) {
    const { choice, name, address, disposition, cause } = way;
    const key = JSON.stringify([choice, name, address, disposition, cause]);
    const same = found.get(key);
    if (same) same.push(way);
    else found.set(key, [way]);
  }
  return [...found.values()].flatMap((ways) => (ways[0] ? [{ way: ways[0], ways }] : []));
}

const nodesOf = (ways: readonly Alternative[]): string[] => [
  ...new Set(ways.flatMap(({ node }) => node ?? [])),
];

/** How many backends a question may end at; undefined where there is one, or nobody looked. */
export function backendsOf({ told, alternatives = [] }: TraceFacts): number | undefined {
  const all = [...(told ? [told] : []), ...alternatives];
  const addresses = new Set(all.flatMap(({ address }) => address ?? []));
  return addresses.size > 1 ? addresses.size : undefined;
}

/** Name, address, and through whom. */
export const namesOf = (
  way: Pick<Alternative, 'name' | 'address' | 'node'>,
  { story }: Catalogue,
  nodes: readonly string[] = way.node === undefined ? [] : [way.node],
): string[] => {
  const { name, address } = way;
  const others = nodes.filter((node) => node !== name);
  return [
    name,
    ...(address === undefined ? [] : [address]),
    ...(others.length === 0 ? [] : [story.through(others)]),
  ];
};

export function statusOf(disposition: Disposition): ToldWay['status'] {
  if (disposition === 'delivered') return 'good';
  return disposition === 'inconclusive' || disposition === 'ambiguous' ? 'unsure' : 'bad';
}

const rank = ({ way: { disposition } }: Alike): number => (disposition === 'delivered' ? 1 : 0);

function counted(ways: readonly Alternative[]): (readonly [Disposition, number])[] {
  const counts = new Map<Disposition, number>();
  for (const { disposition } of ways) counts.set(disposition, (counts.get(disposition) ?? 0) + 1);
  return [...counts];
}
