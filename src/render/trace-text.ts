/** A told trace as text for a terminal: the default depth, `-v` and `-vv`. */
import type { Catalogue } from '../explain/catalogue.ts';
import type { Glyphs } from '../explain/quote.ts';
import type { ToldStep } from '../explain/step.ts';
import type { Story, ToldHop, ToldLeg } from '../explain/story.ts';
import type { Depth } from '../trace/prune.ts';
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

/** The first line: who, to whom, protocol, addresses, network. */
export interface TraceHeader {
  readonly from: string;
  readonly to: string;
  readonly flow: string;
  readonly network: string;
}

const NUMBER = 4;
const LABEL = 11;
const INDENT = NUMBER + 2;

/** Lays a story out; ends with a newline. */
export function traceText(header: TraceHeader, story: Story, options: TraceTextOptions): string {
  const lines = [...headerLines(header, options), ''];
  for (const leg of story.legs) lines.push(...legLines(leg, options), '');
  lines.push(...verdictLines(story, options));
  return `${lines.join('\n')}\n`;
}

function headerLines(header: TraceHeader, { width, style, glyphs }: TraceTextOptions): string[] {
  const names = `${header.from} ${glyphs.to} ${header.to}`;
  const rest = [header.flow, header.network];
  const one = [names, ...rest].join('   ');
  if (columns(one) <= width) return [style.title(names) + one.slice(names.length)];
  return [style.title(names), ...wrap(rest.join('   '), width - 2).map((line) => `  ${line}`)];
}

function legLines(leg: ToldLeg, options: TraceTextOptions): string[] {
  const { style } = options;
  const lines = [style.title(leg.title)];
  if (options.depth === 'default' && isUneventfulReply(leg)) {
    return [...lines, ...wayBackLines(leg, options)];
  }
  let node: string | undefined;
  for (const hop of leg.hops) {
    if (hop.node !== node) lines.push(style.place(hop.node));
    node = hop.node;
    lines.push(...hopLines(hop, options));
  }
  return lines;
}

/** An answer that came home is told in one breath: the devices it passes, and what was edited. */
function isUneventfulReply(leg: ToldLeg): boolean {
  return (
    leg.direction === 'reply' &&
    leg.hops.every((hop) => hop.steps.every((s) => s.status !== 'bad' && s.status !== 'unsure'))
  );
}

function wayBackLines(leg: ToldLeg, { width, glyphs, style }: TraceTextOptions): string[] {
  const stations: string[] = [];
  for (const hop of leg.hops) {
    const place = hop.netns === 'host' ? hop.node : (hop.netns.split('/').at(-1) ?? hop.netns);
    const devices = new Set<string>();
    for (const step of hop.steps) {
      if (step.kind === 'transmit' || step.kind === 'receive') devices.add(step.label);
    }
    stations.push(devices.size > 0 ? `${place} (${[...devices].join(', ')})` : place);
  }
  const chain = stations.join(` ${glyphs.link} `);
  const lines = wrap(chain, width - 2).map((line) => `  ${line}`);
  for (const step of leg.hops.flatMap((hop) => hop.steps)) {
    if (step.kind === 'nat') lines.push(...stepLines(step, { width, style }));
  }
  return lines;
}

function hopLines(hop: ToldHop, options: TraceTextOptions): string[] {
  const { style, width, depth, glyphs } = options;
  const lines: string[] = [];
  const about = wrap(hop.about, Math.max(20, width - columns(hop.netns) - 4));
  about.forEach((text, index) => {
    const left = index === 0 ? style.place(hop.netns) : ' '.repeat(columns(hop.netns));
    lines.push(`  ${left}  ${style.faint(text)}`);
  });
  for (const step of hop.steps) {
    lines.push(...stepLines(step, { width, style }));
    if (depth === 'default') continue;
    lines.push(...factLines(step, options));
    if (depth === 'full' && step.packet !== undefined) {
      for (const line of layerLines(step.packet, glyphs)) {
        lines.push(`${' '.repeat(INDENT + 2)}${style.faint(line)}`);
      }
    }
  }
  return lines;
}

function stepLines(
  step: ToldStep,
  { width, style }: Pick<TraceTextOptions, 'width' | 'style'>,
): string[] {
  const label = pad(step.label, LABEL);
  const left = INDENT + Math.max(LABEL, columns(step.label) + 1);
  const room = Math.max(20, width - left);
  const aside = step.aside ?? '';
  const texts = wrap(step.text, room);
  const paint = painter(step, style);
  const lines = texts.map((text, index) => {
    if (index > 0) return `${' '.repeat(left)}${paint(text)}`;
    const number = style.faint(String(step.n).padStart(NUMBER));
    const name = columns(step.label) >= LABEL ? `${step.label} ` : label;
    return `${number}  ${style.label(name)}${paint(text)}`;
  });
  if (aside === '') return lines;
  const last = lines.length - 1;
  const used = left + columns(texts.at(-1) ?? '');
  const gap = width - used - columns(aside);
  if (gap >= 2) lines[last] = `${lines[last]}${' '.repeat(gap)}${style.faint(aside)}`;
  else lines.push(...wrap(aside, room).map((text) => `${' '.repeat(left)}${style.faint(text)}`));
  return lines;
}

function painter(step: ToldStep, style: Style): (text: string) => string {
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
  const left = INDENT + 2;
  for (const { name, value } of step.facts) {
    wrap(value, Math.max(20, width - left - LABEL)).forEach((text, index) => {
      const lead = pad(index === 0 ? name : '', LABEL);
      lines.push(`${' '.repeat(left)}${style.faint(`${lead}${text}`)}`);
    });
  }
  return lines;
}

function verdictLines(story: Story, options: TraceTextOptions): string[] {
  const { words, width, style, glyphs } = options;
  const lines: string[] = [];
  const block = (name: string, text: string) => {
    const lead = `${name}: `;
    wrap(text, Math.max(20, width - columns(lead))).forEach((line, index) => {
      lines.push(
        index === 0 ? `${style.label(lead)}${line}` : `${' '.repeat(columns(lead))}${line}`,
      );
    });
  };
  if (story.legs.length === 0) lines.push(words.story.noPacket);
  if (story.cause !== undefined) {
    const { code, step, message, fix, check } = story.cause;
    const place = step === undefined ? '' : `, ${words.story.atStep(step)}`;
    block(words.story.cause, `${message} (${code}${place})`);
    block(words.story.fix, fix);
    block(words.story.check, check);
  }
  for (const text of story.assumptions) block(words.story.assumed, text);
  if (lines.length > 0) lines.push('');
  const mark = { good: glyphs.good, bad: glyphs.bad, unsure: glyphs.unsure }[story.status];
  const verdict = `${mark} ${story.verdict}. ${words.story.applicationSees(story.symptom)}  ${story.hops}.`;
  for (const line of wrap(verdict, width)) lines.push(style[story.status](line));
  return lines;
}
