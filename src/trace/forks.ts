/**
 * All the ways that one question may go: what the kernels leave to chance, settled every way, and
 * what a client may choose among itself (one node of several, one address of a name).
 *
 * A walk reports the choices that it met (`kernel/choice.ts`). The next way is the one that settles
 * the last of them otherwise: depth first, as a stateless search goes through a program. Of n
 * backends behind n - 1 `statistic` rules that is n walks.
 */
import type { ChoiceMade } from '../kernel/choice.ts';
import type { Probe } from '../kernel/probe.ts';
import type { World } from '../kernel/world.ts';
import { targetReached } from './seen.ts';
import type { Alternative, Disposition, ReachedTarget, TraceFacts } from './trace.ts';
import { type TraceMeta, traceProbe } from './trace-probe.ts';

/** Ways that are walked at most; how many more there are is told, and so nobody knows their fate. */
export const MOST_WAYS = 1_000;

/** One probe that answers the question; several where the client may choose. */
export interface Way {
  readonly world: World;
  readonly probe: Probe;
  readonly meta: TraceMeta;
  /** What the client has chosen, where it may. */
  readonly chosen?: { readonly choice: 'backend' | 'node'; readonly name: string };
}

/** A probe sent one way, with everything that was settled by chance. */
export interface Leaf {
  readonly way: Way;
  readonly picks: readonly number[];
  readonly facts: TraceFacts;
  /** After the packets. */
  readonly world: World;
  readonly name: LeafName;
}

/** What tells a way from the others. */
export interface LeafName {
  readonly choice: Alternative['choice'];
  readonly name: string;
  /** Of a backend: `IP:port`, where the destination was rewritten. */
  readonly address?: string;
  /** The machine that the packet was sent through, where several would do. */
  readonly node?: string;
}

/** Which ways are wanted. */
export type Wanted =
  | 'all'
  /** The first option of every choice: one walk. */
  | 'first'
  /** A backend: its Pod's name, `namespace/name`, `IP` or `IP:port`. */
  | { readonly backend: string };

export type Forked =
  | { readonly ok: true; readonly leaf: Leaf; readonly facts: TraceFacts }
  /** No backend is called so. */
  | { readonly ok: false; readonly backends: readonly string[] };

/**
 * Walks a question every way that is wanted, and tells one.
 *
 * Where all ways end alike, the first in the order of their names is told, and its disposition is
 * that of the whole. Where they end otherwise, the whole is `ambiguous`, and the first that fails
 * is told: that is the one to mend. The others are `alternatives`.
 * @param ways at least one
 */
export const fork = (ways: readonly Way[], wanted: Wanted): Forked => {
  const [first] = ways;
  if (first === undefined) throw new RangeError('a question without a way');
  if (wanted === 'first') return told(walk(first, []), undefined, 0);
  const gathered = gather(ways, wanted);
  return gathered.leaf
    ? told(gathered.leaf, gathered.alternatives, gathered.left)
    : { ok: false, backends: gathered.backends };
};

/** Which way one of several probes takes, one after the other (`takeTurn`). */
export interface Turn {
  /** Of the ways that the client may choose among, from 0. */
  readonly way: number;
  /** How chance settles what it decides, in order; then the first option. */
  readonly picks: readonly number[];
}

export const FIRST_TURN: Turn = { way: 0, picks: [] };

export interface Taken {
  readonly leaf: Leaf;
  /** Who answers, where anybody does. */
  readonly name: LeafName;
  readonly facts: TraceFacts;
  /** Nobody pinned the backend: chance picked it, or the client. */
  readonly free: boolean;
  /** The turn of the probe after this one. */
  readonly next: Turn;
}

/**
 * Sends one probe the way whose turn it is. The next one settles the last choice otherwise, as `fork`
 * does; behind the last way of a probe comes the client's next choice, and behind that the first.
 * Where nothing was left to chance, as behind an affinity, the way keeps its turn.
 * @param ways at least one
 */
export const takeTurn = (ways: readonly Way[], { way: at, picks }: Turn): Taken => {
  const index = at % ways.length;
  const way = ways[index];
  if (way === undefined) throw new RangeError('a question without a way');
  const walked = walkAll(way, picks);
  const leaf = leafOf(walked);
  const { name, facts } = leaf;
  const more = nextPicks(walked.choices);
  const isOnlyPinned = walked.choices.length === 0 && ways.length === 1;
  const next = more ? { way: index, picks: more } : { way: (index + 1) % ways.length, picks: [] };
  return {
    leaf,
    // A backend that is pinned is no choice, and still who answers.
    name:
      facts.dnat && name.choice === 'node'
        ? { ...backendAt(way, facts.dnat), node: name.name }
        : name,
    facts: told(leaf, undefined, 0).facts,
    free: way.chosen?.choice === 'backend' || walked.choices.some(({ by }) => by !== 'multipath'),
    next: isOnlyPinned ? { way: index, picks } : next,
  };
};

