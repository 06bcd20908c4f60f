import { describe, expect, it } from 'vitest';
import {
  type Answer,
  type MatchContext,
  matches,
  ruleMatches,
} from '../../../src/kernel/netfilter/match.ts';
import type { NfState } from '../../../src/kernel/netfilter/verdict.ts';
import type { Skb } from '../../../src/kernel/skb.ts';
import { parseRule } from '../../../src/userland/iptables/parse.ts';
import { icmp, ipv4, tcp, udp } from './bench-router.ts';

const syn = tcp('10.0.0.2', 40000, '192.0.2.7', 80, 'syn');

const context = (
  packet = syn,
  state: Partial<NfState> = {},
  skb: Partial<Skb> = {},
): MatchContext => ({
  skb: { packet, mark: 0, ...skb },
  state: { hook: 'FORWARD', in: 'eth0', out: 'eth1', bridged: false, ...state },
  addrType: (ip) => (ip === '192.0.2.7' ? 'LOCAL' : 'UNICAST'),
  ipsets: new Map(),
});

const answer = (rule: string, where = context()): Answer =>
  ruleMatches(parseRule(rule), where, 'FORWARD', 1);

const entry = {
  original: { src: '', dst: '', protocol: 'tcp', sport: 0, dport: 0 },
  reply: { src: '', dst: '', protocol: 'tcp', sport: 0, dport: 0 },
  seenReply: true,
  assured: false,
  snat: false,
  dnat: true,
  confirmed: true,
  srcNatDone: true,
  dstNatDone: true,
} as const;

const established = context(syn, {}, { ct: { entry, dir: 'original', state: 'ESTABLISHED' } });

describe('one condition', () => {
  it.each<[string, boolean]>([
    ['-s 10.0.0.0/24', true],
    ['! -s 10.0.0.0/24', false],
    ['-s 10.0.1.0/24', false],
    ['-d 192.0.2.7', true],
    ['! -d 192.0.2.7', false],
    ['-i eth0', true],
    ['-i eth', false],
    ['-i eth+', true],
    ['! -i eth+', false],
    ['-o eth1', true],
    ['-p tcp', true],
    ['! -p tcp', false],
    ['-p sctp', false],
    ['-p 47', false],
    ['! -p 47', true],
    ['-p tcp --dport 80', true],
    ['-p tcp --dport 79:80', true],
    ['-p tcp --dport 81:', false],
    ['-p tcp ! --dport 80', false],
    ['-p tcp --sport 40000', true],
    ['-p udp --dport 80', false],
    ['-p tcp -m multiport --dports 1,80', true],
    ['-p tcp -m multiport --sports 1,80', false],
    ['-p tcp -m multiport --ports 1,70:90', true],
    ['-p tcp -m multiport ! --ports 1,70:90', false],
    ['-p tcp --syn', true],
    ['-p tcp ! --syn', false],
    ['-p tcp --tcp-flags ACK NONE', true],
    ['-p tcp --tcp-flags SYN,RST SYN,RST', false],
    ['-m mark --mark 0', true],
    ['-m mark ! --mark 1/1', true],
    ['-m addrtype --dst-type LOCAL', true],
    ['-m addrtype --src-type LOCAL', false],
    ['-m addrtype ! --src-type LOCAL', true],
    ['-m length --length 40', true],
    ['-m length ! --length 0:39', true],
    ['-m length --length 41:', false],
    ['-m conntrack --ctstate INVALID', true],
    ['-m conntrack ! --ctstate NEW', true],
    ['-m physdev --physdev-is-bridged', false],
    ['-m physdev ! --physdev-is-bridged', true],
    ['-m comment --comment x -m comment --comment y', true],
    ['-p tcp -m tcp', true],
    ['-p icmp --icmp-type any', false],
  ])('%s: %s', (rule, expected) => {
    expect(answer(rule)).toBe(expected);
  });

  it('knows the state and the translation of a connection', () => {
    expect(answer('-m conntrack --ctstate RELATED,ESTABLISHED', established)).toBe(true);
    expect(answer('-m state ! --state ESTABLISHED', established)).toBe(false);
    expect(answer('-m conntrack --ctstate DNAT', established)).toBe(true);
    expect(answer('-m conntrack --ctstate SNAT', established)).toBe(false);
  });

  it('counts marks as 32 bits without sign', () => {
    const marked = context(syn, {}, { mark: 0xffffffff });
    expect(answer('-m mark --mark 0xffffffff', marked)).toBe(true);
    expect(answer('-m mark --mark 0x80000000/0x80000000', marked)).toBe(true);
  });

  it('looks at type and code of ICMP', () => {
    const unreachable = icmp('10.0.0.2', '192.0.2.7', 'destination-unreachable', { code: 4 });
    const where = context(unreachable);
    expect(answer('-p icmp --icmp-type 3', where)).toBe(true);
    expect(answer('-p icmp --icmp-type fragmentation-needed', where)).toBe(true);
    expect(answer('-p icmp --icmp-type 3/1', where)).toBe(false);
    expect(answer('-p icmp ! --icmp-type 8', where)).toBe(true);
    expect(answer('-p icmp --icmp-type any', where)).toBe(true);
  });

  it('takes a missing device for one without a name', () => {
    const { skb, addrType, ipsets } = context();
    const local: MatchContext = {
      skb,
      addrType,
      ipsets,
      state: { hook: 'OUTPUT', out: 'eth1', bridged: false },
    };
    expect(answer('-i eth+', local)).toBe(false);
    expect(answer('! -i eth0', local)).toBe(true);
  });

  it('knows the protocol number of data that nobody looks into', () => {
    const esp = { ...ipv4('10.0.0.2', '192.0.2.7', { type: 'data', length: 8 }), protocol: 50 };
    expect(answer('-p esp', context(esp))).toBe(true);
    expect(answer('-p tcp', context(esp))).toBe(false);
  });
});

describe('a port that only a running kernel knows', () => {
  const hash = { unknown: 'flow-hash', range: [32768, 60999] } as const;
  const where = context(udp('10.0.0.2', hash, '192.0.2.7', 8472));

  it.each<[string, Answer]>([
    ['-p udp --sport 1024:65535', true],
    ['-p udp --sport 0:1023', false],
    ['-p udp ! --sport 0:1023', true],
    ['-p udp --sport 40000', 'unknown'],
    ['-p udp ! --sport 40000', 'unknown'],
    ['-p udp -m multiport --ports 40000,8472', true],
    ['-p udp -m multiport --sports 40000', 'unknown'],
  ])('%s: %s', (rule, expected) => {
    expect(answer(rule, where)).toBe(expected);
  });
});

describe('a rule', () => {
  it('does not match as soon as one known condition fails, whatever the others are', () => {
    expect(answer('-p tcp -m limit --limit 5/min --dport 81')).toBe(false);
    expect(answer('-m limit --limit 5/min -m mark --mark 1')).toBe(false);
  });

  it('is unknown when what is known of it holds', () => {
    expect(answer('-p tcp -m limit --limit 5/min --dport 80')).toBe('unknown');
    expect(matches({ kind: 'unmodelled', text: '-m limit' }, context())).toBe('unknown');
  });
});
