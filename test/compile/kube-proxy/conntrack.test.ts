import { describe, expect, it } from 'vitest';
import { sysctlGet } from '../../../src/kernel/sysctl.ts';
import { nodeWith } from './several-services.ts';

describe('conntrack.tcpBeLiberal', () => {
  it.each([
    ['iptables', '1'],
    ['nftables', '1'],
    ['ipvs', '1'],
    ['none', '0'],
  ] as const)('is a setting of the node, whatever the mode: %s', (mode, value) => {
    const netns = nodeWith([], { mode, tcpBeLiberal: true });
    expect(sysctlGet(netns, 'net.netfilter.nf_conntrack_tcp_be_liberal')).toBe(value);
  });
});
