import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../src/cluster/diagnostic.ts';
import { checkDocument, onlyScenario, readSources } from '../../src/scenario/load.ts';
import { scenarioSchema } from '../../src/scenario/schema.ts';
import { CAUSE_CODES } from '../../src/trace/codes.ts';

const ajv = new Ajv2020({ strict: false, validateFormats: false });
const validate = ajv.compile(scenarioSchema());

const FULL = `apiVersion: k8snet/v1
kind: Scenario
metadata: { name: two-nodes, labels: { a: b } }
spec:
  description: Two Pods on two nodes, joined by VXLAN.
  network:
    plugin: flannel
    backend: vxlan
    podCIDR: 10.244.0.0/16
    serviceCIDR: 10.96.0.0/12
    config: { Backend: { VNI: 7 } }
  underlay: { cidr: 192.168.10.0/24, mtu: 1500 }
  policyEngine: nftables
  nodes:
    - { name: node-1 }
    - name: node-2
      labels: { zone: b }
      taints: [{ key: k, effect: NoSchedule }]
      addresses: [192.168.10.12]
      podCIDR: 10.244.2.0/24
      sysctl: { net.ipv4.ip_forward: 1 }
  faults:
    - { on: node/node-2, run: ip link set flannel.1 down }
    - { on: pod/shop/web, run: ip route del default }
    - { wire: [node-1, node-2], drop: udp/8472 }
    - { wire: [node-1, gw], drop: all }
  expect:
    - from: pod-a
      to: "pod-b:8080"
      port: 8080
      protocol: tcp
      size: 4000
      disposition: dropped
      cause: LINK_DOWN
      symptom: timeout
      sourceSeen: 10.244.1.2
      dnat: 10.244.1.2:80
      backend: x
      via: [cni0, flannel.1]
      notVia: [lo]
      maxHops: 6
`;

const check = async (yaml: string) => {
  const { report, list } = createDiagnostics();
  const { scenarios } = await readSources([{ file: 's.yaml', text: yaml }], report);
  const [scenario] = scenarios;
  const checked = await checkDocument(onlyScenario(scenarios, report), 's', {}, report);
  return {
    checked,
    valid: validate(scenario?.value),
    problems: list().map(
      ({ severity, code, line, column, message, hint }) =>
        `${severity} ${code} ${line}:${column} ${message}${hint === undefined ? '' : ` | ${hint}`}`,
    ),
  };
};

const withSpec = (spec: string): string =>
  `apiVersion: k8snet/v1\nkind: Scenario\nmetadata: { name: s }\nspec:\n${spec}`;

