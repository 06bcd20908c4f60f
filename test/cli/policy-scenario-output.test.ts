import { describe, expect, it } from 'vitest';
import { ask, type Question } from '../../src/check/ask.ts';
import { judge } from '../../src/check/judge.ts';
import { scenarioOutput } from '../../src/cli/scenario-output.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { engineOf } from '../../src/policy/engine.ts';
import type { PolicyQuestion } from '../../src/policy/verdict.ts';
import { type OpenedScenario, openScenario } from '../../src/scenario/open.ts';

const opened = async (text: string): Promise<OpenedScenario> => {
  const result = await openScenario([{ file: 'policies.yaml', text }]);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  expect(result.diagnostics).toEqual([]);
  return result.scenario;
};

const CLUSTER = `apiVersion: k8snet/v1
kind: Scenario
metadata: {name: acme}
spec: {network: {plugin: bridge, podCIDR: 10.77.0.0/16}, nodes: [{name: acme-1, labels: {acme-rack: acme-r1}}, {name: acme-2}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: acme-shop, labels: {acme-team: acme-blue}}
---
apiVersion: v1
kind: Pod
metadata: {name: acme-web, namespace: acme-shop, labels: {acme-app: acme-web, acme-unused: acme}}
spec: {nodeName: acme-1, containers: [{name: acme, ports: [{containerPort: 80, name: acme-http}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: acme-db, namespace: acme-data, labels: {acme-app: acme-db}}
spec: {nodeName: acme-2, containers: [{name: acme, ports: [{containerPort: 5432, name: acme-sql}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: acme-other, namespace: acme-data, labels: {acme-app: acme-other}}
spec: {nodeName: acme-2, containers: [{name: acme}]}
`;

const network = (name: string, namespace: string, spec: string): string =>
  `---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`;
const tier = (kind: string, name: string, spec: string): string =>
  `---\napiVersion: policy.networking.k8s.io/${kind.startsWith('Cluster') ? 'v1alpha2' : 'v1alpha1'}\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`;

const EVERYBODY = 'subject: {namespaces: {}}';

const CASES: Readonly<Record<string, string>> = {
  'admitted by labels of Pod and namespace, and a named port': network(
    'acme-sql',
    'acme-data',
    '{podSelector: {matchLabels: {acme-app: acme-db}}, ingress: [{from: [{namespaceSelector: {matchLabels: {acme-team: acme-blue}}, podSelector: {matchExpressions: [{key: acme-app, operator: In, values: [acme-web, acme-cache]}, {key: acme-gone, operator: DoesNotExist}]}}], ports: [{port: acme-sql}]}]}',
  ),
  'admitted by the name of the namespace': network(
    'acme-sql',
    'acme-data',
    '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: acme-shop}}}]}]}',
  ),
  'denied by default': network('acme-deny', 'acme-data', '{podSelector: {}, ingress: []}'),
  'denied, since the rule is about others': network(
    'acme-own',
    'acme-data',
    '{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}',
  ),
  'admitted by a range with an exception': network(
    'acme-range',
    'acme-shop',
    '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.77.0.0/24]}}], ports: [{port: 5000, endPort: 6000}]}]}',
  ),
  'denied by the exception of a range': network(
    'acme-range',
    'acme-data',
    '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.77.0.0/16]}}]}]}',
  ),
  'denied by a tier before a policy admits': `${tier(
    'AdminNetworkPolicy',
    'acme-admin',
    `{priority: 5, ${EVERYBODY}, ingress: [{name: acme-rule, action: Deny, from: [{pods: {namespaceSelector: {matchLabels: {acme-team: acme-blue}}, podSelector: {}}}], ports: [{namedPort: acme-sql}, {portRange: {start: 1, end: 9}}]}]}`,
  )}${network('acme-open', 'acme-data', '{podSelector: {}, ingress: [{}]}')}`,
  'passed on, then admitted by the baseline': tier(
    'ClusterNetworkPolicy',
    'acme-pass',
    `{tier: Admin, priority: 5, ${EVERYBODY}, egress: [{action: Pass, to: [{networks: [10.77.0.0/16]}], protocols: [{tcp: {destinationPort: {number: 5432}}}]}, {action: Deny, to: [{nodes: {matchLabels: {acme-rack: acme-r1}}}, {networks: [10.0.0.0/8]}]}]}`,
  ),
  'denied by the baseline': tier(
    'BaselineAdminNetworkPolicy',
    'default',
    `{${EVERYBODY}, egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}]}]}`,
  ),
};

const QUESTION: Question = { from: 'acme-shop/acme-web', to: 'acme-data/acme-db', port: 5432 };

/** What policies say about the connection, on both sides. */
const decisions = (cluster: Cluster, names: readonly [string, string]) => {
  const engine = engineOf(cluster);
  const [from, to] = names.map((name) => cluster.pods.findIndex((pod) => pod.name === name));
  if (from === undefined || to === undefined) throw new Error('no such Pod');
  const of = (direction: PolicyQuestion['direction'], subject: number, pod: number) => {
    const { decision, by } = engine.judge({
      direction,
      subject,
      peer: { kind: 'pod', pod },
      protocol: 'tcp',
      port: 5432,
    });
    return `${decision} ${by.kind}${by.kind === 'rule' ? ` ${by.tier} ${by.rule}` : ''}`;
  };
  return [of('egress', from, to), of('ingress', to, from)];
};

describe.each(Object.entries(CASES))(
  'a small scenario of a connection that is %s',
  (_, policies) => {
    const small = async (redacted: boolean): Promise<string> => {
      const scenario = await opened(CLUSTER + policies);
      const answer = ask(scenario, QUESTION);
      if (!answer.ok) throw new Error(JSON.stringify(answer.diagnostics));
      const output = await scenarioOutput(answer.facts, scenario, QUESTION, { redacted });
      if (!output.ok) throw new Error(output.diagnostic.message);
      return output.text;
    };

    it('has its policies, and their labels alone', async () => {
      const text = await small(false);
      const again = await opened(text);
      const wanted = decisions((await opened(CLUSTER + policies)).cluster, ['acme-web', 'acme-db']);
      expect(decisions(again.cluster, ['acme-web', 'acme-db'])).toEqual(wanted);
      expect(text).not.toMatch(/acme-unused|acme-other/);
      expect(judge(again).map((one) => one.kind === 'traced' && one.differences)).toEqual([[]]);
    });

    it('has them with neutral names', async () => {
      const text = await small(true);
      const again = await opened(text);
      const wanted = decisions((await opened(CLUSTER + policies)).cluster, ['acme-web', 'acme-db']);
      // In order of namespace: that of the data comes first.
      expect(decisions(again.cluster, ['pod-2', 'pod-1'])).toEqual(wanted);
      expect(text).not.toMatch(/acme|10\.77\./);
      expect(text).toMatch(/kind: \w+Policy/);
    });
  },
);

it('the engine of policies is kept', async () => {
  const spec = CLUSTER.replace('spec: {network', 'spec: {policyEngine: nftables, network');
  const scenario = await opened(spec);
  const answer = ask(scenario, QUESTION);
  if (!answer.ok) throw new Error(JSON.stringify(answer.diagnostics));
  for (const redacted of [false, true]) {
    const output = await scenarioOutput(answer.facts, scenario, QUESTION, { redacted });
    expect(output.ok && output.text).toContain('policyEngine: nftables');
  }
});
