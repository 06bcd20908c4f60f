/** Reads inputs: cut while they are read, parsed here or by helpers, and sorted into objects. */
import type { Place } from '../../cluster/cluster.ts';
import { atPlace, type Report } from '../../cluster/diagnostic.ts';
import { isObject, type KubeObject, type PlaceOf } from '../../cluster/kube-object.ts';
import { keepNeeded } from '../../cluster/needed.ts';
import { cutJson } from './cut-json.ts';
import { cutYaml } from './cut-yaml.ts';
import { parseJson } from './json.ts';
import { createFinder, PackedObject, type PackHome, type PlaceFinder } from './late-place.ts';
import { createSorter, type Placed, type ReadObjects, type Sorter } from './objects.ts';
import {
  type Batch,
  type BatchProblem,
  type Entry,
  entryCount,
  type FoundKind,
  kindOfEntry,
  type OpenedBatch,
  openBatch,
  type Pack,
  packBatch,
  unitOf,
  withoutValues,
} from './pack.ts';
import { type ParseYaml, parseUnit } from './parse-unit.ts';
import { createLocator, offsetOf, type TextPlace } from './place-tree.ts';
import { createShelf } from './shelf.ts';
import type { Source } from './source.ts';
import { headerOf, isOurs, kindOf, withKind } from './unfold.ts';
import { CutProblem, type ListNode, type Mark, type Shell, type Unit } from './unit.ts';
import { decodeUtf8, NotText, openUtf8, type Utf8Input } from './utf8.ts';
import { BLOCK_BYTES, openWindow, type Window } from './window.ts';

/** Where a long input is treated in another way than a short one, in bytes of all inputs. */
export interface ReadLimits {
  /** Read at once. */
  readonly block: number;
  /** Up to here objects are kept as they are, behind it they are packed. */
  readonly asIs: number;
  /** Up to here duplicated keys of JSON are looked for. */
  readonly thorough: number;
  /** From here on helpers are asked. */
  readonly helped: number;
  /** A YAML document up to this long is not cut into items; items are cut into pieces. */
  readonly wholeYaml: number;
  readonly pieceYaml: number;
}

export const LIMITS: ReadLimits = {
  block: BLOCK_BYTES,
  asIs: 2 * BLOCK_BYTES,
  thorough: 16 * BLOCK_BYTES,
  helped: 12 * BLOCK_BYTES,
  wholeYaml: BLOCK_BYTES,
  pieceYaml: BLOCK_BYTES / 16,
};

/** Somebody else who parses. */
export interface Helpers {
  /** Whether one of them has nothing to do; what they have done by now is settled before. */
  free(): boolean;
  /** Undefined: they could not, and it has to be done here. */
  pack(batch: Batch): Promise<Pack | undefined>;
  close(): void;
}

export interface ReadProgress {
  readonly file: string;
  /** Bytes of this file. */
  readonly read: number;
  readonly size: number | undefined;
}

export interface ReadOptions {
  readonly limits?: ReadLimits;
  /** Called for every block. */
  readonly progress?: ((progress: ReadProgress) => void) | undefined;
  /** Asked once, when there is much to read. */
  readonly helpers?: (() => Promise<Helpers | undefined>) | undefined;
  /** What to say about a source that the disk does not give. */
  readonly unreadable: (file: string, error: unknown, report: Report) => void;
}

/** Nobody reads more of them, and a file of garbage has millions. */
const MOST_PROBLEMS = 100;

const looksLikeJson = (text: string): boolean =>
  /^\s*(?:\{\s*(?:"|\})|\[\s*(?:\{\s*"|\]))/.test(text);

const isJsonFile = (file: string): boolean => /\.json$/i.test(file);

/** Longer batches are one long item, which is not worth being copied. */
const MOST_HANDED_OVER = 8 * BLOCK_BYTES;

const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;
const SPACE = 0x20;

/**
 * JSON is what a .json file has, or what begins like JSON and, where all of it is in the first
 * block, is JSON; all else is YAML.
 */
const isJson = (file: string, window: Window): boolean => {
  if (isJsonFile(file)) return true;
  const isText = (byte: number): boolean => byte > SPACE;
  while (!window.bytes.some(isText) && window.fill(0));
  const first = window.bytes.find(isText);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return false;
  while (window.bytes.length < BLOCK_BYTES && window.fill(0));
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(window.bytes);
  return looksLikeJson(text) && (!window.done || !parseJson(text).problem);
};

