/** A told trace as text for a terminal: the default depth, `-v` and `-vv`. */
import type { Catalogue } from '../explain/catalogue.ts';
import type { Command } from '../explain/check-command.ts';
import type { Glyphs } from '../explain/quote.ts';
import type { ToldStep } from '../explain/step.ts';
import type {
  Brief,
  Station,
  Story,
  StoryHeader,
  ToldChange,
  ToldHop,
  ToldLeg,
  ToldQuery,
  ToldResolution,
} from '../explain/story.ts';
import type { Depth } from '../trace/prune.ts';
import type { Layer } from '../wire/packet.ts';
import { harmlessData } from './harmless.ts';
import { layerLines } from './layers-text.ts';
import type { Style } from './style.ts';
import { columns, pad, wrap } from './width.ts';

export interface TraceTextOptions {
  readonly depth: Exclude<Depth, 'minimal'>;
  /** Columns to fit into. */
  readonly width: number;
  readonly style: Style;
  readonly glyphs: Glyphs;
  readonly words: Catalogue;
}

/** As wide as the longest type of a record, and two blanks. */
const QUERY = 6;
const NUMBER = 4;
/** As wide as the name of a veth's host end, and a blank. */
const LABEL = 13;
const INDENT = NUMBER + 2;
/** Facts stand under the sentence that they explain. */
const FACT = INDENT + 2;
const FACT_NAME = 11;
const BLOCK = 9;
/** Text that would get less room than this is not indented any further. */
const ROOM = 20;

/** Lays a story out; ends with a newline. */
export function traceText(story: Story, options: TraceTextOptions): string {
  const safe = harmlessData(story);
  const lines = [...headerLines(safe.header, options), ''];
  if (safe.resolution) lines.push(...resolutionLines(safe.resolution, options), '');
  if (safe.warm) lines.push(...warmLines(safe.warm, options), '');
  else for (const leg of safe.legs) lines.push(...legLines(leg, options), '');
  lines.push(...outcomeLines(safe, options));
  return `${lines.join('\n')}\n`;
}

/** Who asks whom, and what the question left open. */
export function headerLines(
  header: StoryHeader,
  { width, style, glyphs }: TraceTextOptions,
): string[] {
  const names = `${header.from} ${glyphs.to} ${header.to}`;
  const parts = segments([names, header.flow, header.network], width);
  const title = parts.map((line, index) =>
    index === 0 ? style.title(line.slice(0, names.length)) + line.slice(names.length) : line,
  );
  return [...title, ...header.notes.flatMap((note) => wrap(note, width)).map(style.faint)];
}

/** Parts beside each other as far as they fit, three blanks between them; none is torn apart needlessly. */
function segments(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && columns(last) + 3 + columns(part) <= width) {
      lines[lines.length - 1] = `${last}   ${part}`;
    } else {
      lines.push(
        ...wrap(part, width - 2).map((line, at) => (at + lines.length ? `  ${line}` : line)),
      );
    }
  }
  return lines;
}

/** What the resolver read, then a line a query; the whole way of the one that failed, or with `-v` of all. */
export function resolutionLines(
  { title, about, queries }: ToldResolution,
  options: TraceTextOptions,
): string[] {
  const { style, width, depth } = options;
  const lines = hanging(title, about, 0, width, style.title, style.faint);
  for (const query of queries) {
    lines.push(...queryLines(query, options));
    if (depth === 'default' && !query.failed) continue;
    for (const leg of query.legs) lines.push(...legLines(leg, options));
  }
  return lines;
}

/** `A     web.shop.svc.cluster.local  10.96.0.20`, and how far its packets went. */
function queryLines(query: ToldQuery, { style, width }: TraceTextOptions): string[] {
  const paint = query.status === 'plain' ? (text: string): string => text : style[query.status];
  const label = pad(query.type, QUERY);
  const left = 2 + QUERY;
  const room = Math.max(ROOM, width - left);
  const lines = wrap(`${query.name}  ${query.said}`, room).map((text, index) =>
    index === 0 ? `  ${style.label(label)}${paint(text)}` : `${' '.repeat(left)}${paint(text)}`,
  );
  const used = left + columns(wrap(`${query.name}  ${query.said}`, room).at(-1) ?? '');
  const gap = width - used - columns(query.about);
  const last = lines.length - 1;
  if (gap >= 2) lines[last] = `${lines[last]}${' '.repeat(gap)}${style.faint(query.about)}`;
  else
    lines.push(...wrap(query.about, room).map((text) => `${' '.repeat(left)}${style.faint(text)}`));
  return lines;
}

