import { describe, expect, it } from 'vitest';
import { ask } from '../../../src/check/ask.ts';
import { openScenario } from '../../../src/scenario/open.ts';

/** A Service whose balancer asks each node whether it has an endpoint; no Pod is behind it. */
const open = async (kubeProxy: string) => {
  const text = `apiVersion: k8snet/v1
kind: Scenario
metadata: { name: health }
spec: { nodes: [{ name: node-1 }, { name: node-2 }], kubeProxy: ${kubeProxy} }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  healthCheckNodePort: 31000
  selector: { app: web }
  ports: [{ name: a, port: 80 }, { name: b, port: 81 }]
`;
  const result = await openScenario([{ file: 'health.yaml', text }]);
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join('\n'));
  return result.scenario;
};

describe('kube-proxy answers the health checks of balancers', () => {
  it.each([
    ['{ mode: iptables }', 'node/node-2', 'delivered'],
    ['{ mode: iptables }', '127.0.0.1', 'delivered'],
    ['{ mode: iptables, nodePortAddresses: [192.168.10.0/24] }', '127.0.0.1', 'refused'],
    ['{ mode: ipvs }', 'node/node-2', 'delivered'],
    ['{ mode: nftables }', 'node/node-2', 'delivered'],
    ['{ mode: nftables }', '127.0.0.1', 'refused'],
    ['{ mode: none }', 'node/node-2', 'refused'],
  ])('%s: %s is %s', async (kubeProxy, to, disposition) => {
    const answer = ask(await open(kubeProxy), { from: 'node/node-2', to, port: 31000 });
    expect(answer.ok && answer.facts.disposition).toBe(disposition);
  });
});
