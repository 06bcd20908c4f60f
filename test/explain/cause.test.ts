import { describe, expect, it } from 'vitest';
import { type Command, commandText } from '../../src/explain/check-command.ts';
import { toTrace } from '../../src/render/trace-json.ts';
import { type Ask, type Broken, traceBroken } from './broken.ts';

const PORT_A = 'vethc4f48094';
const PORT_B = 'vethdbae98fe';
const VTEP_B = '0e:c3:4d:b6:68:45';
const TO_B = '10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink';

const on =
  (place: string) =>
  (...commands: string[]): string[] =>
    commands.map((command) => `${place}: ${command}`);
const node1 = on('node/node-1');
const node2 = on('node/node-2');
const podA = on('pod/pod-a');
const podB = on('pod/pod-b');

/** What a fix says, as commands of faults: typed where its prompt, or kubectl, says. */
const asFaults = (fix: string | Command): string[] => {
  if (typeof fix === 'string') throw new Error(`not a command: ${fix}`);
  const exec = /^kubectl debug -n (\S+) (\S+) .*? -- (.*)$/.exec(fix.text);
  const place = exec ? `pod/${exec[1]}/${exec[2]}` : `node/${fix.prompt.replace(/#$/, '')}`;
  const typed = (exec?.[3] ?? fix.text).replace(/^sh -c '(.*)'$/, '$1');
  return on(place)(...typed.split(' && '));
};

const causeOf = ({ story }: Broken) => {
  if (!story.cause) throw new Error('no cause');
  return story.cause;
};

type Case = [name: string, faults: readonly string[], code: string, said: string, ask?: Ask];

