import { describe, expect, it } from 'vitest';
import type { TcpState } from '../../../src/kernel/netfilter/conntrack.ts';
import {
  conntrackActive,
  nfConntrackAttach,
  nfConntrackSetClosing,
} from '../../../src/kernel/netfilter/conntrack-in.ts';
import { nfAppend } from '../../../src/kernel/netfilter/ruleset.ts';
import { tcpFirst, tcpNext } from '../../../src/kernel/netfilter/tcp-state.ts';
import { sysctlSet } from '../../../src/kernel/netlink.ts';
import type { Skb } from '../../../src/kernel/skb.ts';
import type { Ipv4, TcpFlag } from '../../../src/wire/packet.ts';
import { answerTo, icmp, iptables, type Router, routerWith, tcp, udp } from './bench-router.ts';

const tracking = (): Router => routerWith(iptables('-A FORWARD -m conntrack --ctstate NEW'));

/** Forwards a packet and says which state it was in. */
const stateOf = (router: Router, packet: Ipv4): string => {
  router.forward(packet);
  const event = router.events.find(({ kind }) => kind === 'conntrack');
  return event?.kind === 'conntrack' ? event.detail.state : 'none';
};

const client = '10.0.0.2';
const server = '192.0.2.7';
const segment = (...flags: TcpFlag[]): Ipv4 => tcp(client, 40000, server, 80, ...flags);
const back = (...flags: TcpFlag[]): Ipv4 => tcp(server, 80, client, 40000, ...flags);

