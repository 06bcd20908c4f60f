import { describe, expect, it } from 'vitest';
import { matrixOf } from '../../../src/check/matrix/all-pairs.ts';
import { clusterOf } from '../../cluster/cluster-of.ts';
import { pod, policy } from './clusters.ts';

const from = (name: string, block: string): string =>
  policy(name, `podSelector: {}, ingress: [{from: [{ipBlock: ${block}}]}]`);

const told = async (yaml: string): Promise<string[]> =>
  matrixOf(await clusterOf(yaml)).warnings.map(({ code, message }) => `${code} ${message}`);

const running = (name: string, ip: string): string =>
  pod(name, '', '', 'nodeName: n', `phase: Running, podIP: ${ip}`);

describe('a block that holds an address that was made up', () => {
  it('is told, once a policy, with one of the Pods', async () => {
    expect(
      await told(pod('a') + pod('b') + from('half', '{cidr: 0.0.0.0/1, except: [10.0.0.0/8]}')),
    ).toEqual([
      expect.stringMatching(
        /^invented-address NetworkPolicy default\/half: block 0\.0\.0\.0\/1 .* such as 10\.244\.\d\.2 for default\/[ab]; /,
      ),
    ]);
  });

  it('is not where every address or none is in it', async () => {
    expect(await told(pod('a') + from('all', '{cidr: 0.0.0.0/0}'))).toEqual([]);
    expect(await told(pod('a') + from('world', '{cidr: 203.0.113.0/24}'))).toEqual([]);
    expect(await told(pod('a') + from('below', '{cidr: 10.243.0.0/16}'))).toEqual([]);
    expect(await told(pod('a') + from('six', '{cidr: "fd00::/8"}'))).toEqual([]);
  });

  it('is not where the input shows the addresses, or the Pod has that of its node', async () => {
    const half = from('half', '{cidr: 0.0.0.0/1}');
    expect(await told(running('a', '10.1.2.3') + half)).toEqual([]);
    expect(await told(pod('a', '', '', 'hostNetwork: true') + half)).toEqual([]);
    expect(await told(running('a', '10.1.2.3') + pod('b', 'x: y') + half)).toHaveLength(1);
  });
});
