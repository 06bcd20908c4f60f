/** Holds what a scenario expects of one trace against what the trace found. */
import type { Socketed, Step, TraceFacts } from '../trace/trace.ts';

/** The judged part of an expectation; absent fields expect nothing. */
export interface Expected {
  readonly disposition: string;
  readonly cause?: string | undefined;
  readonly symptom?: string | undefined;
  /** The source as the target's socket sees it: `IP` or `IP:port`. */
  readonly sourceSeen?: string | undefined;
  /** Where DNAT sends the packet: `IP` or `IP:port`. */
  readonly dnat?: string | undefined;
  /** How many backends may answer; of several probes, how many they come to. */
  readonly backends?: number | undefined;
  /** The address that the name stands for; of several, one of them. */
  readonly resolved?: string | undefined;
  /** Devices in order, others in between allowed; bare (`cni0`) or full (`node-1/host/cni0`). */
  readonly via?: readonly string[] | undefined;
  readonly notVia?: readonly string[] | undefined;
  /** Most namespaces that the first packet may visit. */
  readonly maxHops?: number | undefined;
}

/** One thing that is otherwise than expected, both sides as text that stands in a scenario. */
export interface Difference {
  readonly field: keyof Expected;
  readonly expected: string;
  readonly found: string;
}

const NOTHING = 'none';

/** The backends that a trace knows of, as addresses. */
export function backendsOf({ told, alternatives = [], dnat }: TraceFacts): Set<string> {
  const ways = [...(told ? [told] : []), ...alternatives].flatMap(({ address }) => address ?? []);
  if (ways.length > 0 || !dnat) return new Set(ways);
  return new Set([`${dnat.ip}${typeof dnat.port === 'number' ? `:${dnat.port}` : ''}`]);
}

/**
 * @param backends of all probes, where there are several
 * @returns what differs, in the order of the fields; empty when the expectation holds.
 */
export function differences(
  expected: Expected,
  facts: TraceFacts,
  backends: ReadonlySet<string> = backendsOf(facts),
): Difference[] {
  const found: Difference[] = [];
  const compare = (field: keyof Expected, wanted: string | undefined, is: string | undefined) => {
    if (wanted !== undefined && wanted !== is) {
      found.push({ field, expected: wanted, found: is ?? NOTHING });
    }
  };
  compare('disposition', expected.disposition, facts.disposition);
  compare('cause', expected.cause, facts.cause?.code);
  compare('symptom', expected.symptom, facts.symptom);
  compare('sourceSeen', expected.sourceSeen, asWritten(expected.sourceSeen, facts.sourceSeen));
  compare('dnat', expected.dnat, asWritten(expected.dnat, facts.dnat));

  if (expected.backends !== undefined && expected.backends !== backends.size)
    found.push({
      field: 'backends',
      expected: String(expected.backends),
      found: [backends.size, ...(backends.size > 0 ? [[...backends].join(', ')] : [])].join(': '),
    });

  const addresses = facts.resolution?.addresses ?? [];
  const isResolved = expected.resolved !== undefined && addresses.includes(expected.resolved);
  if (!isResolved) compare('resolved', expected.resolved, addresses.join(', ') || undefined);

  const passed = devicesPassed(facts);
  const missed = firstMissed(expected.via ?? [], passed);
  if (missed !== undefined) {
    const way = passed.length === 0 ? NOTHING : passed.map(({ full }) => full).join(', ');
    found.push({
      field: 'via',
      expected: (expected.via ?? []).join(', '),
      found: `${way} (no ${missed.name}${missed.after === undefined ? '' : ` after ${missed.after}`})`,
    });
  }
  for (const name of expected.notVia ?? []) {
    const device = passed.find((candidate) => isCalled(candidate, name));
    if (device) found.push({ field: 'notVia', expected: `not ${name}`, found: device.full });
  }
  const hops = facts.legs[0]?.hops.length ?? 0;
  if (expected.maxHops !== undefined && hops > expected.maxHops) {
    found.push({ field: 'maxHops', expected: `at most ${expected.maxHops}`, found: String(hops) });
  }
  return found;
}

/** `IP`, or `IP:port` where the expectation names a port. */
export function asWritten(
  expected: string | undefined,
  found: Socketed | undefined,
): string | undefined {
  if (found === undefined) return undefined;
  const { ip, port } = found;
  return expected?.includes(':') && typeof port === 'number' ? `${ip}:${port}` : ip;
}

export interface Passed {
  readonly bare: string;
  readonly full: string;
}

/** The device of every tap of the flow's own packets, over all legs, in order of time. */
export function devicesPassed(facts: TraceFacts): Passed[] {
  return facts.legs.flatMap(({ hops }) =>
    hops.flatMap(({ node, netns, steps }) =>
      steps.flatMap((step) =>
        isTap(step) && step.device !== undefined
          ? [{ bare: step.device, full: `${node}/${netns}/${step.device}` }]
          : [],
      ),
    ),
  );
}

const isTap = ({ kind }: Step): boolean => kind === 'transmit' || kind === 'receive';

const isCalled = ({ bare, full }: Passed, name: string): boolean => name === bare || name === full;

/** The first name that does not come, in order; undefined when all do. */
function firstMissed(
  via: readonly string[],
  passed: readonly Passed[],
): { name: string; after: string | undefined } | undefined {
  let at = 0;
  for (const [index, name] of via.entries()) {
    while (at < passed.length && !isCalled(passed[at] as Passed, name)) at += 1;
    if (at === passed.length) return { name, after: via[index - 1] };
    at += 1;
  }
  return undefined;
}
