/** Virtual servers: where packets to them go, and how the answers come back. */
import { describe, expect, it } from 'vitest';
import type { ChoiceMade } from '../../src/kernel/choice.ts';
import type { NatEvent } from '../../src/kernel/event.ts';
import {
  type RealServer,
  type VirtualServer,
  virtualServerSet,
} from '../../src/kernel/ipvs/virtual-server.ts';
import { addrAdd, linkAdd, sysctlSet } from '../../src/kernel/netlink.ts';
import type { Probe } from '../../src/kernel/probe.ts';
import type { World } from '../../src/kernel/world.ts';
import type { Step, TraceFacts } from '../../src/trace/trace.ts';
import { traceProbe } from '../../src/trace/trace-probe.ts';
import {
  build,
  META,
  NEIGHBOUR_IP,
  NODE,
  OTHER_IP,
  POD,
  POD_IP,
  type Typed,
  tcp,
  udp,
  VXLAN,
} from './path/worlds.ts';

const VIP = '10.96.0.20';

const server = (ip: string, more: Partial<RealServer> = {}): RealServer => ({
  ip,
  port: 8080,
  weight: 1,
  ...more,
});

interface Setup extends Partial<VirtualServer> {
  readonly typed?: Typed;
  readonly off?: readonly string[];
}

const MARK_MASQ = 'iptables -t nat -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE';

/** node-1 with a virtual server, as kube-proxy makes one. */
const world = ({ typed = [], off = [], ...more }: Setup): World =>
  build({ ...VXLAN, bridgeNf: true }, [[NODE, MARK_MASQ], ...typed], (made) => {
    const node = made.get(NODE);
    if (!node) throw new Error(`no ${NODE}`);
    linkAdd(node, { kind: 'dummy', ifname: 'kube-ipvs0', mac: '02:00:00:00:07:07' });
    addrAdd(node, 'kube-ipvs0', { ip: VIP, prefix: 32 });
    for (const name of ['conntrack', 'expire_nodest_conn', 'expire_quiescent_template'])
      sysctlSet(node, `net.ipv4.vs.${name}`, off.includes(name) ? '0' : '1');
    virtualServerSet(node.ipvs, {
      protocol: 'tcp',
      ip: VIP,
      port: 80,
      scheduler: 'rr',
      servers: [],
      ...more,
    });
  });

const toVip = (more: Partial<Probe> = {}): Probe => tcp(POD, VIP, { dport: 80, ...more });

const ask = (
  of: World,
  probe: Probe,
): { facts: TraceFacts; choices: readonly ChoiceMade[]; world: World } =>
  traceProbe(of, probe, META);

const stepsOf = (facts: TraceFacts, leg: number) =>
  (facts.legs[leg]?.hops ?? []).flatMap(({ netns, node, steps }) =>
    steps.map((step) => ({ ...step, at: `${node}/${netns}` })),
  );

/** Rewrites of the flow; the tunnel's own packets have no ports that are known. */
const told = (facts: TraceFacts, leg: number): string[] =>
  stepsOf(facts, leg).flatMap(({ kind, action, detail }) => {
    if (kind === 'nat') {
      const { hook, before, after } = detail as NatEvent['detail'];
      if (typeof before.port === 'object') return [];
      const port = (one: typeof before): string =>
        typeof one.port === 'number' ? `:${one.port}` : '';
      return [`${hook} ${action} ${before.ip}${port(before)} ${after.ip}${port(after)}`];
    }
    return [];
  });

const dropOf = (facts: TraceFacts): Step['detail'] | undefined =>
  facts.legs.flatMap((_, at) => stepsOf(facts, at)).find(({ kind }) => kind === 'drop')?.detail;

