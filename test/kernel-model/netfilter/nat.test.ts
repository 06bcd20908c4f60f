import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NatEvent } from '../../../src/kernel/event.ts';
import { nfConntrackAttach } from '../../../src/kernel/netfilter/conntrack-in.ts';
import type { Skb } from '../../../src/kernel/skb.ts';
import type { Ipv4, Unknown } from '../../../src/wire/packet.ts';
import { answerTo, icmp, iptables, type Router, routerWith, tcp, udp } from './bench-router.ts';

const forwarded = (router: Router, packet: Ipv4, ...way: string[]): Ipv4 => {
  const left = router.forward(packet, ...way);
  if (!('type' in left)) throw new Error(`stopped: ${left.kind}`);
  return left;
};

const natEvents = (router: Router): Pick<NatEvent, 'action' | 'detail'>[] =>
  router.events.flatMap((event) => (event.kind === 'nat' ? [event] : []));

const client = '10.0.0.2';
const server = '192.0.2.7';
const MASQUERADE = '-t nat -A POSTROUTING -o eth1 -j MASQUERADE';
const DNAT =
  '-t nat -A PREROUTING -d 10.96.0.1 -p udp --dport 80 -j DNAT --to-destination 192.0.2.7:8080';

describe('a translated connection', () => {
  it('leaves with the address of the device, and its answers come back to the sender', () => {
    const router = routerWith(iptables(MASQUERADE));
    const sent = tcp(client, 40000, server, 80, 'syn');
    const left = forwarded(router, sent);
    expect(left).toEqual(tcp('192.0.2.1', 40000, server, 80, 'syn'));
    expect(natEvents(router)).toMatchObject([
      {
        action: 'masquerade',
        detail: {
          field: 'src',
          before: { ip: client, port: 40000 },
          after: { ip: '192.0.2.1', port: 40000 },
          table: 'nat',
          chain: 'POSTROUTING',
          number: 1,
          entry: { snat: true, dnat: false, reply: { dst: '192.0.2.1' } },
        },
      },
    ]);
    const back = forwarded(router, answerTo(left), 'eth1', 'eth0');
    expect(back).toEqual(answerTo(sent));
    expect(natEvents(router)).toMatchObject([
      { action: 'un-snat', detail: { field: 'dst', after: { ip: client, port: 40000 } } },
    ]);
    expect(natEvents(router)[0]?.detail.rule).toBeUndefined();
  });

  it('goes to another address and port, and its answers come from the first one', () => {
    const router = routerWith(iptables(DNAT));
    const sent = udp(client, 5000, '10.96.0.1', 80);
    const left = forwarded(router, sent);
    expect(left).toEqual(udp(client, 5000, server, 8080));
    expect(forwarded(router, answerTo(left), 'eth1', 'eth0')).toEqual(answerTo(sent));
    expect(natEvents(router)).toMatchObject([
      { action: 'un-dnat', detail: { hook: 'POSTROUTING', field: 'src' } },
    ]);
    forwarded(router, sent);
    expect(natEvents(router)).toMatchObject([{ action: 'dnat', detail: { field: 'dst' } }]);
  });

  it('keeps its binding when the rules have changed', () => {
    const ruleset = iptables(MASQUERADE);
    const router = routerWith(ruleset);
    const sent = udp(client, 5000, server, 53);
    const left = forwarded(router, sent);
    for (const { chains } of ruleset.tables)
      for (const [at, chain] of chains.entries())
        chains[at] = {
          ...chain,
          rules: [{ matches: [], target: { kind: 'ACCEPT' } }, ...chain.rules],
        };
    expect(forwarded(router, sent)).toEqual(left);
    expect(forwarded(router, answerTo(left), 'eth1', 'eth0')).toEqual(answerTo(sent));
  });

  it('is asked about once, with its first packet', () => {
    const router = routerWith(
      iptables('-t nat -A POSTROUTING -d 192.0.2.9 -j MASQUERADE', MASQUERADE),
    );
    const sent = udp(client, 5000, server, 53);
    forwarded(router, sent);
    const asked = (): number => router.events.filter(({ kind }) => kind === 'hook').length;
    expect(asked()).toBe(1);
    forwarded(router, sent);
    expect(asked()).toBe(0);
  });

  it('is dropped when the device it leaves by has no address', () => {
    const router = routerWith(iptables('-t nat -A POSTROUTING -j MASQUERADE'));
    const verdict = router.forward(udp(client, 5000, server, 53), 'eth0', 'eth9');
    expect(verdict).toMatchObject({ kind: 'DROP', by: { table: 'nat', number: 1 } });
  });

  it('is forgotten when it leaves by another device than it was masqueraded for', () => {
    const router = routerWith(iptables('-t nat -A POSTROUTING -j MASQUERADE'));
    const sent = udp(client, 5000, server, 53);
    forwarded(router, sent);
    expect(router.forward(sent, 'eth1', 'eth0')).toMatchObject({ kind: 'DROP' });
    expect(router.conntrack).toEqual([]);
  });

  it('takes the id of an echo along', () => {
    const router = routerWith(iptables(`${MASQUERADE} --random-fully`));
    const sent = icmp(client, server, 'echo-request', { id: 7 });
    const left = forwarded(router, sent);
    expect(left.payload).toMatchObject({ id: { unknown: 'random-port', range: [0, 65535] } });
    expect(forwarded(router, answerTo(left), 'eth1', 'eth0')).toEqual(answerTo(sent));
  });

  it('finds its way back by the very port that was chosen at random', () => {
    const router = routerWith(iptables(`${MASQUERADE} --random-fully`));
    const sent = ['10.0.0.2', '10.0.0.3'].map((src) => udp(src, 5000, server, 53));
    const left = sent.map((packet) => forwarded(router, packet));
    expect(left[0]).toEqual(left[1]);
    const back = left.map((packet) => forwarded(router, answerTo(packet), 'eth1', 'eth0'));
    expect(back).toEqual(sent.map(answerTo));
  });

  it('keeps a connection without translation as it is', () => {
    const router = routerWith(iptables(MASQUERADE));
    const sent = udp(client, 5000, server, 53);
    expect(forwarded(router, sent, 'eth0', 'eth2')).toEqual(sent);
    expect(natEvents(router)).toEqual([]);
    expect(router.conntrack).toMatchObject([{ snat: false, srcNatDone: true, dstNatDone: true }]);
  });
});

