/** One question put to both sides: the two paths, held against each other. */
import type { Diagnostic } from '../../cluster/diagnostic.ts';
import type { OpenedScenario } from '../../scenario/open.ts';
import type { NameOf } from '../../trace/minimal.ts';
import type { Disposition, Misuse, StepKind, Symptom, TraceFacts } from '../../trace/trace.ts';
import { type Answer, ask, type Question, readyFor } from '../ask.ts';
import { align } from './align.ts';
import type { DiffPlace } from './change.ts';
import { type PathLine, pathLines } from './path-lines.ts';
import { lastingNames } from './pod-names.ts';

/** How a path ends. */
export interface PathEnd {
  readonly disposition: Disposition;
  readonly symptom: Symptom;
  readonly cause?: string;
  /** The port that was asked for, or chosen. */
  readonly protocol: string;
  readonly port?: number;
}

/** One thing that is different; absent on a side: it is not there. */
export interface PathChange {
  readonly what: /** The question can be asked on one side only. */
    | 'question'
    | 'disposition'
    | 'symptom'
    | 'cause'
    /** Which port is asked for, where the question leaves it open. */
    | 'port'
    | 'name'
    | 'way'
    | 'leg'
    | 'hop'
    | StepKind;
  /** Of a hop or step: the packet on whose way it is. */
  readonly packet?: string;
  readonly place?: string;
  readonly base?: string;
  readonly head?: string;
}

/** A line of both paths side by side. */
export interface PathRow {
  readonly kind: PathLine['kind'];
  readonly base?: string;
  readonly head?: string;
  readonly same: boolean;
}

export interface PathQuestion extends Question {
  /** What is changed in the Scenario first: `FIELD=VALUE`. */
  readonly set?: readonly string[];
  /** Where it is expected; absent: it was asked for. */
  readonly at?: DiffPlace;
}

export interface PathDiff {
  readonly from: string;
  readonly to: string;
  readonly protocol?: string;
  readonly port?: number;
  readonly size?: number;
  readonly namespace?: string;
  /** What its Expectations change in the Scenario first, on both sides: `FIELD=VALUE`. */
  readonly set?: readonly string[];
  /** Where it is expected; absent: it was asked for. */
  readonly at?: DiffPlace;
  /** Absent: the question cannot be asked there. */
  readonly base?: PathEnd;
  readonly head?: PathEnd;
  /** Empty: the same path. */
  readonly changes: readonly PathChange[];
  /** Both paths, line by line; empty where nothing has changed. */
  readonly rows: readonly PathRow[];
}

/** A side with what its traces are compared by. */
export interface PathSide {
  readonly scenario: OpenedScenario;
  readonly nameOf: NameOf;
  readonly lasting: ReadonlyMap<string, string>;
}

/** @param nameOf what people call an address of the side */
export const pathSide = (scenario: OpenedScenario, nameOf: NameOf): PathSide => ({
  scenario,
  nameOf,
  lasting: lastingNames(scenario.cluster),
});

export type PathAnswer =
  | { readonly ok: true; readonly diff: PathDiff }
  /** Neither side can be asked: what BASE says. */
  | {
      readonly ok: false;
      readonly diagnostics: readonly Diagnostic[];
      readonly misuses: readonly Misuse[];
    };

const endOf = ({ disposition, symptom, cause, probe }: TraceFacts): PathEnd => ({
  disposition,
  symptom,
  ...(cause && { cause: cause.code }),
  protocol: probe.protocol,
  ...(probe.port !== undefined && { port: probe.port }),
});

const askOn = ({ scenario }: PathSide, { at: _, set: __, ...question }: PathQuestion): Answer =>
  ask(readyFor(scenario, question), question);

const portText = ({ protocol, port }: PathEnd): string =>
  port === undefined ? protocol : `${protocol}/${port}`;

const endChanges = (base: PathEnd, head: PathEnd): PathChange[] => {
  const compare = (what: PathChange['what'], was?: string, is?: string): PathChange[] =>
    was === is
      ? []
      : [{ what, ...(was !== undefined && { base: was }), ...(is !== undefined && { head: is }) }];
  return [
    ...compare('port', portText(base), portText(head)),
    ...compare('disposition', base.disposition, head.disposition),
    ...compare('symptom', base.symptom, head.symptom),
    ...compare('cause', base.cause, head.cause),
  ];
};

