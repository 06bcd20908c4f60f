/** The kernel's own word on the text: what is printed is taken by `nft -f`, and printed back the same. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nftListRuleset } from '../../src/userland/nft/print.ts';
import { nodeWith, severalServices } from '../compile/kube-proxy/several-services.ts';
import { policed, tableOn } from '../compile/policy/policed.ts';
import { severalPolicies } from '../compile/policy/several-policies.ts';
import { openPrivateNetwork, type PrivateNetwork } from './private-network.ts';
import { missing } from './requirements.ts';

const lacking = missing(['unshare', 'nsenter', 'nft']);

describe.skipIf(lacking.length > 0)(`nft list ruleset${lacking.join(', ')}`, () => {
  let network: PrivateNetwork;

  beforeAll(async () => {
    network = await openPrivateNetwork();
  });

  afterAll(async () => {
    await network?.close();
  });

  const listed = async (lines: readonly string[]): Promise<string[]> => {
    await network.root.run('nft flush ruleset; nft -f -', `${lines.join('\n')}\n`);
    return (await network.root.run('nft list ruleset')).trimEnd().split('\n');
  };

  it.each([
    ['as it starts', {}],
    ['on every address', { nodePortAddresses: ['0.0.0.0/0'] }],
    ['by a bridge', { detectLocalMode: 'BridgeInterface' as const }],
    ['by the prefix of devices', { detectLocalMode: 'InterfaceNamePrefix' as const }],
    ['without a way to tell Pods', { detectLocalMode: 'none' as const }],
    ['masquerading all', { masqueradeAll: true, masqueradeBit: 4 }],
  ])('of kube-proxy, %s', async (_, more) => {
    const { netfilter } = nodeWith(severalServices(), {
      mode: 'nftables',
      detectLocal: { bridgeInterface: 'cni0', interfaceNamePrefix: 'veth' },
      ...more,
    });
    const lines = nftListRuleset(netfilter.nft ?? []);
    expect(lines.length).toBeGreaterThan(300);
    expect(await listed(lines)).toEqual(lines);
  });

  it.each([
    ['', {}],
    [', behind IPVS', { kubeProxy: { mode: 'ipvs' } }],
  ])('of policies of every kind, in both families%s', async (_, spec) => {
    const scenario = await policed(severalPolicies(), spec);
    for (const node of ['node-1', 'node-2']) {
      const lines = nftListRuleset([tableOn(scenario, node)].flatMap((table) => table ?? []));
      expect(lines.length).toBeGreaterThan(100);
      expect(await listed(lines)).toEqual(lines);
    }
  });
});
