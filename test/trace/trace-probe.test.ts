import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBook } from '../../src/kernel/book.ts';
import type { Probe } from '../../src/kernel/probe.ts';
import type { Netns, World } from '../../src/kernel/world.ts';
import { createHost, createWorld } from '../../src/kernel/world-build.ts';
import { shapeViolations } from '../../src/trace/shape.ts';
import { tapsOf } from '../../src/trace/taps.ts';
import type { Step, TraceFacts } from '../../src/trace/trace.ts';
import { DEFAULT_SIZE, traceProbe } from '../../src/trace/trace-probe.ts';
import { netnsOf } from '../kernel/hand-made.ts';
import { random } from '../kernel/random.ts';
import { handMadeCase } from '../kernel/random-cluster.ts';
import {
  build,
  listen,
  META,
  NEIGHBOUR,
  NEIGHBOUR_IP,
  OTHER,
  OTHER_IP,
  POD,
  ping,
  ROUTES,
  tcp,
  udp,
  VXLAN,
} from '../kernel-model/path/worlds.ts';

const trace = (world: World, probe: Probe): TraceFacts => traceProbe(world, probe, META).facts;

const stepsOf = ({ legs }: TraceFacts): Step[] =>
  legs.flatMap(({ hops }) => hops.flatMap(({ steps }) => steps));

const deliveries = (facts: TraceFacts) =>
  stepsOf(facts)
    .filter(({ kind }) => kind === 'deliver')
    .map(({ action, detail }) => ({ action, ...detail }));

/** The World with other listeners in one namespace, as compile leaves them. */
const withNetns = (change: Partial<Netns>): World =>
  build(ROUTES, [], (made) => {
    made.set(NEIGHBOUR, { ...netnsOf(made, NEIGHBOUR), ...change });
  });

