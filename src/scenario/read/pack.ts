/** What is found in a batch of units: as it is, or packed as JSON so that a large input fits. */
import type { Path } from '../../cluster/kube-object.ts';
import { type ParsedUnit, type ParseYaml, parseUnit, type UnitProblem } from './parse-unit.ts';
import { createLocator } from './place-tree.ts';
import { type Found, isOurs, kindOf, unfold } from './unfold.ts';
import type { ListHeader, Unit } from './unit.ts';
import { decodeUtf8, NotText } from './utf8.ts';

/** Units that follow each other, and the bytes that all of them are in. */
export interface Batch {
  readonly bytes: Uint8Array;
  readonly units: readonly BatchUnit[];
  /** Duplicated keys of JSON are looked for. */
  readonly thorough: boolean;
}

/** A unit of a batch; plain data, so that another thread can have it. */
export interface BatchUnit {
  readonly kind: Unit['kind'];
  /** Indexes into the batch's bytes. */
  readonly from: number;
  readonly to: number;
  readonly deep: boolean;
  /** Of the list that it is an item of, if that is known by now. */
  readonly header?: ListHeader | undefined;
}

/** What something in the place of an object is. */
export type FoundKind = 'object' | 'ours' | 'no-kind' | 'no-object';

export interface Entry {
  readonly unit: number;
  readonly document: number;
  readonly is: FoundKind;
  readonly found: Found;
}

export interface BatchProblem {
  readonly unit: number;
  readonly code: 'syntax' | 'not-text';
  readonly message: string;
  readonly hint?: string | undefined;
  /** Lines below the first one of its unit, and the column there; from the unit in the first. */
  readonly down: number;
  readonly column: number;
}

const foundKind = ({ value }: Found): FoundKind => {
  if (typeof value === 'string') return 'no-object';
  if (isOurs(value)) return 'ours';
  return kindOf(value) === undefined ? 'no-kind' : 'object';
};

/** A problem with its place, for those who do not have the text. */
const problemAt = (
  unit: number,
  code: BatchProblem['code'],
  { message, hint, offset }: UnitProblem,
  text: string,
): BatchProblem => {
  const { line, column } = createLocator({ file: '', line: 0, column: 0 }, text)(offset);
  return { unit, code, message, hint, down: line, column };
};

/** The first byte that is no UTF-8. */
const notText = (unit: number, bytes: Uint8Array): BatchProblem => {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const offset = Math.max(0, text.indexOf('\uFFFD'));
  return problemAt(unit, 'not-text', { message: '', offset }, text);
};

const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (error instanceof NotText) return undefined;
    throw error;
  }
};

export interface OpenedBatch {
  readonly entries: readonly Entry[];
  readonly problems: readonly BatchProblem[];
  /** By unit, for places. */
  readonly parsed: readonly (ParsedUnit & { readonly text: string })[];
}

/** Parses a batch and finds its objects, with the values as they are. */
export const openBatch = (
  { bytes, units, thorough }: Batch,
  parseYaml: ParseYaml | undefined,
): OpenedBatch => {
  const entries: Entry[] = [];
  const problems: BatchProblem[] = [];
  const parsed = units.map((unit, at) => {
    const part = bytes.subarray(unit.from, unit.to);
    const text = textOf(part);
    if (text === undefined) {
      problems.push(notText(at, part));
      return { documents: [], problems: [], text: '' };
    }
    const opened = parseUnit(unit, text, parseYaml, thorough);
    for (const problem of opened.problems) problems.push(problemAt(at, 'syntax', problem, text));
    for (const [document, { value }] of opened.documents.entries()) {
      for (const found of unfold(value, unit.header, unit.kind === 'items'))
        entries.push({ unit: at, document, is: foundKind(found), found });
    }
    return { ...opened, text };
  });
  return { entries, problems, parsed };
};

/** Entries without their values: these are one JSON text, and taken out when looked at. */
export interface Pack {
  readonly text: string;
  readonly entries: readonly PackedEntry[];
  readonly problems: readonly BatchProblem[];
}

export interface PackedEntry {
  readonly unit: number;
  readonly document: number;
  readonly is: FoundKind;
  readonly path: Path;
  /** Where its JSON is in the text. */
  readonly from: number;
  readonly to: number;
}

const WHOLE: Path = [];

/** Parses a batch and packs what is found. */
export const packBatch = (batch: Batch, parseYaml: ParseYaml | undefined): Pack => {
  const { entries, problems } = openBatch(batch, parseYaml);
  const parts: string[] = [];
  let length = 0;
  const packed = entries.map(({ unit, document, is, found }): PackedEntry => {
    const json = JSON.stringify(found.value);
    parts.push(json);
    const from = length;
    length += json.length;
    const path = found.path.length === 0 ? WHOLE : found.path;
    return { unit, document, is, path, from, to: length };
  });
  return { text: parts.join(''), entries: packed, problems };
};
