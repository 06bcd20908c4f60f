/** One source against all kinds of destinations at once. */
import { forEachBit } from './bitset.ts';
import { ALL, type ConnectionTable, NONE } from './connection-table.ts';
import type { Ends } from './ends.ts';
import type { Kinds } from './kinds.ts';
import type { Profile } from './profile.ts';
import { createSeenFrom } from './seen-from.ts';
import type { Vertex } from './vertices.ts';

/** What a vertex may send to each kind of destination, as numbers of the table. */
export type RowOf = (source: number) => Int32Array;

/** `0`: an address that is not known yet, which may be of either family. */
const codeOf = (family: 4 | 6 | 'none'): number => (family === 'none' ? 0 : family);

/**
 * @param egress profile of each vertex as a source
 * @param ingress profile of each vertex as a destination
 * @param targets kinds of destinations
 */
export const createRows = (
  vertices: readonly Vertex[],
  ends: Ends,
  egress: readonly Profile[],
  ingress: readonly Profile[],
  targets: Kinds,
  table: ConnectionTable,
): RowOf => {
  // Destinations lie flat, one entry for each address: this is the innermost loop of all pairs.
  const profiles = [...new Set(targets.samples.map((sample) => ingress[sample] as Profile))];
  const profileIds = new Map(profiles.map((profile, id) => [profile, id]));
  const flat = targets.samples.flatMap((sample, kind) => {
    const vertex = vertices[sample] as Vertex;
    return vertex.ends.map(({ family }, at) => ({
      kind,
      end: (ends.firstOf[sample] as number) + at,
      family: codeOf(family),
      isBlock: vertex.kind === 'block',
      profile: profileIds.get(ingress[sample] as Profile) as number,
    }));
  });
  const kindAt = Int32Array.from(flat, ({ kind }) => kind);
  const endAt = Int32Array.from(flat, ({ end }) => end);
  const familyAt = Int8Array.from(flat, ({ family }) => family);
  const profileAt = Int32Array.from(flat, ({ profile }) => profile);
  const firstBlock = flat.findIndex(({ isBlock }) => isBlock);
  const withoutBlocks = firstBlock < 0 ? flat.length : firstBlock;

  const out = new Int32Array(ends.count);
  let outOf: Profile | undefined;
  const expand = (profile: Profile): void => {
    if (profile === outOf) return;
    outOf = profile;
    out.fill(profile.others);
    for (const group of profile.groups)
      forEachBit(group.ends, (end) => {
        out[end] = group.connections;
      });
  };
  const seenFrom = createSeenFrom(profiles, ends.count);

  return (source) => {
    const row = new Int32Array(targets.samples.length);
    const vertex = vertices[source] as Vertex;
    expand(egress[source] as Profile);
    // Blocks say nothing to each other; they are the last destinations.
    const count = vertex.kind === 'block' ? withoutBlocks : flat.length;
    for (const [i, own] of vertex.ends.entries()) {
      const end = (ends.firstOf[source] as number) + i;
      const family = codeOf(own.family);
      const into = seenFrom(end);
      for (let at = 0; at < count; at++) {
        const other = familyAt[at] as number;
        if (other !== family && other !== 0 && family !== 0) continue;
        const to = out[endAt[at] as number] as number;
        if (to === NONE) continue;
        const from = into[profileAt[at] as number] as number;
        if (from === NONE) continue;
        const both = to === ALL ? from : from === ALL ? to : table.intersect(to, from);
        const kind = kindAt[at] as number;
        row[kind] = table.union(row[kind] as number, both);
      }
    }
    return row;
  };
};