describe('a port that is taken', () => {
  it.each<[number, readonly [number, number]]>([
    [5000, [1024, 65535]],
    [1023, [600, 1023]],
    [511, [1, 511]],
  ])('moves within its class: %i', (port, range) => {
    const router = routerWith(iptables(MASQUERADE));
    forwarded(router, udp('10.0.0.2', port, server, 53));
    const moved = forwarded(router, udp('10.0.0.3', port, server, 53));
    const expected: Unknown = { unknown: 'random-port', range };
    expect(moved.payload).toMatchObject({ sport: expected, dport: 53 });
    expect(forwarded(router, udp('10.0.0.3', port, '192.0.2.8', 53)).payload).toMatchObject({
      sport: expected,
    });
  });

  it('moves too when only the destination was translated', () => {
    const rule =
      '-t nat -A PREROUTING -d 10.96.0.0/24 -p udp -j DNAT --to-destination 192.0.2.7:80';
    const router = routerWith(iptables(rule));
    forwarded(router, udp(client, 5000, '10.96.0.1', 80));
    const second = udp(client, 5000, '10.96.0.2', 80);
    const left = forwarded(router, second);
    expect(left).toMatchObject({ dst: server, payload: { sport: { range: [1024, 65535] } } });
    expect(forwarded(router, answerTo(left), 'eth1', 'eth0')).toEqual(answerTo(second));
  });

  it('is shared by nobody when SNAT gives but one', () => {
    const rule = '-t nat -A POSTROUTING -p udp -j SNAT --to-source 192.0.2.1:6000';
    const router = routerWith(iptables(rule));
    forwarded(router, udp(client, 5000, server, 53));
    expect(router.forward(udp(client, 5001, server, 53))).toMatchObject({ kind: 'DROP' });
    expect(router.forward(udp(client, 5001, '192.0.2.8', 53))).toMatchObject({ type: 'ipv4' });
  });
});

