/**
 * The JSON Schema (draft 2020-12) of what `-o json` prints. The compiler holds it to the types: an
 * object's fields, which of them may be missing, and every closed list must be complete.
 */

import type { FibEntry } from '../../kernel/fib.ts';
import type { DnsRecord, DnsType } from '../../wire/dns.ts';
import { ADVICE_CODES, CAUSE_CODES, DISPOSITIONS, SYMPTOMS } from '../codes.ts';
import type { Advice, Check, Fix, PatchedObject, Remedy, RemedyPlace } from '../remedy.ts';
import type {
  Affinity,
  Alternative,
  Before,
  Cause,
  CauseFact,
  CauseRows,
  CauseSubject,
  Change,
  Cost,
  DnsQuery,
  EndpointRef,
  FateCount,
  FixOutcome,
  FixRound,
  Forks,
  Hop,
  Leg,
  LegPacket,
  PlacedStep,
  ReachedTarget,
  RepeatSummary,
  RepeatTarget,
  Resolution,
  SeenSource,
  Socketed,
  Step,
  Trace,
  TraceList,
  TraceProbe,
  UnmodelledQuestion,
  Warm,
  WithFix,
} from '../trace.ts';
import { fdbEntry, fibEntry, fibRule, from, neigh, origin, tap } from './kernel-rows.ts';
import { entry, rule, ruleMiss } from './netfilter.ts';
import { DNS_RCODES, DNS_TYPES, layers, port, unknownValue } from './packets.ts';
import { steps } from './steps.ts';
import {
  anyOf,
  cidr,
  closed,
  complete,
  count,
  described,
  enumOf,
  flag,
  ip,
  type Json,
  list,
  mac,
  object,
  only,
  opt,
  raw,
  ref,
  type Schema,
  text,
  whole,
} from './typed-schema.ts';

const endpoint = object<EndpointRef>({
  text: described(text, 'As typed.'),
  kind: closed<EndpointRef['kind']>()('pod', 'node', 'service', 'ip', 'external', 'name'),
  namespace: opt(text),
  name: opt(text),
  container: opt(text),
  ip: opt(text),
  node: opt(text),
  workload: opt(
    object<NonNullable<EndpointRef['workload']>>({ kind: text, name: text, replicas: count }),
  ),
});

const disposition = enumOf(DISPOSITIONS);

const hop = object<Hop>({
  node: text,
  netns: described(text, '`host`, or namespace/pod.'),
  steps: list(ref<Step>('Step')),
});

const direction = closed<Leg['direction']>()('request', 'reply');
const legPacket = closed<LegPacket>()(
  'syn',
  'synack',
  'rst',
  'ack',
  'data',
  'datagram',
  'echo',
  'echo-reply',
  'icmp-error',
);

const leg = object<Leg>({ direction, packet: legPacket, disposition, hops: list(hop) });

const placed = object<PlacedStep>({
  direction,
  packet: legPacket,
  node: text,
  netns: text,
  step: ref<Step>('Step'),
});

const symptom = described(enumOf(SYMPTOMS), 'What the application sees.');

const before = object<Before>({
  without: closed<Before['without']>()('faults', 'overrides', 'faults-and-overrides'),
  disposition,
  symptom,
  cause: opt(enumOf(CAUSE_CODES)),
  parts: opt(
    described(
      object<NonNullable<Before['parts']>>({
        before: opt(ref<PlacedStep>('PlacedStep')),
        step: opt(described(whole, 'The step (n) of this trace.')),
      }),
      'The first steps that differ; absent where both traces take the same steps.',
    ),
  ),
});

const cost = object<Cost>({
  steps: count,
  arpExchanges: count,
  arpFrames: count,
  floods: count,
  natLookups: count,
  newConnections: count,
});

const warm = object<Warm>({
  first: cost,
  second: cost,
  changes: list(
    object<Change>({
      was: opt(ref<PlacedStep>('PlacedStep')),
      is: opt(ref<PlacedStep>('PlacedStep')),
    }),
  ),
});

const rows = object<CauseRows>({
  address: opt(cidr),
  route: opt(ref<FibEntry>('Route')),
  ipRule: opt(fibRule),
  neighbour: opt(neigh),
  fdb: opt(fdbEntry),
});

const about = described(
  object<CauseSubject>({
    node: text,
    netns: described(text, '`host`, or namespace/pod.'),
    device: opt(text),
    bridge: opt(described(text, 'The bridge that the device is, or should be, a port of.')),
    peer: opt(described(text, 'The machine at the other end of the wire.')),
    mac: opt(described(mac, 'The link-layer address that the tunnel has no node for.')),
    service: opt(
      described(
        object<NonNullable<CauseSubject['service']>>({ namespace: text, name: text }),
        'The Service that was asked.',
      ),
    ),
    rules: opt(
      described(
        closed<NonNullable<CauseSubject['rules']>>()('never-written', 'gone'),
        'Of rules for a Service: nobody writes any, or they were there before the faults.',
      ),
    ),
    wrong: opt(described(rows, 'What decided, and should not.')),
    missing: opt(
      described(
        rows,
        "What is not there because of the scenario's faults, or a route that would lead on.",
      ),
    ),
  }),
  'What is to be looked at and mended, as far as it is known by name.',
);

