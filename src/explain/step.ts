/** One step in words: its label, its sentence, and what `-v` adds below it. */
import type { Tap } from '../kernel/event.ts';
import type { FdbEntry } from '../kernel/fdb.ts';
import type { FibEntry } from '../kernel/fib.ts';
import type { Neigh } from '../kernel/neigh.ts';
import type { Origin } from '../kernel/origin.ts';
import type { NearMiss, RuleMiss, Step } from '../trace/trace.ts';
import type { Unknown } from '../wire/packet.ts';
import type { Catalogue, StepKey, StepWords } from './catalogue.ts';
import { type Command, checkCommand } from './check-command.ts';
import type { StepContext } from './context.ts';
import { eventOf, type StepEvent } from './event-of.ts';

export type StepStatus = 'plain' | 'edit' | 'good' | 'bad' | 'unsure';

export interface ToldStep extends StepWords {
  readonly n: number;
  readonly kind: Step['kind'];
  readonly action: string;
  readonly packet?: Step['packet'];
  /** What the step is about: a device name, or the kind of lookup. */
  readonly label: string;
  readonly status: StepStatus;
  /** For `-v`: name and value, in order. */
  readonly facts: readonly Fact[];
  /** For `-v`: the command that shows the row on a real node or Pod. */
  readonly command?: Command;
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

/**
 * Tells a step. Pure; every word comes from the catalogue, every row from `quote`.
 *
 * @param withFacts false leaves out what only `-v` shows.
 */
export function tellStep(context: StepContext, words: Catalogue, withFacts = true): ToldStep {
  const { step } = context;
  // The key and the detail come from the same event, so the message fits the detail; TypeScript
  // cannot follow that through the template type.
  const say = words.steps[`${step.kind}.${step.action}` as StepKey] as (
    detail: Step['detail'],
    context: StepContext,
  ) => StepWords;
  const told = say(step.detail, context);
  const command = withFacts ? checkCommand(context) : undefined;
  return {
    n: step.n,
    kind: step.kind,
    action: step.action,
    ...(step.packet && { packet: step.packet }),
    label: labelOf(step),
    status: statusOf(step),
    ...told,
    facts: withFacts ? factsOf(context, told, words) : [],
    ...(command && { command }),
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

function statusOf(step: Step): StepStatus {
  const event = eventOf(step);
  switch (event.kind) {
    case 'drop':
      return isUnsure(event.detail.reason) ? 'unsure' : 'bad';
    case 'deliver':
      if (event.action === 'no-listener' || event.action === 'icmp-error') return 'bad';
      return event.action === 'unknown-listener' ? 'unsure' : 'good';
    case 'rule':
      if (event.action === 'unmodelled') return 'unsure';
      return ['drop', 'reject', 'policy-drop'].includes(event.action) ? 'bad' : 'plain';
    case 'neighbour':
      return event.action === 'failed' ? 'bad' : 'plain';
    case 'route':
      return ['unicast', 'local', 'broadcast'].includes(event.detail.result) ? 'plain' : 'bad';
    case 'size':
      return event.action === 'too-big' ? 'bad' : 'plain';
    case 'wire':
      return event.action === 'carry' ? 'plain' : 'bad';
    case 'hook':
      if (event.action === 'unknown') return 'unsure';
      return event.action === 'accept' ? 'plain' : 'bad';
    case 'conntrack':
      return event.action === 'invalid' ? 'bad' : 'plain';
    case 'receive':
      return event.action === 'other-host' ? 'bad' : 'plain';
    case 'resolve':
      if (event.action !== 'answer') return 'plain';
      return event.detail.rcode === 'NOERROR' ? 'good' : 'plain';
    case 'socket':
      return event.action === 'error' ? 'bad' : 'plain';
    case 'nat':
    case 'encapsulate':
    case 'decapsulate':
      return 'edit';
    case 'policy':
      return policyStatus(event);
    case 'transmit':
    case 'bridge':
    case 'forward':
      return 'plain';
    default:
      return event satisfies never;
  }
}

function policyStatus({ action, detail }: Extract<StepEvent, { kind: 'policy' }>): StepStatus {
  if (action === 'denied') return 'bad';
  if (action === 'unknown') return 'unsure';
  const isIgnored = action === 'not-enforced' || action === 'escaped';
  return isIgnored && detail.decision !== 'allow' ? 'unsure' : 'plain';
}

function isUnsure(reason: string): boolean {
  return reason === 'not-modelled' || reason === 'fact-missing';
}

type Row = FibEntry | Neigh | FdbEntry;

/** What the sentence already shows is not said twice. */
function factsOf(context: StepContext, { text, more = [] }: StepWords, words: Catalogue): Fact[] {
  const { step, quote } = context;
  const { story } = words;
  const facts: Fact[] = [];
  const add = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== text && !more.includes(value)) facts.push({ name, value });
  };
  const missed = <R extends Row>(miss: NearMiss<R> | undefined, quoted: (row: R) => string) => {
    if (miss) add(story.nearMiss, `${quoted(miss.row)}  (${words.nearMisses[miss.reason]})`);
  };
  const missedRule = (miss: RuleMiss | undefined, table = '') => {
    if (miss) add(story.nearMiss, `${table}${tellRuleMiss(miss, context, words)}`);
  };
  const event = eventOf(step);
  switch (event.kind) {
    case 'route': {
      const { row, rule, nearMiss } = event.detail;
      if (rule && !isDefaultRule(rule.priority)) add(story.ipRule, quote.fibRule(rule));
      if (row) add(story.row, quote.route(row));
      missed(nearMiss, (miss) => quote.route(miss));
      break;
    }
    case 'neighbour': {
      const { row, nearMiss, exchange = [], broadcasts = [] } = event.detail;
      if (row) add(story.row, quote.neigh(row));
      facts.push(...tellExchange(exchange, context, words));
      for (const { others, segment } of broadcasts) {
        if (others > 0) add('', story.others(others, segment));
      }
      missed(nearMiss, (miss) => quote.neigh(miss));
      break;
    }
    case 'bridge': {
      const { row, learned, copies = [] } = event.detail;
      if (row) add(story.row, quote.fdb(row));
      if (learned) add(story.learned, story.isBehind(learned.mac, learned.port));
      for (const copy of copies) add(story.copy, placeOfTap(copy, context));
      break;
    }
    case 'encapsulate':
      add(story.row, quote.fdb(event.detail.row));
      break;
    case 'decapsulate':
      if (event.detail.learned) add(story.learned, quote.fdb(event.detail.learned));
      break;
    case 'rule': {
      const { rule, chain, table, element, path = [], nearMiss } = event.detail;
      if (rule) add(story.row, ruleLine(table, chain, quote.rule(rule), element));
      if (path.length > 0) add(story.path, tellPath(path, context));
      missedRule(nearMiss);
      break;
    }
    case 'hook':
      for (const { table, nearMiss } of event.detail.chains) missedRule(nearMiss, `-t ${table} `);
      break;
    case 'nat': {
      const { rule, chain, table = 'nat', element, path = [], nearMiss, entry } = event.detail;
      if (rule && chain !== undefined)
        add(story.row, ruleLine(table, chain, quote.rule(rule), element));
      if (path.length > 0) add(story.path, tellPath(path, context));
      missedRule(nearMiss);
      add(story.conntrack, quote.conntrack(entry));
      break;
    }
    case 'conntrack':
      if (event.action !== 'confirm' && event.detail.entry) {
        add(story.conntrack, quote.conntrack(event.detail.entry));
      }
      break;
    case 'policy':
      for (const row of event.detail.policies) {
        add(story.policy, story.policyLine(row, event.detail));
      }
      break;
    default:
      break;
  }
  // A device is told where the packet leaves through it; where it comes in, that was just said.
  if (step.origin !== undefined && event.kind !== 'receive') {
    add(story.by, tellOrigin(step.origin, words));
  }
  return facts;
}

/** A rule as the tool that made it is told it; of nft with the element of a map that decided. */
function ruleLine(table: string, chain: string, rule: string, element?: string): string {
  if (!table.includes(' ')) return `-A ${chain} ${rule}`;
  return `${table} ${chain} ${rule}${element === undefined ? '' : ` { ${element} }`}`;
}

function tellRuleMiss(miss: RuleMiss, { quote }: StepContext, words: Catalogue): string {
  const why = words.ruleMiss(miss, quote.match(miss.condition));
  return `-A ${miss.chain} ${quote.rule(miss.rule)}  (${why})`;
}

/** The three rules that every namespace has: `from all lookup local|main|default`. */
function isDefaultRule(priority: number): boolean {
  return priority === 0 || priority === 32_766 || priority === 32_767;
}

/** `KUBE-SERVICES 3 → KUBE-SVC-… 2`. */
export function tellPath(
  path: readonly { chain: string; number: number }[],
  { glyphs }: Pick<StepContext, 'glyphs'>,
): string {
  return path.map(({ chain, number }) => `${chain} ${number}`).join(` ${glyphs.to} `);
}

/** ` id 40000`, of an echo. */
export function idSuffix(id: number | Unknown | undefined): string {
  return id === undefined ? '' : ` id ${portSuffix(id).slice(1)}`;
}

/** `:8080`; for a port that only a running kernel knows, how it is chosen. */
export function portSuffix(port: number | Unknown | undefined): string {
  if (port === undefined) return '';
  if (typeof port === 'number') return `:${port}`;
  return port.unknown === 'random-port' ? ':random' : `:${port.range[0]}-${port.range[1]}`;
}

/** ARP as a question and an answer, each with the devices that it passed. */
function tellExchange(taps: readonly Tap[], context: StepContext, words: Catalogue): Fact[] {
  const { story } = words;
  const facts: Fact[] = [];
  let rest = taps.filter((tap) => !tap.flooded);
  while (rest.length > 0) {
    const op = arpOf(rest[0])?.op;
    const other = rest.findIndex((tap) => arpOf(tap)?.op !== op);
    const end = other === -1 ? rest.length : other;
    const arp = arpOf(rest[0]);
    if (arp) {
      const question = arp.op === 'request';
      facts.push({
        name: question ? story.asked : story.answered,
        value: question ? `who has ${arp.tpa}? tell ${arp.spa}` : `${arp.spa} is at ${arp.sha}`,
      });
    }
    facts.push({ name: '', value: tellWay(rest.slice(0, end), context) });
    rest = rest.slice(end);
  }
  const copies = taps.filter((tap) => tap.flooded);
  if (copies.length > 0) {
    const places = copies.map((tap) => placeOfTap(tap, context));
    facts.push({ name: story.copies, value: [...new Set(places)].join(', ') });
  }
  return facts;
}

function arpOf(tap: Tap | undefined) {
  return tap?.packet.find((layer) => layer.type === 'arp');
}

/** `pod-a: eth0 ──▶ node-1: veth1 ──▶ cni0`. */
function tellWay(taps: readonly Tap[], context: StepContext): string {
  const places: string[] = [];
  let netns: string | undefined;
  for (const tap of taps) {
    const place = tap.netns === netns ? tap.device : placeOfTap(tap, context);
    if (place !== places.at(-1)) places.push(place);
    netns = tap.netns;
  }
  return places.join(` ${context.glyphs.link} `);
}

function placeOfTap({ netns, device }: Tap, { hop }: StepContext): string {
  const [node = '', ...rest] = netns.split('/');
  const name = rest.join('/');
  const short = name === 'host' ? node : node === hop.node ? name : netns;
  return `${short}: ${device}`;
}

/** Who programmed a row, for which object, from which line. */
/** `shop.yaml:12:9`; an option of the command line has no line. */
export function placeOf({ file, line, column }: NonNullable<Origin['at']>): string {
  return [file, line, column].filter((part) => part !== undefined).join(':');
}

export function tellOrigin(origin: Origin, words: Catalogue): string {
  const { by, why, object, at } = origin;
  const name = object && (object.namespace ? `${object.namespace}/${object.name}` : object.name);
  const parts = [`${by}: ${words.whys[why]}`];
  if (object !== undefined) {
    parts.push(`${object.kind} ${name}${object.field ? ` ${object.field}` : ''}`);
  }
  if (at !== undefined) parts.push(placeOf(at));
  return parts.join(', ');
}
