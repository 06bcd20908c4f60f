/** The text of one unit → its documents, or what is wrong with it. */
import { type JsonDocument, parseJson } from './json.ts';
import type { PlaceNode } from './place-tree.ts';
import type { Unit } from './unit.ts';

export interface UnitDocument {
  /** Plain JSON values; NaN and infinities are possible. */
  readonly value: unknown;
  /** Made when first asked for; offsets from the start of the unit's text. */
  readonly places: () => PlaceNode;
}

export interface UnitProblem {
  readonly message: string;
  readonly hint?: string | undefined;
  /** From the start of the unit's text. */
  readonly offset: number;
}

export interface ParsedUnit {
  readonly documents: readonly UnitDocument[];
  readonly problems: readonly UnitProblem[];
}

export type ParseYaml = typeof import('./yaml.ts').parseYaml;

/** A parser quotes what it finds, however long that is. */
const LONGEST_MESSAGE = 200;

const shortened = (message: string): string =>
  message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;

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

const checkedJson = (text: string): ParsedUnit => {
  const { documents, problem } = parseJson(text);
  const problems = problem ? [{ ...problem, message: shortened(problem.message) }] : [];
  return { documents, problems };
};

const placesOfJson = (text: string): PlaceNode => {
  const [first] = parseJson(text).documents;
  if (!first) throw new RangeError('JSON was read before and cannot be read again');
  return first.places();
};

/** Two equal keys are found only by `thorough` reading: JSON.parse lets the last of them win. */
const parseJsonUnit = (text: string, thorough: boolean): ParsedUnit => {
  if (thorough) return checkedJson(text);
  let value: JsonDocument['value'];
  try {
    value = JSON.parse(text);
  } catch {
    return checkedJson(text);
  }
  return { documents: [{ value, places: () => placesOfJson(text) }], problems: [] };
};

const parseYamlUnit = (text: string, parseYaml: ParseYaml): ParsedUnit => {
  const result = parseYaml(text);
  if ('documents' in result)
    return {
      documents: result.documents.filter(({ value }) => value !== null && value !== undefined),
      problems: [],
    };
  const { message, offset } = result;
  const problem = { message: shortened(message), offset, hint: hintFor(text, offset) };
  return { documents: [], problems: [problem] };
};

const moved = (node: PlaceNode, by: number): PlaceNode => ({
  value: node.value + by,
  key: node.key + by,
  children: new Map([...node.children].map(([key, child]) => [key, moved(child, by)])),
});

/** Entries of one list: where one of them is wrong, the others are read all the same. */
const parseItems = (text: string, parseYaml: ParseYaml): ParsedUnit => {
  const parsed = parseYamlUnit(text, parseYaml);
  const [dash = ''] = /^ *-/.exec(text) ?? [];
  const starts = [...text.matchAll(new RegExp(`^${dash}(?=[ \\t\\r\\n])`, 'gm'))].map(
    ({ index }) => index,
  );
  if (parsed.problems.length === 0 || starts.length < 2) return parsed;
  const parts = starts.map((start, at) => {
    const { documents, problems } = parseYamlUnit(text.slice(start, starts[at + 1]), parseYaml);
    return {
      documents: documents.map(({ value, places }) => ({
        value,
        places: () => moved(places(), start),
      })),
      problems: problems.map((problem) => ({ ...problem, offset: problem.offset + start })),
    };
  });
  return {
    documents: parts.flatMap(({ documents }) => documents),
    problems: parts.flatMap(({ problems }) => problems),
  };
};

/**
 * Parses a unit.
 * @param thorough looks for duplicated keys in JSON, which takes several times as long
 */
export const parseUnit = (
  { kind, deep }: Pick<Unit, 'kind' | 'deep'>,
  text: string,
  parseYaml: ParseYaml | undefined,
  thorough: boolean,
): ParsedUnit => {
  if (kind === 'json' || !parseYaml) return parseJsonUnit(text, thorough || deep);
  return kind === 'items' ? parseItems(text, parseYaml) : parseYamlUnit(text, parseYaml);
};
