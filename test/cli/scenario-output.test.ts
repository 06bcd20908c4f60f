import { describe, expect, it } from 'vitest';
import { ask, type Question } from '../../src/check/ask.ts';
import { judge } from '../../src/check/judge.ts';
import { scenarioOutput } from '../../src/cli/scenario-output.ts';
import { namesOf } from '../../src/explain/telling.ts';
import { traceMinimal } from '../../src/render/trace-minimal.ts';
import { type Input, type OpenedScenario, openScenario } from '../../src/scenario/open.ts';
import { minimalOf } from '../../src/trace/minimal.ts';
import { openFile, scenarioFiles } from '../scenarios.ts';

const opened = async (inputs: readonly Input[], set: string[] = []): Promise<OpenedScenario> => {
  const result = await openScenario(inputs, { set });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.scenario;
};

const factsOf = (scenario: OpenedScenario, question: Question) => {
  const answer = ask(scenario, question);
  if (!answer.ok) throw new Error(JSON.stringify(answer.diagnostics));
  return answer.facts;
};

const minimal = (scenario: OpenedScenario, question: Question): string => {
  const facts = factsOf(scenario, question);
  return traceMinimal(minimalOf(facts, namesOf(scenario.world)), facts);
};

const textOf = async (scenario: OpenedScenario, question: Question, redacted = false) => {
  const output = await scenarioOutput(factsOf(scenario, question), scenario, question, {
    redacted,
  });
  if (!output.ok) throw new Error(output.diagnostic.message);
  return output.text;
};

describe.each(scenarioFiles)('the small scenario of %s', async (file) => {
  const scenario = await openFile(file);
  const questions = scenario.expectations.map(({ from, to, port, protocol, size, backend }) => ({
    from,
    to,
    port,
    protocol,
    size,
    backend,
  }));

  it.each(questions)('$from to $to gives the same trace', async (question) => {
    const text = await textOf(scenario, question);
    const again = await opened([{ file: 'small.yaml', text }]);
    expect(minimal(again, question)).toBe(minimal(scenario, question));
    expect(judge(again).map((one) => one.kind === 'traced' && one.differences)).toEqual([[]]);
    expect(await textOf(scenario, question)).toBe(text);
  });

  it.each(questions)('$from to $to, redacted, does so too', async (question) => {
    const text = await textOf(scenario, question, true);
    const again = await opened([{ file: 'small.yaml', text }]);
    expect(judge(again).map((one) => one.kind === 'traced' && one.differences)).toEqual([[]]);
    const [expectation] = again.expectations;
    if (!expectation) throw new Error('expects nothing');
    const small = await opened([{ file: 'small.yaml', text: await textOf(again, expectation) }]);
    expect(minimal(small, expectation)).toBe(minimal(again, expectation));
  });
});

const SECRETS = [
  'acme',
  'crystal',
  'quartz',
  'ruby',
  'opal',
  'jade',
  'secret',
  '10.77.',
  '10.88.',
  '172.19.',
];

const CLUSTER = `
apiVersion: k8snet/v1
kind: Scenario
metadata: { name: acme-prod }
spec:
  description: The secret cluster of acme.
  network: { plugin: PLUGIN, podCIDR: 10.77.0.0/16, serviceCIDR: 10.88.0.0/16 }
  underlay: { cidr: 172.19.0.0/20, mtu: 1400 }
  nodes:
    - { name: crystal-1.acme.internal, labels: { acme.io/zone: ruby }, addresses: [172.19.3.4], podCIDR: 10.77.4.0/24 }
    - { name: crystal-2.acme.internal, addresses: [172.19.7.9], podCIDR: 10.77.9.0/24, sysctl: { net.ipv4.ip_forward: 1 } }
    - { name: crystal-3.acme.internal, addresses: [172.19.7.10], podCIDR: 10.77.10.0/24 }
---
apiVersion: v1
kind: Pod
metadata:
  name: quartz-7f9c-abcde
  namespace: jade
  labels: { app: quartz, acme.io/team: secret-team }
  annotations: { acme.io/secret: opal, k8snet/listen: 8443/tcp }
  ownerReferences: [{ apiVersion: apps/v1, kind: Deployment, name: quartz, controller: true }]
spec:
  nodeName: crystal-1.acme.internal
  containers: [{ name: opal-app, image: acme.example/opal:secret, ports: [{ name: secret, containerPort: 8443 }] }]
status: { phase: Running, podIP: 10.77.4.23 }
---
apiVersion: v1
kind: Pod
metadata: { name: ruby, namespace: opal-system, labels: { app: ruby } }
spec:
  nodeName: crystal-2.acme.internal
  initContainers: [{ name: jade-proxy, image: acme.example/jade, restartPolicy: Always }]
  containers: [{ name: ruby-app, image: acme.example/ruby, readinessProbe: { tcpSocket: { port: 9999 } } }]
status: { phase: Running, podIP: 10.77.9.200 }
---
apiVersion: v1
kind: Pod
metadata: { name: jade-agent, namespace: opal-system }
spec: { nodeName: crystal-1.acme.internal, hostNetwork: true, containers: [{ name: secret-agent, ports: [{ containerPort: 9100 }] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: bystander-acme, namespace: jade }
spec: { nodeName: crystal-3.acme.internal, containers: [{ name: x }] }
status: { phase: Running, podIP: 10.77.10.5 }
---
apiVersion: v1
kind: Service
metadata: { name: ruby, namespace: opal-system }
spec: { selector: { app: ruby }, clusterIP: 10.88.1.1, ports: [{ port: 80, targetPort: 9999 }] }
`;

