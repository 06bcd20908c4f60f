/** YAML as kubectl reads it (sigs.k8s.io/yaml), on js-yaml's events; loaded when YAML is met. */
import {
  boolYaml11Tag,
  CORE_SCHEMA,
  constructFromEvents,
  defineScalarTag,
  EVENT_ID,
  type Event,
  getScalarValue,
  mergeTag,
  NOT_RESOLVED,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  type Schema,
  YAMLException,
} from 'js-yaml';
import { type PlaceNode, placeNode } from './place-tree.ts';

const NUMBER_START = [...'+-0123456789'];

const INTEGER =
  /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+)|(0|[1-9][0-9]*))$/;

/**
 * Integers as go-yaml v2 resolves them: Go's ParseInt with base 0 once underscores are gone, so
 * 0644 and 0o644 are octal and 1:30 is a string.
 */
const intTag = defineScalarTag<number>('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: NUMBER_START,
  resolve: (source) => {
    const parts = INTEGER.exec(source.replaceAll('_', ''));
    if (!parts) return NOT_RESOLVED;
    const [, sign, hex, binary, octal, old, decimal] = parts;
    const size =
      hex !== undefined
        ? Number.parseInt(hex, 16)
        : binary !== undefined
          ? Number.parseInt(binary, 2)
          : decimal !== undefined
            ? Number(decimal)
            : Number.parseInt(octal ?? old ?? '', 8);
    return sign === '-' && size !== 0 ? -size : size;
  },
  identify: () => false,
});

const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const SPECIAL = /^(?:([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** Floats as go-yaml v2 resolves them; 08, which is no octal number, is one too. */
const floatTag = defineScalarTag<number>('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: [...NUMBER_START, '.'],
  resolve: (source) => {
    const special = SPECIAL.exec(source);
    if (special)
      return /nan/i.test(source) ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
    const plain = source.startsWith('.') ? source : source.replaceAll('_', '');
    return FLOAT.test(plain) ? Number(plain) : NOT_RESOLVED;
  },
  identify: () => false,
});

const KUBECTL = CORE_SCHEMA.withTags(boolYaml11Tag, intTag, floatTag, mergeTag);

/**
 * Our own documents have `on:` as a field, which kubectl would read as `true:`; in them only true
 * and false are booleans, as in YAML 1.2.
 */
const SCENARIO = CORE_SCHEMA.withTags(intTag, floatTag, mergeTag);

/** Deeper than any Kubernetes object. */
const MAX_DEPTH = 200;
/** Values that anchors may unfold to in one document. */
const MAX_UNFOLDED = 1_000_000;
/** Keys that `<<` may copy in one document. */
const MAX_MERGED_KEYS = 200_000;

export interface YamlProblem {
  readonly message: string;
  /** From the start of the text that was parsed. */
  readonly offset: number;
}

export interface YamlDocument {
  /** Plain JSON values; NaN and infinities are possible. */
  readonly value: unknown;
  /** Built when first asked for; offsets from the start of the text that was parsed. */
  readonly places: () => PlaceNode;
}

export type YamlResult = { readonly documents: readonly YamlDocument[] } | YamlProblem;

/**
 * How many values there are once aliases are unfolded, or why they cannot be. An alias stands
 * behind its anchor, so what it stands for has always been counted: this never goes deeper than
 * the text does.
 */
const unfoldedSize = (value: unknown, known: Map<object, number>): number | string => {
  if (typeof value !== 'object' || value === null) return 1;
  const before = known.get(value);
  if (before === -1) return 'an anchor contains itself';
  if (before !== undefined) return before;
  known.set(value, -1);
  let size = 1;
  for (const item of Object.values(value)) {
    const part = unfoldedSize(item, known);
    if (typeof part === 'string') return part;
    size += part;
    if (size > MAX_UNFOLDED) return `anchors unfold to more than ${MAX_UNFOLDED} values`;
  }
  known.set(value, size);
  return size;
};

const startOf = (event: Event): number => {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) return event.start;
  // The star before an alias' name.
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart - 1;
  return -1;
};

const isQuoted = ({ style }: ScalarEvent): boolean =>
  style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;

/** Where people see the event begin: at the quote, not behind it. */
const visibleStart = (event: Event): number =>
  event.type === EVENT_ID.SCALAR && isQuoted(event) ? event.valueStart - 1 : startOf(event);

/** js-yaml gives keys as text; numbers, booleans and null in key position are written out. */
const keyText = (text: string, event: ScalarEvent, schema: Schema): string => {
  const source = getScalarValue(text, event);
  const plain = event.style === SCALAR_STYLE.PLAIN && event.tagStart === -1;
  return plain ? String(schema.resolveImplicitScalarTag(source).value) : source;
};

interface Frame {
  readonly node: PlaceNode;
  readonly kind: 'document' | 'sequence' | 'mapping';
  index: number;
  /** A mapping's key that waits for its value. */
  pending?: { readonly text: string; readonly offset: number } | undefined;
}

/** The places of the events of one document, which begin with its `document` event. */
const buildPlaces = (
  text: string,
  events: readonly Event[],
  fallback: number,
  schema: Schema,
): PlaceNode => {
  const root = placeNode(fallback, fallback);
  const frames: Frame[] = [];
  const enter = (offset: number): PlaceNode => {
    const frame = frames.at(-1);
    if (!frame || frame.kind === 'document') {
      if (offset >= 0) root.value = offset;
      return root;
    }
    if (frame.kind === 'sequence') {
      const at = offset < 0 ? frame.node.value : offset;
      const item = placeNode(at, at);
      frame.node.children.set(frame.index++, item);
      return item;
    }
    const { text: key = '', offset: keyOffset = frame.node.value } = frame.pending ?? {};
    frame.pending = undefined;
    const field = placeNode(offset < 0 ? keyOffset : offset, keyOffset);
    frame.node.children.set(key, field);
    return field;
  };
  for (const event of events) {
    const frame = frames.at(-1);
    const isKey = frame?.kind === 'mapping' && frame.pending === undefined;
    const offset = visibleStart(event);
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        frames.push({ node: root, kind: 'document', index: 0 });
        break;
      case EVENT_ID.SCALAR:
        if (isKey)
          frame.pending = { text: keyText(text, event, schema), offset: Math.max(offset, 0) };
        else enter(offset);
        break;
      case EVENT_ID.ALIAS:
        if (isKey) frame.pending = { text: '', offset };
        else enter(offset);
        break;
      case EVENT_ID.SEQUENCE:
        frames.push({ node: enter(offset), kind: 'sequence', index: 0 });
        break;
      case EVENT_ID.MAPPING:
        frames.push({ node: enter(offset), kind: 'mapping', index: 0 });
        break;
      case EVENT_ID.POP:
        frames.pop();
        break;
      default: {
        const never: never = event;
        throw new TypeError(`not an event: ${never}`);
      }
    }
  }
  return root;
};