/** Units that were cut from the same bytes. */
interface CutBatch {
  readonly bytes: Uint8Array;
  readonly base: number;
  readonly units: readonly Unit[];
}

/** Collects units until the window moves on: then their bytes are nobody else's. */
function* inBatches(
  window: Window,
  cuts: Iterable<Unit | Shell>,
  shells: Shell[],
): Generator<CutBatch> {
  let { bytes, base } = window;
  let units: Unit[] = [];
  try {
    for (const cut of cuts) {
      if (window.bytes !== bytes) {
        if (units.length > 0) yield { bytes, base, units };
        units = [];
        ({ bytes, base } = window);
      }
      if (cut.kind === 'shell') shells.push(cut);
      else units.push(cut);
    }
  } finally {
    if (units.length > 0) yield { bytes, base, units };
  }
}

const toBatch = ({ bytes, base, units }: CutBatch, thorough: boolean): Batch => ({
  bytes,
  thorough,
  units: units.map(({ kind, start, end, deep, list }) => ({
    kind,
    from: start.offset - base,
    to: end - base,
    deep,
    header: list?.header,
  })),
});

/** What came of a batch: opened here, or packed by whoever did it. */
type Done =
  | { readonly units: readonly Unit[]; readonly opened: OpenedBatch }
  | { readonly units: readonly Unit[]; readonly pack: Pack };

const placeOf = (file: string, { line, column }: Mark): TextPlace => ({ file, line, column });

/** An object that is kept as it is, with the text that its places are found in. */
const openedObject = (
  file: string,
  unit: Unit,
  { document, found }: Entry,
  parsed: OpenedBatch['parsed'][number],
): KubeObject => {
  const locate = createLocator(placeOf(file, unit.start), parsed.text);
  const place: PlaceOf = (path, of = 'value') => {
    const tree = parsed.documents[document]?.places();
    return tree ? locate(offsetOf(tree, [...found.path, ...path], of)) : locate(0);
  };
  const header = unit.list?.header;
  const value = isObject(found.value) ? withKind(found.value, header) : {};
  return { value: value === found.value ? value : keepNeeded(value), place };
};

const placeOfProblem = (file: string, { start }: Unit, { down, column }: BatchProblem): Place => ({
  file,
  line: start.line + down,
  column: down === 0 ? start.column + column : column,
});

/** One input while it is read and settled. */
interface Reading {
  readonly source: Source;
  readonly finder: PlaceFinder;
  readonly parseYaml: ParseYaml | undefined;
  readonly report: Report;
  /** What was packed of all inputs. */
  readonly packed: PackHome[];
  problems: number;
}

const reportProblem = (
  reading: Reading,
  problem: Pick<BatchProblem, 'message' | 'hint'> & {
    readonly code: BatchProblem['code'] | CutProblem['code'];
  },
  place: Place,
): void => {
  const { file } = reading.source;
  reading.problems++;
  if (reading.problems > MOST_PROBLEMS) return;
  const { code, message, hint } = problem;
  if (code === 'not-text') {
    reportNotText(file, place, reading.report);
    return;
  }
  reading.report({
    severity: 'error',
    code,
    message,
    ...atPlace(place),
    ...(hint !== undefined && { hint }),
  });
  if (reading.problems === MOST_PROBLEMS)
    reading.report({
      severity: 'error',
      code: 'too-many-problems',
      message: `${file} has ${MOST_PROBLEMS} errors or more; those behind this one are not shown`,
      ...atPlace(place),
    });
};

const reportNotText = (file: string, place: Place | undefined, report: Report): void =>
  report({
    severity: 'error',
    code: 'not-text',
    message: `${file} is not a text in UTF-8 or UTF-16`,
    ...(place ? atPlace(place) : { file }),
    hint: 'Give YAML or JSON.',
  });

/** The first thing that was found in a list. */
const firstOf = (node: ListNode, done: readonly Done[]): FoundKind | undefined => {
  for (const one of done) {
    if ('opened' in one) {
      const found = one.opened.entries.find(({ unit }) => one.units[unit]?.list === node);
      if (found) return found.is;
      continue;
    }
    const { pack, units } = one;
    for (let index = 0; index < entryCount(pack); index++)
      if (units[unitOf(pack, index)]?.list === node) return kindOfEntry(pack, index);
  }
  return undefined;
};

