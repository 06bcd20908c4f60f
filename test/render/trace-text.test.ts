import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createStyle } from '../../src/render/color-style.ts';
import { columns } from '../../src/render/width.ts';
import type { TraceFacts } from '../../src/trace/trace.ts';
import { crossNode, dropped, onePod } from './facts.ts';
import { shown } from './telling.ts';

const everyTrace: [string, () => TraceFacts][] = [
  ['crossNode', crossNode],
  ['dropped', dropped],
  ['onePod', onePod],
];

const renamed = (facts: TraceFacts, from: string, to: string): TraceFacts =>
  JSON.parse(JSON.stringify(facts).replaceAll(from, JSON.stringify(to).slice(1, -1)));

describe('traceText', () => {
  it('tells two Pods on two nodes', () => {
    expect(shown(crossNode())).toMatchInlineSnapshot(`
      "pod-a → pod-b   TCP 10.244.1.2:40000 → 10.244.2.2:8080   flannel vxlan
      No port was asked for: 8080 is the first that pod-b shows.
      Two nodes: routed into a tunnel, carried by the nodes' network, unpacked again.

      There: SYN
      node-1
        default/pod-a  network namespace held by its pause container, joined by app
         1  socket       app connects to 10.244.2.2:8080
         2  route        default via 10.244.1.1 dev eth0  elsewhere, so to the gateway
         3  neighbour    10.244.1.1 is at 9e:a4:1d:00:01:01         ARP: cni0 answered
         4  eth0         ──▶ veth1f3a9c2e of the node                        veth pair
        host  the node's own network namespace
         6  cni0         from veth1f3a9c2e, for the bridge's own MAC    up to the node
         8  route        10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink
         9  forward      cni0 → flannel.1                                  TTL 64 → 63
        10  neighbour    10.244.2.0 is at 9e:a4:1d:00:02:02            permanent entry
        11  flannel.1    ──▶ into the tunnel
        12  flannel.1    VNI 1 in UDP 8472, 192.168.10.11 → 192.168.10.12    +50 bytes
        13  eth0         ══▶ wire ══▶ eth0 of node-2                   110 bytes of IP
      node-2
        host  the node's own network namespace
        16  flannel.1    unpacks VNI 1, packed by 192.168.10.11 (node-1)
        18  forward      flannel.1 → cni0                                  TTL 63 → 62
        19  vethc0ffee00 ──▶ eth0 of default/pod-b                           veth pair
        default/pod-b  network namespace held by its pause container, joined by app
        21  deliver      web listens on 10.244.2.2:8080

      Back: SYN/ACK  another way, steps 22 to 27
        pod-b: eth0 ──▶ node-2: vethc0ffee00, eth0 ══▶ pod-a: eth0

      Assumed  pod-b listens on 8080, since it says so.

      ✔ delivered and answered   application sees: connected   4 hops there, 3 back
      "
    `);
  });

  it('tells two containers of one Pod', () => {
    expect(shown(onePod())).toMatchInlineSnapshot(`
      "shop:app → shop:cache   TCP 127.0.0.1:40000 → 127.0.0.1:6379   flannel vxlan
      One network namespace: the packet never leaves its loopback device.

      There: SYN
      node-1
        default/shop  network namespace held by its pause container, shared by app and
                      cache
         1  socket       app connects to 127.0.0.1:6379
         2  lo           ──▶ back into the same namespace      no veth pair, no bridge
         4  deliver      cache listens on 127.0.0.1:6379
            Containers of a Pod share one network namespace, as \`docker run
            --net=container:ID\` makes it: one IP address, one port space, one
            localhost.

      ✔ delivered and answered   application sees: connected   1 hop there
      "
    `);
  });

  it('ends a dropped packet with cause, fix and check', () => {
    expect(shown(dropped()).split('\n').slice(-8).join('\n')).toMatchInlineSnapshot(`
      "Cause    filter FORWARD rule 1 on node-2 drops the packet. (FIREWALL_DROP, step
               18)
      Fix      node-2# iptables -t filter -D FORWARD 1
      Check    node-2# iptables -t filter -vnL FORWARD --line-numbers
      Assumed  pod-b listens on 8080, since it says so.

      ✘ dropped: it vanished silently   application sees: timeout   3 hops there
      "
    `);
  });

  it('shows every header at the fullest depth', () => {
    const text = shown(crossNode(), { depth: 'full' });
    expect(text).toContain(
      'UDP (flow-hash 32768-60999) → 8472  length 90\n        VXLAN vni 1\n          Ethernet 9e:a4:1d:00:00:0a → 9e:a4:1d:00:01:01\n',
    );
  });

  it.each(everyTrace)('fits %s into any width, whatever the depth', (_, facts) => {
    for (const depth of ['default', 'verbose', 'full'] as const) {
      for (const width of [40, 60, 80, 100, 120]) {
        const wide = shown(facts(), { depth, width })
          .split('\n')
          .filter((line) => columns(line) > width);
        expect(wide, `${depth}, ${width} columns`).toEqual([]);
      }
    }
  });

  it.each(everyTrace)('says the same of %s with colour and without', (_, facts) => {
    for (const depth of ['default', 'verbose', 'full'] as const) {
      const plain = shown(facts(), { depth });
      const colored = shown(facts(), { depth, style: createStyle() });
      expect(colored).not.toBe(plain);
      expect(stripVTControlCharacters(colored)).toBe(plain);
    }
  });

  it('needs nothing but ASCII where the terminal has nothing else', () => {
    for (const [, facts] of everyTrace) {
      expect(shown(facts(), { ascii: true, depth: 'full' })).toMatch(/^[\n\x20-\x7e]*$/);
    }
  });

  it('keeps columns aligned under names of two columns a character', () => {
    const text = shown(renamed(crossNode(), 'veth1f3a9c2e', '网卡一二三四'));
    const line = text.split('\n').find((each) => each.includes('veth pair')) ?? '';
    expect(line).toContain('网卡一二三四');
    expect(columns(line)).toBe(80);
  });

  it('prints names harmlessly', () => {
    const text = shown(renamed(crossNode(), 'app', 'a\u001b[31mb\u009b2J\u202e'), {
      depth: 'full',
    });
    expect(text).toContain('a\\u001b[31mb\\u009b2J\\u202e connects to');
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\u202e/u);
  });

  it('breaks a command so that a shell still takes it', () => {
    const text = shown(crossNode(), { depth: 'verbose', width: 60 });
    expect(text).toContain(
      [
        '        $ kubectl exec -n default pod-a -- ip neigh show \\',
        '          10.244.1.1 dev eth0',
      ].join('\n'),
    );
  });
});