/** Broken by commands; the fix is a command that mends it. */
const mended: readonly Case[] = [
  // Every device on the way.
  [
    'the own eth0',
    podA('ip link set eth0 down'),
    'LINK_DOWN',
    'eth0 of default/pod-a is down, and has taken the route to 10.244.0.0/16 along.',
  ],
  [
    'the own host end',
    node1(`ip link set ${PORT_A} down`),
    'LINK_DOWN',
    `${PORT_A} of node-1 is down.`,
  ],
  ['the own bridge', node1('ip link set cni0 down'), 'LINK_DOWN', 'cni0 of node-1 is down.'],
  [
    'the tunnel of the sending node',
    node1('ip link set flannel.1 down'),
    'LINK_DOWN',
    'flannel.1 of node-1 is down, and has taken the route to 10.244.2.0/24 along.',
  ],
  [
    'the card of the sending node',
    node1('ip link set eth0 down'),
    'LINK_DOWN',
    'eth0 of node-1 is down.',
  ],
  [
    'the tunnel of the receiving node',
    node2('ip link set flannel.1 down'),
    'LINK_DOWN',
    'flannel.1 of node-2 is down, and has taken the route to 10.244.1.0/24 along.',
  ],
  [
    'the card of the receiving node',
    node2('ip link set eth0 down'),
    'LINK_DOWN',
    'eth0 of node-2 is down.',
  ],
  ['the far bridge', node2('ip link set cni0 down'), 'LINK_DOWN', 'cni0 of node-2 is down.'],
  [
    'the far host end',
    node2(`ip link set ${PORT_B} down`),
    'LINK_DOWN',
    `${PORT_B} of node-2 is down.`,
  ],
  [
    'the far eth0',
    podB('ip link set eth0 down'),
    'LINK_DOWN',
    'eth0 of default/pod-b is down, and has taken the route to 10.244.0.0/16 along.',
  ],
  [
    'lo',
    podA('ip link set lo down'),
    'LINK_DOWN',
    'lo of default/pod-a is down.',
    { from: 'pod-a:app', to: 'pod-a:sidecar' },
  ],
  [
    'the own host end in no bridge',
    node1(`ip link set ${PORT_A} nomaster`),
    'BRIDGE_DETACHED',
    `${PORT_A} of node-1, the host end of a veth pair, is not plugged into cni0.`,
  ],
  [
    'the far host end in no bridge',
    node2(`ip link set ${PORT_B} nomaster`),
    'BRIDGE_DETACHED',
    `${PORT_B} of node-2, the host end of a veth pair, is not plugged into cni0.`,
  ],
  [
    'the own port',
    node1(`bridge link set dev ${PORT_A} state 0`),
    'BRIDGE_PORT_STATE',
    `Port ${PORT_A} of cni0 on node-1 does not forward.`,
  ],
  [
    'the far port',
    node2(`bridge link set dev ${PORT_B} state 0`),
    'BRIDGE_PORT_STATE',
    `Port ${PORT_B} of cni0 on node-2 does not forward.`,
  ],
  // Addresses.
  [
    "the Pod's address",
    podA('ip addr del 10.244.1.2/24 dev eth0'),
    'NO_ROUTE',
    'eth0 of default/pod-a has lost its address 10.244.1.2/24, and with it the route to 10.244.2.2.',
  ],
  [
    "the far Pod's address",
    podB(
      'ip addr del 10.244.2.2/24 dev eth0',
      'ip addr add 10.244.2.9/24 dev eth0',
      'ip route add 10.244.0.0/16 via 10.244.2.1',
    ),
    'NEIGH_FAILED',
    "Nobody answers node-2's ARP request for 10.244.2.2: eth0 of default/pod-b has lost that address.",
  ],
  [
    "the gateway's address",
    node1('ip addr del 10.244.1.1/24 dev cni0'),
    'NEIGH_FAILED',
    "Nobody answers default/pod-a's ARP request for 10.244.1.1: cni0 of node-1 has lost that address.",
  ],
  [
    "the far gateway's address",
    node2('ip addr del 10.244.2.1/24 dev cni0'),
    'NO_ROUTE',
    'cni0 of node-2 has lost its address 10.244.2.1/24, and with it the route to 10.244.2.2.',
  ],
  [
    "the node's address",
    node1('ip addr del 192.168.10.11/24 dev eth0'),
    'NO_ROUTE',
    'eth0 of node-1 has lost its address 192.168.10.11/24, and with it the route to 192.168.10.12.',
  ],
  [
    "lo's address",
    podA('ip addr del 127.0.0.1/8 dev lo'),
    'NO_ROUTE',
    'lo of default/pod-a has lost its address 127.0.0.1/8, and with it the route to 127.0.0.1.',
    { from: 'pod-a:app', to: 'pod-a:sidecar' },
  ],
  [
    'an address twice',
    node1('ip addr add 10.244.1.2/32 dev lo'),
    'DUPLICATE_IP',
    '10.244.1.2 is in use twice: by default/pod-a, and on lo of node-1, which takes it for its own.',
  ],
  // Routes and rules: the cause is where the packet strayed, not where it ended.
  [
    "the peer's route",
    node1('ip route del 10.244.2.0/24'),
    'NO_ROUTE',
    `node-1 lacks the route to 10.244.2.2, "${TO_B}"; the packet takes "default via 192.168.10.1 dev eth0 proto static".`,
  ],
  [
    "the answer's route",
    node2('ip route del 10.244.1.0/24'),
    'NO_ROUTE',
    'node-2 lacks the route to 10.244.1.2, "10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink"; the packet takes "default via 192.168.10.1 dev eth0 proto static".',
  ],
  [
    'the connected route',
    node2('ip route del 10.244.2.0/24'),
    'NO_ROUTE',
    'node-2 lacks the route to 10.244.2.2, "10.244.2.0/24 dev cni0 proto kernel scope link src 10.244.2.1"; the packet takes "default via 192.168.10.1 dev eth0 proto static".',
  ],
  [
    'every route of the Pod',
    podA('ip route del 10.244.0.0/16', 'ip route del default'),
    'NO_ROUTE',
    'default/pod-a lacks the route to 10.244.2.2, "10.244.0.0/16 via 10.244.1.1 dev eth0".',
  ],
  [
    'every route of the far Pod',
    podB('ip route del 10.244.0.0/16', 'ip route del default'),
    'REPLY_NO_ROUTE',
    'default/pod-b lacks the route for the answer to 10.244.1.2, "10.244.0.0/16 via 10.244.2.1 dev eth0".',
  ],
  [
    'from outside',
    [],
    'NO_ROUTE',
    'gw lacks the route to 10.244.1.2, "10.244.1.0/24 via 192.168.10.11"; the packet takes "blackhole 10.244.0.0/16 proto static".',
    { from: 'external', to: 'pod-a', port: 8080 },
  ],
  [
    'blackhole in its place',
    node1('ip route replace blackhole 10.244.2.0/24'),
    'ROUTE_BLACKHOLE',
    `The route "blackhole 10.244.2.0/24" on node-1 covers 10.244.2.2; without the faults it is "${TO_B}".`,
  ],
  [
    'unreachable in its place',
    node1('ip route replace unreachable 10.244.2.0/24'),
    'ROUTE_UNREACHABLE',
    `The route "unreachable 10.244.2.0/24" on node-1 covers 10.244.2.2; without the faults it is "${TO_B}".`,
  ],
  [
    'throw in its place',
    node1('ip route replace throw 10.244.2.0/24'),
    'ROUTE_THROW',
    `The route "throw 10.244.2.0/24" on node-1 covers 10.244.2.2; without the faults it is "${TO_B}".`,
  ],
  [
    'throw beside it',
    node1('ip route add throw 10.244.2.0/25'),
    'ROUTE_THROW',
    'The route "throw 10.244.2.0/25" on node-1 covers 10.244.2.2.',
  ],
  [
    'prohibit beside it',
    podA('ip route add prohibit 10.244.2.2/32'),
    'ROUTE_PROHIBIT',
    'The route "prohibit 10.244.2.2" on default/pod-a covers 10.244.2.2.',
  ],
  [
    'another device',
    node1('ip route replace 10.244.2.0/24 dev eth0'),
    'ROUTE_WRONG_DEV',
    `The route "10.244.2.0/24 dev eth0 scope link" on node-1 leads out of the wrong device; without the faults it is "${TO_B}".`,
  ],
  [
    'another next hop',
    podA('ip route replace 10.244.0.0/16 via 10.244.1.99'),
    'ROUTE_WRONG_NEXTHOP',
    'The route "10.244.0.0/16 via 10.244.1.99 dev eth0" on default/pod-a names a next hop that does not lead to 10.244.2.2; without the faults it is "10.244.0.0/16 via 10.244.1.1 dev eth0".',
  ],
  [
    'a narrower row',
    node1('ip route add 10.244.2.2/32 via 192.168.10.1'),
    'ROUTE_SHADOWED',
    'The route "10.244.2.2 via 192.168.10.1 dev eth0" on node-1 hides the right one.',
  ],
  [
    'a loop',
    node2('ip route add 10.244.2.2/32 via 192.168.10.11'),
    'ROUTE_SHADOWED',
    'The route "10.244.2.2 via 192.168.10.11 dev eth0" on node-2 hides the right one.',
  ],
  [
    'a rule that sends elsewhere',
    node1(
      'ip route add default via 192.168.10.1 table 100',
      'ip rule add from 10.244.1.0/24 lookup 100 pref 100',
    ),
    'POLICY_RULE_DIVERTED',
    'The ip rule "from 10.244.1.0/24 lookup 100 pref 100" on node-1 decides before the table with the right route is asked.',
  ],
  [
    'a rule that forbids',
    node1('ip rule add to 10.244.2.0/24 prohibit pref 100'),
    'POLICY_RULE_DIVERTED',
    'The ip rule "from all to 10.244.2.0/24 prohibit pref 100" on node-1 decides before the table with the right route is asked.',
  ],
  [
    'the rule of the main table',
    node1('ip rule del pref 32766'),
    'POLICY_RULE_DIVERTED',
    'node-1 lacks the ip rule "from all lookup main pref 32766" that leads to the right route.',
  ],
  // Neighbours and the tunnel's tables.
  [
    'no tunnel neighbour',
    node1('ip neigh del 10.244.2.0 dev flannel.1'),
    'VTEP_NEIGH_MISSING',
    'node-1 does not know the MAC address of the tunnel end 10.244.2.0 (flannel.1 of node-2), and nobody answers for it on flannel.1.',
  ],
  [
    'a wrong tunnel neighbour',
    node1('ip neigh replace 10.244.2.0 lladdr 02:00:00:00:00:99 dev flannel.1 nud permanent'),
    'NEIGH_FAILED',
    'A permanent neighbour entry on node-1 says that 10.244.2.0 (flannel.1 of node-2) is at 02:00:00:00:00:99, which is not its MAC address.',
  ],
  [
    'a wrong neighbour',
    podA('ip neigh replace 10.244.1.1 lladdr 02:00:00:00:00:99 dev eth0 nud permanent'),
    'NEIGH_FAILED',
    'A permanent neighbour entry on default/pod-a says that 10.244.1.1 (cni0 of node-1) is at 02:00:00:00:00:99, which is not its MAC address.',
  ],
  [
    'no row of the tunnel',
    node1(`bridge fdb del ${VTEP_B} dev flannel.1 dst 192.168.10.12 self`),
    'VTEP_FDB_MISSING',
    `flannel.1 of node-1 does not know behind which node ${VTEP_B} is.`,
  ],
  [
    'a wrong row of the tunnel',
    node1(`bridge fdb replace ${VTEP_B} dev flannel.1 dst 192.168.10.1 self permanent`),
    'VTEP_FDB_WRONG',
    `flannel.1 of node-1 sends what is for ${VTEP_B} to 192.168.10.1 (gw) instead of 192.168.10.12 (node-2).`,
  ],
  // Settings and firewalls.
  [
    'forwarding',
    node1('sysctl -w net.ipv4.ip_forward=0'),
    'IP_FORWARD_OFF',
    'node-1 does not forward packets: net.ipv4.ip_forward is 0.',
  ],
  [
    'forwarding of a device',
    node2('sysctl -w net.ipv4.conf.flannel/1.forwarding=0'),
    'IF_FORWARD_OFF',
    'node-2 does not forward packets that come in on flannel.1: net.ipv4.conf.flannel/1.forwarding is 0.',
  ],
  [
    'the reverse path filter',
    node2('sysctl -w net.ipv4.conf.all.rp_filter=1', 'ip route del 10.244.1.0/24'),
    'RP_FILTER_DROP',
    'The reverse path filter of node-2 drops it: the way back to 10.244.1.2 does not lead out of flannel.1.',
  ],
  [
    'a rule that drops',
    node1('iptables -t raw -I PREROUTING -s 10.244.1.2 -j DROP'),
    'FIREWALL_DROP',
    'raw PREROUTING rule 1 on node-1 drops the packet.',
  ],
  [
    'a rule that rejects',
    node1('iptables -I FLANNEL-FWD -p tcp -j REJECT'),
    'FIREWALL_REJECT',
    'filter FLANNEL-FWD rule 1 on node-1 rejects the packet.',
  ],
  [
    'a policy',
    node1('iptables -t mangle -P FORWARD DROP'),
    'CHAIN_POLICY_DROP',
    'mangle FORWARD on node-1 has policy DROP, and no rule accepted the packet.',
  ],
];