/**
 * The object around a list that was cut out of it says what the list is. A broken one is taken for
 * a list: its items are looked at all the same.
 * @returns an object of its own, where it is no list
 */
const settleShell = (reading: Reading, shell: Shell, done: readonly Done[]): Placed | undefined => {
  const { source, parseYaml } = reading;
  const { node } = shell;
  const head = decodeUtf8(shell.head);
  const locateHead = createLocator(placeOf(source.file, shell.start), head);
  const tail = decodeUtf8(shell.tail);
  const locateTail = createLocator(placeOf(source.file, shell.tailStart), tail);
  const locate = (offset: number): Place =>
    offset < head.length ? locateHead(offset) : locateTail(offset - head.length);
  const unit = { kind: shell.format, deep: true };
  const { documents, problems } = parseUnit(unit, head + tail, parseYaml, true);
  for (const problem of problems)
    reportProblem(reading, { ...problem, code: 'syntax' }, locate(problem.offset));
  const [document] = documents;
  const value = document?.value;
  node.header = headerOf(value, () => {
    const first = firstOf(node, done);
    return first === 'object' || first === 'proxy-config';
  });
  if (!document || !isObject(value)) node.header = { apiVersion: '', itemKind: '' };
  if (node.header || !document || !isObject(value)) return undefined;
  return {
    is: isOurs(value) ? 'ours' : kindOf(value) === undefined ? 'no-kind' : 'object',
    object: {
      value: isOurs(value) ? value : keepNeeded(value),
      place: (path, of = 'value') => locate(offsetOf(document.places(), path, of)),
    },
    found: () => value,
    list: node.parent,
  };
};

/** @param add adds an entry, behind everything that begins before its unit */
const settleBatch = (
  reading: Reading,
  done: Done,
  add: (placed: Placed, unit: Unit) => void,
): void => {
  if (reading.problems >= MOST_PROBLEMS) return;
  const { units } = done;
  const { source, finder, packed } = reading;
  const { problems } = 'pack' in done ? done.pack : done.opened;
  for (const problem of problems) {
    const unit = units[problem.unit];
    if (unit) reportProblem(reading, problem, placeOfProblem(source.file, unit, problem));
  }
  if ('pack' in done) {
    const { pack } = done;
    const home: PackHome = { pack, units, finder };
    packed.push(home);
    for (let index = 0; index < entryCount(pack); index++) {
      const object = new PackedObject(home, index);
      const { unit } = object;
      const is = kindOfEntry(pack, index);
      add({ is, object, found: () => object.found, list: unit.list }, unit);
    }
    return;
  }
  for (const entry of done.opened.entries) {
    const unit = units[entry.unit];
    const parsed = done.opened.parsed[entry.unit];
    if (!unit || !parsed) continue;
    const object = openedObject(source.file, unit, entry, parsed);
    add({ is: entry.is, object, found: () => entry.found.value, list: unit.list }, unit);
  }
};

/** Everything that was found in an input goes to the sorter, in the order of the text. */
const settle = (
  reading: Reading,
  done: readonly Done[],
  shells: readonly Shell[],
  sorter: Sorter,
): void => {
  const objects = shells
    .flatMap((shell) => {
      const object = settleShell(reading, shell, done);
      return object ? [{ object, offset: shell.start.offset }] : [];
    })
    .sort((a, b) => b.offset - a.offset);
  const addBefore = (offset: number): void => {
    for (let next = objects.at(-1); next && next.offset < offset; next = objects.at(-1)) {
      sorter.add(next.object);
      objects.pop();
    }
  };
  for (const one of done)
    settleBatch(reading, one, (placed, unit) => {
      addBefore(unit.start.offset);
      sorter.add(placed);
    });
  addBefore(Number.POSITIVE_INFINITY);
};

/** What all inputs of a run share. */
interface Run {
  readonly options: ReadOptions;
  readonly limits: ReadLimits;
  readonly sorter: Sorter;
  readonly report: Report;
  readonly packed: PackHome[];
  /** Keeps the values of packs. */
  readonly keep: (bytes: Uint8Array) => Uint8Array;
  /** Bytes of the inputs before. */
  before: number;
  helpers: Helpers | undefined;
  helpersAsked: boolean;
  parseYaml: ParseYaml | undefined;
}

