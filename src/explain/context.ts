/** What a sentence may look at: where its step stands, or what a cause is about. */
import type { RouteEvent, Unmodelled } from '../kernel/event.ts';
import type { FibEntry } from '../kernel/fib.ts';
import type { Rule } from '../kernel/netfilter/ruleset.ts';
import type { CauseFact, CauseSubject, Hop, Leg, Step, TraceFacts } from '../trace/trace.ts';
import type { Layer } from '../wire/packet.ts';
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
}

/** What a cause's sentence may look at. */
export interface CauseContext extends Telling {
  readonly facts: TraceFacts;
  readonly cause: CauseFact;
  readonly step?: Step;
  readonly hop?: Hop;
  /** What is to be mended; where nothing is known by name, the place of the step at most. */
  readonly about: Partial<CauseSubject>;
  /** The packet as it last left or came in by a device before the step. */
  readonly packet: readonly Layer[];
  /** The detail of the cause's step, loosely: a sentence asks for what it can use. */
  readonly detail: CauseDetail;
}

/** The union of what the steps that can be causes carry; all optional, so sentences stay total. */
export interface CauseDetail {
  readonly ip?: string;
  readonly dst?: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly process?: string;
  readonly otherListener?: { readonly ip: string; readonly process: string };
  readonly declared?: readonly string[];
  readonly chain?: string;
  readonly number?: number;
  readonly table?: string;
  readonly hook?: string;
  readonly reason?: string;
  readonly iif?: string;
  readonly src?: string;
  readonly length?: number;
  readonly mtu?: number;
  readonly needed?: number;
  readonly device?: string;
  readonly segment?: string;
  readonly from?: string;
  readonly to?: string;
  readonly unmodelled?: Unmodelled;
  readonly result?: RouteEvent['detail']['result'];
  readonly row?: FibEntry;
  readonly rule?: Rule;
}