function legLines(leg: ToldLeg, options: TraceTextOptions): string[] {
  const { style, depth } = options;
  if (depth === 'default' && leg.uneventful) return briefLines(leg, options);
  const lines = [style.title(leg.title)];
  let node: string | undefined;
  for (const hop of leg.hops) {
    if (hop.node !== node) lines.push(style.place(hop.node));
    node = hop.node;
    lines.push(...hopLines(hop, options));
  }
  return lines;
}

/** The second probe: what is otherwise than the first time, and what both cost. */
function warmLines(
  { changes, costs }: NonNullable<Story['warm']>,
  options: TraceTextOptions,
): string[] {
  const { style, width, words } = options;
  const { story } = words;
  const lines: string[] = [];
  let [title, node, netns] = ['', '', ''];
  for (const change of changes) {
    const { place } = change;
    if (change.title !== title) {
      lines.push(...(title === '' ? [] : ['']), style.title(change.title));
      [title, node] = [change.title, ''];
    }
    if (place.node !== node) {
      lines.push(style.place(place.node));
      [node, netns] = [place.node, ''];
    }
    if (place.netns !== netns)
      lines.push(...hanging(place.netns, place.about, 2, width, style.place, style.faint));
    netns = place.netns;
    lines.push(...changeLines(change, options));
  }
  if (changes.length === 0) lines.push(story.unchanged);
  else lines.unshift(...wrap(story.onlyChanges, width).map(style.faint), '');
  const name = Math.max(...costs.map(([text]) => columns(text)));
  const [first, second] = [story.first, story.second];
  const row = (text: string, one: string, other: string): string =>
    `  ${pad(text, name)}  ${one.padStart(columns(first))}  ${other.padStart(columns(second))}`;
  return [
    ...lines,
    '',
    `${style.label(pad(story.cost, name + 2))}  ${first}  ${second}`,
    ...costs.map(([text, one, other]) => row(text, String(one), String(other))),
  ];
}

/** What a step is now, with what it was below it; or that it is gone, or new. */
function changeLines({ was, is }: ToldChange, options: TraceTextOptions): string[] {
  const { style, width, depth, words } = options;
  const { was: before, gone, isNew } = words.story;
  const below = (name: string, text: string): string[] =>
    wrap(text, Math.max(ROOM, width - FACT - FACT_NAME)).map(
      (line, at) =>
        `${' '.repeat(FACT)}${style.faint(`${pad(at === 0 ? name : '', FACT_NAME)}${line}`)}`,
    );
  const whole = ({ text, aside }: ToldStep): string => (aside ? `${text} (${aside})` : text);
  if (is === undefined) return was ? below(gone, `${was.label}: ${whole(was)}`) : [];
  return [
    ...stepLines(is, options),
    ...below(was ? before : isNew, was ? sinceWas(was, is) : ''),
    ...(depth === 'default' ? [] : factLines(is, options)),
  ];
}

/** What a step was, in as few words as tell it from what it is. */
function sinceWas(was: ToldStep, is: ToldStep): string {
  return was.text === is.text ? (was.aside ?? was.text) : was.text;
}

/** A leg that came through is told in one breath: the devices it passes, and what was edited. */
function briefLines(leg: ToldLeg, options: TraceTextOptions): string[] {
  const { style, width } = options;
  const { numbers, way, steps } = leg.brief;
  const about = [way, numbers].filter((text) => text !== undefined).join(', ');
  return [
    ...hanging(leg.title, about, 0, width, style.title, style.faint),
    ...wayLines(leg.brief, options),
    ...steps.flatMap((step) => stepLines(step, options)),
  ];
}

/** `pod-b: eth0 ──▶ node-2: vethb, cni0, eth0 ══▶ …`, broken before its arrows only. */
function wayLines({ stations }: Brief, { width, glyphs }: TraceTextOptions): string[] {
  const lines: string[] = [];
  let line = '';
  stations.forEach((station, index) => {
    const before = stations[index - 1];
    const arrow = before === undefined ? '' : `${before.overWire ? glyphs.wire : glyphs.link} `;
    const part = `${arrow}${stationText(station)}`;
    const joined = line === '' ? part : `${line} ${part}`;
    if (columns(joined) <= width - 2) {
      line = joined;
      return;
    }
    lines.push(line);
    line = part;
  });
  lines.push(line);
  return lines.flatMap((text) => wrap(text, width - 2)).map((text) => `  ${text}`);
}

