import { describe, expect, it } from 'vitest';
import { parseConntrack } from '../../src/lab/conntrack.ts';

describe('parseConntrack', () => {
  it('reads what conntrack -L -o extended prints', () => {
    const text = [
      'ipv4     2 tcp      6 431999 ESTABLISHED src=10.244.1.2 dst=203.0.113.10 sport=40000 dport=80 src=203.0.113.10 dst=192.168.10.11 sport=80 dport=40000 [ASSURED] mark=0 use=1',
      'ipv4     2 udp      17 29 src=192.168.10.11 dst=192.168.10.12 sport=54749 dport=8472 [UNREPLIED] src=192.168.10.12 dst=192.168.10.11 sport=8472 dport=54749 mark=0 use=1',
      'ipv4     2 icmp     1 29 src=10.244.1.2 dst=10.244.1.3 type=8 code=0 id=40000 src=10.244.1.3 dst=10.244.1.2 type=0 code=0 id=40000 mark=0 use=1',
      'ipv6     10 udp      17 29 src=fe80::1 dst=fe80::2 sport=1 dport=2 [UNREPLIED] src=fe80::2 dst=fe80::1 sport=2 dport=1 mark=0 use=1',
      'conntrack v1.4.7 (conntrack-tools): 4 flow entries have been shown.',
    ].join('\n');
    expect(parseConntrack(text)).toEqual([
      {
        original: {
          src: '10.244.1.2',
          dst: '203.0.113.10',
          protocol: 'tcp',
          sport: 40000,
          dport: 80,
        },
        reply: {
          src: '203.0.113.10',
          dst: '192.168.10.11',
          protocol: 'tcp',
          sport: 80,
          dport: 40000,
        },
        seenReply: true,
        assured: true,
        snat: true,
        dnat: false,
        tcpState: 'ESTABLISHED',
        confirmed: true,
        srcNatDone: true,
        dstNatDone: true,
      },
      {
        original: {
          src: '192.168.10.11',
          dst: '192.168.10.12',
          protocol: 'udp',
          sport: 54749,
          dport: 8472,
        },
        reply: {
          src: '192.168.10.12',
          dst: '192.168.10.11',
          protocol: 'udp',
          sport: 8472,
          dport: 54749,
        },
        seenReply: false,
        assured: false,
        snat: false,
        dnat: false,
        confirmed: true,
        srcNatDone: true,
        dstNatDone: true,
      },
      {
        original: {
          src: '10.244.1.2',
          dst: '10.244.1.3',
          protocol: 'icmp',
          sport: 40000,
          dport: 40000,
        },
        reply: {
          src: '10.244.1.3',
          dst: '10.244.1.2',
          protocol: 'icmp',
          sport: 40000,
          dport: 40000,
        },
        seenReply: true,
        assured: false,
        snat: false,
        dnat: false,
        confirmed: true,
        srcNatDone: true,
        dstNatDone: true,
      },
    ]);
  });
});