const placeSchema = object<RemedyPlace>({ node: text, netns: text });

const advice = object<Advice>({
  code: enumOf(ADVICE_CODES),
  values: raw<Advice['values']>({
    type: 'object',
    additionalProperties: { type: ['string', 'number'] },
  }),
  run: opt(described(text, 'A command that goes with it, for anybody with kubectl.')),
});

type FixOf<K extends Fix['kind']> = Extract<Fix, { kind: K }>;

const fix = complete<Fix>()(
  anyOf(
    object<FixOf<'commands'>>({
      kind: only('commands'),
      on: placeSchema,
      commands: list(text),
    }),
    object<FixOf<'patch'>>({
      kind: only('patch'),
      object: object<PatchedObject>({
        kind: text,
        namespace: opt(text),
        name: text,
        create: opt(only(true)),
      }),
      patch: described(
        raw<FixOf<'patch'>['patch']>({ type: 'object' }),
        'A strategic merge patch of an object of the input, which it names.',
      ),
      advice,
    }),
    object<FixOf<'advice'>>({ kind: only('advice'), advice }),
  ),
);

const remedy = object<Remedy>({
  fix,
  check: object<Check>({ on: opt(placeSchema), commands: list(text) }),
});

const withFix = object<WithFix>({
  mended: flag,
  rounds: list(
    object<FixRound>({
      for: enumOf(CAUSE_CODES),
      fix,
      outcome: closed<FixOutcome>()('mended', 'not-enough', 'advice', 'refused', 'repeated'),
      disposition: opt(disposition),
      symptom: opt(symptom),
      problem: opt(described(text, 'Why it is refused.')),
    }),
  ),
});

const alternative = {
  choice: closed<Alternative['choice']>()('backend', 'node', 'path'),
  name: text,
  address: opt(described(text, 'Of a backend: IP:port, where the destination was rewritten.')),
  node: opt(described(text, 'The machine that it was sent through, where several would do.')),
  disposition,
  symptom,
  cause: opt(text),
};

const forks = described(
  object<Forks>({ ...alternative, others: opt(count) }),
  'Which of several ways the legs tell; the others are alternatives.',
);

const socketed = { ip, port: opt(port) };

type RecordOf<Type extends DnsType> = Extract<DnsRecord, { readonly type: Type }>;

const recordBase = { name: text, ttl: count };
const pointing = <const Type extends DnsType>(type: Type) => ({
  type: only(type),
  target: text,
  ...recordBase,
});

const dnsRecord = anyOf(
  object<RecordOf<'A'>>({ type: only('A'), address: ip, ...recordBase }),
  object<RecordOf<'AAAA'>>({ type: only('AAAA'), address: text, ...recordBase }),
  object<RecordOf<'CNAME'>>(pointing('CNAME')),
  object<RecordOf<'PTR'>>(pointing('PTR')),
  object<RecordOf<'TXT'>>({ type: only('TXT'), text, ...recordBase }),
  object<RecordOf<'SRV'>>({
    ...pointing('SRV'),
    priority: count,
    weight: count,
    port: count,
  }),
  object<RecordOf<'SOA'>>({
    type: only('SOA'),
    mname: text,
    rname: text,
    serial: count,
    refresh: count,
    retry: count,
    expire: count,
    minimum: count,
    ...recordBase,
  }),
);

/** Of a query's cause there is the code and the step: the whole trace's cause has sentences. */
const queryCause = object<CauseFact>({
  code: enumOf(CAUSE_CODES),
  step: opt(whole),
  origin: from,
  about: opt(about),
  inner: opt(enumOf(CAUSE_CODES)),
  unmodelled: opt(raw({ type: 'string' })),
});

