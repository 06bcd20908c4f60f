/**
 * The minimal form of a trace: verdict, places and packet edits, names in place of addresses.
 * Stable text to commit and to compare; it is data, so no language and no layout touch it.
 */
import type {
  DeliverEvent,
  EncapsulateEvent,
  NatEvent,
  RouteEvent,
  RuleEvent,
} from '../kernel/event.ts';
import type { PolicyFacts } from '../trace/policies.ts';
import type { Hop, Leg, Step, TraceFacts } from '../trace/trace.ts';
import type { DnsRecord } from '../wire/dns.ts';
import type { Ip } from '../wire/packet.ts';
import { harmless } from './harmless.ts';

/** @param shown the trace pruned to `minimal`. @param whole the same trace, whole. */
export function traceMinimal(
  shown: TraceFacts,
  whole: TraceFacts,
  nameOf: (ip: Ip) => string | undefined,
): string {
  const { from, to, protocol, port } = whole.probe;
  const target = port === undefined ? protocol : `${protocol}/${port}`;
  const name = port === undefined ? to.text : to.text.replace(new RegExp(`:${port}$`), '');
  const lines = [`${from.text} > ${name} ${target}: ${whole.disposition}, ${whole.symptom}`];
  if (whole.cause !== undefined) lines.push(`cause: ${whole.cause.code}`);
  lines.push(...waysText(whole));
  const named = (ip: Ip): string => nameOf(ip) ?? ip;
  for (const query of whole.resolution?.queries ?? []) {
    const { type, name: asked, rcode, answers, disposition } = query;
    const said = answers.map((record) => answerText(record, named));
    const fate = rcode ?? (query.forwarded === undefined ? disposition : 'asked outside');
    lines.push(`name: ${type} ${asked}: ${[fate, ...said].join(', ')}`);
  }
  whole.legs.forEach((leg) => {
    const edits = shown.legs.find((candidate) => isPruned(candidate, leg));
    const way = leg.direction === 'request' ? 'there' : 'back';
    lines.push(`${way}: ${leg.packet}, ${leg.disposition}: ${leg.hops.map(placeOf).join(' > ')}`);
    for (const hop of edits?.hops ?? []) {
      for (const step of hop.steps) lines.push(`  ${placeOf(hop)}: ${editText(step, named)}`);
    }
  });
  return `${lines.map(harmless).join('\n')}\n`;
}

/** The ways that chance may take, where they do not all end alike; the first is the one told. */
function waysText({ told, alternatives = [] }: TraceFacts): string[] {
  if (!told) return [];
  const differ = alternatives.some(
    ({ disposition, cause }) => disposition !== told.disposition || cause !== told.cause,
  );
  return (differ ? [told, ...alternatives] : []).map(
    ({ choice, name, node, disposition, cause }) => {
      const through = node === undefined || choice === 'node' ? '' : ` through ${node}`;
      return `${choice} ${name}${through}: ${disposition}${cause === undefined ? '' : `, ${cause}`}`;
    },
  );
}

function answerText(record: DnsRecord, named: (ip: Ip) => string): string {
  if (record.type === 'A' || record.type === 'AAAA') return named(record.address);
  return 'target' in record ? record.target : record.type;
}

/** Whether `pruned` is what is left of `leg`: their steps carry the same numbers. */
function isPruned(pruned: Leg, leg: Leg): boolean {
  const first = pruned.hops[0]?.steps[0]?.n;
  return leg.hops.some((hop) => hop.steps.some((step) => step.n === first));
}

function placeOf(hop: Hop): string {
  return hop.netns === 'host' ? hop.node : hop.netns;
}

function editText(step: Step, named: (ip: Ip) => string): string {
  const device = step.device === undefined ? '' : ` ${step.device}`;
  const lead = `${step.kind} ${step.action}${device}`;
  switch (step.kind) {
    case 'nat': {
      const { field, before, after } = step.detail as NatEvent['detail'];
      return `${lead} ${field} ${named(before.ip)} > ${named(after.ip)}`;
    }
    case 'encapsulate': {
      const { vni, local, remote, dport } = step.detail as EncapsulateEvent['detail'];
      return `${lead} vni ${vni} udp/${dport} ${named(local)} > ${named(remote)}`;
    }
    case 'deliver': {
      const { process, protocol, port } = step.detail as DeliverEvent['detail'];
      const where = port === undefined ? protocol : `${protocol}/${port}`;
      return `${lead} ${where}${process === undefined ? '' : ` ${process}`}`;
    }
    case 'rule': {
      const { table, chain, number } = step.detail as RuleEvent['detail'];
      return `${lead} ${table} ${chain}${number === undefined ? '' : ` ${number}`}`;
    }
    case 'policy': {
      const { direction, pod } = step.detail as PolicyFacts;
      return `${lead} ${direction} ${pod}`;
    }
    case 'route':
      return `${lead} ${(step.detail as RouteEvent['detail']).result}`;
    case 'neighbour':
      return `${lead} ${named((step.detail as { ip: Ip }).ip)}`;
    case 'drop':
      return `${lead} ${(step.detail as { reason: string }).reason}`;
    case 'size': {
      const { length, mtu } = step.detail as { length: number; mtu: number };
      return `${lead} ${length} > ${mtu}`;
    }
    default:
      return lead;
  }
}