/** Sends a probe with picks, and names the way that it took. */
export const walk = (way: Way, picks: readonly number[]): Leaf => leafOf(walkAll(way, picks));

interface Walked {
  readonly way: Way;
  readonly facts: TraceFacts;
  readonly world: World;
  readonly choices: readonly ChoiceMade[];
}

const walkAll = (way: Way, picks: readonly number[], detailed?: boolean): Walked => {
  const { world, probe, meta } = way;
  const sent: Probe = picks.length === 0 ? probe : { ...probe, picks };
  return { way, ...traceProbe(world, sent, detailed === undefined ? meta : { ...meta, detailed }) };
};

const leafOf = ({ way, facts, world, choices }: Walked): Leaf => ({
  way,
  picks: choices.map(({ picked }) => picked),
  facts,
  world,
  name: nameOf(way, facts, choices),
});

/** The picks of the next way, depth first; undefined behind the last. */
const nextPicks = (choices: readonly ChoiceMade[]): number[] | undefined => {
  const at = choices.findLastIndex(({ picked, options }) => picked + 1 < options);
  if (at < 0) return undefined;
  return choices.slice(0, at + 1).map(({ picked }, index) => (index === at ? picked + 1 : picked));
};

/** Every way of a probe, one after the other; but the first without what only `-v` shows. */
function* leavesOf(way: Way): Generator<{ readonly leaf: Leaf; readonly left: number }> {
  let picks: number[] | undefined = [];
  while (picks !== undefined) {
    const walked = walkAll(way, picks, picks.length === 0 ? undefined : false);
    // Each choice that was not settled every way yet leads to one more way at least.
    const left = walked.choices.reduce((sum, { picked, options }) => sum + options - 1 - picked, 0);
    yield { leaf: leafOf(walked), left };
    picks = nextPicks(walked.choices);
  }
}

/** A way that was walked, without its steps: of many, one is told. */
interface Found extends Pick<Leaf, 'way' | 'picks' | 'name'> {
  readonly alternative: Alternative;
}

interface Gathered {
  /** Told in full; undefined where no way was wanted. */
  readonly leaf: Leaf | undefined;
  readonly alternatives: readonly Alternative[];
  /** Ways that nobody walked: so many at least. */
  readonly left: number;
  readonly backends: readonly string[];
}

const gather = (ways: readonly Way[], wanted: Exclude<Wanted, 'first'>): Gathered => {
  const found = new Map<string, Found>();
  const backends = new Set<string>();
  let first: Leaf | undefined;
  let seen = 0;
  let left = 0;
  for (const [index, way] of ways.entries()) {
    if (seen === MOST_WAYS) {
      left += ways.length - index;
      break;
    }
    for (const { leaf, left: more } of leavesOf(way)) {
      seen += 1;
      const { name } = leaf;
      if (name.choice === 'backend') backends.add(backendText(name));
      if (wanted === 'all' || isCalled(name, wanted.backend)) {
        const alternative = alternativeOf(leaf);
        const key = JSON.stringify(alternative);
        // Ways that differ in nothing that anybody could see are one.
        if (!found.has(key)) found.set(key, { way, picks: leaf.picks, name, alternative });
        if (leaf.picks.every((pick) => pick === 0)) first ??= leaf;
      }
      if (seen < MOST_WAYS) continue;
      left += more;
      break;
    }
  }
  const all = [...found.values()].sort((a, b) => compareNames(a.name, b.name));
  const one = tellingOne(all);
  const isFirst =
    first !== undefined && one !== undefined && one.way === first.way && one.picks === first.picks;
  return {
    // All but the first walk were without what only `-v` shows.
    leaf: isFirst ? first : one && walk(one.way, one.picks),
    alternatives: all.flatMap((way) => (way === one ? [] : [way.alternative])),
    left,
    backends: [...backends].sort(),
  };
};

const alternativeOf = ({ name, facts }: Leaf): Alternative => ({
  ...name,
  disposition: facts.disposition,
  symptom: facts.symptom,
  ...(facts.cause && { cause: facts.cause.code }),
});

/** By UTF-16 code unit, as kubectl lists Pods. */
const compareNames = (a: LeafName, b: LeafName): number => {
  const left = [a.name, a.address ?? '', a.node ?? ''];
  const right = [b.name, b.address ?? '', b.node ?? ''];
  for (const [at, text] of left.entries()) {
    const other = right[at] ?? '';
    if (text !== other) return text < other ? -1 : 1;
  }
  return 0;
};