describe('an ICMP error about a translated packet', () => {
  it('goes to the one who sent, and quotes what that one sent', () => {
    const router = routerWith(iptables(MASQUERADE));
    const sent = udp(client, 5000, server, 53);
    const left = forwarded(router, sent);
    const original = { ...left, ttl: 1 };
    const error = icmp('198.51.100.1', '192.0.2.1', 'time-exceeded', { original });
    expect(forwarded(router, error, 'eth1', 'eth0')).toEqual(
      icmp('198.51.100.1', client, 'time-exceeded', { original: { ...sent, ttl: 1 } }),
    );
  });

  it('seems to come from the address that was asked', () => {
    const router = routerWith(iptables(DNAT));
    const sent = udp(client, 5000, '10.96.0.1', 80);
    const left = forwarded(router, sent);
    const error = icmp(server, client, 'destination-unreachable', { code: 3, original: left });
    expect(forwarded(router, error, 'eth1', 'eth0')).toEqual(
      icmp('10.96.0.1', client, 'destination-unreachable', { code: 3, original: sent }),
    );
  });

  it('that we send ourselves about our masqueraded packet is routed to the sender', () => {
    const router = routerWith(iptables(MASQUERADE));
    const sent = udp(client, 5000, server, 53);
    const left = forwarded(router, sent);
    const error = icmp('192.0.2.1', '192.0.2.1', 'destination-unreachable', {
      code: 1,
      original: left,
    });
    const skb: Skb = { packet: error, mark: 0 };
    const verdict = router.at('OUTPUT', skb, { out: 'lo' });
    expect(verdict).toEqual({ kind: 'ACCEPT', reroute: true });
    expect(skb.packet).toMatchObject({ dst: client, payload: { original: sent } });
  });

  it('that is a redirect is dropped', () => {
    const router = routerWith(iptables(MASQUERADE));
    const original = forwarded(router, udp(client, 5000, server, 53));
    const redirect = icmp('198.51.100.1', '192.0.2.1', 'redirect', { original });
    expect(router.forward(redirect, 'eth1', 'eth0')).toMatchObject({ kind: 'DROP' });
  });

  it('that is a redirect is dropped until it is sure that nothing is translated', () => {
    const router = routerWith(iptables(DNAT));
    const sent: Skb = { packet: udp(client, 5000, server, 53), mark: 0 };
    const told = (): string => {
      const redirect: Skb = {
        packet: icmp('10.0.0.1', client, 'redirect', { original: sent.packet }),
        mark: 0,
      };
      nfConntrackAttach(redirect, sent);
      return router.at('OUTPUT', redirect, { out: 'eth0' }).kind;
    };
    router.at('PREROUTING', sent, { in: 'eth0' });
    expect(told()).toBe('DROP');
    router.at('POSTROUTING', sent, { out: 'eth0' });
    expect(told()).toBe('ACCEPT');
  });
});

describe('translation at OUTPUT and in the bridge', () => {
  it('makes a packet of our own take another route', () => {
    const router = routerWith(
      iptables('-t nat -A OUTPUT -p udp -j DNAT --to-destination 10.0.0.9'),
    );
    const skb: Skb = { packet: udp('192.0.2.1', 5000, server, 53), mark: 0 };
    expect(router.at('OUTPUT', skb, { out: 'eth1' })).toEqual({ kind: 'ACCEPT', reroute: true });
    expect(skb.packet.dst).toBe('10.0.0.9');
  });

  it('gives a bridged frame another destination, which the bridge acts on', () => {
    const router = routerWith(iptables(DNAT));
    const skb: Skb = { packet: udp(client, 5000, '10.96.0.1', 80), mark: 0 };
    const bridged = { in: 'br0', physin: 'veth0', bridged: true };
    expect(router.at('PREROUTING', skb, bridged)).toEqual({ kind: 'ACCEPT' });
    expect(skb.packet.dst).not.toBe('10.96.0.1');
  });

  it('that is not modelled is unknown where it would bind', () => {
    const router = routerWith(
      iptables(
        MASQUERADE.replace('MASQUERADE', 'MASQUERADE --random'),
        '-t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 99',
      ),
    );
    const verdict = router.forward(udp(client, 5000, server, 53));
    expect(verdict).toMatchObject({ kind: 'UNKNOWN', by: { chain: 'POSTROUTING', number: 1 } });
    expect(router.events.at(-1)).toMatchObject({ kind: 'rule', action: 'unmodelled' });
    expect(router.forward(tcp(client, 5000, server, 80, 'syn'))).toMatchObject({
      by: { chain: 'PREROUTING' },
    });
  });
});