const cluster = (plugin: string, faults: readonly string[] = []): Promise<OpenedScenario> =>
  openScenario([{ file: 'acme.yaml', text: CLUSTER.replace('PLUGIN', plugin) }], {
    break: faults,
  }).then((result) => {
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
    return result.scenario;
  });

const NODE_1 = 'node/crystal-1.acme.internal';
const NODE_2 = 'node/crystal-2.acme.internal';

describe('a redacted scenario', () => {
  it.each<[string, string, string, string, readonly string[]]>([
    ['a Pod by its workload', 'flannel', 'jade/deploy/quartz', 'opal-system/ruby:9999', []],
    ['the bridge plugin', 'bridge', 'opal-system/ruby', 'jade/deploy/quartz:8443', []],
    ['a container', 'flannel', 'opal-system/ruby:ruby-app', 'opal-system/ruby:jade-proxy', []],
    ['a Pod on its node', 'flannel', 'opal-system/ruby', 'opal-system/jade-agent:9100', []],
    ['an address', 'flannel', 'opal-system/ruby', '10.77.4.23:8443', []],
    ['an address of nobody', 'flannel', 'opal-system/ruby', '10.77.4.99:8443', []],
    ['an address outside', 'flannel', 'opal-system/ruby', '9.9.9.9:53', []],
    ['a node', 'flannel', NODE_1, `${NODE_2}:10250`, []],
    ['a refusal', 'flannel', 'opal-system/ruby', 'jade/quartz-7f9c-abcde:1', []],
    [
      'a route that is gone',
      'flannel',
      'jade/deploy/quartz',
      'opal-system/ruby:9999',
      [`${NODE_1}: ip route del 10.77.9.0/24`],
    ],
    [
      'a rule with a remark',
      'flannel',
      'jade/deploy/quartz',
      'opal-system/ruby:9999',
      [
        `${NODE_2}: iptables -I FORWARD -s 10.77.4.23 -p tcp --dport 9999 -m comment --comment "secret of acme" -j DROP`,
      ],
    ],
    [
      'a route elsewhere',
      'flannel',
      'jade/deploy/quartz',
      'opal-system/ruby:9999',
      [`${NODE_1}: ip route replace 10.77.9.0/24 via 172.19.7.10 dev eth0`],
    ],
    [
      'a fault in a Pod, and one that does not matter',
      'flannel',
      'jade/deploy/quartz',
      'opal-system/ruby:9999',
      [
        'pod/opal-system/ruby: ip link set eth0 down',
        'node/crystal-3.acme.internal: ip route add blackhole 10.5.0.0/16',
      ],
    ],
  ])('of %s holds nothing of the original', async (_, plugin, from, to, faults) => {
    const scenario = await cluster(plugin, faults);
    const question = { from, to };
    const text = await textOf(scenario, question, true);
    expect(SECRETS.filter((secret) => text.includes(secret))).toEqual([]);
    // The third node is there only where the packet passes it.
    expect(text.includes('node-3')).toBe(faults.some((fault) => fault.includes('via')));
    const again = await opened([{ file: 'small.yaml', text }]);
    expect(judge(again).map((one) => one.kind === 'traced' && one.differences)).toEqual([[]]);
    const facts = factsOf(scenario, question);
    expect(judge(again)).toMatchObject([
      { facts: { disposition: facts.disposition, symptom: facts.symptom } },
    ]);
  });

  it('follows a fault on devices whose names depend on the Pod', async () => {
    const whole = await cluster('flannel');
    const node = whole.world.host('crystal-1.acme.internal').netns.get('host');
    const veth = node?.devices.find(({ kind }) => kind === 'veth')?.ifname ?? '';
    const mac = node?.neighbours.find(({ ip }) => ip === '10.77.9.0')?.lladdr ?? '';
    for (const run of [
      `ip link set ${veth} down`,
      `bridge fdb del ${mac} dev flannel.1 dst 172.19.7.9`,
    ]) {
      const scenario = await cluster('flannel', [`${NODE_1}: ${run}`]);
      const question = { from: 'jade/deploy/quartz', to: 'opal-system/ruby:9999' };
      const text = await textOf(scenario, question, true);
      expect(text).not.toContain(veth);
      expect(text).not.toContain(mac);
      expect(text).toContain('faults:');
    }
  });
});