describe('a Scenario', () => {
  it('may have every field there is', async () => {
    const { checked, valid, problems } = await check(FULL);
    expect(problems).toEqual([]);
    expect(checked?.document.spec?.nodes?.[1]?.sysctl).toEqual({ 'net.ipv4.ip_forward': 1 });
    expect(valid).toBe(true);
  });

  it('may have none but its name', async () => {
    const { problems, valid } = await check(
      'apiVersion: k8snet/v1\nkind: Scenario\nmetadata: { name: s }',
    );
    expect(problems).toEqual([]);
    expect(valid).toBe(true);
  });

  it.each([
    ['  netwrk: {}', 'unknown-field 5:3 spec has no field "netwrk" | Did you mean network?'],
    [
      '  network: { plugn: flannel }',
      'unknown-field 5:14 spec.network has no field "plugn" | Did you mean plugin?',
    ],
    [
      '  network: { plugin: flanel }',
      'bad-value 5:22 spec.network.plugin is "flanel"; expected one of bridge, flannel | Did you mean flannel?',
    ],
    [
      '  network: { podCIDR: 10.244.0.0 }',
      'bad-value 5:23 spec.network.podCIDR is "10.244.0.0"; expected an IPv4 range such as 10.244.0.0/16',
    ],
    ['  network: { podCIDR: 7 }', 'bad-value 5:23 spec.network.podCIDR is 7; expected a string'],
    ['  network: []', 'bad-value 5:12 spec.network is a list ([]); expected an object'],
    [
      '  network: { plugin: flannel, backend: static-routes }',
      'bad-value 5:40 spec.network.backend is "static-routes", which plugin flannel does not have | flannel has vxlan and host-gw.',
    ],
    ['  underlay: { mtu: 100 }', 'bad-value 5:20 spec.underlay.mtu is 100; expected 576 or more'],
    [
      '  underlay: { mtu: 1500.5 }',
      'bad-value 5:20 spec.underlay.mtu is 1500.5; expected a whole number',
    ],
    ['  nodes: []', 'bad-value 5:10 spec.nodes is a list ([]); expected a list of 1 or more'],
    ['  nodes: [{}]', 'missing-field 5:11 spec.nodes[0].name is missing; expected a string'],
    [
      '  nodes: [{ name: Node_1 }]',
      'bad-value 5:19 spec.nodes[0].name is "Node_1"; expected lower-case letters, digits, dots and dashes',
    ],
    [
      '  nodes: [{ name: a }, { name: a }]',
      'bad-value 5:32 spec.nodes[1].name is "a", as is that of spec.nodes[0]',
    ],
    [
      '  nodes: [{ name: a, addresses: ["fd00::1"] }]',
      'bad-value 5:34 spec.nodes[0].addresses[0] is "fd00::1"; expected an IPv4 address such as 192.168.10.11',
    ],
    [
      '  faults: [{ on: node/a }]',
      'missing-field 5:12 spec.faults[0].run is missing; expected a string',
    ],
    [
      '  faults: [{ on: a b, run: ip link }]',
      'bad-value 5:18 spec.faults[0].on is "a b"; expected an endpoint such as node/node-2 or pod/web',
    ],
    [
      '  faults: [{ wire: [a, b], drop: udp/99999 }]',
      'bad-value 5:34 spec.faults[0].drop is "udp/99999"; expected a port from 1 to 65535',
    ],
    [
      '  faults: [{ wire: [a, b], drop: tcp/0 }]',
      'bad-value 5:34 spec.faults[0].drop is "tcp/0"; expected a port from 1 to 65535',
    ],
    [
      '  network: { podCIDR: 224.0.0.0/8 }',
      'bad-value 5:23 spec.network.podCIDR is "224.0.0.0/8"; expected a range outside 0.0.0.0/8, 127.0.0.0/8 and 224.0.0.0/3, whose addresses no machine can have',
    ],
    [
      '  underlay: { cidr: 0.0.0.0/0 }',
      'bad-value 5:21 spec.underlay.cidr is "0.0.0.0/0"; expected a range outside 0.0.0.0/8, 127.0.0.0/8 and 224.0.0.0/3, whose addresses no machine can have',
    ],
    [
      '  nodes: [{ name: a, addresses: [127.0.0.1] }]',
      'bad-value 5:34 spec.nodes[0].addresses[0] is "127.0.0.1"; expected an address that one machine can have',
    ],
    [
      '  faults: [{ wire: [a], drop: all }]',
      'bad-value 5:20 spec.faults[0].wire is a list (["a"]); expected a list of 2 or more',
    ],
    [
      '  faults: [{ wire: [a, b], drop: sctp }]',
      'bad-value 5:34 spec.faults[0].drop is "sctp"; expected all, icmp, tcp, udp or for example udp/8472',
    ],
    [
      '  expect: [{ from: a, to: b }]',
      'missing-field 5:12 spec.expect[0].disposition is missing; expected one of delivered, refused, rejected, dropped, looped, reply-lost, ambiguous, inconclusive',
    ],
    [
      '  expect: [{ from: a, to: b, disposition: deliverd }]',
      'bad-value 5:43 spec.expect[0].disposition is "deliverd"; expected one of delivered, refused, rejected, dropped, looped, reply-lost, ambiguous, inconclusive | Did you mean delivered?',
    ],
    [
      '  expect: [{ from: a, to: b, disposition: dropped, cause: LINK_DOWM }]',
      `bad-value 5:59 spec.expect[0].cause is "LINK_DOWM"; expected one of ${CAUSE_CODES.length} others | Did you mean LINK_DOWN?`,
    ],
    [
      '  expect: [{ from: a, to: b, disposition: dropped, caus: LINK_DOWN }]',
      'unknown-field 5:52 spec.expect[0] has no field "caus" | Did you mean cause?',
    ],
    [
      '  expect: [{ from: a, to: b, disposition: dropped, port: 70000 }]',
      'bad-value 5:58 spec.expect[0].port is 70000; expected 65535 or less',
    ],
    [
      '  policyEngine: iptables',
      'bad-value 5:17 spec.policyEngine is "iptables"; expected one of none, nftables | Did you mean nftables?',
    ],
    ['  __proto__: { polluted: 1 }', 'unknown-field 5:3 spec has no field "__proto__"'],
    ['  constructor: 1', 'unknown-field 5:3 spec has no field "constructor"'],
  ])('%s', async (spec, expected) => {
    const { problems } = await check(withSpec(spec));
    expect(problems).toEqual([`error ${expected}`]);
  });

  it('shows all of its problems at once, in the order of the text', async () => {
    const { problems } = await check(
      'apiVersion: k8snet/v2\nkind: Scenaro\nmetadata: {}\nspec: { nodes: [{ name: 1, x: 2 }] }\nextra: 1',
    );
    expect(problems.map((text) => text.split(' ').slice(1, 3).join(' '))).toEqual([
      'bad-value 1:13',
      'bad-value 2:7',
      'missing-field 3:11',
      'bad-value 4:25',
      'unknown-field 4:28',
      'unknown-field 5:1',
    ]);
  });

  it('kubeProxy is taken field by field, as kube-proxy names them', async () => {
    const { problems, checked } = await check(
      withSpec(
        '  kubeProxy: { mode: ipvs, nodePortAddresses: [primary], iptables: { masqueradeBit: 31, minSyncPeriod: 1s }, oomScoreAdj: -999 }',
      ),
    );
    expect(checked).toBeDefined();
    expect(problems).toEqual([
      'warning not-modelled 5:89 spec.kubeProxy.iptables.minSyncPeriod has no effect on a trace',
      'warning not-modelled 5:110 spec.kubeProxy.oomScoreAdj has no effect on a trace',
    ]);
  });

  it.each([
    ['{ mode: iptabels }', 'bad-value', 'Did you mean iptables?'],
    ['{ mode: x }', 'bad-value', 'expected one of iptables, nftables, ipvs, none'],
    ['{ nodePortAddresses: 10.1.0.0/16 }', 'bad-value', 'expected a list'],
    ['{ nodePortAddresses: [x] }', 'bad-value', 'a range such as'],
    ['{ clusterCidr: 10.1.0.0/16 }', 'unknown-field', 'Did you mean clusterCIDR?'],
    ['{ iptables: { masquerade: true } }', 'unknown-field', 'Did you mean masqueradeAll'],
    ['{ iptables: { masqueradeBit: 32 } }', 'bad-value', '31 or less'],
    ['{ clusterCIDR: "10.1.0.0/16,nonsense" }', 'bad-value', 'a range such as'],
    ['{ nodePortAddresses: [primary, 10.1.0.0/16] }', 'bad-value', 'a range such as'],
    ['{ detectLocalMode: BridgeInterface }', 'missing-field', 'detectLocal.bridgeInterface'],
  ])('kubeProxy %s is an error', async (text, code, part) => {
    const { problems } = await check(withSpec(`  kubeProxy: ${text}`));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`error ${code} 5:`);
    expect(problems[0]).toContain(part);
  });

  it('comes once', async () => {
    const { problems } = await check(`${FULL}---\n${FULL}`);
    expect(problems).toEqual([
      'error second-scenario 43:1 there is more than one Scenario in the input | The first is at s.yaml:1:1; give the files one at a time, or keep one Scenario.',
    ]);
  });
});

describe('the published schema', () => {
  it('refuses what the check refuses', async () => {
    for (const spec of [
      '  netwrk: {}',
      '  network: { plugin: flanel }',
      '  underlay: { mtu: 100 }',
      '  nodes: [{}]',
      '  faults: [{ on: node/a }]',
      '  faults: [{ wire: [a], drop: all }]',
      '  expect: [{ from: a, to: b }]',
      '  expect: [{ from: a, to: b, disposition: dropped, caus: LINK_DOWN }]',
    ])
      expect((await check(withSpec(spec))).valid, spec).toBe(false);
  });

  it('leaves the Kubernetes objects of a stream alone', () => {
    expect(validate({ apiVersion: 'v1', kind: 'Pod', anything: 1 })).toBe(true);
  });

  it('is of the draft that editors know, and closed', () => {
    const schema = scenarioSchema() as { $schema: string; $defs: { Scenario: unknown } };
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(JSON.stringify(schema.$defs.Scenario)).toContain('"additionalProperties":false');
    expect(ajv.validateSchema(schema)).toBe(true);
  });
});