describe('a trace', () => {
  it('numbers its steps through all legs and groups them by visits', () => {
    const facts = trace(build(VXLAN), tcp(POD, OTHER_IP));
    expect(stepsOf(facts).map(({ n }) => n)).toEqual(stepsOf(facts).map((_, at) => at + 1));
    expect(facts.legs.map(({ hops }) => hops.map(({ node, netns }) => `${node} ${netns}`))).toEqual(
      [
        ['node-1 default/pod-1', 'node-1 host', 'node-2 host', 'node-2 default/pod-1'],
        ['node-2 default/pod-1', 'node-2 host', 'node-1 host', 'node-1 default/pod-1'],
      ],
    );
  });

  it('leaves the World as it was, and returns one that remembers', () => {
    const world = build(VXLAN);
    const once = traceProbe(world, tcp(POD, OTHER_IP), META);
    expect(world.dynamic.size).toBe(0);
    expect(once.world.dynamic.get(POD)?.neighbours.map(({ ip }) => ip)).toEqual(['10.244.1.1']);
    expect([...(once.world.dynamic.get('node-1/host')?.fdb.get('cni0')?.keys() ?? [])]).toEqual([
      '0a:00:00:00:01:01',
    ]);
    const again = traceProbe(once.world, tcp(POD, OTHER_IP), META);
    const asked = (facts: TraceFacts) =>
      stepsOf(facts).filter(({ kind, action }) => kind === 'neighbour' && action === 'resolved');
    expect(asked(once.facts)).toHaveLength(3);
    expect(asked(again.facts)).toHaveLength(0);
    expect(tapsOf(again.facts).own.map(({ packet }) => packet)).toEqual(
      tapsOf(once.facts).own.map(({ packet }) => packet),
    );
  });

  it('remembers a learned MTU for the next probe', () => {
    const world = build(ROUTES, [['node-1/host', 'ip link set eth0 mtu 1300']]);
    const once = traceProbe(world, udp(POD, OTHER_IP, { size: 1372 }), META);
    expect(once.world.dynamic.get(POD)?.pmtu.get(OTHER_IP)).toBe(1300);
    const again = trace(once.world, udp(POD, OTHER_IP, { size: 1372 }));
    expect(again.disposition).toBe('inconclusive');
    expect(stepsOf(again).find(({ kind }) => kind === 'drop')?.detail).toEqual({
      reason: 'not-modelled',
      unmodelled: 'fragmentation',
    });
  });

  it('compiles no machine that its packets do not come to', () => {
    const made = build({ ...VXLAN, nodes: 4 });
    const compiled: string[] = [];
    const world = createWorld({
      name: 'counted',
      hostNames: made.hostNames,
      compile: (name) => {
        compiled.push(name);
        const { netns, modules } = made.host(name);
        return createHost(name, netns.values(), modules);
      },
      segments: made.segments.values(),
      book: createBook([], []),
    });
    expect(trace(world, tcp(POD, OTHER_IP)).disposition).toBe('delivered');
    expect(compiled.sort()).toEqual(['node-1', 'node-2']);
  });

  it('counts the copies of a broadcast on the wire that it did not walk', () => {
    const { broadcasts } = tapsOf(trace(build({ ...VXLAN, nodes: 4 }), tcp(POD, OTHER_IP)));
    expect(broadcasts.map(({ segment, others }) => [segment, others])).toEqual([['underlay', 3]]);
  });

  it('marks the copies of a question that were for somebody else', () => {
    const { arp } = tapsOf(trace(build({ ...ROUTES, pods: 3 }), tcp(POD, NEIGHBOUR_IP)));
    const heard = arp.filter(({ direction }) => direction === 'receive');
    expect(heard.filter(({ flooded }) => flooded).map(({ netns }) => netns)).toEqual([
      'node-1/host',
      'node-1/default/pod-3',
    ]);
  });

  it('says who holds a port that another process was meant to have', () => {
    const facts = trace(build(ROUTES), {
      ...tcp(POD, NEIGHBOUR_IP),
      expect: { netns: NEIGHBOUR, process: 'sidecar' },
    });
    expect(facts).toMatchObject({ disposition: 'refused', symptom: 'connection refused' });
    expect(deliveries(facts)[0]).toMatchObject({
      action: 'no-listener',
      otherListener: { ip: '0.0.0.0', process: 'app' },
    });
  });

  it('finds the process that it was meant for', () => {
    const facts = trace(build(ROUTES), {
      ...tcp(POD, NEIGHBOUR_IP),
      expect: { netns: NEIGHBOUR, process: 'app' },
    });
    expect(facts.disposition).toBe('delivered');
  });

  it('prefers a listener of the address itself to one of all addresses', () => {
    const port = { protocol: 'tcp', port: 8080 } as const;
    const sockets = [
      { ...port, ip: '0.0.0.0', process: 'all' },
      { ...port, ip: NEIGHBOUR_IP, process: 'exact' },
    ];
    const world = withNetns({ sockets });
    expect(deliveries(trace(world, tcp(POD, NEIGHBOUR_IP)))[0]).toMatchObject({ process: 'exact' });
  });

  it('tells the listener of another address of the same port', () => {
    const world = build(ROUTES, [], (made) =>
      listen(made, NEIGHBOUR, { protocol: 'tcp', ip: '127.0.0.1', port: 9000, process: 'admin' }),
    );
    expect(deliveries(trace(world, tcp(POD, NEIGHBOUR_IP, { dport: 9000 })))[0]).toMatchObject({
      action: 'no-listener',
      otherListener: { ip: '127.0.0.1', process: 'admin' },
    });
  });

  it('does not know what the input did not say', () => {
    const world = withNetns({ listeners: { unlisted: 'unknown', declared: ['8080/tcp'] } });
    const facts = trace(world, tcp(POD, NEIGHBOUR_IP, { dport: 81 }));
    expect(facts).toMatchObject({ disposition: 'inconclusive', symptom: 'unknown' });
    expect(deliveries(facts)).toMatchObject([
      { action: 'unknown-listener', declared: ['8080/tcp'] },
    ]);
    expect(facts.cause?.code).toBe('FACT_MISSING');
  });

  it('assumes that somebody listens where the input says that anybody may', () => {
    const world = withNetns({ listeners: { unlisted: 'assumed-open' } });
    const facts = trace(world, udp(POD, NEIGHBOUR_IP, { dport: 81 }));
    expect(facts).toMatchObject({ disposition: 'delivered', symptom: 'connected' });
    expect(deliveries(facts)[0]).toMatchObject({ action: 'socket', assumed: true });
  });

  it('sends what a probe sends that says nothing', () => {
    const lengthOf = (probe: Probe): number | undefined => {
      const [first] = tapsOf(trace(build(ROUTES), probe)).own;
      const ip = first?.packet.find(({ type }) => type === 'ipv4');
      return ip?.type === 'ipv4' ? ip.length : undefined;
    };
    expect(lengthOf(tcp(POD, NEIGHBOUR_IP))).toBe(60);
    expect(lengthOf(udp(POD, NEIGHBOUR_IP))).toBe(28 + DEFAULT_SIZE.udp);
    expect(lengthOf(ping(POD, NEIGHBOUR_IP))).toBe(28 + DEFAULT_SIZE.icmp);
  });

  it('says what each side takes: the MTU of its own device', () => {
    const world = build(VXLAN, [[OTHER, 'ip link set eth0 mtu 1000']]);
    const mss = trace(world, tcp(POD, OTHER_IP)).legs.map(({ hops }) => {
      const layer = hops[0]?.steps.at(-1)?.packet?.find(({ type }) => type === 'tcp');
      return layer?.type === 'tcp' ? layer.mss : undefined;
    });
    expect(mss).toEqual([1410, 960]);
  });

  it('keeps the closing ACK only where it fares otherwise', () => {
    const dropsAck: Parameters<typeof build>[1] = [
      [OTHER, 'iptables -A INPUT -p tcp --tcp-flags SYN,ACK ACK -j DROP'],
    ];
    const facts = trace(build(ROUTES, dropsAck), tcp(POD, OTHER_IP));
    expect(facts.legs.map(({ packet }) => packet)).toEqual(['syn', 'synack', 'ack']);
    expect(facts).toMatchObject({ disposition: 'dropped', symptom: 'connected' });
  });

  it('refuses a namespace that is not there', () => {
    expect(() => trace(build(ROUTES), tcp('node-1/default/nobody', OTHER_IP))).toThrow(RangeError);
  });
});

describe('any trace', () => {
  it('is well formed, the same twice, and leaves its World alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (seed) => {
        const { world, probes } = handMadeCase(random(seed), 3);
        for (const probe of probes) {
          const facts = trace(world, probe);
          expect(shapeViolations(facts)).toEqual([]);
          expect(JSON.stringify(trace(world, probe))).toBe(JSON.stringify(facts));
          if (facts.disposition === 'delivered') expect(facts.cause).toBeUndefined();
        }
        expect(world.dynamic.size).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