describe('NAT and the way back', () => {
  const host = fc.constantFrom('10.0.0.2', '10.0.0.3', '10.0.0.4');
  const remote = fc.constantFrom('192.0.2.7', '192.0.2.8', '10.96.0.1', '10.96.0.2');
  const port = fc.constantFrom(80, 443, 700, 5000, 5001);
  const question = fc.oneof(
    fc.tuple(host, port, remote, port).map((args) => udp(...args)),
    fc.tuple(host, port, remote, port).map((args) => tcp(...args, 'syn')),
    fc
      .tuple(host, remote, fc.integer({ min: 1, max: 3 }))
      .map(([src, dst, id]) => icmp(src, dst, 'echo-request', { id })),
  );
  const rules = fc.subarray([
    '-t nat -A PREROUTING -d 10.96.0.1 -p tcp -j DNAT --to-destination 192.0.2.7:8080',
    '-t nat -A PREROUTING -d 10.96.0.0/24 -j DNAT --to-destination 192.0.2.8',
    '-t nat -A POSTROUTING -s 10.0.0.3 -j SNAT --to-source 192.0.2.200',
    '-t nat -A POSTROUTING -s 10.0.0.2 -j MASQUERADE --random-fully',
    '-t nat -A POSTROUTING -d 192.0.2.7 -j RETURN',
    '-t nat -A POSTROUTING -j MASQUERADE',
  ]);

  it('cancel out: each answer comes back as if nothing had been changed', () => {
    fc.assert(
      fc.property(rules, fc.array(question, { minLength: 1, maxLength: 12 }), (lines, sent) => {
        const router = routerWith(iptables(...lines, '-A FORWARD -m conntrack --ctstate NEW'));
        const left = sent.map((packet) => forwarded(router, packet));
        for (const [at, packet] of left.entries()) {
          const back = forwarded(router, answerTo(packet), 'eth1', 'eth0');
          expect({ ...back, payload: { ...back.payload, flags: [] } }).toEqual({
            ...answerTo(sent[at] ?? packet),
            payload: { ...answerTo(sent[at] ?? packet).payload, flags: [] },
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('tell apart two connections of one source that meet behind DNAT and a random port', () => {
    const router = routerWith(
      iptables(
        '-t nat -A PREROUTING -d 10.96.0.0/24 -j DNAT --to-destination 192.0.2.8',
        MASQUERADE,
      ),
    );
    const other = tcp('10.0.0.2', 5001, '192.0.2.8', 5000, 'syn');
    const direct = tcp('10.0.0.4', 5001, '192.0.2.8', 5000, 'syn');
    const translated = tcp('10.0.0.4', 5001, '10.96.0.2', 5000, 'syn');
    const [, , left] = [other, direct, translated].map((packet) => forwarded(router, packet));
    if (left === undefined) throw new Error('lost');
    expect(forwarded(router, answerTo(left), 'eth1', 'eth0')?.src).toBe('10.96.0.2');
  });

  it('give no two connections the same packets to be known by', () => {
    fc.assert(
      fc.property(rules, fc.array(question, { minLength: 2, maxLength: 12 }), (lines, sent) => {
        const router = routerWith(iptables(...lines, MASQUERADE));
        for (const packet of sent) forwarded(router, packet);
        const known = router.conntrack
          .map(({ reply }) => reply)
          .filter(({ dport }) => typeof dport === 'number')
          .map((reply) => JSON.stringify(reply));
        expect(new Set(known).size).toBe(known.length);
      }),
      { numRuns: 200 },
    );
  });
});
