/** What a World has that no lab can hold, since this kernel has no such thing. */
import type { World } from '../kernel/world.ts';
import { netnsesOf } from './plan.ts';

/** In a word, for whoever skips it; undefined: a lab can be built. */
export const unsupportedIn = (world: World): string | undefined => {
  const all = netnsesOf(world);
  if (all.some(({ ipvs }) => ipvs.size > 0)) return 'IPVS';
  // One for the whole machine, and no namespace but its first may write it.
  const isFull = all.some(({ sysctls }) => sysctls.has('net.netfilter.nf_conntrack_max'));
  return isFull ? 'nf_conntrack_max of a namespace' : undefined;
};
