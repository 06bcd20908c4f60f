/**
 * The typed shape of a language: one entry for every thing that can be said. A language is one
 * file under messages/; a sentence that is missing there does not compile.
 */
import type { Unmodelled } from '../kernel/event.ts';
import type { Origin, OriginWhy } from '../kernel/origin.ts';
import type { AssumptionCode } from '../kernel/probe.ts';
import type { EditProblem } from '../scenario/edit/edit-expectations.ts';
import type { PolicyFacts, PolicyRow } from '../trace/policies.ts';
import type { AdviceCode } from '../trace/remedy.ts';
import type {
  Affinity,
  Before,
  CauseCode,
  Cost,
  FixOutcome,
  Forks,
  LegPacket,
  Misuse,
  NearMiss,
  Resolution,
  RuleMiss,
  Symptom,
  UnmodelledQuestion,
} from '../trace/trace.ts';
import type { TraceEvent } from '../trace/trace-event.ts';
import type { DnsRecord } from '../wire/dns.ts';
import type { CauseContext, StepContext } from './context.ts';
import type { Gist } from './gist.ts';
import type { Verdict } from './verdict.ts';

type KeyOf<E> = E extends { kind: infer K extends string; action: infer A extends string }
  ? `${K}.${A}`
  : never;

/** `route.lookup`, `neighbour.failed`, … one for each action of each kind of step. */
export type StepKey = KeyOf<TraceEvent>;

type DetailFor<E, K extends StepKey> = E extends {
  kind: infer Kind extends string;
  action: infer Action extends string;
  detail: infer Detail;
}
  ? K extends `${Kind}.${Action}`
    ? Detail
    : never
  : never;

/** What the event of a key carries. */
export type DetailOf<K extends StepKey> = DetailFor<TraceEvent, K>;

/** A step in words: what follows its label, and a remark set apart from it. */
export interface StepWords {
  readonly text: string;
  readonly aside?: string;
  /** What belongs to it at every depth, a line each. */
  readonly more?: readonly string[];
}

export type StepMessages = {
  readonly [K in StepKey]: (detail: DetailOf<K>, context: StepContext) => StepWords;
};

export type Values = Readonly<Record<string, string | number>>;