const splitDocuments = (events: readonly Event[]): Event[][] => {
  const starts = events.flatMap((event, at) => (event.type === EVENT_ID.DOCUMENT ? [at] : []));
  return starts.map((start, at) => events.slice(start, starts[at + 1]));
};

/** Whether the text says `apiVersion: k8snet/…` at the top of the document. */
const isOurs = (text: string, events: readonly Event[]): boolean => {
  let depth = 0;
  let key: string | undefined;
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      depth--;
    } else if (depth === 2 && key === undefined && event.type === EVENT_ID.SCALAR) {
      key = getScalarValue(text, event);
      continue;
    } else if (depth === 2 && key === 'apiVersion' && event.type === EVENT_ID.SCALAR) {
      return getScalarValue(text, event).startsWith('k8snet/');
    } else if (event.type !== EVENT_ID.SCALAR && event.type !== EVENT_ID.ALIAS) {
      depth++;
    }
    if (depth === 2) key = undefined;
  }
  return false;
};

const readDocument = (text: string, events: Event[]): YamlDocument => {
  const schema = isOurs(text, events) ? SCENARIO : KUBECTL;
  const fallback = events.map(startOf).find((offset) => offset >= 0) ?? 0;
  let built: PlaceNode | undefined;
  return {
    value: constructFromEvents(events, {
      source: text,
      schema,
      maxTotalMergeKeys: MAX_MERGED_KEYS,
    })[0],
    places: () => {
      built ??= buildPlaces(text, events, fallback, schema);
      return built;
    },
  };
};

const problemOf = (error: unknown): YamlProblem => {
  if (error instanceof YAMLException)
    return { message: error.reason, offset: error.mark?.position ?? 0 };
  return { message: error instanceof Error ? error.message : String(error), offset: 0 };
};

/** Where a scalar's own text stands, quotes and all. */
export interface ScalarSpan {
  readonly start: number;
  readonly end: number;
  readonly style: 'plain' | 'single' | 'double' | 'block';
  /** It has an anchor or a tag: others may mean it, too. */
  readonly marked: boolean;
}

const spanOf = (event: ScalarEvent): ScalarSpan => {
  const { valueStart, valueEnd, style, anchorStart, tagStart } = event;
  const marked = anchorStart !== -1 || tagStart !== -1;
  switch (style) {
    case SCALAR_STYLE.SINGLE_QUOTED:
      return { start: valueStart - 1, end: valueEnd + 1, style: 'single', marked };
    case SCALAR_STYLE.DOUBLE_QUOTED:
      return { start: valueStart - 1, end: valueEnd + 1, style: 'double', marked };
    case SCALAR_STYLE.PLAIN:
      return { start: valueStart, end: valueEnd, style: 'plain', marked };
    default:
      return { start: valueStart, end: valueEnd, style: 'block', marked };
  }
};

/** The scalars of a text that can be parsed, by the offset at which people see them begin. */
export const scalarSpans = (text: string): ReadonlyMap<number, ScalarSpan> =>
  new Map(
    parseEvents(text, { maxDepth: MAX_DEPTH }).flatMap((event) =>
      event.type === EVENT_ID.SCALAR ? [[visibleStart(event), spanOf(event)] as const] : [],
    ),
  );

/** Parses a text of one or more documents; it stops at the first error. */
export const parseYaml = (text: string): YamlResult => {
  try {
    const events = parseEvents(text, { maxDepth: MAX_DEPTH });
    const documents = splitDocuments(events).map((part) => readDocument(text, part));
    const alias = events.find((event) => event.type === EVENT_ID.ALIAS);
    if (!alias) return { documents };
    const size = unfoldedSize(
      documents.map(({ value }) => value),
      new Map(),
    );
    return typeof size === 'string'
      ? { message: size, offset: Math.max(0, startOf(alias)) }
      : { documents };
  } catch (error) {
    return problemOf(error);
  }
};
