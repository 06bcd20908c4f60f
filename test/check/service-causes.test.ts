import { describe, expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { openBuiltIn, openScenario } from '../../src/scenario/open.ts';

const pod = (name: string, node: string, more = ''): string => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name} } }
spec: { nodeName: ${node}, containers: [{ name: app, image: x${more} }] }
`;

const service = (name: string, ip: string, spec: string, vip: string): string => `---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { type: LoadBalancer, clusterIP: ${ip}, ports: [{ port: 80, targetPort: 8080 }], ${spec} }
status: { loadBalancer: { ingress: [{ ip: ${vip} }] } }
`;

const open = async (mode: string, plugin = 'flannel') => {
  const text = `apiVersion: k8snet/v1
kind: Scenario
metadata: { name: causes }
spec: { network: { plugin: ${plugin} }, nodes: [{ name: node-1 }, { name: node-2 }], kubeProxy: { mode: ${mode} } }
${pod('client', 'node-1')}${pod('web', 'node-2', ', ports: [{ containerPort: 8080 }]')}
${service('web', '10.96.0.20', 'selector: { app: web }', '198.51.100.7')}
${service('empty', '10.96.0.21', 'selector: { app: nobody }', '198.51.100.8')}
${service('ranged', '10.96.0.22', 'selector: { app: web }, loadBalancerSourceRanges: [10.0.0.0/8]', '198.51.100.9')}
---
apiVersion: v1
kind: Service
metadata: { name: near }
spec: { clusterIP: 10.96.0.23, internalTrafficPolicy: Local, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
`;
  const result = await openScenario([{ file: 'causes.yaml', text }]);
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join('\n'));
  return result.scenario;
};

/** Whom a question blames, in each mode: disposition and cause. */
const cases = [
  ['a port that is not declared', 'client', 'svc/web:81', 'tcp'],
  ['a protocol that is not declared', 'client', '10.96.0.20:80', 'udp'],
  ['an address that no Service has', 'client', '10.96.9.9:80', 'tcp'],
  ['a VIP without endpoints, from the node itself', 'node/node-1', '198.51.100.8:80', 'tcp'],
  ['a Local policy without a local endpoint', 'client', 'svc/near', 'tcp'],
  ['a sender outside the source ranges, the node itself', 'node/node-1', '198.51.100.9:80', 'tcp'],
] as const;

const expected = {
  iptables: [
    'dropped SVC_PORT_MISMATCH',
    'dropped SVC_PORT_MISMATCH',
    'dropped SVC_NOT_FOUND',
    // It leaves, and the balancer sends it to any node: back to its own, or to another, which refuses.
    'ambiguous SVC_NO_ENDPOINTS',
    'dropped SVC_NO_LOCAL_ENDPOINT',
    'dropped SVC_SOURCE_RANGE_DENIED',
  ],
  nftables: [
    'rejected SVC_PORT_MISMATCH',
    'rejected SVC_PORT_MISMATCH',
    'dropped SVC_NOT_FOUND',
    'rejected SVC_NO_ENDPOINTS',
    'dropped SVC_NO_LOCAL_ENDPOINT',
    'dropped SVC_SOURCE_RANGE_DENIED',
  ],
  ipvs: [
    'rejected SVC_PORT_MISMATCH',
    'rejected SVC_PORT_MISMATCH',
    'dropped SVC_NOT_FOUND',
    'rejected SVC_NO_ENDPOINTS',
    'rejected SVC_NO_LOCAL_ENDPOINT',
    'inconclusive MODEL_UNSUPPORTED',
  ],
  none: [
    'dropped SVC_PORT_MISMATCH',
    'dropped SVC_PORT_MISMATCH',
    'dropped SVC_NOT_FOUND',
    'ambiguous SVC_PROXY_NOT_PROGRAMMED',
    'dropped SVC_PROXY_NOT_PROGRAMMED',
    'ambiguous SVC_PROXY_NOT_PROGRAMMED',
  ],
} as const;

describe.each(Object.entries(expected))('causes of Services in mode %s', (mode, verdicts) => {
  it.each(cases.map((one, at) => [...one, verdicts[at]] as const))(
    '%s',
    async (_, from, to, protocol, verdict) => {
      const answer = ask(await open(mode), { from, to, protocol });
      if (!answer.ok) throw new Error(JSON.stringify(answer));
      expect(`${answer.facts.disposition} ${answer.facts.cause?.code}`).toBe(verdict);
    },
  );
});

it('blames the port that sends nothing back for the answer of a Pod to itself, too', async () => {
  const answer = ask(await open('ipvs', 'bridge'), { from: 'web', to: 'svc/web' });
  if (!answer.ok) throw new Error(JSON.stringify(answer));
  expect(answer.facts).toMatchObject({
    disposition: 'reply-lost',
    cause: { code: 'HAIRPIN_MODE_OFF', about: { node: 'node-2' } },
  });
});

describe('rules that are not there', () => {
  const rulesOf = async (options: Parameters<typeof openBuiltIn>[1]) => {
    const opened = await openBuiltIn('services/affinity', options);
    if (!opened.ok) throw new Error('does not open');
    const answer = ask(opened.scenario, { from: 'client', to: 'svc/free' });
    if (!answer.ok) throw new Error('cannot be asked');
    const { code, about } = answer.facts.cause ?? {};
    return [code, about?.rules];
  };

  it('were never written in mode none', async () => {
    expect(await rulesOf({ set: ['kubeProxy.mode=none'] })).toEqual([
      'SVC_PROXY_NOT_PROGRAMMED',
      'never-written',
    ]);
  });

  it('are gone where a fault deleted them', async () => {
    const broken = ['node/node-1: iptables -t nat -D PREROUTING 1'];
    expect(await rulesOf({ break: broken })).toEqual(['SVC_PROXY_NOT_PROGRAMMED', 'gone']);
  });
});

it('knows a Pod on its node’s network by its own name, among the backends', async () => {
  const text = `${pod('client', 'node-1')}${pod('web', 'node-1', ', ports: [{ containerPort: 8080 }]')}
---
apiVersion: v1
kind: Pod
metadata: { name: agent, labels: { app: web } }
spec: { nodeName: node-2, hostNetwork: true, containers: [{ name: app, image: x, ports: [{ containerPort: 8080 }] }] }
${service('web', '10.96.0.20', 'selector: { app: web }', '198.51.100.7')}`;
  const result = await openScenario([{ file: 'agent.yaml', text }]);
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join('\n'));
  const question = { from: 'client', to: 'svc/web', backend: 'agent' };
  expect(ask(result.scenario, question)).toMatchObject({
    facts: { disposition: 'delivered', told: { name: 'default/agent' } },
  });
});
