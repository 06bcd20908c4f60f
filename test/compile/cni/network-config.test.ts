import { describe, expect, it } from 'vitest';
import type { Network } from '../../../src/cluster/cluster.ts';
import { checkNetworkConfig, pluginConf } from '../../../src/compile/cni/network-config.ts';
import { compileWorld } from '../../../src/compile/compile.ts';
import { PluginError } from '../../../src/compile/plugin-error.ts';
import { cluster, network, node } from '../cluster.ts';

const problems = (config: Record<string, unknown>, more: Partial<Network> = {}): string[] =>
  checkNetworkConfig(network({ config, ...more })).map(
    ({ path, severity, message }) => `${severity} ${path.join('.')}: ${message}`,
  );

const bridge = { plugin: 'bridge', backend: 'static-routes' } as const;

describe('the bridge plugin’s configuration', () => {
  it.each([
    [{}, []],
    [{ isGateway: 'yes' }, ['error isGateway: must be true or false, not "yes"']],
    [{ mtu: -1 }, ['error mtu: must be a whole number from 0 to 65535, not -1']],
    [{ mtu: 40 }, ['error mtu: must be 0 or at least 68']],
    [{ mtu: 1400.5 }, ['error mtu: must be a whole number from 0 to 65535, not 1400.5']],
    [
      { hairpinMode: true, promiscMode: true },
      ['error promiscMode: cannot be set together with hairpinMode'],
    ],
    [{ vlan: 100 }, ['unmodelled vlan: VLANs are not modelled']],
    [{ vlan: 0 }, []],
    [{ vlan: 4095 }, ['error vlan: must be a whole number from 0 to 4094, not 4095']],
    [{ ipMasqBackend: 'iptables' }, []],
    [
      { ipMasqBackend: 'nftables' },
      ['unmodelled ipMasqBackend: nftables is not modelled, iptables is'],
    ],
    [{ macspoofchk: true }, ['unmodelled macspoofchk: MAC address checks are not modelled']],
    [{ ipam: { type: 'whereabouts' } }, ['unmodelled ipam.type: only host-local is modelled']],
    [
      { ipam: { subnet: '10.0.0.0/8' } },
      [
        'unmodelled ipam.subnet: Pod ranges come from the nodes, the gateway is their first address',
      ],
    ],
    [{ ipam: { routes: [{ gw: '10.0.0.1' }] } }, ['error ipam.routes.0.dst: is missing']],
    [
      { ipam: { routes: [{ dst: 'everywhere' }] } },
      ['error ipam.routes.0.dst: must be an IPv4 range (10.244.0.0/16), not "everywhere"'],
    ],
    [{ ipam: 'host-local' }, ['error ipam: must be an object, not "host-local"']],
    [{ hairpin: true }, ['unmodelled hairpin: is not a known key']],
    [{ cniVersion: '1.0.0', type: 'bridge', dns: {}, forceAddress: true }, []],
    [{ mtu: null }, []],
  ] as const)('%j', (config, expected) => {
    expect(problems(config, bridge)).toEqual(expected);
  });

  it('refuses names that the kernel would refuse', () => {
    expect(problems({ bridge: 'a-name-of-16-byt' }, bridge)).toHaveLength(1);
    expect(problems({ bridge: 'br/0' }, bridge)).toHaveLength(1);
    expect(problems({ bridge: '..' }, bridge)).toHaveLength(1);
    expect(problems({ bridge: 'br-lan.100' }, bridge)).toEqual([]);
    expect(problems({ name: '-x' }, bridge)).toHaveLength(1);
    expect(problems({ bridge: 'default' }, bridge)).toEqual([
      'error bridge: "default" is no name of a device',
    ]);
    for (const name of ['lo', 'eth0'])
      expect(problems({ bridge: name }, bridge)).toEqual([
        `error bridge: "${name}" already exists but is not a bridge`,
      ]);
  });

  it('cannot have two default routes by one gateway', () => {
    const twice =
      'error ipam.routes: have a default route, and isDefaultGateway adds the same: the plugin fails with "file exists"';
    const routes = [{ dst: '0.0.0.0/0' }];
    expect(problems({ ipam: { routes } }, bridge)).toEqual([twice]);
    expect(problems({ isDefaultGateway: false, ipam: { routes } }, bridge)).toEqual([]);
    expect(problems({ ipam: { routes: [{ dst: '0.0.0.0/0', gw: '10.0.0.1' }] } }, bridge)).toEqual(
      [],
    );
  });

  it('that the kernel refuses the plugin ends in an error of its own', () => {
    const routes = [{ dst: '10.9.0.0/16', gw: '1.2.3.4' }];
    const world = compileWorld(
      cluster({ network: network({ ...bridge, config: { ipam: { routes } } }) }),
    );
    expect(() => world.host('node-1')).toThrow(PluginError);
    expect(() => world.host('node-1')).toThrow(
      'the network plugin cannot add Pod default/pod-a on node-1: Error: Nexthop has invalid gateway.',
    );
  });

  it('finds keys whatever their case, the exact one first', () => {
    const { conf } = pluginConf(
      network({ ...bridge, config: { IPMASQ: true, MTU: 1400, mtu: 1300 } }),
    );
    expect(conf).toMatchObject({ ipMasq: true, mtu: 1300 });
    expect(problems({ IPMASQ: true, MTU: 1400, mtu: 1300 }, bridge)).toEqual([]);
  });

  it('makes a default gateway a gateway', () => {
    const { conf } = pluginConf(
      network({ ...bridge, config: { isGateway: false, isDefaultGateway: true } }),
    );
    expect(conf).toMatchObject({ isGateway: true });
  });
});

