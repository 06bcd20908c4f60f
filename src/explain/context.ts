/** What a sentence may look at: where its step stands, or what a cause is about. */
import type { Situation } from '../trace/situation.ts';
import type { Hop, Leg, Step } from '../trace/trace.ts';
import type { Telling } from './quote.ts';

/** Where a step stands: what its sentence may look at besides its own detail. */
export interface StepContext extends Telling {
  readonly step: Step;
  readonly hop: Hop;
  readonly leg: Leg;
  /** The step after this one, in this hop or the next. */
  readonly next?: Step;
  /** The hop that the packet goes to after this one. */
  readonly nextHop?: Hop;
  readonly protocol: string;
  /** How many backends the question may end at; absent: one, or nobody looked. */
  readonly backends?: number;
  /** The step that bound the rewriting which this step applies, there or back. */
  readonly boundAt?: number;
}

/** What a cause's sentence may look at. */
export interface CauseContext extends Telling, Situation {}
