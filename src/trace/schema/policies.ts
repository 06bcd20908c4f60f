/** The schema of what policies say about a packet. */
import type { Origin } from '../../kernel/origin.ts';
import type { PolicyFacts, PolicyLack, PolicyRow, PolicyRuleRow } from '../policies.ts';
import { closed, count, described, flag, ip, list, object, opt, text } from './typed-schema.ts';

const at = opt(
  object<NonNullable<Origin['at']>>({ file: text, line: opt(count), column: opt(count) }),
);

const lack = object<PolicyLack>({
  what: closed<PolicyLack['what']>()(
    'pod-label',
    'namespace-label',
    'namespace',
    'address',
    'kind',
    'protocol',
    'port',
  ),
  wanted: text,
  found: described(text, 'Empty: nothing of that kind.'),
});

const rule = object<PolicyRuleRow>({
  index: described(count, 'From 0.'),
  name: opt(text),
  peer: flag,
  port: flag,
  peers: list(text),
  ports: list(text),
  lacks: opt(list(lack)),
  at,
});

const row = object<PolicyRow>({
  kind: text,
  namespace: opt(text),
  name: text,
  tier: closed<PolicyRow['tier']>()('admin', 'network-policy', 'baseline'),
  priority: opt(count),
  outcome: closed<PolicyRow['outcome']>()(
    'accepts',
    'denies',
    'passes',
    'silent',
    'unknown',
    'not-asked',
  ),
  rules: count,
  rule: opt(rule),
  at,
});

export const policyFacts = object<PolicyFacts>({
  direction: closed<PolicyFacts['direction']>()('ingress', 'egress'),
  pod: text,
  peer: object<PolicyFacts['peer']>({
    ip,
    name: opt(text),
    kind: closed<PolicyFacts['peer']['kind']>()('pod', 'node', 'outside'),
  }),
  protocol: text,
  port: opt(count),
  decision: described(
    closed<PolicyFacts['decision']>()('allow', 'deny', 'unknown'),
    'What the policies come to, whether or not anybody enforces them.',
  ),
  by: closed<PolicyFacts['by']>()(
    'self',
    'own-node',
    'host-network',
    'not-isolated',
    'rule',
    'default-deny',
  ),
  policies: described(list(row), 'Those that select the Pod, in the order of evaluation.'),
});