export interface Catalogue {
  readonly language: string;
  readonly steps: StepMessages;
  readonly causes: { readonly [C in CauseCode]: (context: CauseContext) => string };
  /** Without what goes with it: a command comes after a colon, a patch below. */
  readonly advice: { readonly [A in AdviceCode]: (values: Values) => string };
  readonly verdicts: { readonly [V in Verdict]: string };
  readonly symptoms: { readonly [S in Symptom]: string };
  readonly packets: { readonly [P in LegPacket]: string };
  readonly whys: { readonly [W in OriginWhy]: string };
  readonly nearMisses: { readonly [R in NearMiss<unknown>['reason']]: string };
  /**
   * Why a rule of the firewall did not apply.
   * @param condition what it asks for, as iptables prints it
   */
  readonly ruleMiss: (miss: RuleMiss, condition: string) => string;
  readonly assumptions: {
    readonly [A in AssumptionCode]: (
      subject: string,
      values: Values,
      origin: Origin | undefined,
    ) => string;
  };
  /** What is not modelled, as part of a sentence. */
  readonly unmodelled: { readonly [U in Unmodelled | UnmodelledQuestion]: string };
  /** Why a question is not asked at all, and what to ask instead. */
  readonly misuses: {
    readonly [C in Misuse['code']]: (misuse: Extract<Misuse, { code: C }>) => {
      readonly message: string;
      readonly hint: string;
    };
  };
  /** What `k8snet test` says. */
  readonly report: {
    readonly silent: string;
    readonly unanswerable: string;
    /** Of an expectation that was not asked, since enough had failed. */
    readonly skipped: string;
    readonly leftOut: (expectations: number) => string;
    readonly expected: string;
    readonly found: string;
    readonly summary: (files: number, expectations: number) => string;
    readonly hold: (count: number) => string;
    readonly differ: (count: number) => string;
    readonly withoutAny: (files: number) => string;
    readonly withErrors: (files: number) => string;
    readonly nothingStated: string;
    readonly nothingGiven: string;
    readonly nothingHint: string;
    /** No expectation is called so. */
    readonly noMatch: (pattern: string) => string;
    readonly noMatchHint: (names: readonly string[]) => string;
    /** `test --update`: what is written, and why nothing is. */
    readonly update: {
      readonly changed: (place: string, field: string, before: string, after: string) => string;
      readonly nothing: string;
      readonly refused: (field: string, expected: string, found: string) => string;
      readonly refusedHint: string;
      readonly matrix: string;
      readonly matrixHint: string;
      readonly unwritable: (file: string, why: string) => string;
      readonly problems: {
        readonly [P in EditProblem]: { readonly message: string; readonly hint: string };
      };
      readonly builtIn: string;
      readonly onlyText: string;
    };
    /** Below the report while files are watched. */
    readonly watching: (files: number) => string;
  };
  readonly gists: { readonly [G in Gist]: string };
  readonly places: {
    readonly pod: (holder: string, members: readonly string[]) => string;
    readonly node: string;
    readonly router: string;
    readonly outside: string;
    readonly other: string;
  };
  /** A scenario made of a trace. */
  readonly scenario: {
    readonly description: (from: string, to: string, verdict: string) => string;
    readonly failed: (redacted: boolean) => string;
    readonly hint: string;
  };
  /** A script of checks for the real cluster. */
  readonly runbook: {
    /** What it is for and what it takes for granted, a paragraph each. */
    readonly head: (question: string, verdict: string) => readonly string[];
    readonly onNode: string;
    readonly addresses: string;
    readonly given: string;
    readonly madeUp: string;
    readonly steps: (numbers: readonly number[]) => string;
    readonly ends: string;
    /** What a command prints, where that is not known word by word. */
    readonly lineWith: (text: string) => string;
    readonly listens: (any: string, own: string) => string;
    readonly nothing: string;
    readonly error: string;
    readonly afterwards: string;
  };
  readonly story: {
    readonly request: (packet: string) => string;
    readonly reply: (packet: string) => string;
    /** The way back, in one breath: the numbers of its steps, and whether it is the same way. */
    readonly steps: (first: number, last: number) => string;
    readonly sameWay: string;
    readonly otherWay: string;
    /** Under a visit to a Pod's namespace in which one of its containers talks to another. */
    readonly oneNamespace: string;
    readonly applicationSees: (symptom: string) => string;
    readonly hops: (there: number, back: number | undefined) => string;
    readonly bytes: (count: number) => string;
    readonly row: string;
    readonly policy: string;
    /** In the head of a trace of a cluster with policies: whether somebody enforces them. */
    readonly enforced: (is: boolean) => string;
    /** What one policy of those that select a Pod says. */
    readonly policyLine: (row: PolicyRow, facts: PolicyFacts) => string;
    readonly nearMiss: string;
    readonly ipRule: string;
    readonly path: string;
    readonly by: string;
    readonly asked: string;
    readonly answered: string;
    readonly learned: string;
    readonly isBehind: (mac: string, port: string) => string;
    readonly copy: string;
    readonly copies: string;
    readonly others: (count: number, segment: string) => string;
    readonly conntrack: string;
    readonly cause: string;
    readonly causeBy: string;
    readonly fix: string;
    readonly check: string;
    /** The ways that the question may go, and how each ends. */
    readonly ways: { readonly [C in Forks['choice']]: string };
    readonly toldAbove: string;
    /** One of several, where nobody knows which. */
    readonly either: (several: readonly string[]) => string;
    readonly wayFate: (disposition: string, cause: string | undefined) => string;
    readonly through: (nodes: readonly string[]) => string;
    /** Ways that are not listed, as counts of dispositions. */
    readonly moreWays: (
      counts: readonly (readonly [disposition: string, count: number])[],
    ) => string;
    readonly notWalked: (count: number) => string;
    readonly firstWay: (name: string) => string;
    /** Several probes, one after the other (`--repeat`). */
    readonly repeat: {
      readonly title: (probes: number) => string;
      readonly about: string;
      readonly columns: {
        readonly [C in 'n' | 'port' | 'target' | 'seen' | 'fate' | 'steps']: string;
      };
      readonly affinity: { readonly [A in Affinity | 'unknown']: string };
    };
    /** The source that the server sees. */
    readonly seen: string;
    readonly seesClient: (source: string) => string;
    /** @param by the rule, where one is known */
    readonly seesOther: (
      source: string,
      client: string,
      place: string,
      step: number,
      by: string | undefined,
    ) => string;
    /** Fixes that were tried (`--with-fix`). */
    readonly tried: string;
    readonly fared: (verdict: string, symptom: string) => string;
    readonly triedFix: { readonly [O in FixOutcome]: (fared: string, problem: string) => string };
    readonly nothingToMend: string;
    readonly assumed: string;
    readonly atStep: (n: number) => string;
    readonly noPacket: string;
    /** A name before the connection. */
    readonly resolution: {
      readonly title: (name: string) => string;
      readonly about: (resolution: Resolution) => string;
      readonly answered: (rcode: string, answers: readonly DnsRecord[]) => string;
      readonly forwarded: (name: string) => string;
    };
    /** The cluster as it was before it was changed. */
    readonly before: string;
    readonly without: { readonly [W in Before['without']]: string };
    readonly faredBefore: (without: string, verdict: string, symptom: string) => string;
    readonly sameSteps: string;
    /** Where two traces part; an absent side has ended before. */
    readonly parted: (step: number | undefined, before?: string, now?: string) => string;
    /** The second probe: what it is, and how it differs from the first. */
    readonly warm: (newConnection: boolean) => string;
    readonly onlyChanges: string;
    readonly unchanged: string;
    readonly was: string;
    readonly gone: string;
    readonly isNew: string;
    readonly cost: string;
    readonly first: string;
    readonly second: string;
    /** Heads of the columns of a table of steps. */
    readonly columns: {
      readonly where: string;
      readonly about: string;
      readonly what: string;
      readonly remark: string;
    };
    readonly costs: { readonly [C in keyof Cost]: string };
  };
}
