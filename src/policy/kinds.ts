/**
 * Vertices that are alike as sources, and as destinations: one row or column of all pairs for all
 * of them.
 */
import { type Bitset, forEachBit } from './bitset.ts';
import type { Ends } from './ends.ts';
import type { Profile } from './profile.ts';
import type { Vertex } from './vertices.ts';

export interface Kinds {
  /** Kind of each vertex. */
  readonly of: Int32Array;
  /** A vertex of each kind. */
  readonly samples: readonly number[];
}

/** Ends that no profile tells apart get one number. */
const partsOf = (count: number, profiles: Iterable<Profile>): Int32Array => {
  const part = new Int32Array(count);
  const sizes = [count];
  const seen = new Set<Bitset>();
  for (const { groups } of profiles)
    for (const { ends } of groups) {
      // Sets are pooled: what was cut along once needs no second cut.
      if (seen.has(ends)) continue;
      seen.add(ends);
      const inside = new Map<number, number>();
      forEachBit(ends, (end) => {
        const own = part[end] as number;
        inside.set(own, (inside.get(own) ?? 0) + 1);
      });
      const moved = new Map<number, number>();
      for (const [old, size] of inside)
        if (size < (sizes[old] as number)) {
          moved.set(old, sizes.length);
          sizes[old] = (sizes[old] as number) - size;
          sizes.push(size);
        }
      if (moved.size === 0) continue;
      forEachBit(ends, (end) => {
        const next = moved.get(part[end] as number);
        if (next !== undefined) part[end] = next;
      });
    }
  return part;
};

/**
 * @param own the profile of each vertex in the direction in which it is asked itself
 * @param others profiles that see it as a peer
 */
export const kindsOf = (
  vertices: readonly Vertex[],
  ends: Ends,
  own: readonly Profile[],
  others: Iterable<Profile>,
): Kinds => {
  const parts = partsOf(ends.count, others);
  const profileIds = new Map<Profile, number>();
  const known = new Map<string, number>();
  const samples: number[] = [];
  const of = new Int32Array(vertices.length);
  for (const [index, vertex] of vertices.entries()) {
    const profile = own[index] as Profile;
    const profileId = profileIds.get(profile) ?? profileIds.size;
    profileIds.set(profile, profileId);
    const first = ends.firstOf[index] as number;
    const key = [
      // Blocks say nothing to each other.
      vertex.kind === 'block' ? 'block' : profileId,
      ...vertex.ends.map(({ family }, at) => `${family}:${parts[first + at]}`),
    ].join(' ');
    let kind = known.get(key);
    if (kind === undefined) {
      kind = samples.length;
      known.set(key, kind);
      samples.push(index);
    }
    of[index] = kind;
  }
  return { of, samples };
};
