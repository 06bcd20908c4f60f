/**
 * What the kernel leaves to chance or to a hash: a random number in a rule, the scheduler of a
 * virtual server, one next hop of several. A walk takes the picks that its probe brings, in order,
 * and the first option once those are used up; what it met is reported, so that whoever asked can
 * send the probe again the other way.
 */
import type { NetnsId } from './world.ts';

export interface Choice {
  readonly by: 'statistic' | 'numgen' | 'ipvs' | 'multipath';
  readonly netns: NetnsId;
  /** How many ways there are; at least 2. */
  readonly options: number;
  /** Where it is made, for people and for telling choices apart: `KUBE-SVC-… 2`, a destination. */
  readonly at: string;
}

export interface ChoiceMade extends Choice {
  /** From 0. Of `statistic` 0 is that the rule matches. */
  readonly picked: number;
}
