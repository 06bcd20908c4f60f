/** What a World has that no lab can hold, since this kernel has no such thing. */
import type { World } from '../kernel/world.ts';
import { netnsesOf } from './plan.ts';

/** In a word, for whoever skips it; undefined: a lab can be built. */
export const unsupportedIn = (world: World): string | undefined =>
  netnsesOf(world).some(({ ipvs }) => ipvs.size > 0) ? 'IPVS' : undefined;