/** Nobody knows, or it depends: less worth telling than what fails for sure. */
const UNSURE: ReadonlySet<Disposition> = new Set<Disposition>(['ambiguous', 'inconclusive']);

/** The first way that fails, where not all end alike; else the first. */
const tellingOne = (ways: readonly Found[]): Found | undefined => {
  const of = (test: (disposition: Disposition) => boolean): Found | undefined =>
    ways.find(({ alternative: { disposition } }) => test(disposition));
  return (
    of((disposition) => disposition !== 'delivered' && !UNSURE.has(disposition)) ??
    of((disposition) => disposition !== 'delivered') ??
    ways[0]
  );
};

/** What all ways come to. */
export const dispositionOf = (all: readonly Disposition[], left: number): Disposition => {
  const known = new Set(all.filter((one) => one !== 'inconclusive'));
  if (known.size > 1 || known.has('ambiguous')) return 'ambiguous';
  if (left > 0 || all.includes('inconclusive')) return 'inconclusive';
  return all[0] ?? 'inconclusive';
};

/** @param alternatives undefined: nobody looked at the other ways */
const told = (
  leaf: Leaf,
  alternatives: readonly Alternative[] | undefined,
  left: number,
): Extract<Forked, { ok: true }> => {
  const { way, picks, name } = leaf;
  const { facts } = leaf;
  const others = alternatives ?? [];
  const isOneWay = picks.length === 0 && way.chosen === undefined;
  const isNothing = name.choice === 'path' && alternatives?.length === 0 && left === 0;
  if (isOneWay || isNothing) return { ok: true, leaf, facts };
  const disposition = dispositionOf(
    [facts.disposition, ...others.map((one) => one.disposition)],
    left,
  );
  return {
    ok: true,
    leaf,
    facts: {
      ...facts,
      disposition,
      told: { ...alternativeOf(leaf), ...(alternatives && { others: alternatives.length }) },
      ...(others.length > 0 && { alternatives: others }),
      ...(left > 0 && { notWalked: left }),
    },
  };
};

const portText = (port: unknown): string => (typeof port === 'number' ? `:${port}` : '');

/** What tells this way from others: who it was sent to, else through whom, else what was settled. */
const nameOf = (way: Way, facts: TraceFacts, choices: readonly ChoiceMade[]): LeafName => {
  const reached = targetReached(facts.legs[0]);
  const node = way.chosen?.choice === 'node' ? way.chosen.name : nodeAfter(facts, choices);
  const through = node !== undefined && { node };
  if (way.chosen?.choice === 'backend' && !reached)
    return { choice: 'backend', name: way.chosen.name, ...through };
  const settled = choices.filter(({ by }) => by !== 'multipath');
  if (reached && (settled.length > 0 || node === undefined))
    return { ...backendAt(way, reached), ...through };
  if (node !== undefined) return { choice: 'node', name: node };
  const path = choices.map(({ at, picked, options }) => `${at} ${picked + 1}/${options}`);
  return { choice: 'path', name: path.join(', ') };
};

const backendAt = ({ world, meta }: Way, { ip, port }: ReachedTarget): LeafName => {
  const address = `${ip}${portText(port)}`;
  const [owner] = world.book.owners(ip);
  // A node's address is that of its Pods on its network, too.
  const pod =
    owner?.netns === `${owner?.host}/host` ? meta.services?.hostPodAt(address) : undefined;
  return { choice: 'backend', name: pod ?? owner?.name ?? ip, address };
};

/** The machine that the packet went to from where one of several next hops was taken. */
const nodeAfter = (facts: TraceFacts, choices: readonly ChoiceMade[]): string | undefined => {
  const forks = new Set(choices.flatMap(({ by, netns }) => (by === 'multipath' ? [netns] : [])));
  if (forks.size === 0) return undefined;
  const hops = facts.legs[0]?.hops ?? [];
  const at = hops.findIndex(({ node, netns }) => forks.has(`${node}/${netns}`));
  return at < 0 ? undefined : hops[at + 1]?.node;
};

/** `shop/web-1 (10.244.1.5:8080)`. */
const backendText = ({ name, address }: LeafName): string =>
  address === undefined ? name : `${name} (${address})`;

const isCalled = ({ choice, name, address }: LeafName, wanted: string): boolean => {
  if (choice !== 'backend') return false;
  const [ip] = address?.split(':') ?? [];
  return (
    wanted === name || wanted === name.split('/').at(-1) || wanted === address || wanted === ip
  );
};
