/**
 * What of a trace is committed and compared: its verdict, the places that it visits, and what was
 * done to the packet there, with names in place of addresses. Data, so no language touches it.
 */
import type {
  DeliverEvent,
  EncapsulateEvent,
  NatEvent,
  RouteEvent,
  RuleEvent,
} from '../kernel/event.ts';
import type { DnsRecord } from '../wire/dns.ts';
import type { Ip } from '../wire/packet.ts';
import type { PolicyFacts } from './policies.ts';
import { prune } from './prune.ts';
import type { Alternative, DnsQuery, Hop, Leg, Step, StepKind, TraceFacts } from './trace.ts';

/** What people call an address; undefined: nobody's. */
export type NameOf = (ip: Ip) => string | undefined;

export interface MinimalEdit {
  readonly kind: StepKind;
  readonly text: string;
}

export interface MinimalHop {
  /** `node-1`, or the Pod: `shop/web-1`. */
  readonly place: string;
  readonly edits: readonly MinimalEdit[];
}

export interface MinimalLeg extends Pick<Leg, 'direction' | 'packet' | 'disposition'> {
  /** Every visit, also those where nothing was done. */
  readonly hops: readonly MinimalHop[];
}

export interface Minimal {
  /** The ways that chance may take, where they do not all end alike; the first is the one told. */
  readonly ways: readonly Alternative[];
  /** Queries for names, in order. */
  readonly names: readonly string[];
  readonly legs: readonly MinimalLeg[];
}

/** @param whole a trace with all its steps */
export const minimalOf = (whole: TraceFacts, nameOf: NameOf): Minimal => {
  const named = (ip: Ip): string => nameOf(ip) ?? ip;
  const kept = new Set(
    prune(whole, 'minimal').legs.flatMap(({ hops }) =>
      hops.flatMap(({ steps }) => steps.map(({ n }) => n)),
    ),
  );
  return {
    ways: waysOf(whole),
    names: (whole.resolution?.queries ?? []).map((query) => queryText(query, named)),
    legs: whole.legs.map(({ direction, packet, disposition, hops }) => ({
      direction,
      packet,
      disposition,
      hops: hops.map((hop) => ({
        place: placeOf(hop),
        edits: hop.steps
          .filter(({ n }) => kept.has(n))
          .map((step) => ({ kind: step.kind, text: editText(step, named) })),
      })),
    })),
  };
};

const waysOf = ({ told, alternatives = [] }: TraceFacts): readonly Alternative[] => {
  if (!told) return [];
  const differ = alternatives.some(
    ({ disposition, cause }) => disposition !== told.disposition || cause !== told.cause,
  );
  return differ ? [told, ...alternatives] : [];
};

const queryText = (query: DnsQuery, named: (ip: Ip) => string): string => {
  const { type, name, rcode, answers, disposition, forwarded } = query;
  const said = answers.map((record) => answerText(record, named));
  const fate = rcode ?? (forwarded === undefined ? disposition : 'asked outside');
  return `${type} ${name}: ${[fate, ...said].join(', ')}`;
};

const answerText = (record: DnsRecord, named: (ip: Ip) => string): string => {
  if (record.type === 'A' || record.type === 'AAAA') return named(record.address);
  return 'target' in record ? record.target : record.type;
};

const placeOf = ({ node, netns }: Hop): string => (netns === 'host' ? node : netns);

const editText = (step: Step, named: (ip: Ip) => string): string => {
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
};