/** What a line is about; lines of one subject may stand in place of each other. */
const subjectOf = ({ kind, step, packet }: PathLine): string => {
  if (step === 'deliver' || step === 'drop') return 'end';
  return [kind, ...(step ? [step] : []), ...(kind === 'leg' ? [packet] : [])].join(' ');
};

const changeOf = (was: PathLine | undefined, is: PathLine | undefined): PathChange => {
  const { kind, step, packet, place } = (is ?? was) as PathLine;
  return {
    what: kind === 'step' ? (step ?? 'drop') : kind,
    ...(packet !== undefined && kind !== 'leg' && { packet }),
    ...(place !== undefined && kind === 'step' && { place }),
    ...(was && { base: was.text }),
    ...(is && { head: is.text }),
  };
};

/** Lines of one packet, or all names, or all ways. */
interface Section {
  readonly key: string;
  readonly lines: PathLine[];
}

const sectionsOf = (lines: readonly PathLine[]): Section[] => {
  const sections: Section[] = [];
  for (const line of lines) {
    const { kind, packet = kind } = line;
    const last = sections.at(-1);
    if (last?.key === packet && kind !== 'leg') last.lines.push(line);
    else sections.push({ key: packet, lines: [line] });
  }
  return sections;
};

/** A packet is held against the same packet; one that only one side has stands alone. */
const alignSections = (base: readonly Section[], head: readonly Section[]) => {
  const sections = align(
    base,
    head,
    ({ key }) => key,
    ({ key }) => key,
  );
  return sections.flatMap(({ base: was, head: is }) =>
    align(was?.lines ?? [], is?.lines ?? [], ({ kind, key }) => `${kind} ${key}`, subjectOf),
  );
};

/** What both traces have to say, held against each other. */
export const comparePaths = (
  [before, base]: readonly [TraceFacts, PathSide],
  [after, head]: readonly [TraceFacts, PathSide],
): Pick<PathDiff, 'changes' | 'rows'> => {
  const lines = (facts: TraceFacts, { nameOf, lasting }: PathSide): PathLine[] =>
    pathLines(facts, nameOf, lasting);
  const aligned = alignSections(sectionsOf(lines(before, base)), sectionsOf(lines(after, head)));
  const changes = [
    ...endChanges(endOf(before), endOf(after)),
    ...aligned.flatMap((row) => (row.same ? [] : [changeOf(row.base, row.head)])),
  ];
  if (changes.length === 0) return { changes, rows: [] };
  const rows = aligned.map(({ base: was, head: is, same }): PathRow => {
    const { kind } = (is ?? was) as PathLine;
    return { kind, ...(was && { base: was.text }), ...(is && { head: is.text }), same };
  });
  return { changes, rows };
};

/** A path of one side alone. */
const alone = (name: 'base' | 'head', facts: TraceFacts, { nameOf, lasting }: PathSide) => ({
  changes: [{ what: 'question', [name]: facts.disposition }] as PathChange[],
  rows: pathLines(facts, nameOf, lasting).map(
    ({ kind, text }): PathRow => ({ kind, [name]: text, same: false }),
  ),
});

/** Puts a question to both sides; each is asked as if the other were not there. */
export const pathDiff = (base: PathSide, head: PathSide, question: PathQuestion): PathAnswer => {
  const was = askOn(base, question);
  const is = askOn(head, question);
  if (!was.ok && !is.ok) return was;
  const { from, to, protocol, port, size, namespace, set, at } = question;
  const compared =
    was.ok && is.ok
      ? comparePaths([was.facts, base], [is.facts, head])
      : was.ok
        ? alone('base', was.facts, base)
        : is.ok
          ? alone('head', is.facts, head)
          : { changes: [], rows: [] };
  return {
    ok: true,
    diff: {
      from,
      to,
      ...(protocol !== undefined && { protocol }),
      ...(port !== undefined && { port }),
      ...(size !== undefined && { size }),
      ...(namespace !== undefined && namespace !== 'default' && { namespace }),
      ...(set && { set }),
      ...(at && { at }),
      ...(was.ok && { base: endOf(was.facts) }),
      ...(is.ok && { head: endOf(is.facts) }),
      ...compared,
    },
  };
};
