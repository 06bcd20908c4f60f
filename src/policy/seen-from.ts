/** What many profiles say of one end, without asking each of them. */
import { countBits, forEachBit } from './bitset.ts';
import { allowedBy, type Profile } from './profile.ts';

/** Most entries that are written down: 8 bytes each. Profiles beyond are asked one by one. */
const MOST = 4_000_000;

/**
 * What each profile allows an end, by the profile's number, in an array that the next call uses again.
 *
 * Most profiles single out few ends: an end is told what all others are told, and then what is said
 * of it alone.
 * @param count of ends
 * @param most entries that are written down
 */
export const createSeenFrom = (
  profiles: readonly Profile[],
  count: number,
  most = MOST,
): ((end: number) => Int32Array) => {
  const sizes = profiles.map(({ groups }) =>
    groups.reduce((sum, { ends }) => sum + countBits(ends), 0),
  );
  const bySize = profiles.map((_, id) => id).sort((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0));
  let entries = 0;
  const listed: number[] = [];
  const asked: number[] = [];
  for (const id of bySize) {
    const size = sizes[id] ?? 0;
    if (entries + size > most) asked.push(id);
    else {
      entries += size;
      listed.push(id);
    }
  }

  const each = (visit: (end: number, id: number, connections: number) => void): void => {
    for (const id of listed)
      for (const { ends, connections } of profiles[id]?.groups ?? [])
        forEachBit(ends, (end) => visit(end, id, connections));
  };
  // Entries of one end lie side by side, from firstOf[end] to firstOf[end + 1].
  const firstOf = new Int32Array(count + 1);
  each((end) => {
    firstOf[end + 1] = (firstOf[end + 1] as number) + 1;
  });
  for (let end = 0; end < count; end++)
    firstOf[end + 1] = (firstOf[end + 1] as number) + (firstOf[end] as number);
  const next = firstOf.slice();
  const ids = new Int32Array(entries);
  const values = new Int32Array(entries);
  each((end, id, connections) => {
    const at = next[end] as number;
    next[end] = at + 1;
    ids[at] = id;
    values[at] = connections;
  });

  const others = Int32Array.from(profiles, (profile) => profile.others);
  const seen = new Int32Array(profiles.length);
  return (end) => {
    seen.set(others);
    const last = firstOf[end + 1] as number;
    for (let at = firstOf[end] as number; at < last; at++)
      seen[ids[at] as number] = values[at] as number;
    for (const id of asked) seen[id] = allowedBy(profiles[id] as Profile, end);
    return seen;
  };
};
