/** What is found in a batch of units: as it is, or packed as JSON so that a large input fits. */
import type { Path } from '../../cluster/kube-object.ts';
import { type ParsedUnit, type ParseYaml, parseUnit, type UnitProblem } from './parse-unit.ts';
import { createLocator } from './place-tree.ts';
import { type Found, isOurs, isProxyConfig, kindOf, unfold } from './unfold.ts';
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
export type FoundKind = 'object' | 'ours' | 'proxy-config' | 'no-kind' | 'no-object';

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
  if (isProxyConfig(value)) return 'proxy-config';
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

/** UTF-8 has up to three bytes for a UTF-16 code unit. */
const MOST_BYTES_A_UNIT = 3;

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

/**
 * Entries with their values as JSON in UTF-8, outside of what V8 has to look through: they are
 * taken out one by one.
 */
export interface Pack {
  readonly json: Uint8Array;
  /** Entries in rows: unit, document, kind, and where their JSON begins and ends. */
  readonly table: Uint32Array;
  /** Of the entries that are not all of their document, by index. */
  readonly paths: ReadonlyMap<number, Path>;
  readonly problems: readonly BatchProblem[];
}

const KINDS: readonly FoundKind[] = ['object', 'ours', 'proxy-config', 'no-kind', 'no-object'];
const COLUMNS = 5;

export const entryCount = ({ table }: Pack): number => table.length / COLUMNS;

export const unitOf = ({ table }: Pack, index: number): number => table[index * COLUMNS] ?? 0;

export const documentOf = ({ table }: Pack, index: number): number =>
  table[index * COLUMNS + 1] ?? 0;

export const kindOfEntry = ({ table }: Pack, index: number): FoundKind =>
  KINDS[table[index * COLUMNS + 2] ?? 0] ?? 'object';

/** What was found, taken out anew each time. */
export const unpack = ({ json, table }: Pack, index: number): Found['value'] => {
  const row = index * COLUMNS;
  return JSON.parse(decodeUtf8(json.subarray(table[row + 3], table[row + 4]))) as Found['value'];
};

/** What is left of a pack when only places are asked for. */
export const withoutValues = (pack: Pack): Pack => ({ ...pack, json: new Uint8Array(0) });

/** Parses a batch and packs what is found. */
export const packBatch = (batch: Batch, parseYaml: ParseYaml | undefined): Pack => {
  const { entries, problems } = openBatch(batch, parseYaml);
  const encoder = new TextEncoder();
  const paths = new Map<number, Path>();
  const table = new Uint32Array(entries.length * COLUMNS);
  const texts = entries.map(({ found }) => JSON.stringify(found.value));
  const most = texts.reduce((sum, text) => sum + text.length * MOST_BYTES_A_UNIT, 0);
  const json = new Uint8Array(most);
  let length = 0;
  for (const [index, { unit, document, is, found }] of entries.entries()) {
    if (found.path.length > 0) paths.set(index, found.path);
    const from = length;
    length += encoder.encodeInto(texts[index] ?? '', json.subarray(length)).written;
    table.set([unit, document, KINDS.indexOf(is), from, length], index * COLUMNS);
  }
  return { json: json.slice(0, length), table, paths, problems };
};
