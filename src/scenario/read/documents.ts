/** The text of one file → its documents, each with its places; or what is wrong with it. */
import type { Place } from '../../cluster/cluster.ts';
import { atPlace, type Report } from '../../cluster/diagnostic.ts';
import type { PlaceOf } from '../../cluster/kube-object.ts';
import { parseJson } from './json.ts';
import { createLocator, offsetOf, type PlaceNode } from './place-tree.ts';

export interface SourceText {
  /** As the user named it. */
  readonly file: string;
  readonly text: string;
}

export interface SourceDocument {
  readonly file: string;
  readonly value: unknown;
  readonly place: PlaceOf;
}

type ParseYaml = typeof import('./yaml.ts').parseYaml;

/** Building the places of more text than this costs more memory than they are worth. */
const MOST_TEXT_WITH_FIELD_PLACES = 16 * 1024 * 1024;

const looksLikeJson = (text: string): boolean =>
  /^\s*(?:\{\s*(?:"|\})|\[\s*(?:\{\s*"|\]))/.test(text);

const isJsonFile = (file: string): boolean => /\.json$/i.test(file);

/** Whether js-yaml is needed to read these texts. */
export const needsYaml = (sources: readonly SourceText[]): boolean =>
  sources.some(
    ({ file, text }) => !isJsonFile(file) && (!looksLikeJson(text) || parseJson(text).problem),
  );

interface Chunk {
  readonly start: number;
  readonly text: string;
}

const MARKER = /^---(?=[ \t\r\n]|$)/gm;

const hasContent = (text: string): boolean => /^[^\s#%]|^[ \t]+[^\s#]/m.test(text);
const hasDirective = (text: string): boolean => /^%/m.test(text);

/** A marker with nothing but comments behind it. */
const isEmpty = (chunk: string): boolean =>
  !hasContent(chunk.startsWith('---') ? chunk.slice('---'.length) : chunk) && !hasDirective(chunk);

/**
 * Cuts a stream at its document markers. A line that begins with `---` always starts a document,
 * inside quotes and block scalars too (YAML 1.2.2, 9.1.2), so an error ends with its document.
 */
const cutDocuments = (text: string): Chunk[] => {
  const chunks: Chunk[] = [];
  let start = 0;
  for (const { index } of text.matchAll(MARKER)) {
    const before = text.slice(start, index);
    // Directives belong to the document behind the marker.
    if (!hasContent(before) && hasDirective(before)) continue;
    if (!isEmpty(before)) chunks.push({ start, text: before });
    start = index;
  }
  const last = text.slice(start);
  if (!isEmpty(last)) chunks.push({ start, text: last });
  return chunks;
};

const TEMPLATE = /\{\{/;

/** js-yaml sees a wrong line when it has read the next one, so both are looked at. */
const hintFor = (text: string, offset: number): string | undefined => {
  const before = text.slice(0, offset).split('\n').slice(-2).join('\n');
  const lines = before + text.slice(offset).split('\n', 1).join('');
  if (TEMPLATE.test(lines) || (TEMPLATE.test(text) && /\.Values\b/.test(text)))
    return 'This looks like a Helm template; render it first: helm template CHART | k8snet … -f -';
  if (/^\s*\t/m.test(lines)) return 'YAML is indented with spaces; there is a tab here.';
  if (/^\s*[\w.-]+:[^\s/]/m.test(lines)) return 'A colon needs a space behind it.';
  return undefined;
};

/** A parser quotes what it finds, however long that is. */
const LONGEST_MESSAGE = 200;

const reportSyntax = (
  message: string,
  place: Place,
  hint: string | undefined,
  report: Report,
): void =>
  report({
    severity: 'error',
    code: 'syntax',
    message: message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message,
    ...atPlace(place),
    ...(hint !== undefined && { hint }),
  });

const document = (
  file: string,
  value: unknown,
  places: () => PlaceNode,
  locate: (offset: number) => Place,
  base: number,
): SourceDocument => ({
  file,
  value,
  place: (path, of = 'value') => locate(base + offsetOf(places(), path, of)),
});

const readJson = (source: SourceText, report: Report): SourceDocument[] => {
  const locate = createLocator(source.file, source.text);
  const { documents, problem } = parseJson(source.text);
  if (problem) reportSyntax(problem.message, locate(problem.offset), undefined, report);
  return documents.map(({ value, places }) => document(source.file, value, places, locate, 0));
};

const readYaml = (source: SourceText, parseYaml: ParseYaml, report: Report): SourceDocument[] => {
  const { file, text } = source;
  const locate = createLocator(file, text);
  return cutDocuments(text).flatMap((chunk) => {
    const result = parseYaml(chunk.text);
    if (!('documents' in result)) {
      const { message, offset } = result;
      const hint = hintFor(chunk.text, offset);
      reportSyntax(message, locate(chunk.start + offset), hint, report);
      return [];
    }
    return result.documents
      .filter(({ value }) => value !== null && value !== undefined)
      .map(({ value, places }) => document(file, value, places, locate, chunk.start));
  });
};

/**
 * Reads one file's text. JSON is what a .json file has, or what begins like a JSON object and is
 * one; all else is YAML. `parseYaml` may be missing when `needsYaml` said so.
 */
export const readDocuments = (
  source: SourceText,
  parseYaml: ParseYaml | undefined,
  report: Report,
): SourceDocument[] => {
  const { file, text } = source;
  const json = isJsonFile(file) || !parseYaml || (looksLikeJson(text) && !parseJson(text).problem);
  const found = json ? readJson(source, report) : readYaml(source, parseYaml, report);
  if (text.length <= MOST_TEXT_WITH_FIELD_PLACES) return found;
  return found.map((item) => {
    const start = item.place([]);
    return { ...item, place: () => start };
  });
};
