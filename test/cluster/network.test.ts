import { describe, expect, it } from 'vitest';
import { clusterOf, pod, resolveYaml } from './cluster-of.ts';

const scenario = (network: string): string =>
  `---\n{apiVersion: k8snet/v1, kind: Scenario, metadata: {name: s}, spec: {network: ${network}}}\n`;

const daemonSet = (name: string): string =>
  `---\n{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: ${name}, namespace: kube-system}, spec: {template: {spec: {hostNetwork: true, containers: [{name: x}]}}}}\n`;

const flannel = (conf: string, name = 'kube-flannel-cfg'): string => `---
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: kube-flannel }
data:
  net-conf.json: |
    ${conf}
`;

const seen = async (yaml: string | readonly string[]): Promise<string> => {
  const { network, notes } = await clusterOf(yaml);
  const note = notes.find(({ code }) => code.startsWith('plugin'));
  return `${network.plugin} ${network.backend} ${network.podCIDR}${note ? ` ${note.code} ${note.subject}` : ''}`;
};

describe('the plugin', () => {
  it('is flannel with VXLAN where nothing says or shows one', async () => {
    expect(await seen(pod('a'))).toBe('flannel vxlan 10.244.0.0/16 plugin-default flannel vxlan');
  });

  it.each([
    ['{plugin: flannel}', 'flannel vxlan'],
    ['{plugin: flannel, backend: host-gw}', 'flannel host-gw'],
    ['{plugin: bridge}', 'bridge static-routes'],
    ['{backend: cloud-routes}', 'bridge cloud-routes'],
    ['{backend: host-gw}', 'flannel host-gw'],
  ])('is what the Scenario says: %s', async (network, expected) => {
    expect(await seen(scenario(network))).toBe(`${expected} 10.244.0.0/16`);
  });

  it.each([
    ['calico-node', 'Calico'],
    ['cilium', 'Cilium'],
    ['aws-node', 'AWS VPC CNI'],
    ['kindnet', 'kindnet'],
    ['weave-net', 'Weave Net'],
    ['antrea-agent', 'Antrea'],
    ['canal', 'Canal'],
  ])('is recognised by its DaemonSet, and traced as bridge: %s', async (name, title) => {
    expect(await seen(daemonSet(name))).toBe(
      `bridge static-routes 10.244.0.0/16 plugin-traced-as-bridge ${title}`,
    );
  });

  it('of the Scenario may name the range in its own configuration', async () => {
    expect(await seen(scenario('{plugin: flannel, config: {Network: 10.7.0.0/16}}'))).toBe(
      'flannel vxlan 10.7.0.0/16',
    );
  });

  it('is recognised by the Pods of its DaemonSet, and by annotations of Pods and nodes', async () => {
    const expected = 'bridge static-routes 10.244.0.0/16 plugin-traced-as-bridge';
    expect(
      await seen(
        '{apiVersion: v1, kind: Pod, metadata: {name: cilium-x, ownerReferences: [{kind: DaemonSet, name: cilium, controller: true}]}, spec: {containers: [{name: a}]}}',
      ),
    ).toBe(`${expected} Cilium`);
    expect(
      await seen(
        '{apiVersion: v1, kind: Pod, metadata: {name: a, annotations: {cni.projectcalico.org/podIP: 10.244.0.7/32}}, spec: {containers: [{name: a}]}}',
      ),
    ).toBe(`${expected} Calico`);
    expect(
      await seen(
        '{apiVersion: v1, kind: Node, metadata: {name: a, annotations: {projectcalico.org/IPv4Address: 10.0.0.1/24}}}',
      ),
    ).toBe(`${expected} Calico`);
  });

  it('of the Scenario wins over what the objects show', async () => {
    expect(await seen([daemonSet('calico-node'), scenario('{plugin: flannel}')])).toBe(
      'flannel vxlan 10.244.0.0/16',
    );
  });

  it('is not said to be anything by a Scenario that only gives a range', async () => {
    expect(await seen([daemonSet('calico-node'), scenario('{podCIDR: 10.1.0.0/16}')])).toBe(
      'bridge static-routes 10.1.0.0/16 plugin-traced-as-bridge Calico',
    );
  });
});

