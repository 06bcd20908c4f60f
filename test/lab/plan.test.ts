import { describe, expect, it } from 'vitest';
import { withCuts } from '../../src/kernel/world-build.ts';
import { planLab, routeText } from '../../src/lab/plan.ts';
import { cluster, worldOf } from '../kernel/hand-made.ts';

const world = worldOf(cluster({ nodes: 2, pods: 1, join: 'vxlan', podMtu: 1450 }));

describe('planLab', () => {
  it('makes each veth pair once, and each device with the index of the World', () => {
    const { spaces } = planLab(world);
    const created = spaces.flatMap(({ create }) => create);
    expect(created.filter((line) => line.includes('veth1'))).toHaveLength(2);
    expect(created).toContain(
      'link add name cni0 index 3 address 0a:58:0a:f4:01:01 mtu 1450 type bridge' +
        ' forward_delay 0 mcast_snooping 0 stp_state 0 ageing_time 30000',
    );
  });

  it('leaves no MAC for a wire to learn or to flood', () => {
    const { wires } = planLab(world);
    expect(wires.bridge.filter((line) => line.startsWith('fdb'))).toHaveLength(3);
    expect(wires.bridge).toContain('link set dev p0 learning off flood off mcast_flood on');
    expect(wires.cuts).toBe('');
  });

  it('turns cuts of a wire into rules between its ports', () => {
    const cut = withCuts(world, 'underlay', [
      { from: 'node-1', to: 'node-2', drop: { protocol: 'udp', port: 8472 } },
      { from: 'node-2', to: 'gw', drop: 'all' },
    ]);
    const { cuts } = planLab(cut).wires;
    expect(cuts).toContain(
      'add rule bridge cuts forward iifname "p1" oifname "p2" ether type ip udp dport 8472 drop',
    );
    expect(cuts).toContain('add rule bridge cuts forward iifname "p2" oifname "p0" drop');
  });

  it('loads rows that others lean on first, and lends a link to a gateway that has none', () => {
    const made = cluster({ nodes: 1, pods: 1, join: 'routes' });
    const host = made.get('node-1/host');
    host?.routes.unshift({
      table: 254,
      type: 'unicast',
      dst: '10.9.0.0/16',
      via: '172.16.0.1',
      dev: 'eth0',
      scope: 'global',
      metric: 0,
      protocol: 'boot',
    });
    const plan = planLab(worldOf(made)).spaces.find(({ netns }) => netns.id === 'node-1/host');
    const routes = plan?.route.filter((line) => line.startsWith('route append')) ?? [];
    const at = (text: string): number => routes.findIndex((line) => line.includes(text));
    expect(at('local 127.0.0.0/8')).toBeLessThan(at('10.244.1.0/24'));
    expect(at('10.244.1.0/24')).toBeLessThan(at('0.0.0.0/0'));
    expect(at('172.16.0.1/32 dev eth0')).toBe(at('10.9.0.0/16') - 1);
    expect(plan?.route).toContain('route del 172.16.0.1/32 dev eth0 scope link proto 99 table 254');
  });
});

describe('routeText', () => {
  it('says everything that a row holds', () => {
    expect(
      routeText({
        table: 100,
        type: 'unicast',
        dst: '10.244.2.0/24',
        via: '10.244.2.0',
        dev: 'flannel.1',
        scope: 'global',
        metric: 7,
        src: '10.244.1.1',
        protocol: 'static',
        onlink: true,
        mtu: 1400,
      }),
    ).toBe(
      'unicast 10.244.2.0/24 via 10.244.2.0 dev flannel.1 table 100 proto static scope global' +
        ' metric 7 src 10.244.1.1 mtu 1400 onlink',
    );
  });
});