const resolution = object<Resolution>({
  name: described(text, 'As it was asked for.'),
  by: closed<Resolution['by']>()('hosts', 'dns', 'records'),
  resolvConf: object<Resolution['resolvConf']>({
    policy: closed<Resolution['resolvConf']['policy']>()(
      'ClusterFirst',
      'ClusterFirstWithHostNet',
      'Default',
      'None',
      'Node',
    ),
    nameservers: list(text),
    searches: list(text),
    options: list(text),
    ndots: count,
    node: described(flag, "It begins with what the node's own file has, which no input shows."),
  }),
  queries: list(
    object<DnsQuery>({
      name: text,
      type: enumOf(DNS_TYPES),
      server: ip,
      transport: only('udp'),
      takenBy: opt(object<NonNullable<DnsQuery['takenBy']>>({ node: text, netns: text })),
      rcode: opt(described(enumOf(DNS_RCODES), 'Absent: no answer, or nobody knows which.')),
      answers: list(ref<DnsRecord>('DnsRecord')),
      forwarded: opt(described(text, 'The name server asks outside for this name.')),
      disposition,
      symptom,
      cause: opt(queryCause),
      legs: list(leg),
      told: opt(forks),
      alternatives: opt(list(object<Alternative>(alternative))),
    }),
  ),
  outcome: closed<Resolution['outcome']>()('found', 'not-found', 'unreachable', 'unknown'),
  addresses: described(list(ip), 'What the client may connect to, in the order of the answer.'),
  near: opt(described(list(text), 'Names of the cluster that it may have been meant to be.')),
});

const trace = object<Trace>({
  apiVersion: only('k8snet/v1'),
  kind: only('Trace'),
  scenario: text,
  probe: object<TraceProbe>({
    from: endpoint,
    to: endpoint,
    protocol: text,
    port: opt(count),
    sourcePort: opt(count),
    size: opt(count),
  }),
  disposition,
  symptom,
  cause: opt(
    object<Cause>({
      code: enumOf(CAUSE_CODES),
      step: opt(described(whole, 'The step (n) that is the cause.')),
      message: text,
      fix: text,
      check: text,
      remedy: described(remedy, 'What mends it, and what shows it on a real node, as data.'),
      origin: from,
      about: opt(about),
      inner: opt(described(enumOf(CAUSE_CODES), 'Why the query of a name fails.')),
      unmodelled: opt(
        closed<UnmodelledQuestion>()(
          'sctp',
          'ipv6',
          'special-address',
          'balancer-proxy',
          'external-name',
          'range-too-small',
          'dns-over-tcp',
        ),
      ),
    }),
  ),
  resolution: opt(
    described(resolution, 'Where a name was asked for: how it was resolved, before the legs.'),
  ),
  legs: list(leg),
  before: opt(
    described(before, 'Without the faults, or without --set: how the same question fares.'),
  ),
  warm: opt(
    described(warm, 'This is the second probe (--warm): what is otherwise than the first time.'),
  ),
  withFix: opt(
    described(withFix, 'Only with --with-fix: what comes of the fixes, one after the other.'),
  ),
  told: opt(forks),
  alternatives: opt(list(object<Alternative>(alternative))),
  notWalked: opt(
    described(count, 'Ways that nobody walked, since there are too many: so many at least.'),
  ),
  sourceSeen: opt(
    described(
      object<SeenSource>({
        ...socketed,
        rewritten: opt(
          object<NonNullable<SeenSource['rewritten']>>({
            step: whole,
            node: text,
            netns: text,
            was: object<Socketed>(socketed),
          }),
        ),
      }),
      "The source of the request as the server's socket sees it.",
    ),
  ),
  dnat: opt(
    described(
      object<ReachedTarget>({ ...socketed, step: whole }),
      'Where the last rewrite of the destination sends the request.',
    ),
  ),
  assumptions: list(text),
});

const fates = list(object<FateCount>({ disposition, probes: count }));

const traceList = object<TraceList>({
  apiVersion: only('k8snet/v1'),
  kind: only('TraceList'),
  items: described(list(ref<Trace>('Trace')), 'The probes, one after the other.'),
  summary: object<RepeatSummary>({
    probes: count,
    fates,
    targets: described(
      list(
        object<RepeatTarget>({
          choice: alternative.choice,
          name: text,
          address: alternative.address,
          node: alternative.node,
          probes: count,
          fates,
        }),
      ),
      'Where they went; none where there is one way only.',
    ),
    affinity: opt(
      described(
        closed<Affinity>()('pinned', 'none', 'no-choice'),
        'Absent: no two probes came the same way to where a backend is picked.',
      ),
    ),
  }),
});

const definitions: Readonly<Record<string, Json>> = {
  Unknown: unknownValue.json,
  Layer: { oneOf: Object.values<Schema<unknown>>(layers).map(({ json }) => json) },
  Origin: origin.json,
  Tap: tap.json,
  Route: fibEntry.json,
  Rule: rule.json,
  RuleMiss: ruleMiss.json,
  Connection: entry.json,
  PlacedStep: placed.json,
  DnsRecord: dnsRecord.json,
  Step: {
    oneOf: Object.values<readonly Schema<unknown>[]>(steps).flatMap((variants) =>
      variants.map(({ json }) => json),
    ),
  },
};

/** The JSON Schema of a Trace. */
export const traceSchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'k8snet Trace',
  ...trace.json,
  $defs: definitions,
});

/** The JSON Schema of a TraceList. */
export const traceListSchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'k8snet TraceList',
  ...traceList.json,
  $defs: { ...definitions, Trace: trace.json },
});
