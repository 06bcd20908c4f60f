/** The JSON Schema (draft 2020-12) of `k8snet diff -o json`, held to the types by the compiler. */
import { CAUSE_CODES, DISPOSITIONS, STEP_KINDS, SYMPTOMS } from '../../trace/codes.ts';
import {
  anyOf,
  closed,
  complete,
  count,
  described,
  enumOf,
  flag,
  type Json,
  list,
  object,
  only,
  opt,
  text,
} from '../../trace/schema/typed-schema.ts';
import type { AllowedPorts } from '../matrix/matrix.ts';
import type { DiffPlace, SideName } from './change.ts';
import type {
  ConnectionChange,
  Diff,
  DiffSide,
  DiffSummary,
  DiffWarning,
  IsolationChange,
  PeerChanges,
} from './diff.ts';
import type { PathChange, PathDiff, PathEnd, PathRow } from './path-diff.ts';
import type { PolicyEdit } from './policy-edits.ts';
import type { ConnectionWhy, LabelsWhy, NamedPortWhy, VerdictWhy, WhyPolicy } from './why.ts';

const sideName = closed<SideName>()('base', 'head');
const line = { line: opt(count), column: opt(count) };
const protocol = closed<AllowedPorts['protocol']>()('TCP', 'UDP', 'SCTP');
const direction = closed<VerdictWhy['direction']>()('ingress', 'egress');
const id = described(
  text,
  'Of a peer, as in a Matrix: ns/name[Kind], namespace:NAME, ipblock:FIRST-LAST, {ingress-controller}.',
);

const allowed = list(
  object<AllowedPorts>({ protocol, ports: described(text, '80-90,443; 1-65535 means all.') }),
);

const side = object<DiffSide>({
  inputs: described(list(text), 'As the command line has them.'),
  peers: count,
  connections: count,
});

const summary = object<DiffSummary>({
  opened: count,
  closed: count,
  changed: count,
  added: count,
  removed: count,
  unchanged: count,
  peersAdded: count,
  peersRemoved: count,
  pathsChanged: count,
  pathsUnchanged: count,
});

const peers = object<PeerChanges>({
  added: described(list(id), 'Only HEAD has them.'),
  removed: described(list(id), 'Only BASE has them.'),
  renamed: described(
    list(object<PeerChanges['renamed'][number]>({ base: id, head: id })),
    'The same top controller under another id.',
  ),
  isolation: list(
    object<IsolationChange>({
      id,
      direction,
      isolated: described(flag, 'On HEAD; on BASE it is the other way round.'),
    }),
  ),
});

const whyPolicy = object<WhyPolicy>({
  kind: text,
  namespace: opt(text),
  name: text,
  rule: opt(described(count, 'The rule that decides, from 0; the place is its own then.')),
  edit: opt(closed<PolicyEdit>()('added', 'removed', 'edited')),
  file: opt(text),
  ...line,
});

const verdictWhy = object<VerdictWhy>({
  kind: only('policies'),
  side: sideName,
  direction,
  decision: closed<VerdictWhy['decision']>()('allow', 'deny', 'unknown'),
  by: described(
    closed<VerdictWhy['by']>()('exempt', 'not-isolated', 'rule', 'default-deny'),
    'default-deny: the policies isolate the peer together, and none of them admits.',
  ),
  protocol,
  port: described(count, 'One port of those that have changed.'),
  policies: list(whyPolicy),
});

const labelsWhy = object<LabelsWhy>({
  kind: closed<LabelsWhy['kind']>()('namespace-labels', 'pod-labels'),
  of: described(text, "The namespace; the peer's id."),
  labels: list(
    object<LabelsWhy['labels'][number]>({ key: text, base: opt(text), head: opt(text) }),
  ),
});

const namedPortWhy = object<NamedPortWhy>({
  kind: only('named-port'),
  of: id,
  name: text,
  base: count,
  head: count,
});

const connection = object<ConnectionChange>({
  change: described(
    closed<ConnectionChange['change']>()('opened', 'closed', 'changed', 'added', 'removed'),
    'added, removed: with a peer that one side does not have.',
  ),
  src: id,
  dst: id,
  base: described(allowed, 'Empty: nothing.'),
  head: allowed,
  opened: described(allowed, 'What HEAD allows and BASE does not.'),
  closed: described(allowed, 'What BASE allows and HEAD does not.'),
  why: list(complete<ConnectionWhy>()(anyOf(verdictWhy, labelsWhy, namedPortWhy))),
});

const pathEnd = object<PathEnd>({
  disposition: enumOf<PathEnd['disposition']>(DISPOSITIONS),
  symptom: enumOf<PathEnd['symptom']>(SYMPTOMS),
  cause: opt(enumOf<string>(CAUSE_CODES)),
  protocol: text,
  port: opt(count),
});

const WHATS = ['question', 'disposition', 'symptom', 'cause', 'port', 'name', 'way', 'leg', 'hop'];

const pathChange = object<PathChange>({
  what: enumOf<PathChange['what']>([...WHATS, ...STEP_KINDS] as PathChange['what'][]),
  packet: opt(text),
  place: opt(text),
  base: opt(text),
  head: opt(text),
});

const path = object<PathDiff>({
  from: text,
  to: text,
  protocol: opt(text),
  port: opt(count),
  size: opt(count),
  namespace: opt(text),
  set: opt(
    described(list(text), 'What its Expectations change in the Scenario first: FIELD=VALUE.'),
  ),
  at: opt(
    described(
      object<DiffPlace>({ file: text, ...line }),
      'Where it is expected; absent: it was asked for.',
    ),
  ),
  base: opt(described(pathEnd, 'Absent: the question cannot be asked there.')),
  head: opt(pathEnd),
  changes: described(list(pathChange), 'Empty: the same path.'),
  rows: described(
    list(
      object<PathRow>({
        kind: closed<PathRow['kind']>()('name', 'way', 'leg', 'hop', 'step'),
        base: opt(text),
        head: opt(text),
        same: flag,
      }),
    ),
    'Both paths side by side, in the words of trace --minimal; empty: the same path.',
  ),
});

const diff = object<Diff>({
  apiVersion: only('k8snet/v1'),
  kind: only('Diff'),
  base: side,
  head: side,
  summary,
  peers,
  connections: list(connection),
  paths: list(path),
  warnings: list(
    object<DiffWarning>({
      code: text,
      message: text,
      file: opt(text),
      ...line,
      side: opt(described(sideName, 'Absent: of both.')),
    }),
  ),
});

/** The schema that `k8snet schema diff` prints. */
export const diffSchema = (): Json => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'k8snet Diff',
  description: 'What a change does to connections and paths: k8snet diff -o json.',
  ...diff.json,
});
