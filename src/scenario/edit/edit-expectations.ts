/** Values of expectations replaced in the text that they stand in: all around them stays as it is. */
import { canonicalJson, type Json, type Path, valueAt } from '../../cluster/kube-object.ts';
import { createLocator, type PlaceNode } from '../read/place-tree.ts';
import { parseYaml, type ScalarSpan, scalarSpans } from '../read/yaml.ts';

/** A field of an expectation, and what it is to be. */
export interface FieldEdit {
  /** Of the expectation. */
  readonly line: number;
  readonly column: number;
  /** From 1, among those of its document. */
  readonly n: number;
  readonly field: string;
  readonly value: string | number | readonly string[];
}

export type Edited =
  | { readonly ok: true; readonly text: string }
  /** Why nothing is changed, with the edit that cannot be made. */
  | { readonly ok: false; readonly why: EditProblem; readonly edit?: FieldEdit };

/**
 * `not-found`: the file is another one by now, or the expectation does not stand in it as a value of
 * its own (an anchor, a merge). `shared`: the value has an anchor, a tag, or is an alias. `layout`: a
 * block of text, or a list with comments in it. `changed`: the result would not mean what it should.
 */
export type EditProblem = 'not-found' | 'shared' | 'layout' | 'changed' | 'syntax';

interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const PLAIN = /^[A-Za-z0-9](?:[\w./-]|:(?=[\w./-]))*$/;

/** Words that YAML 1.1 or 1.2 takes for something else, and numbers. */
const NOT_TEXT =
  /^(?:true|false|yes|no|on|off|y|n|null|~|[-+]?[\d.][\d_]*(?:[.eExob:][\d_a-f]*)?)$/i;

const written = (value: string | number, style: ScalarSpan['style']): string => {
  if (typeof value === 'number') return String(value);
  if (style === 'single') return `'${value.replaceAll("'", "''")}'`;
  const isPlain = style === 'plain' && PLAIN.test(value) && !NOT_TEXT.test(value);
  return isPlain ? value : JSON.stringify(value);
};

const below = (node: PlaceNode | undefined, path: Path): PlaceNode | undefined => {
  let found = node;
  for (const key of path) found = found?.children.get(key);
  return found;
};

/** One value, or a list whose items stand one after the other. */
const replacementOf = (
  text: string,
  spans: ReadonlyMap<number, ScalarSpan>,
  node: PlaceNode,
  value: FieldEdit['value'],
): Replacement | EditProblem => {
  const usable = (span: ScalarSpan | undefined): ScalarSpan | EditProblem => {
    if (!span) return 'shared';
    if (span.marked) return 'shared';
    return span.style === 'block' ? 'layout' : span;
  };
  if (typeof value === 'string' || typeof value === 'number') {
    const span = usable(spans.get(node.value));
    return typeof span === 'string'
      ? span
      : { start: span.start, end: span.end, text: written(value, span.style) };
  }
  const items = [...node.children.values()].map((item) => usable(spans.get(item.value)));
  const problem = items.find((item) => typeof item === 'string');
  if (problem !== undefined) return problem as EditProblem;
  const known = items.filter((item) => typeof item !== 'string');
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last || value.length === 0) return 'layout';
  const between = text.slice(first.start, last.end);
  const lineStart = text.lastIndexOf('\n', first.start - 1) + 1;
  const lead = text.slice(lineStart, first.start);
  const isBlock = text[node.value] === '-';
  // A comment belongs to an item that may be gone.
  if (between.includes('#') || (isBlock && !/^\s*- +$/.test(lead))) return 'layout';
  const newline = /\r?\n/.exec(text)?.[0] ?? '\n';
  const texts = value.map((item) => written(item, first.style));
  return {
    start: first.start,
    end: last.end,
    text: texts.join(isBlock ? newline + lead : ', '),
  };
};

const withValue = (value: Json, path: Path, leaf: Json): Json => {
  const [key, ...rest] = path;
  if (key === undefined) return leaf;
  const inner = withValue(valueAt(value, [key]) ?? null, rest, leaf);
  if (Array.isArray(value)) return value.with(Number(key), inner);
  return { ...(value as { readonly [key: string]: Json }), [key]: inner };
};

/** A byte order mark is no part of the text that is parsed. */
const MARK = '\uFEFF';

/**
 * The text with all edits, or the first that cannot be made: then nothing is changed. The result is
 * parsed, and has to differ in those values and in nothing else.
 */
export const editExpectations = (original: string, edits: readonly FieldEdit[]): Edited => {
  const mark = original.startsWith(MARK) ? MARK : '';
  const text = original.slice(mark.length);
  const parsed = parseYaml(text);
  if (!('documents' in parsed)) return { ok: false, why: 'syntax' };
  const spans = scalarSpans(text);
  const locate = createLocator({ file: '', line: 1, column: 1 }, text);
  const values = parsed.documents.map(({ value }) => value as Json);
  const replacements: Replacement[] = [];
  for (const edit of edits) {
    const path: Path = ['spec', 'expect', edit.n - 1];
    const at = parsed.documents.findIndex(({ places }) => {
      const node = below(places(), path);
      if (!node) return false;
      const { line, column } = locate(node.value);
      return line === edit.line && column === edit.column;
    });
    const document = parsed.documents[at];
    const node = document && below(document.places(), [...path, edit.field]);
    const before = values[at];
    if (!node || before === undefined) return { ok: false, why: 'not-found', edit };
    const replacement = replacementOf(text, spans, node, edit.value);
    if (typeof replacement === 'string') return { ok: false, why: replacement, edit };
    replacements.push(replacement);
    values[at] = withValue(before, [...path, edit.field], edit.value);
  }
  const result = replacements
    .toSorted((a, b) => b.start - a.start)
    .reduce(
      (left, { start, end, text: put }) => left.slice(0, start) + put + left.slice(end),
      text,
    );
  const again = parseYaml(result);
  const isSame =
    'documents' in again &&
    again.documents.length === values.length &&
    again.documents.every(
      ({ value }, at) => canonicalJson(value as Json) === canonicalJson(values[at] ?? null),
    );
  return isSame ? { ok: true, text: mark + result } : { ok: false, why: 'changed' };
};