describe('what enforces policies', () => {
  const policy =
    '{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}}}';
  const none =
    '{apiVersion: k8snet/v1, kind: Scenario, metadata: {name: a}, spec: {policyEngine: none}}';

  it.each([
    ['flannel', [daemonSet('kube-flannel-ds'), policy], 'none', undefined],
    ['an agent that is off as it is installed', [daemonSet('aws-node'), policy], 'none', undefined],
    ['Calico', [daemonSet('calico-node'), policy], 'nftables', 'Calico'],
    [
      'Calico beside flannel',
      [daemonSet('kube-flannel-ds'), daemonSet('canal'), policy],
      'nftables',
      'Canal',
    ],
    [
      'Cilium beside another plugin',
      [daemonSet('aws-node'), daemonSet('cilium'), policy],
      'nftables',
      'Cilium',
    ],
    [
      'Calico, and the Scenario takes it away',
      [daemonSet('calico-node'), policy, none],
      'none',
      undefined,
    ],
    [
      'another plugin of the Scenario',
      [daemonSet('calico-node'), policy, scenario('{plugin: flannel}')],
      'none',
      undefined,
    ],
    ['Calico without policies', [daemonSet('calico-node')], 'none', undefined],
  ])('%s', async (_, yaml, engine, subject) => {
    const { policyEngine, notes } = await clusterOf(yaml);
    expect(policyEngine).toBe(engine);
    expect(notes.find(({ code }) => code === 'plugin-enforces')?.subject).toBe(subject);
  });
});

describe('flannel of the input', () => {
  it('is honoured: range, back end, and the rest of net-conf.json', async () => {
    const yaml = [
      daemonSet('kube-flannel-ds'),
      flannel('{"Network": "10.42.0.0/16", "Backend": {"Type": "host-gw"}}'),
    ];
    expect(await seen(yaml)).toBe('flannel host-gw 10.42.0.0/16 plugin-found flannel host-gw');
    const { network } = await clusterOf(yaml);
    expect(network.config).toEqual({ Network: '10.42.0.0/16', Backend: { Type: 'host-gw' } });
    expect(network.place).toMatchObject({ file: '1.yaml', line: 2 });
  });

  it('without a ConfigMap is VXLAN', async () => {
    expect(await seen(daemonSet('kube-flannel-ds'))).toBe(
      'flannel vxlan 10.244.0.0/16 plugin-found flannel vxlan',
    );
  });

  it('with a back end that is not modelled is traced as bridge', async () => {
    expect(
      await seen(flannel('{"Network": "10.42.0.0/16", "Backend": {"Type": "wireguard"}}')),
    ).toBe('bridge static-routes 10.42.0.0/16 plugin-traced-as-bridge flannel wireguard');
  });

  it('with broken JSON is warned of', async () => {
    const { diagnostics } = await resolveYaml(flannel('{"Network":'));
    expect(diagnostics).toMatchObject([
      { severity: 'warning', code: 'bad-json', path: 'data["net-conf.json"]' },
    ]);
  });

  it('beside Calico is not what routes', async () => {
    expect(
      await seen([flannel('{"Network": "10.42.0.0/16"}'), daemonSet('calico-node')]),
    ).toContain('plugin-traced-as-bridge Calico');
  });
});

it('a ConfigMap that is nobody’s configuration is counted as skipped', async () => {
  const { skipped } = await resolveYaml([
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}',
    '{apiVersion: v1, kind: Secret, metadata: {name: x}}',
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: y}}',
  ]);
  expect([...skipped]).toEqual([
    ['ConfigMap', 2],
    ['Secret', 1],
  ]);
});