describe('a cause with a command that mends it', () => {
  it.each(mended)('%s', async (_, faults, code, said, ask) => {
    const cause = causeOf(await traceBroken(faults, ask));
    expect([cause.code, cause.message]).toEqual([code, said]);
    const { facts, story } = await traceBroken([...faults, ...asFaults(cause.fix.said)], ask);
    expect([facts.disposition, story.cause?.message]).toEqual(['delivered', undefined]);
  });
});

/** Every n-th pair of what can be broken at once. */
const pairs = (nth: number): (readonly [Case, Case])[] => {
  const cases = mended.filter(([, , , , ask]) => ask === undefined);
  const all = cases.flatMap((one, at) => cases.slice(at + 1).map((other) => [one, other] as const));
  return all.filter((_, at) => at % nth === 0);
};

/** Does what the fixes say, one after the other, until nothing is left to mend. */
const mend = async (faults: readonly string[], rounds: number): Promise<string> => {
  const { facts, story } = await traceBroken(faults);
  if (facts.disposition === 'delivered') return 'delivered';
  if (rounds === 0 || !story.cause) return `${facts.disposition}: ${story.cause?.message}`;
  return mend([...faults, ...asFaults(story.cause.fix.said)], rounds - 1);
};

describe('two faults at once', () => {
  it('are mended by what one fix after the other says', async () => {
    let held = 0;
    for (const [one, other] of pairs(12)) {
      const faults = [...one[1], ...other[1]];
      // Some commands are refused once the others have run.
      const broken = await traceBroken(faults).catch(() => undefined);
      if (broken === undefined) continue;
      held += 1;
      expect([one[0], other[0], await mend(faults, 4)]).toEqual([one[0], other[0], 'delivered']);
    }
    expect(held).toBeGreaterThan(60);
  }, 20_000);
});

