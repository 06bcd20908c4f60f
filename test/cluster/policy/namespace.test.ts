import { describe, expect, it } from 'vitest';
import { selects } from '../../../src/cluster/policy/selects.ts';
import { codesOf, podNamed, resolveYaml } from '../cluster-of.ts';
import { tierPolicy } from './read.ts';

const SHOP = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: a}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: app}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: other, namespace: used, labels: {app: web}}, spec: {containers: [{name: app}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, namespace: empty}, spec: {podSelector: {}}}
`;

describe('namespaces', () => {
  it('have their labels, and their name, also where they are only used', async () => {
    const { cluster, diagnostics } = await resolveYaml(SHOP);
    expect(Object.fromEntries(cluster.namespaceLabels)).toEqual({
      default: { 'kubernetes.io/metadata.name': 'default' },
      empty: { 'kubernetes.io/metadata.name': 'empty' },
      shop: { team: 'a', 'kubernetes.io/metadata.name': 'shop' },
      used: { 'kubernetes.io/metadata.name': 'used' },
    });
    expect(cluster.namespaces).toEqual([...cluster.namespaceLabels.keys()]);
    expect(diagnostics).toEqual([]);
  });

  it('do not choose their name', async () => {
    const { cluster, diagnostics } = await resolveYaml(
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {kubernetes.io/metadata.name: b}}\n',
    );
    expect(cluster.namespaceLabels.get('a')).toEqual({ 'kubernetes.io/metadata.name': 'a' });
    expect(codesOf(diagnostics)).toEqual(['warning bad-value']);
  });
});

describe('a policy selects', () => {
  const selected = async (policy: string): Promise<string[]> => {
    const { cluster } = await resolveYaml(`${SHOP}---\n${policy}`);
    const found = cluster.policies.find(({ name }) => name === 'one');
    return ['web', 'other'].filter(
      (name) => found && selects(cluster, found, podNamed(cluster, name)),
    );
  };
  const own = (namespace: string, selector: string): string =>
    `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: one, namespace: ${namespace}}, spec: {podSelector: ${selector}}}\n`;
  const tier = (subject: string): string =>
    tierPolicy('AdminNetworkPolicy', `spec: {priority: 1, subject: ${subject}}`);

  it.each<[string, string, string[]]>([
    ['every Pod of its namespace', own('shop', '{}'), ['web']],
    ['by labels', own('used', '{matchLabels: {app: web}}'), ['other']],
    ['nobody with other labels', own('shop', '{matchLabels: {app: db}}'), []],
    [
      'by the absence of a label',
      own('shop', '{matchExpressions: [{key: x, operator: DoesNotExist}]}'),
      ['web'],
    ],
    ['every Pod', tier('{namespaces: {}}'), ['web', 'other']],
    ['Pods of labelled namespaces', tier('{namespaces: {matchLabels: {team: a}}}'), ['web']],
    [
      'Pods of a named namespace',
      tier('{namespaces: {matchLabels: {kubernetes.io/metadata.name: used}}}'),
      ['other'],
    ],
    [
      'by both selectors',
      tier(
        '{pods: {namespaceSelector: {matchLabels: {team: a}}, podSelector: {matchLabels: {app: db}}}}',
      ),
      [],
    ],
    ['nobody without a subject', tier('{}'), []],
  ])('%s', async (_, policy, expected) => {
    expect(await selected(policy)).toEqual(expected);
  });
});