describe('a virtual server', () => {
  it('sends a connection on to another node, and answers for it', () => {
    const { facts } = ask(world({ servers: [server(OTHER_IP)] }), toVip());
    expect(facts.disposition).toBe('delivered');
    expect(told(facts, 0)).toEqual([`INPUT ipvs ${VIP}:80 ${OTHER_IP}:8080`]);
    expect(told(facts, 1)).toEqual([`FORWARD un-ipvs ${OTHER_IP}:8080 ${VIP}:80`]);
  });

  it('sends the packets of a connection where the first one went', () => {
    const servers = [server(NEIGHBOUR_IP), server(OTHER_IP)];
    const { facts, choices } = ask(world({ servers }), toVip({ picks: [1], size: 100 }));
    const picks = facts.legs.flatMap((_, at) =>
      stepsOf(facts, at).flatMap(({ kind, detail }) =>
        kind === 'nat' ? ((detail as NatEvent['detail']).ipvs?.pick ?? []) : [],
      ),
    );
    expect(picks).toEqual(['scheduler', 'connection']);
    expect(choices).toHaveLength(1);
  });

  it('sends it on to a Pod of the same bridge, whose answer passes br_netfilter', () => {
    const { facts } = ask(world({ servers: [server(NEIGHBOUR_IP)] }), toVip());
    expect(facts.disposition).toBe('delivered');
    expect(told(facts, 1)).toEqual([`FORWARD un-ipvs ${NEIGHBOUR_IP}:8080 ${VIP}:80`]);
  });

  it('is passed by on the way back where the bridge does not call iptables', () => {
    const typed: Typed = [[NODE, 'sysctl -w net.bridge.bridge-nf-call-iptables=0']];
    const { facts } = ask(world({ servers: [server(NEIGHBOUR_IP)], typed }), toVip());
    expect(facts.disposition).not.toBe('delivered');
    expect(told(facts, 1)).toEqual([]);
  });

  it('keeps the entry of conntrack in step, so that masquerading follows', () => {
    const typed: Typed = [
      [NODE, 'iptables -t nat -A PREROUTING -p tcp --dport 80 -j MARK --or-mark 0x4000'],
    ];
    const { facts, world: after } = ask(world({ servers: [server(OTHER_IP)], typed }), toVip());
    expect(facts.disposition).toBe('delivered');
    expect(told(facts, 0)).toEqual([
      `INPUT ipvs ${VIP}:80 ${OTHER_IP}:8080`,
      expect.stringMatching(/^POSTROUTING masquerade 10\.\S+:40000 10\.\S+/),
    ]);
    expect(told(facts, 1)).toEqual([
      expect.stringMatching(new RegExp(`^PREROUTING un-snat \\S+ ${POD_IP}:40000$`)),
      `FORWARD un-ipvs ${OTHER_IP}:8080 ${VIP}:80`,
    ]);
    const [entry] = after.dynamic.get(NODE)?.conntrack ?? [];
    expect(entry).toMatchObject({
      original: { src: POD_IP, dst: VIP, dport: 80 },
      reply: { src: OTHER_IP, sport: 8080 },
      snat: true,
      dnat: false,
    });
  });

  it('serves the machine itself, which talks from the virtual address', () => {
    const typed: Typed = [
      [NODE, `iptables -t nat -A OUTPUT -d ${VIP} -p tcp --dport 80 -j MARK --or-mark 0x4000`],
    ];
    const { facts } = ask(
      world({ servers: [server(OTHER_IP)], typed }),
      tcp(NODE, VIP, { dport: 80 }),
    );
    expect(facts.disposition).toBe('delivered');
    expect(told(facts, 0)).toEqual([
      `OUTPUT ipvs ${VIP}:80 ${OTHER_IP}:8080`,
      expect.stringMatching(new RegExp(`^POSTROUTING masquerade ${VIP}:40000 10\\.`)),
    ]);
    expect(told(facts, 1)).toEqual([
      expect.stringMatching(new RegExp(`^PREROUTING un-snat \\S+ ${VIP}:40000$`)),
      `INPUT un-ipvs ${OTHER_IP}:8080 ${VIP}:80`,
    ]);
  });

  it('refuses where it has nobody to send to', () => {
    const { facts } = ask(world({}), toVip());
    expect(facts.disposition).toBe('rejected');
    expect(dropOf(facts)).toMatchObject({
      reason: 'NETFILTER_DROP',
      ipvs: { protocol: 'tcp', virtual: { ip: VIP, port: 80 } },
    });
    expect(facts.legs[1]?.packet).toBe('icmp-error');
    const quiet = ask(world({ servers: [server(OTHER_IP, { weight: 0 })] }), toVip());
    expect(quiet.facts.disposition).toBe('rejected');
  });

  it('leaves to chance whom it picks', () => {
    const servers = [server(NEIGHBOUR_IP), server(OTHER_IP), server('10.9.9.9', { weight: 0 })];
    const of = world({ servers });
    const { facts, choices } = ask(of, toVip());
    expect(choices).toEqual([{ by: 'ipvs', netns: NODE, options: 2, at: `${VIP}:80`, picked: 0 }]);
    expect(told(facts, 0)).toContain(`INPUT ipvs ${VIP}:80 ${NEIGHBOUR_IP}:8080`);
    const other = ask(of, toVip({ picks: [1] }));
    expect(told(other.facts, 0)).toContain(`INPUT ipvs ${VIP}:80 ${OTHER_IP}:8080`);
  });

  it('keeps a client with its server while it is persistent', () => {
    const servers = [server(NEIGHBOUR_IP), server(OTHER_IP)];
    const first = ask(world({ servers, persistent: 10_800 }), toVip({ picks: [1] }));
    const second = ask(first.world, toVip({ sport: 40_001 }));
    expect(second.choices).toEqual([]);
    expect(told(second.facts, 0)).toContain(`INPUT ipvs ${VIP}:80 ${OTHER_IP}:8080`);
    const free = ask(world({ servers }), toVip({ picks: [1] }));
    expect(ask(free.world, toVip({ sport: 40_001 })).choices).toHaveLength(1);
  });

  it('lets a port without virtual server alone', () => {
    const { facts } = ask(world({ servers: [server(OTHER_IP)] }), toVip({ dport: 81 }));
    expect(told(facts, 0)).toEqual([]);
    expect(facts.disposition).toBe('refused');
  });

  it('turns an error about its server into one about itself', () => {
    const of = world({ protocol: 'udp', servers: [server(OTHER_IP, { port: 9999 })] });
    const { facts } = ask(of, udp(POD, VIP, { dport: 80 }));
    const back = facts.legs[1];
    expect(back?.packet).toBe('icmp-error');
    expect(told(facts, 1)).toContain(`FORWARD un-ipvs ${OTHER_IP} ${VIP}`);
    expect(facts.disposition).toBe('refused');
  });

  it('is not known without connection tracking', () => {
    const of = world({ servers: [server(OTHER_IP)], off: ['conntrack'] });
    expect(ask(of, toVip()).facts.disposition).toBe('inconclusive');
  });

  it('sends a Pod to itself, which takes the packet for one with an impossible source', () => {
    const { facts } = ask(world({ servers: [server(POD_IP)] }), toVip());
    expect(told(facts, 0)).toEqual([`INPUT ipvs ${VIP}:80 ${POD_IP}:8080`]);
    expect(facts.disposition).toBe('dropped');
  });
});