function stationText({ node, netns, devices }: Station): string {
  const place = netns === 'host' ? node : (netns.split('/').at(-1) ?? netns);
  return devices.length === 0 ? place : `${place}: ${devices.join(', ')}`;
}

function hopLines(hop: ToldHop, options: TraceTextOptions): string[] {
  const { style, width, depth } = options;
  const lines = hanging(hop.netns, hop.about, 2, width, style.place, style.faint);
  for (const step of hop.steps) {
    lines.push(...stepLines(step, options));
    if (depth === 'default') continue;
    lines.push(...factLines(step, options));
    if (depth === 'full' && step.packet !== undefined) {
      lines.push(...headerDump(step.packet, options));
    }
  }
  if (hop.note !== undefined) {
    lines.push(
      ...wrap(hop.note, width - INDENT).map((text) => `${' '.repeat(INDENT)}${style.faint(text)}`),
    );
  }
  return lines;
}

function headerDump(
  packet: readonly Layer[],
  { width, style, glyphs }: TraceTextOptions,
): string[] {
  return layerLines(packet, glyphs).flatMap((line) => {
    const text = line.trimStart();
    const indent = FACT + line.length - text.length;
    return wrap(text, Math.max(ROOM, width - indent - 2)).map(
      (part, at) => `${' '.repeat(at === 0 ? indent : indent + 2)}${style.faint(part)}`,
    );
  });
}

/** `name  text`, the text's further lines below its first one. */
function hanging(
  name: string,
  text: string,
  indent: number,
  width: number,
  paintName: (text: string) => string,
  paint: (text: string) => string,
): string[] {
  const left = indent + columns(name) + 2;
  const first = `${' '.repeat(indent)}${paintName(name)}`;
  if (width - left < ROOM) {
    return [
      first,
      ...wrap(text, width - INDENT).map((line) => `${' '.repeat(INDENT)}${paint(line)}`),
    ];
  }
  return wrap(text, width - left).map((line, index) =>
    index === 0 ? `${first}  ${paint(line)}` : `${' '.repeat(left)}${paint(line)}`,
  );
}

function stepLines(step: ToldStep, options: Pick<TraceTextOptions, 'width' | 'style'>): string[] {
  const { width } = options;
  const left = INDENT + LABEL;
  const more = (step.more ?? []).flatMap((line) =>
    wrap(line, Math.max(ROOM, width - left - 2)).map(
      (text, at) => `${' '.repeat(at === 0 ? left : left + 2)}${text}`,
    ),
  );
  return [...sentenceLines(step, options), ...more];
}

/** The sentence of a step, and its remark at the end of the line. */
function sentenceLines(
  step: ToldStep,
  { width, style }: Pick<TraceTextOptions, 'width' | 'style'>,
): string[] {
  const label = columns(step.label) < LABEL ? pad(step.label, LABEL) : `${step.label} `;
  const left = INDENT + columns(label);
  const room = Math.max(ROOM, width - left);
  const paint = painter(step, style);
  const lines = wrap(step.text, room).map((text, index) => {
    if (index > 0) return `${' '.repeat(left)}${paint(text)}`;
    return `${style.faint(String(step.n).padStart(NUMBER))}  ${style.label(label)}${paint(text)}`;
  });
  const { aside } = step;
  if (aside === undefined) return lines;
  const last = lines.length - 1;
  const used = left + columns(wrap(step.text, room).at(-1) ?? '');
  const gap = width - used - columns(aside);
  if (gap >= 2) lines[last] = `${lines[last]}${' '.repeat(gap)}${style.faint(aside)}`;
  else lines.push(...wrap(aside, room).map((text) => `${' '.repeat(left)}${style.faint(text)}`));
  return lines;
}

/** The colour of a step. */
export function painter(step: ToldStep, style: Style): (text: string) => string {
  switch (step.status) {
    case 'edit':
      return style.edit;
    case 'good':
      return style.good;
    case 'bad':
      return style.bad;
    case 'unsure':
      return style.unsure;
    case 'plain':
      return (text) => text;
    default:
      return step.status satisfies never;
  }
}

function factLines(step: ToldStep, { width, style }: TraceTextOptions): string[] {
  const lines: string[] = [];
  for (const { name, value } of step.facts) {
    wrap(value, Math.max(ROOM, width - FACT - FACT_NAME)).forEach((text, index) => {
      const lead = pad(index === 0 ? name : '', FACT_NAME);
      lines.push(`${' '.repeat(FACT)}${style.faint(`${lead}${text}`)}`);
    });
  }
  if (step.command !== undefined) {
    lines.push(
      ...commandLines(step.command, width - FACT).map(
        (text) => `${' '.repeat(FACT)}${style.command(text)}`,
      ),
    );
  }
  return lines;
}

