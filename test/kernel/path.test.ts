/** The table of cases that the model of the walk is held to: is it what a real kernel does? */
import { describe, expect, it } from 'vitest';
import { buildLab } from '../../src/lab/build.ts';
import { proveProbe } from '../../src/lab/prove.ts';
import { CASES } from '../kernel-model/path/cases.ts';
import { missing } from './requirements.ts';

const lacking = missing(['unshare', 'python3', 'ip', 'bridge', 'iptables-restore', 'conntrack']);

const proved = CASES.filter(({ unproved }) => unproved === undefined);

describe.skipIf(lacking.length > 0)(
  `the kernel (lacks: ${lacking.join(', ') || 'nothing'})`,
  () => {
    it.concurrent.each(proved)('$name', async ({ world, probe }) => {
      const lab = await buildLab(world(), 'root');
      try {
        expect((await proveProbe(lab, probe)).differences).toEqual([]);
      } finally {
        await lab.stop();
      }
    });

    for (const { name, unproved } of CASES)
      if (unproved !== undefined) it.skip(`${name} (${unproved})`, () => undefined);
  },
);
