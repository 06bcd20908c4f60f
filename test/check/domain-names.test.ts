/** A rule about names of domains leaves a trace open only where it makes a difference. */
import { describe, expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { openScenario } from '../../src/scenario/open.ts';

const INPUT = `apiVersion: k8snet/v1
kind: Scenario
metadata: { name: names }
spec: { policyEngine: nftables }
---
apiVersion: v1
kind: Pod
metadata: { name: client }
spec: { containers: [{ name: app, image: x }] }
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: { name: names }
spec:
  priority: 10
  subject: { namespaces: {} }
  egress:
    - { action: Allow, to: [{ domainNames: [example.com] }] }
    - { action: Allow, to: [{ domainNames: ['*.example.org'] }] }
    - { action: Deny, to: [{ networks: [0.0.0.0/0] }], ports: [{ portNumber: { protocol: TCP, port: 80 } }] }
`;

const ADMITS = `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: outside }
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{ to: [{ ipBlock: { cidr: 203.0.113.0/24 } }], ports: [{ port: 443 }] }]
`;

const factsOf = async (text: string, port: number) => {
  const opened = await openScenario([{ file: 'names.yaml', text }]);
  if (!opened.ok) throw new Error(JSON.stringify(opened.diagnostics));
  const answer = ask(opened.scenario, { from: 'client', to: 'external', protocol: 'tcp', port });
  if (!answer.ok) throw new Error('cannot be asked');
  return answer.facts;
};

describe('rules about names of domains', () => {
  it('make no difference where what comes after them lets the packet through', async () => {
    expect(await factsOf(INPUT, 443)).toMatchObject({ disposition: 'delivered' });
    expect(await factsOf(INPUT + ADMITS, 443)).toMatchObject({ disposition: 'delivered' });
  });

  it('make one where a rule or a default deny comes after them', async () => {
    const open = { disposition: 'inconclusive', cause: { code: 'FACT_MISSING' } };
    expect(await factsOf(INPUT, 80)).toMatchObject(open);
    expect(await factsOf(INPUT + ADMITS, 8443)).toMatchObject(open);
  });
});