/** Mended by somebody who makes it anew, or who knows better. */
const named: readonly Case[] = [
  [
    'the own eth0',
    podA('ip link del eth0'),
    'LINK_MISSING',
    'eth0 of default/pod-a does not exist.',
  ],
  [
    'the far pair',
    node2(`ip link del ${PORT_B}`),
    'LINK_MISSING',
    'eth0 of default/pod-b does not exist.',
  ],
  ['the own bridge', node1('ip link del cni0'), 'LINK_MISSING', 'cni0 of node-1 does not exist.'],
  ['the far bridge', node2('ip link del cni0'), 'LINK_MISSING', 'cni0 of node-2 does not exist.'],
  [
    'the own tunnel',
    node1('ip link del flannel.1'),
    'TUNNEL_MISSING',
    'node-1 has no tunnel device flannel.1.',
  ],
  [
    'the far tunnel',
    node2('ip link del flannel.1'),
    'TUNNEL_MISSING',
    'node-2 has no tunnel device flannel.1.',
  ],
  [
    'an address of nobody in a range of nobody',
    [],
    'UNKNOWN_DST_IP',
    '10.244.9.9 belongs to no Pod, node or host of this cluster.',
    { to: '10.244.9.9' },
  ],
  [
    'a rule that is not modelled',
    node1('iptables -I FORWARD -m limit --limit 1/s -j ACCEPT'),
    'MODEL_UNSUPPORTED',
    'The answer depends on what k8snet does not model yet: filter FORWARD rule 1 on node-1, "-m limit --limit 1/s -j ACCEPT".',
  ],
  [
    'the wire',
    [],
    'UNDERLAY_BLOCKED',
    'The wire between node-1 and node-2 loses the packet (UDP port 8472).',
    { scenario: 'failures/underlay-blocked' },
  ],
  [
    'no masquerading',
    [],
    'NO_SNAT_FOR_EGRESS',
    "The packet left the cluster with the Pod's own address (10.244.1.2): the outside has no way back to it.",
    { scenario: 'outside/no-masquerade', to: 'external' },
  ],
  [
    'a path too small, and nobody says so',
    node1('ip link set flannel.1 mtu 1000', 'iptables -I OUTPUT -p icmp -j DROP'),
    'PMTU_BLACKHOLE',
    '1450 bytes do not fit the MTU 1000 of flannel.1 on node-1, and the ICMP message that says so does not reach the sender.',
    { size: 3000 },
  ],
];

