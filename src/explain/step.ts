/** One step in words: its label, its sentence, and what `-v` adds below it. */
import type { FdbEntry } from '../kernel/fdb.ts';
import type { FibEntry } from '../kernel/fib.ts';
import type { Neigh } from '../kernel/neigh.ts';
import type { Rule } from '../kernel/netfilter/ruleset.ts';
import type { Origin } from '../kernel/origin.ts';
import type { Hop, Leg, NearMiss, Step } from '../trace/trace.ts';
import type { Catalogue, StepKey, StepWords } from './catalogue.ts';
import { checkCommand } from './check-command.ts';
import type { Telling } from './quote.ts';

/** Where a step stands: what its sentence may look at besides its own detail. */
export interface StepContext extends Telling {
  readonly step: Step;
  readonly hop: Hop;
  readonly leg: Leg;
  /** The step after this one, in this hop or the next. */
  readonly next?: Step;
  /** The hop that the packet goes to after this one. */
  readonly nextHop?: Hop;
  readonly protocol: string;
}

export interface ToldStep extends StepWords {
  readonly n: number;
  readonly kind: Step['kind'];
  readonly action: string;
  readonly packet?: Step['packet'];
  /** What the step is about: a device name, or the kind of lookup. */
  readonly label: string;
  readonly status: 'plain' | 'edit' | 'good' | 'bad' | 'unsure';
  /** For `-v`: name and value, in order. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
}

/** Tells a step. Pure; every word comes from the catalogue, every row from `quote`. */
export function tellStep(context: StepContext, words: Catalogue): ToldStep {
  const { step } = context;
  // The key and the detail come from the same event, so the message fits the detail; TypeScript
  // cannot follow that through the template type.
  const say = words.steps[`${step.kind}.${step.action}` as StepKey] as (
    detail: Step['detail'],
    context: StepContext,
  ) => StepWords;
  return {
    n: step.n,
    kind: step.kind,
    action: step.action,
    ...(step.packet && { packet: step.packet }),
    label: labelOf(step),
    status: statusOf(step),
    ...say(step.detail, context),
    facts: factsOf(context, words),
  };
}

function labelOf(step: Step): string {
  switch (step.kind) {
    case 'transmit':
    case 'receive':
    case 'bridge':
    case 'encapsulate':
    case 'decapsulate':
      return step.device ?? step.kind;
    default:
      return step.kind;
  }
}

function statusOf(step: Step): ToldStep['status'] {
  switch (step.kind) {
    case 'drop':
      return 'reason' in step.detail && isUnsure(step.detail.reason) ? 'unsure' : 'bad';
    case 'deliver':
      if (step.action === 'no-listener' || step.action === 'icmp-error') return 'bad';
      return step.action === 'unknown-listener' ? 'unsure' : 'good';
    case 'rule':
      if (step.action === 'unmodelled') return 'unsure';
      return ['drop', 'reject', 'policy-drop'].includes(step.action) ? 'bad' : 'plain';
    case 'neighbour':
      return step.action === 'failed' ? 'bad' : 'plain';
    case 'route':
      return 'result' in step.detail && isRoutable(step.detail.result) ? 'plain' : 'bad';
    case 'size':
      return step.action === 'too-big' ? 'bad' : 'plain';
    case 'wire':
      return step.action === 'carry' ? 'plain' : 'bad';
    case 'hook':
      return step.action === 'drop' ? 'bad' : 'plain';
    case 'conntrack':
      return step.action === 'invalid' ? 'bad' : 'plain';
    case 'socket':
      return step.action === 'error' ? 'bad' : 'plain';
    case 'nat':
    case 'encapsulate':
    case 'decapsulate':
      return 'edit';
    default:
      return 'plain';
  }
}

function isUnsure(reason: string): boolean {
  return reason === 'not-modelled' || reason === 'fact-missing';
}

function isRoutable(result: string): boolean {
  return result === 'unicast' || result === 'local' || result === 'broadcast';
}

type Row = FibEntry | Neigh | FdbEntry | Rule;

function factsOf(context: StepContext, words: Catalogue): ToldStep['facts'] {
  const { step, quote, glyphs } = context;
  const facts: { name: string; value: string }[] = [];
  const add = (name: string, value: string | undefined) => {
    if (value !== undefined) facts.push({ name, value });
  };
  const quoted = (row: Row): string => {
    if ('matches' in row) return quote.rule(row);
    if ('table' in row) return quote.route(row);
    return 'ip' in row ? quote.neigh(row) : quote.fdb(row);
  };
  const detail = step.detail as {
    row?: Row;
    rule?: unknown;
    nearMiss?: NearMiss<Row>;
    exchange?: readonly {
      netns: string;
      device: string;
      direction: string;
      flooded?: true;
      packet: readonly { type: string }[];
    }[];
  };
  if (detail.row !== undefined) add(words.story.row, quoted(detail.row));
  if (step.kind === 'rule' || step.kind === 'nat') {
    const { rule, chain, number } = step.detail as { rule?: Rule; chain?: string; number?: number };
    if (rule !== undefined && chain !== undefined) {
      add(words.story.row, `${chain} ${number ?? ''} ${quote.rule(rule)}`.replace(/ {2,}/g, ' '));
    }
  }
  if (detail.nearMiss !== undefined) {
    const reason = words.nearMisses[detail.nearMiss.reason];
    add(words.story.nearMiss, `${quoted(detail.nearMiss.row)}  (${reason})`);
  }
  for (const tap of detail.exchange ?? []) {
    const arrow = tap.direction === 'transmit' ? glyphs.link : `${glyphs.dash} `;
    add(
      words.story.exchange,
      `${arrow} ${tap.netns} ${tap.device}  ${tellArp(tap.packet)}${tap.flooded ? `  (${words.story.flooded})` : ''}`,
    );
  }
  if (step.origin !== undefined) add(words.story.by, tellOrigin(step.origin, words));
  add(words.story.see, checkCommand(context));
  return facts;
}

function tellArp(layers: readonly { type: string }[]): string {
  const arp = layers.find((layer) => layer.type === 'arp') as
    | { op: string; spa: string; tpa: string; sha: string }
    | undefined;
  if (arp === undefined) return '';
  return arp.op === 'request'
    ? `who has ${arp.tpa}? tell ${arp.spa}`
    : `${arp.spa} is at ${arp.sha}`;
}

/** Who programmed a row, for which object, from which line. */
export function tellOrigin(origin: Origin, words: Catalogue): string {
  const object = origin.object;
  const name = object && (object.namespace ? `${object.namespace}/${object.name}` : object.name);
  const parts = [`${origin.by}: ${words.whys[origin.why]}`];
  if (object !== undefined)
    parts.push(`${object.kind} ${name}${object.field ? ` ${object.field}` : ''}`);
  if (origin.at !== undefined) parts.push(`${origin.at.file}:${origin.at.line}`);
  return parts.join(', ');
}
