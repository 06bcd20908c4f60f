/** The table of cases that the model of the walk is held to: is it what a real kernel does? */
import { describe, expect, it } from 'vitest';
import type { Tap } from '../../src/kernel/event.ts';
import { buildLab } from '../../src/lab/build.ts';
import { type Proof, proveProbe } from '../../src/lab/prove.ts';
import { tapsOf } from '../../src/trace/taps.ts';
import type { Case } from '../kernel-model/path/case.ts';
import { CASES, FLOODED_TUNNEL } from '../kernel-model/path/cases.ts';
import { missing } from './requirements.ts';

const lacking = missing(['unshare', 'python3', 'ip', 'bridge', 'iptables-restore', 'conntrack']);

const prove = async ({ world, probe }: Case): Promise<Proof> => {
  const lab = await buildLab(world(), 'root');
  try {
    return await proveProbe(lab, probe);
  } finally {
    await lab.stop();
  }
};

/** Whom the first node asks for on the wire, in the order of the questions. */
const askedFor = (taps: readonly Tap[]): string[] =>
  taps.flatMap(({ netns, device, direction, packet }) => {
    const arp = packet[1];
    const asks = netns === 'node-1/host' && device === 'eth0' && direction === 'transmit';
    return asks && arp?.type === 'arp' && arp.op === 'request' ? [arp.tpa] : [];
  });

const proved = CASES.filter(({ unproved }) => unproved === undefined);

describe.skipIf(lacking.length > 0)(
  `the kernel (lacks: ${lacking.join(', ') || 'nothing'})`,
  () => {
    it.concurrent.each(proved)('$name', async (given) => {
      expect((await prove(given)).differences).toEqual([]);
    });

    // Questions and copies are compared as sets: their order is held to the kernel's here.
    it('asks for the remotes of a flooded frame in the same order', async () => {
      const { facts, observation } = await prove(FLOODED_TUNNEL);
      const { arp } = tapsOf(facts);
      expect(askedFor(arp)).toHaveLength(3);
      expect(askedFor(arp)).toEqual(askedFor(observation.taps));
    });

    for (const { name, unproved } of CASES)
      if (unproved !== undefined) it.skip(`${name} (${unproved})`, () => undefined);
  },
);