describe('a cause that is named', () => {
  it.each(named)('%s', async (_, faults, code, said, ask) => {
    const cause = causeOf(await traceBroken(faults, ask));
    expect([cause.code, cause.message]).toEqual([code, said]);
  });

  it('is checked and mended where it is, not where the packet ended', async () => {
    const shown = async (faults: readonly string[], ask?: Ask) => {
      const { fix, check } = causeOf(await traceBroken(faults, ask));
      return [fix.said, check].map(commandText);
    };
    expect(await shown(node1('ip link set flannel.1 down'))).toEqual([
      `node-1# ip link set flannel.1 up && ip route replace ${TO_B} && ip neigh replace 10.244.2.0 lladdr ${VTEP_B} dev flannel.1 nud permanent`,
      'node-1# ip link show flannel.1',
    ]);
    expect(await shown(podB('ip link del eth0'))).toEqual([
      'Delete the Pod, so that the CNI plugin sets it up again: kubectl delete pod -n default pod-b',
      'kubectl exec -n default pod-b -- ip link show eth0',
    ]);
    expect(await shown([], { scenario: 'outside/no-masquerade', to: 'external' })).toEqual([
      'Let node-1 masquerade what leaves the cluster (ipMasq of the bridge plugin).',
      'node-1# iptables -t nat -S',
    ]);
    expect((await shown([], { scenario: 'failures/underlay-blocked' }))[1]).toBe(
      'node-2# tcpdump -p -ni any udp port 8472',
    );
  });

  it('has the fault that did it behind it, and nothing that is right as it is', async () => {
    const by = async (faults: readonly string[], ask?: Ask) =>
      causeOf(await traceBroken(faults, ask)).by;
    expect(await by(node1('ip link set cni0 down'))).toContain('ip link set cni0 down');
    expect(
      await by(
        node1(
          'ip route add default via 192.168.10.1 table 100',
          'ip rule add from 10.244.1.0/24 lookup 100 pref 100',
        ),
      ),
    ).toContain('ip rule add from 10.244.1.0/24');
    expect(await by(node1('ip route del 10.244.2.0/24'))).toBeUndefined();
    expect(await by([], { scenario: 'outside/no-masquerade', to: 'external' })).toBeUndefined();
  });

  it.each<[string, readonly string[], Ask]>([
    ['what to mend', node1('ip link set cni0 down'), {}],
    ['what is not modelled', [], { protocol: 'sctp', port: 1 }],
  ])('prints as JSON all that is known of it: %s', async (_, faults, ask) => {
    const { facts, story } = await traceBroken(faults, ask);
    expect(toTrace(facts, story).cause).toMatchObject({ ...facts.cause });
  });

  it('names the backend that does not listen, not the Service that was asked', async () => {
    const ask = { scenario: 'services/one-broken', from: 'client', to: 'shop/svc/web' };
    const { cause } = (await traceBroken([], ask)).story;
    expect(cause?.message).toBe('Nothing of shop/web-2 listens on tcp port 8080.');
  });

  it('is part of the data', async () => {
    const { facts } = await traceBroken(node1('ip route del 10.244.2.0/24'));
    expect(facts.cause).toMatchObject({
      code: 'NO_ROUTE',
      about: {
        node: 'node-1',
        netns: 'host',
        device: 'flannel.1',
        missing: { route: { dst: '10.244.2.0/24', via: '10.244.2.0', onlink: true } },
      },
    });
    const strayed = facts.legs[0]?.hops[1]?.steps.find(({ kind }) => kind === 'route');
    expect(facts.cause?.step).toBe(strayed?.n);
  });
});