describe('a small scenario', () => {
  it('keeps only what the trace touched, and the question as it was typed', async () => {
    const scenario = await cluster('flannel', [`${NODE_2}: ip link set flannel.1 down`]);
    const question = { from: 'deploy/quartz', to: 'opal-system/ruby:9999', namespace: 'jade' };
    const text = await textOf(scenario, question);
    expect(text).not.toMatch(/bystander|crystal-3|jade-agent|Service/);
    const again = await opened([{ file: 'small.yaml', text }]);
    expect(minimal(again, question)).toBe(minimal(scenario, question));
    expect(again.expectations).toMatchObject([
      { from: 'jade/quartz-7f9c-abcde', to: 'opal-system/ruby', cause: 'LINK_DOWN' },
    ]);
  });

  it.each([
    ['a hostPort', 'hostPort: 31000', 'Pod', 31_000],
    ['a NodePort', 'name: x', 'Service', 31_001],
  ])('takes more where that decides: %s', async (_, port, kind, asked) => {
    const text = `${CLUSTER.replace('PLUGIN', 'flannel')}---
apiVersion: v1
kind: Pod
metadata: { name: far }
spec:
  nodeName: crystal-2.acme.internal
  containers: [{ name: far, ports: [{ containerPort: 80, ${port} }] }]
---
apiVersion: v1
kind: Service
metadata: { name: garnet, namespace: opal-system }
spec: { type: NodePort, selector: { app: ruby }, ports: [{ name: web, port: 81, targetPort: 9999, nodePort: 31001 }] }
`;
    const scenario = await opened([{ file: 'acme.yaml', text }]);
    const question = { from: 'jade/deploy/quartz', to: `${NODE_2}:${asked}` };
    const small = await textOf(scenario, question);
    expect(small).toContain(`kind: ${kind}`);
    const again = await opened([{ file: 'small.yaml', text: small }]);
    expect(minimal(again, question)).toBe(minimal(scenario, question));
    expect(factsOf(again, question).cause?.unmodelled).toBe(
      factsOf(scenario, question).cause?.unmodelled,
    );
    expect(await textOf(scenario, question, true)).not.toContain('acme');
  });
});

const SHOP = `
apiVersion: k8snet/v1
kind: Scenario
metadata: { name: acme }
spec:
  network: { plugin: bridge, podCIDR: 10.77.0.0/16, serviceCIDR: 10.88.0.0/16 }
  underlay: { cidr: 172.19.0.0/20 }
  nodes:
    - { name: crystal-1, addresses: [172.19.3.4], podCIDR: 10.77.4.0/24, labels: { topology.kubernetes.io/zone: ruby-a } }
    - { name: crystal-2, addresses: [172.19.7.9], podCIDR: 10.77.9.0/24, labels: { topology.kubernetes.io/zone: ruby-b } }
---
apiVersion: v1
kind: Pod
metadata: { name: quartz, namespace: jade }
spec:
  nodeName: crystal-1
  hostAliases: [{ ip: 10.77.9.20, hostnames: [opal.acme] }]
  dnsConfig: { searches: [acme.secret], options: [{ name: ndots, value: "2" }] }
  containers: [{ name: opal, image: x }]
status: { phase: Running, podIP: 10.77.4.23 }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: opal, namespace: ruby }
spec: { serviceName: opal-each, replicas: 2, selector: { matchLabels: { app: opal } }, template: { metadata: { labels: { app: opal } }, spec: { containers: [{ name: opal, ports: [{ name: secret, containerPort: 8443 }] }] } } }
---
apiVersion: v1
kind: Pod
metadata: { name: opal-0, namespace: ruby, labels: { app: opal }, ownerReferences: [{ apiVersion: apps/v1, kind: StatefulSet, name: opal, controller: true, uid: "1" }] }
spec: { nodeName: crystal-1, hostname: opal-0, subdomain: opal-each, containers: [{ name: opal, ports: [{ name: secret, containerPort: 8443 }] }] }
status: { phase: Running, podIP: 10.77.4.20 }
---
apiVersion: v1
kind: Pod
metadata: { name: opal-1, namespace: ruby, labels: { app: opal }, ownerReferences: [{ apiVersion: apps/v1, kind: StatefulSet, name: opal, controller: true, uid: "1" }] }
spec: { nodeName: crystal-2, hostname: opal-1, subdomain: opal-each, containers: [{ name: opal, ports: [{ name: secret, containerPort: 8443 }] }] }
status: { phase: Running, podIP: 10.77.9.20 }
---
apiVersion: v1
kind: Service
metadata: { name: opal, namespace: ruby }
spec:
  type: LoadBalancer
  clusterIP: 10.88.3.7
  externalIPs: [10.77.200.1]
  selector: { app: opal }
  trafficDistribution: PreferClose
  ports: [{ name: secret, port: 443, targetPort: secret, nodePort: 31443 }]
status: { loadBalancer: { ingress: [{ ip: 172.19.15.77 }] } }
---
apiVersion: v1
kind: Service
metadata: { name: opal-each, namespace: ruby }
spec: { clusterIP: None, selector: { app: opal }, ports: [{ name: secret, port: 8443 }] }
---
apiVersion: v1
kind: Service
metadata: { name: ruby, namespace: jade }
spec: { type: ExternalName, externalName: opal.ruby.svc.cluster.local }
---
apiVersion: v1
kind: Service
metadata: { name: acme, namespace: jade }
spec: { type: ExternalName, externalName: pay.acme.secret }
`;

