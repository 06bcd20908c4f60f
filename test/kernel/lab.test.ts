/** The lab itself: a real kernel holds the World it is given, and its captures are tcpdump's. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Tap } from '../../src/kernel/event.ts';
import { sysctlSet } from '../../src/kernel/netlink.ts';
import type { Probe } from '../../src/kernel/probe.ts';
import { buildLab, type Lab, LabError } from '../../src/lab/build.ts';
import { timedTaps } from '../../src/lab/capture.ts';
import { probeLab } from '../../src/lab/probe.ts';
import { cluster, type Draft, netnsOf, nodeName, podIp, podName, worldOf } from './hand-made.ts';
import { lacking, privileged, suite, tell, WIDTH, worksRootless } from './lab-machine.ts';
import { aboutCase, claimed, runProofs, summary } from './proof-run.ts';
import { random } from './random.ts';
import { handMadeCase } from './random-cluster.ts';
import { missing } from './requirements.ts';
import { ownSeeds, seedsOf } from './seeds.ts';

const running: Lab[] = [];
const lab = async (made: Draft): Promise<Lab> => {
  const built = await buildLab(worldOf(made), privileged);
  running.push(built);
  return built;
};

const line = ({ netns, device, direction, packet }: Tap): string =>
  `${netns} ${device} ${direction} ${JSON.stringify(packet)}`;

const cross: Probe = {
  from: { netns: podName(1, 1) },
  protocol: 'udp',
  dst: podIp(2, 1),
  dport: 5353,
  sport: 40000,
  size: 20,
};

/** pcap records of a file with nanosecond or microsecond stamps, as the agent gives frames. */
const records = (file: Buffer, ifindex: number, outgoing: boolean) => {
  const frames: [number, number, boolean, number, string][] = [];
  for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) {
    const kept = file.readUInt32LE(at + 8);
    const time = file.readUInt32LE(at) * 1e6 + file.readUInt32LE(at + 4);
    const hex = file.subarray(at + 16, at + 16 + kept).toString('hex');
    frames.push([time, ifindex, outgoing, file.readUInt32LE(at + 12), hex]);
  }
  return frames;
};

describe.skipIf(lacking.length > 0)(suite('the lab'), () => {
  afterAll(async () => {
    for (const built of running) await built.stop();
  });

  it.skipIf(missing(['tcpdump']).includes('tcpdump'))(
    'sees what tcpdump -p sees on each device in each direction',
    async () => {
      const built = await lab(cluster({ nodes: 2, pods: 2, join: 'vxlan', podMtu: 1450 }));
      const devices = built.plan.spaces.flatMap(({ name, netns }) =>
        netns.devices
          .filter(({ up }) => up)
          .flatMap(({ ifname, ifindex }) =>
            (['in', 'out'] as const).map((way) => ({ name, ifname, ifindex, way })),
          ),
      );
      await built.agent.ask('spawn', {
        jobs: devices.map(({ name, ifname, way }) => ({
          ns: name,
          argv: ['tcpdump', '-p', '-Q', way, '-i', ifname, '-U', '--immediate-mode', '-w', '-'],
        })),
        ready: 'listening on',
      });
      const seen = await probeLab(built, cross);
      const files = await built.agent.ask('reap', {});
      const theirs = files.flatMap((file, n) => {
        const device = devices[n];
        if (device === undefined) throw new Error('a file of no device');
        const frames = records(Buffer.from(file, 'base64'), device.ifindex, device.way === 'out');
        return timedTaps(built, { [device.name]: frames });
      });
      expect(seen.outcome).toBe('ok');
      expect(seen.taps.length).toBeGreaterThan(40);
      expect(seen.taps.map(line).sort()).toEqual(theirs.map(line).sort());
    },
  );

  it('starts each probe cold: the same taps twice, fewer when warm', async () => {
    const built = await lab(cluster({ nodes: 2, pods: 3, join: 'routes' }));
    const tcp: Probe = { ...cross, protocol: 'tcp', dport: 8080, size: 0 };
    const first = await probeLab(built, tcp);
    const second = await probeLab(built, tcp);
    const warm = await probeLab(built, tcp, { warm: true });
    const arp = (taps: readonly Tap[]) =>
      taps.filter(({ packet }) => packet.some(({ type }) => type === 'arp')).length;
    expect(first.outcome).toBe('ok');
    expect(second.taps.map(line).sort()).toEqual(first.taps.map(line).sort());
    expect(arp(first.taps)).toBeGreaterThan(0);
    expect(arp(warm.taps)).toBe(0);
  });

  it('tells what a client hears', async () => {
    const built = await lab(cluster({ nodes: 2, pods: 2, join: 'vxlan', podMtu: 1450 }));
    const ask = async (change: Partial<Probe>): Promise<string> =>
      (await probeLab(built, { ...cross, ...change })).outcome;
    expect(await ask({ protocol: 'icmp' })).toBe('ok');
    expect(await ask({ protocol: 'tcp', dport: 8080 })).toBe('ok');
    expect(await ask({ protocol: 'tcp', dport: 81 })).toBe('ECONNREFUSED');
    expect(await ask({ dport: 54 })).toBe('ECONNREFUSED');
    expect(await ask({ protocol: 'tcp', dst: podIp(2, 9) })).toBe('EHOSTUNREACH');
    expect(await ask({ dst: podIp(2, 9) })).toBe('timeout');
  });

  it('refuses to be anything but the World', async () => {
    const made = cluster({ nodes: 1, pods: 1, join: 'routes' });
    const host = netnsOf(made, `${nodeName(1)}/host`);
    // A route that no kernel takes: its preferred source is nobody's address here.
    host.routes.push({
      table: 254,
      type: 'unicast',
      dst: '10.9.0.0/16',
      dev: 'eth0',
      scope: 'link',
      metric: 0,
      src: '10.9.9.9',
      protocol: 'boot',
    });
    await expect(buildLab(worldOf(made), privileged)).rejects.toThrow(LabError);
  });

  it('sets every sysctl, whatever the machine started with', async () => {
    const made = cluster({ nodes: 1, pods: 1, join: 'routes' });
    const host = netnsOf(made, `${nodeName(1)}/host`);
    sysctlSet(host, 'net.ipv4.conf.cni0.rp_filter', '2');
    const built = await lab(made);
    const name = built.plan.names.get(host.id) ?? '';
    const [read] = await built.agent.ask('run', {
      jobs: [
        {
          ns: name,
          argv: ['sysctl', '-n', 'net.ipv4.conf.cni0.rp_filter', 'net.ipv4.ip_forward'],
        },
      ],
    });
    expect(read).toEqual([0, '2\n1\n', '']);
  });

  const handMade = (count: number) =>
    seedsOf(count).map((seed) => {
      const one = handMadeCase(random(seed), 6);
      return { ...one, name: `hand-made seed ${seed}`, about: aboutCase(one) };
    });

  it.skipIf(!worksRootless)('agrees without root, too, but for the reasons of drops', async () => {
    const total = await runProofs(handMade(2), WIDTH, 'rootless');
    tell(`kernel proof, rootless: ${summary(total)}`);
    expect(total.failures.join('\n\n')).toBe('');
    expect(total.flows).toBeGreaterThan(0);
  });

  it('agrees with the simulator on Worlds made by hand, before any YAML is read', async () => {
    const cases = handMade(10);
    const total = await runProofs(cases, WIDTH, privileged);
    tell(`kernel proof, Worlds made by hand: ${summary(total)}`);
    expect(total.failures.join('\n\n')).toBe('');
    if (!ownSeeds) expect(claimed(total)).toBeGreaterThanOrEqual(50);
  });
});
