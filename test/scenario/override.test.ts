import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../src/cluster/diagnostic.ts';
import type { KubeObject } from '../../src/cluster/kube-object.ts';
import { openScenario } from '../../src/scenario/open.ts';
import { withOverrides } from '../../src/scenario/override.ts';

const scenario: KubeObject = {
  value: {
    apiVersion: 'k8snet/v1',
    kind: 'Scenario',
    metadata: { name: 's' },
    spec: { network: { plugin: 'flannel' }, nodes: [{ name: 'a' }] },
  },
  place: () => ({ file: 's.yaml', line: 1, column: 1 }),
};

const set = (overrides: readonly string[], base: KubeObject | undefined = scenario) => {
  const { report, list } = createDiagnostics();
  const object = withOverrides(base, 'test', overrides, report);
  return { object, spec: object?.value['spec'], diagnostics: list() };
};

describe('--set', () => {
  it.each<[string, unknown]>([
    ['network.plugin=bridge', { network: { plugin: 'bridge' }, nodes: [{ name: 'a' }] }],
    [
      'underlay.mtu=9000',
      { network: { plugin: 'flannel' }, nodes: [{ name: 'a' }], underlay: { mtu: 9000 } },
    ],
    [
      'nodes[0].podCIDR=10.1.0.0/24',
      { network: { plugin: 'flannel' }, nodes: [{ name: 'a', podCIDR: '10.1.0.0/24' }] },
    ],
    [
      'nodes[1]={"name":"b"}',
      { network: { plugin: 'flannel' }, nodes: [{ name: 'a' }, { name: 'b' }] },
    ],
    [
      'nodes[0].sysctl["net.ipv4.ip_forward"]=0',
      {
        network: { plugin: 'flannel' },
        nodes: [{ name: 'a', sysctl: { 'net.ipv4.ip_forward': 0 } }],
      },
    ],
    [
      'nodes[0].sysctl.net\\.ipv4\\.ip_forward=0',
      {
        network: { plugin: 'flannel' },
        nodes: [{ name: 'a', sysctl: { 'net.ipv4.ip_forward': 0 } }],
      },
    ],
    [
      'network.config.hairpinMode=true',
      { network: { plugin: 'flannel', config: { hairpinMode: true } }, nodes: [{ name: 'a' }] },
    ],
    [
      'description=a=b',
      { network: { plugin: 'flannel' }, nodes: [{ name: 'a' }], description: 'a=b' },
    ],
    ['description=', { network: { plugin: 'flannel' }, nodes: [{ name: 'a' }], description: '' }],
    [
      'description="7"',
      { network: { plugin: 'flannel' }, nodes: [{ name: 'a' }], description: '7' },
    ],
    [
      'description={not json',
      { network: { plugin: 'flannel' }, nodes: [{ name: 'a' }], description: '{not json' },
    ],
  ])('%s', (text, expected) => {
    const { spec, diagnostics } = set([text]);
    expect(spec).toEqual(expected);
    expect(diagnostics).toEqual([]);
  });

  it('is applied in order, and leaves the original alone', () => {
    const { spec } = set([
      'network.plugin=bridge',
      'network.plugin=flannel',
      'network={"plugin":"bridge"}',
    ]);
    expect(spec).toMatchObject({ network: { plugin: 'bridge' } });
    expect(scenario.value['spec']).toEqual({
      network: { plugin: 'flannel' },
      nodes: [{ name: 'a' }],
    });
  });

  it('makes a Scenario where the input has none', () => {
    const { report, list } = createDiagnostics();
    const object = withOverrides(undefined, 'test', ['network.plugin=bridge'], report);
    expect(object?.value).toEqual({
      apiVersion: 'k8snet/v1',
      kind: 'Scenario',
      metadata: { name: 'test' },
      spec: { network: { plugin: 'bridge' } },
    });
    expect(list()).toEqual([]);
    expect(withOverrides(undefined, 'test', [], report)).toBeUndefined();
  });

  it('has its place on the command line', () => {
    const { object } = set(['network.plugin=bridge']);
    expect(object?.place(['spec', 'network', 'plugin'])).toEqual({
      file: '--set network.plugin=bridge',
    });
    expect(set(['underlay.mtu=x']).object?.place(['spec', 'underlay'])).toEqual({
      file: '--set underlay.mtu=x',
    });
    expect(object?.place(['spec', 'network'])).toMatchObject({ file: 's.yaml' });
  });

  it.each([
    '',
    '=',
    'network',
    '.a=1',
    'a..b=1',
    'nodes[x]=1',
    'nodes[5].name=x',
    'nodes.a=1',
    'network[0]=1',
  ])('that cannot be is an error: %j', (text) => {
    const { diagnostics, spec } = set([text]);
    expect(diagnostics).toMatchObject([
      { severity: 'error', code: 'bad-override', file: `--set ${text}` },
    ]);
    expect(spec).toEqual(scenario.value['spec']);
  });

  it.each([
    ['spec.network.plugin=bridge', 'Leave out "spec.": --set network.plugin=bridge'],
    ['metadata.name=x', 'For example: --set network.plugin=bridge'],
    ['kind=Pod', 'For example: --set network.plugin=bridge'],
  ])('that names what is not below spec is an error with a hint: %s', (text, hint) => {
    const { diagnostics } = set([text]);
    expect(diagnostics).toEqual([
      expect.objectContaining({
        code: 'bad-override',
        file: `--set ${text}`,
        hint: expect.stringContaining(hint),
      }),
    ]);
  });

  describe('of the plugin', () => {
    const of = (network: object): KubeObject => ({
      ...scenario,
      value: { ...scenario.value, spec: { network: { ...network } } },
    });
    const vxlan = of({ plugin: 'flannel', backend: 'vxlan' });

    it('leaves the back end of the plugin before to the new one', () => {
      expect(set(['network.plugin=bridge'], vxlan)).toMatchObject({
        spec: { network: { plugin: 'bridge' } },
        diagnostics: [],
      });
      expect(set(['network.plugin=bridge'], vxlan).spec).toEqual({ network: { plugin: 'bridge' } });
      expect(set(['network.plugin=bridge'], of({ backend: 'host-gw' })).spec).toEqual({
        network: { plugin: 'bridge' },
      });
      expect(set(['network.plugin=flannel'], of({ backend: 'cloud-routes' })).spec).toEqual({
        network: { plugin: 'flannel' },
      });
    });

    it('keeps what was set as well, and what the plugin had already', () => {
      for (const overrides of [
        ['network.backend=cloud-routes', 'network.plugin=bridge'],
        ['network.plugin=bridge', 'network.backend=cloud-routes'],
      ])
        expect(set(overrides, vxlan).spec).toEqual({
          network: { plugin: 'bridge', backend: 'cloud-routes' },
        });
      expect(set(['network.plugin=flannel'], of({ backend: 'host-gw' })).spec).toEqual({
        network: { plugin: 'flannel', backend: 'host-gw' },
      });
    });

    it('leaves out keys of the plugin before, and says so', () => {
      const keyed = of({ plugin: 'flannel', config: { Backend: { VNI: 5 } } });
      expect(set(['network.plugin=bridge'], keyed)).toMatchObject({
        diagnostics: [{ severity: 'warning', code: 'left-out', path: 'spec.network.config' }],
      });
      expect(set(['network.plugin=bridge'], keyed).spec).toEqual({ network: { plugin: 'bridge' } });
      const both = ['network.plugin=bridge', 'network.config={"mtu":1400}'];
      expect(set(both, keyed)).toMatchObject({
        spec: { network: { config: { mtu: 1400 } } },
        diagnostics: [],
      });
    });
  });

  it('never touches a prototype', () => {
    const { spec } = set(['__proto__.polluted=1', 'constructor.prototype.polluted=1']);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(Object.hasOwn(spec as object, '__proto__')).toBe(true);
  });
});

describe('an input without a Scenario', () => {
  it.each(['My File_2.yaml', '网络.yaml', '<stdin>', '-.yaml'])(
    'may be called anything: %s',
    async (file) => {
      const text =
        'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: c }] }';
      const opened = await openScenario([{ file, text }], { set: ['network.plugin=bridge'] });
      expect(opened.diagnostics).toEqual([]);
      expect(opened.ok && opened.scenario.cluster.network.plugin).toBe('bridge');
    },
  );
});
