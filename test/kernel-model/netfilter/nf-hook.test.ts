import { describe, expect, it } from 'vitest';
import type { Skb } from '../../../src/kernel/skb.ts';
import { icmp, iptables, type Router, routerWith, tcp, udp } from './bench-router.ts';

const client = '10.0.0.2';
const server = '192.0.2.7';
const packet = udp(client, 5000, server, 53);

const told = ({ events }: Router): string[] =>
  events.map(({ kind, action, detail }) => {
    const { table, chain, number } = detail as { table?: string; chain?: string; number?: number };
    return [kind, action, table, chain, number].filter((word) => word !== undefined).join(' ');
  });

const FLANNEL = [
  '-N FLANNEL-FWD',
  '-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD',
  '-A FLANNEL-FWD -s 10.0.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
  '-A FLANNEL-FWD -d 10.0.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
  '-t nat -N FLANNEL-POSTRTG',
  '-t nat -A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG',
  '-t nat -A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -j RETURN',
  '-t nat -A FLANNEL-POSTRTG -s 10.0.0.0/24 -d 10.0.0.0/16 -j RETURN',
  '-t nat -A FLANNEL-POSTRTG -s 10.0.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE --random-fully',
];

describe('what a hook tells', () => {
  it('is nothing in a namespace without rules', () => {
    const router = routerWith(iptables());
    expect(router.forward(packet)).toBe(packet);
    expect(router.events).toEqual([]);
    expect(router.conntrack).toEqual([]);
  });

  it('is which chains were asked, which rule accepted, and what was edited', () => {
    const router = routerWith(iptables(...FLANNEL));
    router.forward(packet);
    expect(told(router)).toEqual([
      'conntrack new',
      'hook accept',
      'rule accept filter FLANNEL-FWD 1',
      'hook accept',
      'nat masquerade nat FLANNEL-POSTRTG 3',
      'conntrack confirm',
    ]);
    expect(router.events[1]).toMatchObject({
      netns: 'r/host',
      detail: {
        hook: 'FORWARD',
        in: 'eth0',
        out: 'eth1',
        bridged: false,
        chains: [{ table: 'filter', chain: 'FORWARD', rules: 1, policy: 'ACCEPT' }],
      },
    });
    expect(router.events[2]).toMatchObject({
      detail: { path: [{ chain: 'FORWARD', number: 1 }], rule: { comment: 'flanneld forward' } },
    });
    expect(router.events[4]).toMatchObject({
      detail: { path: [{ chain: 'POSTROUTING', number: 1 }] },
    });
  });

  it('is the RETURN that kept a packet from being translated', () => {
    const router = routerWith(iptables(...FLANNEL));
    router.forward(udp(client, 5000, '10.0.0.9', 53));
    expect(told(router).slice(3)).toEqual([
      'hook accept',
      'rule return nat FLANNEL-POSTRTG 2',
      'conntrack confirm',
    ]);
  });

  it.each<[string, readonly string[], string[]]>([
    [
      '-A FORWARD -j DROP',
      ['DROP', 'filter', 'FORWARD', '1'],
      ['hook drop', 'rule drop filter FORWARD 1'],
    ],
    [
      '-P FORWARD DROP',
      ['DROP', 'filter', 'FORWARD', ''],
      ['hook drop', 'rule policy-drop filter FORWARD'],
    ],
    [
      '-A FORWARD -j REJECT',
      ['REJECT', 'filter', 'FORWARD', '1'],
      ['hook reject', 'rule reject filter FORWARD 1'],
    ],
    [
      '-A FORWARD -m limit --limit 1/s -j DROP',
      ['UNKNOWN', 'filter', 'FORWARD', '1'],
      ['hook unknown', 'rule unmodelled filter FORWARD 1'],
    ],
  ])('is what stopped a packet: %s', (line, [kind, table, chain, number], events) => {
    const router = routerWith(iptables(line));
    const verdict = router.forward(packet);
    expect(verdict).toMatchObject({ kind, by: { table, chain } });
    if ('by' in verdict && 'chain' in verdict.by) expect(`${verdict.by.number ?? ''}`).toBe(number);
    expect(told(router)).toEqual(events);
  });

  it('carries the origin of the rule', () => {
    const origin = { by: 'cni', why: 'forward-accept' } as const;
    const ruleset = iptables('-P FORWARD ACCEPT');
    ruleset.tables[0]?.chains[0]?.rules.push({ matches: [], target: { kind: 'DROP' }, origin });
    const router = routerWith(ruleset);
    expect(router.forward(packet)).toMatchObject({ by: { rule: { origin } } });
    expect(router.events.at(-1)).toMatchObject({ kind: 'rule', origin });
  });

  it('says what a bridged frame met, by its ports', () => {
    const router = routerWith(
      iptables('-A FORWARD -m physdev --physdev-in veth0 --physdev-out veth1 -j ACCEPT'),
    );
    const skb: Skb = { packet, mark: 0 };
    const ports = { physin: 'veth0', physout: 'veth1', bridged: true };
    router.at('FORWARD', skb, { in: 'br0', out: 'br0', ...ports });
    expect(told(router)).toEqual(['hook accept', 'rule accept filter FORWARD 1']);
    expect(router.events[0]).toMatchObject({ detail: { in: 'br0', out: 'br0', ...ports } });
    expect(router.events[1]).toMatchObject({ detail: { bridged: true } });
  });
});