describe('the state of a packet', () => {
  it('is NEW until an answer was seen, then ESTABLISHED both ways', () => {
    const router = tracking();
    const question = udp(client, 5000, server, 53);
    expect(stateOf(router, question)).toBe('NEW');
    expect(stateOf(router, question)).toBe('NEW');
    expect(stateOf(router, answerTo(question))).toBe('ESTABLISHED');
    expect(stateOf(router, question)).toBe('ESTABLISHED');
    expect(router.conntrack).toHaveLength(1);
  });

  it('follows a handshake to its end', () => {
    const router = tracking();
    const steps: [Ipv4, string, string, boolean][] = [
      [segment('syn'), 'NEW', 'SYN_SENT', false],
      [back('syn', 'ack'), 'ESTABLISHED', 'SYN_RECV', false],
      [segment('ack'), 'ESTABLISHED', 'ESTABLISHED', true],
      [segment('fin', 'ack'), 'ESTABLISHED', 'FIN_WAIT', true],
      [back('ack'), 'ESTABLISHED', 'CLOSE_WAIT', true],
      [back('fin', 'ack'), 'ESTABLISHED', 'LAST_ACK', true],
      [segment('ack'), 'ESTABLISHED', 'TIME_WAIT', true],
      [segment('syn'), 'NEW', 'SYN_SENT', false],
    ];
    for (const [packet, state, tcpState, assured] of steps) {
      expect(stateOf(router, packet)).toBe(state);
      expect(router.conntrack).toMatchObject([{ tcpState, assured }]);
    }
  });

  it('is UNTRACKED where a rule of table raw says so, and then nothing is remembered', () => {
    const router = routerWith(
      iptables(
        '-t raw -A PREROUTING -p udp -j NOTRACK',
        '-A FORWARD -m conntrack --ctstate UNTRACKED -j DROP',
        '-A FORWARD -m conntrack --ctstate INVALID -j REJECT',
      ),
    );
    expect(router.forward(udp(client, 5000, server, 53))).toMatchObject({ kind: 'DROP' });
    expect(stateOf(router, segment('syn'))).toBe('NEW');
    expect(router.conntrack).toMatchObject([{ original: { protocol: 'tcp' } }]);
  });

  it('is INVALID for a reset about answers that never came by, unless conntrack is liberal', () => {
    const router = tracking();
    router.forward(segment('syn'));
    expect(stateOf(router, segment('rst', 'ack'))).toBe('INVALID');
    expect(router.conntrack).toMatchObject([{ tcpState: 'SYN_SENT' }]);
    sysctlSet(router.netns, 'net.netfilter.nf_conntrack_tcp_be_liberal', '1');
    expect(stateOf(router, segment('rst', 'ack'))).toBe('NEW');
    expect(router.conntrack).toEqual([]);
  });

  it('drops what begins a connection when there is no room, and lets those that are known go on', () => {
    const router = tracking();
    const question = udp(client, 5000, server, 53);
    sysctlSet(router.netns, 'net.netfilter.nf_conntrack_max', '1');
    expect(router.forward(segment('syn'))).toEqual(segment('syn'));
    expect(router.forward(question)).toMatchObject({ kind: 'DROP' });
    expect(router.events.at(-1)).toMatchObject({ kind: 'conntrack', action: 'full' });
    expect(router.forward(back('syn', 'ack'))).toEqual(back('syn', 'ack'));
    expect(router.conntrack).toHaveLength(1);
    sysctlSet(router.netns, 'net.netfilter.nf_conntrack_max', '0');
    expect(router.forward(question)).toEqual(question);
  });

  it('forgets a connection whose only answer is a RST', () => {
    const router = tracking();
    stateOf(router, segment('syn'));
    expect(stateOf(router, back('rst', 'ack'))).toBe('ESTABLISHED');
    expect(router.conntrack).toEqual([]);
    expect(stateOf(router, segment('syn'))).toBe('NEW');
  });

  it('keeps a connection that a RST ended, until its own side opens it again', () => {
    const router = tracking();
    for (const packet of [segment('syn'), back('syn', 'ack'), segment('ack'), back('rst')])
      stateOf(router, packet);
    expect(router.conntrack).toMatchObject([{ tcpState: 'CLOSE' }]);
    expect(stateOf(router, segment('syn'))).toBe('ESTABLISHED');
    stateOf(router, segment('rst'));
    expect(stateOf(router, segment('syn'))).toBe('NEW');
  });

  it('is INVALID for what cannot start a connection', () => {
    const stray = [
      back('syn', 'ack'),
      back('rst'),
      back('fin', 'ack'),
      segment(),
      segment('syn', 'fin'),
      icmp(server, client, 'echo-reply', { id: 7 }),
      icmp(server, client, 'destination-unreachable', { original: segment('syn') }),
    ];
    for (const packet of stray) {
      const router = tracking();
      expect(stateOf(router, packet)).toBe('INVALID');
      expect(router.conntrack).toEqual([]);
    }
  });

  it('picks up a connection in the middle, unless it is told not to', () => {
    const router = tracking();
    expect(stateOf(router, segment('ack'))).toBe('NEW');
    expect(router.conntrack).toMatchObject([{ tcpState: 'ESTABLISHED', assured: false }]);
    expect(tcpFirst(['ack'], false)).toBe('invalid');
  });

  it('tells an echo from its answer, and one id from another', () => {
    const router = tracking();
    const ping = icmp(client, server, 'echo-request', { id: 7 });
    expect(stateOf(router, ping)).toBe('NEW');
    expect(stateOf(router, icmp(server, client, 'echo-reply', { id: 8 }))).toBe('INVALID');
    expect(stateOf(router, icmp(server, client, 'echo-request', { id: 7 }))).toBe('NEW');
    expect(stateOf(router, answerTo(ping))).toBe('ESTABLISHED');
  });

  it('is RELATED for an error about a known connection, sent to its sender', () => {
    const router = tracking();
    const question = udp(client, 5000, server, 53);
    stateOf(router, question);
    const about = { code: 3, original: question };
    expect(stateOf(router, icmp(server, client, 'destination-unreachable', about))).toBe('RELATED');
    const astray = icmp(server, '10.0.0.9', 'destination-unreachable', about);
    expect(stateOf(router, astray)).toBe('INVALID');
  });

  it('is not made for a packet that did not get through', () => {
    const rules = ['-A FORWARD -m conntrack --ctstate NEW -p udp -j DROP', '-A FORWARD -j ACCEPT'];
    const router = routerWith(iptables(...rules));
    router.forward(udp(client, 5000, server, 53));
    expect(router.conntrack).toEqual([]);
  });

  it('is kept by a packet that comes by again over lo', () => {
    const router = tracking();
    const skb: Skb = { packet: udp('10.0.0.1', 5000, '10.0.0.1', 53), mark: 0 };
    router.at('OUTPUT', skb, { out: 'lo' });
    router.at('POSTROUTING', skb, { out: 'lo' });
    const { ct } = skb;
    router.at('PREROUTING', skb, { in: 'lo' });
    expect(router.events).toEqual([]);
    router.at('INPUT', skb, { in: 'lo' });
    expect(skb.ct).toEqual(ct);
    expect(router.conntrack).toMatchObject([{ confirmed: true, seenReply: false }]);
  });

  it('of what the kernel sends about a packet is RELATED, in no table yet', () => {
    const router = tracking();
    const cause: Skb = { packet: segment('syn'), mark: 0 };
    router.at('PREROUTING', cause, { in: 'eth0' });
    const made: Skb = { packet: back('rst', 'ack'), mark: 0 };
    nfConntrackAttach(made, cause);
    expect(made.ct).toMatchObject({ state: 'RELATED', dir: 'reply' });
    router.at('OUTPUT', made, { out: 'eth0' });
    router.at('POSTROUTING', made, { out: 'eth0' });
    expect(router.conntrack).toEqual([]);
    const untracked: Skb = { packet: segment('syn'), mark: 0 };
    nfConntrackAttach(untracked, { packet: segment('syn'), mark: 0 });
    expect(untracked.ct).toBeUndefined();
  });

  it('closes when REJECT answers with a RST', () => {
    const router = tracking();
    stateOf(router, segment('syn'));
    stateOf(router, back('syn', 'ack'));
    const cause: Skb = { packet: segment('ack'), mark: 0 };
    router.at('PREROUTING', cause, { in: 'eth0' });
    const { conntrack } = router;
    nfConntrackSetClosing({ conntrack }, cause);
    expect(conntrack).toMatchObject([{ tcpState: 'CLOSE' }]);
    expect(cause.ct?.entry).toBe(conntrack[0]);
  });
});

