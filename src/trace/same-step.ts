/** Whether two steps of two traces are the same: the same decision at the same place. */
import type { PlacedStep, Step } from './trace.ts';
import type { TraceEvent } from './trace-event.ts';

/** A step as the event it was made of. */
type StepEvent = Omit<TraceEvent, 'netns'> & Pick<TraceEvent, 'kind' | 'action' | 'detail'>;

/**
 * What of a step decides where a packet goes next. Left out is what may differ between two walks
 * of one way: ports that sockets pick, positions of rules, rows that nearly matched, where a row
 * comes from, and how the answer to an ARP request travelled.
 */
const essence = (step: Step): unknown => {
  const event = step as StepEvent as TraceEvent;
  switch (event.kind) {
    case 'socket': {
      if (event.action === 'error') return event.detail;
      // The source of what a socket sends is its route's choice, which comes next.
      const { protocol, src, dst } = event.detail;
      return { protocol, dst, ...(event.action === 'kernel-send' && { src }) };
    }
    case 'route': {
      const { dst, chosenSource, result, row, rule, pmtu, iif, mark } = event.detail;
      return { dst, chosenSource, result, row: bare(row), rule: bare(rule), pmtu, iif, mark };
    }
    case 'neighbour': {
      const { ip, lladdr } = event.detail;
      return { ip, lladdr };
    }
    case 'bridge': {
      const { mac, inPort, outPort, learned } = event.detail;
      return { mac, inPort, outPort, learned };
    }
    case 'encapsulate': {
      const { vni, local, remote, dport } = event.detail;
      return { vni, local, remote, dport };
    }
    case 'decapsulate': {
      const { vni, remote, learned } = event.detail;
      return { vni, remote, learned: bare(learned) };
    }
    case 'hook': {
      const { hook, chains } = event.detail;
      return { hook, tables: chains.map(({ table }) => table) };
    }
    case 'rule': {
      const { hook, table, chain, rule } = event.detail;
      return { hook, table, chain, rule: bare(rule) };
    }
    case 'nat': {
      const { hook, field, before, after, rule } = event.detail;
      return { hook, field, before: before.ip, after: after.ip, bound: rule !== undefined };
    }
    case 'conntrack':
      return { state: event.detail.state, dir: event.detail.dir };
    case 'size': {
      const { mtu, device, df } = event.detail;
      return { mtu, device, df };
    }
    case 'deliver': {
      const { protocol, ip, process, error } = event.detail;
      return { protocol, ip, process, error };
    }
    case 'drop':
      return { reason: event.detail.reason, unmodelled: event.detail.unmodelled };
    case 'policy': {
      const { direction, pod, decision, by, policies } = event.detail;
      const said = policies.map(({ kind, namespace, name, outcome, rule }) => [
        ...[kind, namespace, name, outcome],
        rule?.index,
      ]);
      return { direction, pod, decision, by, said };
    }
    case 'resolve':
    case 'transmit':
    case 'receive':
    case 'forward':
    case 'wire':
      return event.detail;
    default:
      return event satisfies never;
  }
};

/** A row without where it comes from. */
const bare = (row: object | undefined): object | undefined =>
  row && Object.fromEntries(Object.entries(row).filter(([key]) => key !== 'origin'));

const equal = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false;
  const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  const keys = new Set([...left.keys(), ...right.keys()]);
  return [...keys].every((key) => equal(left.get(key), right.get(key)));
};

/** The same kind of step at the same place, whatever came of it. */
export const isCounterpart = (a: PlacedStep, b: PlacedStep): boolean =>
  a.node === b.node && a.netns === b.netns && roleOf(a.step) === roleOf(b.step);

/** What a step is there for: a route lookup for the outer packet is none for the inner one. */
const roleOf = (step: Step): string => {
  const event = step as StepEvent as TraceEvent;
  const about =
    event.kind === 'route'
      ? event.detail.purpose
      : event.kind === 'hook' || event.kind === 'nat'
        ? event.detail.hook
        : event.kind === 'rule'
          ? `${event.detail.hook} ${event.detail.table}`
          : event.kind === 'conntrack' || event.kind === 'socket'
            ? String(event.action === 'confirm' || event.action === 'error')
            : event.kind === 'policy'
              ? `${event.detail.direction} ${event.detail.pod}`
              : '';
  return `${step.kind} ${step.device ?? ''} ${about}`;
};

/** The same decision at the same place. */
export const isSameStep = (a: PlacedStep, b: PlacedStep): boolean =>
  isCounterpart(a, b) && a.step.action === b.step.action && equal(essence(a.step), essence(b.step));