describe('the order of a hook', () => {
  const mark = (n: number): string => `-j MARK --set-mark ${n}`;

  it('is raw, mangle, nat, filter, security, whichever was there first', () => {
    const router = routerWith(
      iptables(
        `-t security -A OUTPUT -m mark --mark 3 ${mark(4)}`,
        `-A OUTPUT -m mark --mark 2 ${mark(3)}`,
        '-t nat -A OUTPUT -m mark --mark 2 -j ACCEPT',
        '-t nat -A POSTROUTING -j MASQUERADE',
        `-t mangle -A OUTPUT -m mark --mark 1 ${mark(2)}`,
        `-t raw -A OUTPUT -m conntrack --ctstate INVALID ${mark(1)}`,
      ),
    );
    const skb: Skb = { packet, mark: 0 };
    router.at('OUTPUT', skb, { out: 'eth1' });
    expect(skb.mark).toBe(4);
    expect(told(router)).toEqual([
      'hook accept',
      'rule mark raw OUTPUT 1',
      'conntrack new',
      'rule mark mangle OUTPUT 1',
      'rule accept nat OUTPUT 1',
      'rule mark filter OUTPUT 1',
      'rule mark security OUTPUT 1',
    ]);
  });

  it('has nat before security at INPUT', () => {
    const router = routerWith(
      iptables(
        '-t security -A INPUT -j DROP',
        '-t nat -A INPUT -j ACCEPT',
        '-t nat -A POSTROUTING -j MASQUERADE',
      ),
    );
    const skb: Skb = { packet: udp(client, 5000, '10.0.0.1', 53), mark: 0 };
    router.at('PREROUTING', skb, { in: 'eth0' });
    expect(router.at('INPUT', skb, { in: 'eth0' })).toMatchObject({ by: { table: 'security' } });
    expect(told(router)).toEqual([
      'hook drop',
      'rule accept nat INPUT 1',
      'rule drop security INPUT 1',
    ]);
  });

  it('ends with the first that does not accept', () => {
    const router = routerWith(iptables('-t mangle -A FORWARD -j DROP', '-A FORWARD -j ACCEPT'));
    expect(router.forward(packet)).toMatchObject({ kind: 'DROP', by: { table: 'mangle' } });
    expect(router.events[0]).toMatchObject({ detail: { chains: [{ table: 'mangle' }] } });
  });
});

describe('the route of our own packet', () => {
  const verdict = (line: string): unknown => {
    const skb: Skb = { packet: udp('10.0.0.1', 5000, server, 53), mark: 0 };
    return routerWith(iptables(line)).at('OUTPUT', skb, { out: 'eth1' });
  };

  it('is looked up again when mangle changed the mark', () => {
    const accepted = { kind: 'ACCEPT' };
    const rerouted = { kind: 'ACCEPT', reroute: true };
    expect(verdict('-t mangle -A OUTPUT -j MARK --set-mark 1')).toEqual(rerouted);
    expect(verdict('-t mangle -A OUTPUT -j MARK --set-mark 0')).toEqual(accepted);
    expect(verdict('-A OUTPUT -j MARK --set-mark 1')).toEqual(accepted);
    expect(verdict('-t mangle -A POSTROUTING -j MARK --set-mark 1')).toEqual(accepted);
  });
});

describe('a packet that conntrack has no tuple for', () => {
  it('is not modelled while conntrack is there, and passes otherwise', () => {
    const skb = (): Skb => ({
      packet: { ...packet, protocol: 50, payload: { type: 'data', length: 8 } },
      mark: 0,
    });
    const tracking = routerWith(iptables('-A FORWARD -m conntrack --ctstate NEW'));
    expect(tracking.at('PREROUTING', skb(), { in: 'eth0' })).toMatchObject({ kind: 'UNKNOWN' });
    const plain = routerWith(iptables('-A FORWARD -p esp -j DROP'));
    expect(plain.forward(skb().packet)).toMatchObject({ kind: 'DROP' });
  });
});

describe('an INVALID packet', () => {
  it('passes nat untouched and unasked', () => {
    const router = routerWith(iptables('-t nat -A POSTROUTING -j MASQUERADE'));
    const stray = [
      tcp(client, 5000, server, 80, 'rst'),
      icmp(client, server, 'echo-reply', { id: 1 }),
    ];
    for (const one of stray) {
      expect(router.forward(one)).toBe(one);
      expect(told(router)).toEqual(['conntrack invalid']);
    }
  });
});
