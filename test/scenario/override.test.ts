import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../src/cluster/diagnostic.ts';
import type { KubeObject } from '../../src/cluster/kube-object.ts';
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
      line: 1,
      column: 1,
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

  it('never touches a prototype', () => {
    const { spec } = set(['__proto__.polluted=1', 'constructor.prototype.polluted=1']);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(Object.hasOwn(spec as object, '__proto__')).toBe(true);
  });
});