/** Parses a batch, or has it parsed by a helper that has time. */
const parseBatch = async (run: Run, cut: CutBatch): Promise<{ later: Promise<Done> | Done }> => {
  const { limits, options } = run;
  const { units, base, bytes } = cut;
  const total = run.before + base + bytes.length;
  const batch = toBatch(cut, total <= limits.thorough);
  if (total <= limits.asIs) return { later: { units, opened: openBatch(batch, run.parseYaml) } };
  if (!run.helpersAsked && total > limits.helped) {
    run.helpersAsked = true;
    run.helpers = await options.helpers?.();
  }
  const kept = (pack: Pack): Done => ({ units, pack: { ...pack, json: run.keep(pack.json) } });
  const here = (): Done => kept(packBatch(batch, run.parseYaml));
  if (!run.helpers || bytes.length > MOST_HANDED_OVER || !run.helpers.free())
    return { later: here() };
  return { later: run.helpers.pack(batch).then((pack) => (pack ? kept(pack) : here())) };
};

const problemsOf = (done: Done): readonly BatchProblem[] =>
  'pack' in done ? done.pack.problems : done.opened.problems;

/** All batches of an input, in order; shells are put into `shells`. */
const parseAll = async (
  run: Run,
  { file, size }: Source,
  batches: Iterable<CutBatch>,
  slots: (Promise<Done> | Done)[],
): Promise<void> => {
  let problems = 0;
  for (const cut of batches) {
    const { later } = await parseBatch(run, cut);
    slots.push(later);
    if ('then' in later)
      later.then((done) => {
        problems += problemsOf(done).length;
      });
    else problems += problemsOf(later).length;
    run.options.progress?.({ file, read: cut.base + cut.bytes.length, size });
    if (problems > MOST_PROBLEMS) return;
  }
};

const isSystemError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string';

const reportFailure = (run: Run, reading: Reading, error: unknown): void => {
  const { file } = reading.source;
  if (error instanceof NotText) {
    reportNotText(file, undefined, run.report);
  } else if (error instanceof CutProblem) {
    const { code, message, at } = error;
    const hint = code === 'too-large' ? 'A quote or a bracket may be missing in it.' : undefined;
    reportProblem(reading, { code, message, hint }, placeOf(file, at));
  } else if (isSystemError(error)) {
    run.options.unreadable(file, error, run.report);
  } else {
    throw error;
  }
};

/** Reads one input; its objects go to the sorter. */
const readOne = async (run: Run, source: Source): Promise<void> => {
  const { limits, sorter, report, packed } = run;
  const shells: Shell[] = [];
  const slots: (Promise<Done> | Done)[] = [];
  let input: Utf8Input | undefined;
  let parseYaml: ParseYaml | undefined;
  let failure: { readonly error: unknown } | undefined;
  try {
    input = openUtf8(source);
    const window = openWindow(input.reader, limits.block);
    const json = isJson(source.file, window);
    if (!json) parseYaml = run.parseYaml ??= (await import('./yaml.ts')).parseYaml;
    const cuts = json ? cutJson(window) : cutYaml(window, limits.wholeYaml, limits.pieceYaml);
    await parseAll(run, source, inBatches(window, cuts, shells), slots);
    run.before += window.base + window.bytes.length;
  } catch (error) {
    failure = { error };
  } finally {
    input?.reader.close();
  }
  const again = input?.again ?? (() => undefined);
  const finder = createFinder(source.file, again, parseYaml);
  const reading: Reading = { source, finder, parseYaml, report, packed, problems: 0 };
  settle(reading, await Promise.all(slots), shells, sorter);
  if (failure) reportFailure(run, reading, failure.error);
};

/**
 * Reads inputs in order. Nothing is thrown for what an input holds: it is reported, everything that
 * is wrong with all of them.
 */
export const readInputs = async (
  sources: readonly Source[],
  report: Report,
  options: ReadOptions,
): Promise<ReadObjects> => {
  const sorter = createSorter(report);
  const run: Run = {
    options,
    limits: options.limits ?? LIMITS,
    sorter,
    report,
    packed: [],
    keep: createShelf(),
    before: 0,
    helpers: undefined,
    helpersAsked: false,
    parseYaml: undefined,
  };
  try {
    for (const source of sources) await readOne(run, source);
  } finally {
    run.helpers?.close();
  }
  const release = (): void => {
    for (const home of run.packed) home.pack = withoutValues(home.pack);
    run.packed.length = 0;
  };
  const { objects, scenarios, expectations, proxyConfigs } = sorter;
  return { objects, scenarios, expectations, proxyConfigs, release };
};