/** A command broken as a shell takes it: a backslash at the end of a line that goes on. */
function commandLines({ prompt, text }: Command, width: number): string[] {
  const whole = `${prompt} ${text}`;
  if (columns(whole) <= width) return [whole];
  const lines = wrap(whole, Math.max(ROOM, width - 4));
  return lines.map(
    (line, at) => `${at > 0 ? '  ' : ''}${line}${at < lines.length - 1 ? ' \\' : ''}`,
  );
}

/** A line for each way: its mark, its names in columns, how it ends. */
function waysLines(
  { title, listed, more }: NonNullable<Story['ways']>,
  { words, width, style, glyphs }: TraceTextOptions,
): string[] {
  const marks = { good: glyphs.good, bad: glyphs.bad, unsure: glyphs.unsure };
  const mark = Math.max(...Object.values(marks).map(columns));
  const room = Math.max(ROOM, width - BLOCK);
  const wide = [0, 1].map((column) =>
    Math.max(0, ...listed.map(({ names }) => columns(names[column] ?? ''))),
  );
  const said: { text: string; paint: (text: string) => string }[] = [
    ...listed.flatMap(({ status, names, fate, told }) => {
      const cells = names.map((name, column) => pad(name, wide[column] ?? 0));
      const note = told && listed.length > 1 ? ` ${glyphs.dash} ${words.story.toldAbove}` : '';
      const line = `${pad(marks[status], mark)} ${cells.join('  ')}  ${fate}${note}`;
      return wrap(line, room).map((text, at) => ({
        text: at === 0 ? text : `  ${text}`,
        paint: status === 'good' ? (plain: string) => plain : style[status],
      }));
    }),
    ...more.flatMap((line) => wrap(line, room).map((text) => ({ text, paint: style.faint }))),
  ];
  return said.map(({ text, paint }, at) =>
    at === 0
      ? `${style.label(pad(title, BLOCK))}${paint(text)}`
      : `${' '.repeat(BLOCK)}${paint(text)}`,
  );
}

/** Cause, before and now, assumptions, and the verdict at the end. */
export function outcomeLines(story: Story, options: TraceTextOptions): string[] {
  const { words, width, style, glyphs } = options;
  const lines: string[] = [];
  const block = (name: string, said: string | Command) => {
    const room = Math.max(ROOM, width - BLOCK);
    const text = typeof said === 'string' ? wrap(said, room) : commandLines(said, room);
    text.forEach((line, index) => {
      lines.push(
        index === 0 ? `${style.label(pad(name, BLOCK))}${line}` : `${' '.repeat(BLOCK)}${line}`,
      );
    });
  };
  if (story.legs.length === 0 && !story.resolution) lines.push(words.story.noPacket);
  if (story.cause !== undefined) {
    const { code, step, message, fix, check, by } = story.cause;
    const place = step === undefined ? '' : `, ${words.story.atStep(step)}`;
    block(words.story.cause, `${message} (${code}${place})`);
    if (by !== undefined) block(words.story.causeBy, by);
    block(words.story.fix, fix.said);
    for (const line of fix.yaml) lines.push(`${' '.repeat(BLOCK + 2)}${style.command(line)}`);
    block(words.story.check, check);
  }
  for (const { cause, outcome } of story.tries ?? []) {
    if (cause) {
      block(words.story.cause, `${cause.message} (${cause.code})`);
      block(words.story.fix, cause.fix.said);
      for (const line of cause.fix.yaml)
        lines.push(`${' '.repeat(BLOCK + 2)}${style.command(line)}`);
    }
    block(words.story.tried, outcome);
  }
  if (story.tries?.length === 0) block(words.story.tried, words.story.nothingToMend);
  if (story.ways !== undefined) lines.push(...waysLines(story.ways, options));
  if (story.seen !== undefined) block(words.story.seen, story.seen);
  if (story.before !== undefined) block(words.story.before, story.before);
  if (story.assumed.length > 0) block(words.story.assumed, story.assumed.join(' '));
  if (lines.length > 0) lines.push('');
  const mark = { good: glyphs.good, bad: glyphs.bad, unsure: glyphs.unsure }[story.status];
  const verdict = [
    `${mark} ${story.verdict}`,
    words.story.applicationSees(story.symptom),
    story.hops,
  ];
  return [...lines, ...segments(verdict, width).map(style[story.status])];
}