describe('the states of TCP', () => {
  // What each segment does to each state, from the sender of the SYN and from the other one.
  it.each<[TcpFlag[], Partial<Record<TcpState, string>>, Partial<Record<TcpState, string>>]>([
    [
      ['syn'],
      { SYN_SENT: 'SYN_SENT', ESTABLISHED: 'ignored', TIME_WAIT: 'SYN_SENT', CLOSE: 'SYN_SENT' },
      { SYN_SENT: 'SYN_SENT2', ESTABLISHED: 'invalid', TIME_WAIT: 'SYN_SENT', CLOSE: 'invalid' },
    ],
    [
      ['syn', 'ack'],
      { SYN_SENT: 'invalid', SYN_SENT2: 'SYN_RECV', SYN_RECV: 'SYN_RECV', CLOSE: 'invalid' },
      { SYN_SENT: 'SYN_RECV', SYN_RECV: 'ignored', ESTABLISHED: 'ignored' },
    ],
    [
      ['ack'],
      { SYN_SENT: 'invalid', SYN_RECV: 'ESTABLISHED', FIN_WAIT: 'CLOSE_WAIT', CLOSE: 'CLOSE' },
      { SYN_SENT: 'ignored', SYN_RECV: 'SYN_RECV', LAST_ACK: 'TIME_WAIT' },
    ],
    [
      ['fin', 'ack'],
      { SYN_SENT: 'invalid', SYN_RECV: 'FIN_WAIT', FIN_WAIT: 'LAST_ACK', TIME_WAIT: 'TIME_WAIT' },
      { SYN_SENT2: 'invalid', ESTABLISHED: 'FIN_WAIT', CLOSE_WAIT: 'LAST_ACK' },
    ],
    [['rst'], { SYN_SENT: 'CLOSE', TIME_WAIT: 'CLOSE' }, { SYN_SENT: 'CLOSE', CLOSE: 'CLOSE' }],
    [['psh', 'ack'], { ESTABLISHED: 'ESTABLISHED' }, { ESTABLISHED: 'ESTABLISHED' }],
    [['fin'], { ESTABLISHED: 'invalid' }, { ESTABLISHED: 'invalid' }],
    [[], { ESTABLISHED: 'invalid' }, {}],
  ])('%j', (flags, original, reply) => {
    for (const [state, next] of Object.entries(original))
      expect(tcpNext(state as TcpState, 'original', flags), state).toBe(next);
    for (const [state, next] of Object.entries(reply))
      expect(tcpNext(state as TcpState, 'reply', flags), state).toBe(next);
  });
});

describe('conntrack in a namespace', () => {
  it.each<[string, boolean]>([
    ['-A FORWARD -j ACCEPT', false],
    ['-A FORWARD -j REJECT', false],
    ['-A FORWARD -m addrtype --dst-type LOCAL', false],
    ['-A FORWARD -m physdev --physdev-is-bridged', false],
    ['-A FORWARD -m recent --set --name x --rsource', false],
    ['-t nat -A POSTROUTING -j ACCEPT', false],
    ['-t nat -P POSTROUTING ACCEPT', false],
    ['-A FORWARD -m conntrack --ctstate NEW', true],
    ['-A FORWARD -m conntrack --ctproto 6', true],
    ['-A FORWARD -m state --state NEW', true],
    ['-A FORWARD -m connmark --mark 0x1', true],
    ['-t nat -A POSTROUTING -j MASQUERADE', true],
    ['-t nat -A POSTROUTING -j MASQUERADE --random', true],
    ['-t nat -A POSTROUTING -j SNAT --to-source 192.0.2.1', true],
    ['-t nat -A PREROUTING -p tcp -j DNAT --to-destination 192.0.2.7:80', true],
    ['-t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 80', true],
    ['-t mangle -A PREROUTING -j CONNMARK --restore-mark', true],
  ])('%s: %s', (line, active) => {
    expect(conntrackActive(iptables(line))).toBe(active);
  });

  it('is not there without rules, and comes with the first that needs it', () => {
    const ruleset = iptables();
    expect(conntrackActive(ruleset)).toBe(false);
    nfAppend(ruleset, 'nat', 'POSTROUTING', {
      matches: [],
      target: { kind: 'MASQUERADE', randomFully: false },
    });
    expect(conntrackActive(ruleset)).toBe(true);
  });
});
