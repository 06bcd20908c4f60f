/** JSON with places: values come from JSON.parse, places and errors from a scan of our own. */
import { type PlaceNode, placeNode } from './place-tree.ts';

/** Deeper than any Kubernetes object. */
export const MAX_DEPTH = 200;

export interface JsonProblem {
  readonly message: string;
  readonly offset: number;
}

export interface JsonDocument {
  readonly value: unknown;
  readonly places: () => PlaceNode;
}

interface Scan {
  readonly text: string;
  at: number;
  /** Whether places are built; the first scan only checks. */
  readonly build: boolean;
}

class JsonError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const SPACE = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
const WORD = /true|false|null/y;

const match = (scan: Scan, pattern: RegExp): string | undefined => {
  pattern.lastIndex = scan.at;
  const found = pattern.exec(scan.text)?.[0];
  if (found !== undefined) scan.at += found.length;
  return found;
};

const QUOTE = 34;
const BACKSLASH = 92;
const FIRST_PRINTABLE = 32;

/** Moves behind a string; undefined where none begins. Not one pattern: strings can be long. */
const scanString = (scan: Scan): string | undefined => {
  const { text, at: start } = scan;
  if (text.charCodeAt(start) !== QUOTE) return undefined;
  for (scan.at++; scan.at < text.length; ) {
    const code = text.charCodeAt(scan.at);
    if (code === QUOTE) return text.slice(start, ++scan.at);
    if (code < FIRST_PRINTABLE) fail(scan, 'no control character in a string');
    if (code !== BACKSLASH) scan.at++;
    else if (match(scan, ESCAPE) === undefined) fail(scan, 'an escape such as \\n or \\u00e9');
  }
  return fail(scan, 'the end of a string');
};

const skipSpace = (scan: Scan): string | undefined => {
  match(scan, SPACE);
  return scan.text[scan.at];
};

const fail = (scan: Scan, wanted: string): never => {
  const found = scan.text[scan.at];
  const what = found === undefined ? 'the end of the text' : JSON.stringify(found);
  throw new JsonError(`expected ${wanted}, found ${what}`, scan.at);
};

const scanObject = (scan: Scan, node: PlaceNode | undefined, depth: number): void => {
  const keys = new Set<string>();
  scan.at++;
  if (skipSpace(scan) === '}') {
    scan.at++;
    return;
  }
  for (;;) {
    skipSpace(scan);
    const offset = scan.at;
    const source = scanString(scan) ?? fail(scan, 'a key in double quotes');
    const key = JSON.parse(source) as string;
    if (keys.has(key)) throw new JsonError(`duplicated key ${source}`, offset);
    keys.add(key);
    if (skipSpace(scan) !== ':') fail(scan, 'a colon');
    scan.at++;
    const child = scanValue(scan, offset, depth + 1);
    if (node && child) node.children.set(key, child);
    const next = skipSpace(scan);
    if (next !== ',' && next !== '}') fail(scan, 'a comma or }');
    scan.at++;
    if (next === '}') return;
  }
};

const scanArray = (scan: Scan, node: PlaceNode | undefined, depth: number): void => {
  scan.at++;
  if (skipSpace(scan) === ']') {
    scan.at++;
    return;
  }
  for (let index = 0; ; index++) {
    const child = scanValue(scan, undefined, depth + 1);
    if (node && child) node.children.set(index, child);
    const next = skipSpace(scan);
    if (next !== ',' && next !== ']') fail(scan, 'a comma or ]');
    scan.at++;
    if (next === ']') return;
  }
};

const scanValue = (scan: Scan, key: number | undefined, depth: number): PlaceNode | undefined => {
  const first = skipSpace(scan);
  if (depth > MAX_DEPTH) throw new JsonError(`nested deeper than ${MAX_DEPTH} levels`, scan.at);
  const node = scan.build ? placeNode(scan.at, key ?? scan.at) : undefined;
  if (first === '{') scanObject(scan, node, depth);
  else if (first === '[') scanArray(scan, node, depth);
  else if ((scanString(scan) ?? match(scan, WORD) ?? match(scan, NUMBER)) === undefined)
    fail(scan, 'a value');
  return node;
};

/**
 * Parses a stream of JSON values, one after the other with or without space between them (as
 * kubectl does, and as NDJSON has it). The values before an error are given as well.
 */
export const parseJson = (
  text: string,
): { readonly documents: readonly JsonDocument[]; readonly problem?: JsonProblem } => {
  const documents: JsonDocument[] = [];
  const scan: Scan = { text, at: 0, build: false };
  try {
    while (skipSpace(scan) !== undefined) {
      const start = scan.at;
      scanValue(scan, undefined, 0);
      const value: unknown = JSON.parse(text.slice(start, scan.at));
      let built: PlaceNode | undefined;
      documents.push({
        value,
        places: () => {
          built ??= scanValue({ text, at: start, build: true }, undefined, 0);
          return built ?? placeNode(start, start);
        },
      });
    }
    return { documents };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { documents, problem: { message: error.message, offset: error.offset } };
  }
};
