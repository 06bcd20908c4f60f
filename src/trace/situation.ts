/** Where a cause stands in its trace: the step, its place, the packet there, what is known by name. */
import type { RouteEvent, Unmodelled } from '../kernel/event.ts';
import type { FibEntry } from '../kernel/fib.ts';
import type { Rule } from '../kernel/netfilter/ruleset.ts';
import type { Layer } from '../wire/packet.ts';
import type { PolicyFacts } from './policies.ts';
import type { Remedy } from './remedy.ts';
import { allLegs, factsOfQuery, failedQuery } from './resolution.ts';
import type { CauseFact, CauseSubject, Hop, Leg, Step, TraceFacts } from './trace.ts';

export interface Situation {
  readonly facts: TraceFacts;
  readonly cause: CauseFact;
  readonly step?: Step;
  readonly hop?: Hop;
  readonly leg?: Leg;
  /** What is to be mended; where nothing is known by name, the place of the step at most. */
  readonly about: Partial<CauseSubject>;
  /** The packet as it last left or came in by a device before the step. */
  readonly packet: readonly Layer[];
  /** The detail of the cause's step, loosely: who asks uses what is there. */
  readonly detail: CauseDetail;
  /** Where the cause's step is one of policies: what they say. */
  readonly policy?: PolicyFacts;
  /** The query of a name that failed: why that is, as a trace of its own. */
  readonly inner?: Situation;
}

/** Why a trace failed, and what is to be done about it. */
export interface Why extends Situation, Remedy {}

/** The union of what the steps that can be causes carry; all optional, so that readers stay total. */
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

/** @returns undefined where the trace has no cause. */
export function situationOf(facts: TraceFacts): Situation | undefined {
  const { cause } = facts;
  if (cause === undefined) return undefined;
  const found = findStep(facts, cause.step);
  const query = failedQuery(facts);
  const inner = query && situationOf(factsOfQuery(facts, query));
  return {
    facts,
    cause,
    ...found,
    about: cause.about ?? (found ? { node: found.hop.node, netns: found.hop.netns } : {}),
    packet: packetAt(found),
    detail: { ...(found?.step.detail as CauseDetail | undefined) },
    ...(found?.step.kind === 'policy' && { policy: found.step.detail as PolicyFacts }),
    ...(inner && { inner }),
  };
}

type FoundStep = Required<Pick<Situation, 'step' | 'hop' | 'leg'>>;

function packetAt(found: FoundStep | undefined): readonly Layer[] {
  const before = found?.hop.steps.filter(({ n }) => n <= found.step.n) ?? [];
  return before.findLast(({ packet }) => packet !== undefined)?.packet ?? [];
}

function findStep(facts: TraceFacts, n: number | undefined): FoundStep | undefined {
  for (const leg of allLegs(facts)) {
    for (const hop of leg.hops) {
      const step = hop.steps.find((candidate) => candidate.n === n);
      if (step !== undefined) return { step, hop, leg };
    }
  }
  return undefined;
}