describe('a redacted scenario with Services', () => {
  it.each<[string, string, Partial<Question>]>([
    ['jade/quartz', 'ruby/svc/opal:secret', {}],
    ['jade/quartz', 'ruby/svc/opal', { backend: 'opal-0' }],
    ['jade/quartz', '10.88.3.7:443', { backend: 'first' }],
    ['jade/quartz', '10.88.3.7:444', {}],
    ['jade/quartz', '10.88.9.9:80', {}],
    ['ruby/opal-0', 'ruby/svc/opal', {}],
    ['node/crystal-2', 'node/crystal-1', { port: 31_443 }],
    ['external', 'node/crystal-1', { port: 31_443 }],
    ['external', '172.19.15.77:443', {}],
    ['external', '10.77.200.1', { port: 443 }],
    ['external', 'node/crystal-2', { port: 31_443, backend: '10.77.9.20' }],
    ['jade/quartz', 'opal-each.ruby:8443', { backend: 'ruby/opal-1' }],
    ['jade/quartz', 'opal.ruby', { port: 443 }],
    ['jade/quartz', 'opal.ruby.svc.cluster.local:443', { backend: 'ruby/opal-0' }],
    ['jade/quartz', 'opal-1.opal-each.ruby:8443', {}],
    ['jade/quartz', '_secret._tcp.opal.ruby.svc.cluster.local', {}],
    ['jade/quartz', '7.3.88.10.in-addr.arpa:443', {}],
    ['jade/quartz', '10-77-9-20.ruby.pod.cluster.local:8443', {}],
    ['jade/quartz', 'ruby:443', {}],
    ['jade/quartz', 'acme:443', {}],
    ['jade/quartz', 'opal.acme:8443', {}],
    ['jade/quartz', 'opal', { port: 443 }],
    ['jade/quartz', 'opal-7.opal-each.ruby:8443', {}],
    ['jade/quartz', 'www.acme.secret:443', {}],
    ['ruby/opal-0', 'opal-0.opal-each.ruby.svc.cluster.local:8443', {}],
    ['node/crystal-1', 'opal.ruby:443', {}],
  ])('of %s to %s %o tells the same, and nothing of the original', async (from, to, more) => {
    const scenario = await opened([{ file: 'acme.yaml', text: SHOP }]);
    const question = { from, to, ...more };
    const facts = factsOf(scenario, question);
    const text = await textOf(scenario, question, true);
    expect(SECRETS.filter((secret) => text.includes(secret))).toEqual([]);
    const again = await opened([{ file: 'small.yaml', text }]);
    const [judged] = judge(again);
    if (judged?.kind !== 'traced') throw new Error('is not answered');
    expect(judged.differences).toEqual([]);
    const { disposition, symptom, cause, sourceSeen, dnat, resolution } = judged.facts;
    expect([disposition, symptom, cause?.code]).toEqual([
      facts.disposition,
      facts.symptom,
      facts.cause?.code,
    ]);
    expect([sourceSeen?.port, dnat?.port, resolution?.queries.length]).toEqual([
      facts.sourceSeen?.port,
      facts.dnat?.port,
      facts.resolution?.queries.length,
    ]);
    expect(judged.facts.legs.map(({ hops }) => hops.length)).toEqual(
      facts.legs.map(({ hops }) => hops.length),
    );
    const seen = facts.sourceSeen?.rewritten || facts.dnat;
    expect(judged.expectation.sourceSeen === undefined).toBe(!(seen && facts.sourceSeen));
    expect(judged.expectation.resolved === undefined).toBe(!resolution?.addresses.length);
  });
});