describe('flannel’s configuration', () => {
  it('is held to what devices can be called and Pods can be in', () => {
    expect(problems({ delegate: { bridge: 'flannel.1' } })).toEqual([
      'error delegate.bridge: "flannel.1" already exists but is not a bridge',
    ]);
    expect(problems({ Backend: { VNI: 10_000_000 } })).toEqual([
      'error Backend.VNI: makes flannel.10000000, which is too long for a device',
    ]);
    expect(problems({ Network: '224.0.0.0/8' })).toContain(
      'error Network: 224.0.0.0/8 holds addresses that no machine can have',
    );
  });

  it.each([
    [{}, []],
    [{ Network: '10.244.0.0/16', EnableNFTables: false, Backend: { Type: 'vxlan' } }, []],
    [{ SubnetLen: 24, SubnetMin: '10.244.10.0', EnableIPv4: true }, []],
    [{ EnableIPv4: false }, ['error EnableIPv4: cannot be off: only IPv4 is modelled']],
    [{ EnableIPv6: true }, ['unmodelled EnableIPv6: IPv6 is not modelled']],
    [
      { EnableNFTables: true },
      ['unmodelled EnableNFTables: nftables is not modelled, iptables is'],
    ],
    [
      { Backend: { Type: 'host-gw' } },
      ['error Backend.Type: contradicts the backend of the network, vxlan'],
    ],
    [
      { Backend: { GBP: true } },
      ['unmodelled Backend.GBP: the group policy extension is not modelled'],
    ],
    [
      { backend: { vni: 0 } },
      ['error backend.vni: must be a whole number from 1 to 16777215, not 0'],
    ],
    [{ delegate: { name: 'x' } }, ['error delegate.name: is set by flannel']],
    [
      { delegate: { type: 'ipvlan' } },
      ['unmodelled delegate.type: only the bridge plugin is modelled'],
    ],
    [
      { delegate: { promiscMode: true } },
      ['error delegate.promiscMode: cannot be set together with hairpinMode'],
    ],
    [{ 'ip-masq': 'no' }, ['error ip-masq: must be true or false, not "no"']],
    [{ MTU: 1400 }, ['unmodelled MTU: is not a known key']],
  ] as const)('%j', (config, expected) => {
    expect(problems(config)).toEqual(expected);
  });

  it('wants Network to hold every node’s range, as flanneld does', () => {
    expect(
      checkNetworkConfig(network({ config: { Network: '10.244.1.0/24' } }), [
        node('node-1', 0),
        node('node-2', 1),
      ]),
    ).toEqual([
      {
        path: ['Network'],
        severity: 'error',
        message: '10.244.1.0/24 does not hold the Pod range of node-2, 10.244.2.0/24',
      },
    ]);
    expect(
      checkNetworkConfig(network({ config: { Network: '10.244.1.0/25' } }), [node('node-1', 0)]),
    ).toHaveLength(1);
  });
});

describe('compileWorld', () => {
  it('wants no errors', () => {
    const broken = cluster({ network: network({ config: { Backend: { VNI: 'one' } } }) });
    expect(() => compileWorld(broken)).toThrow('network.config.Backend.VNI must be a whole number');
  });

  it('goes on without what is not modelled', () => {
    expect(() =>
      compileWorld(cluster({ network: network({ config: { EnableNFTables: true } }) })).host(
        'node-1',
      ),
    ).not.toThrow();
  });
});
