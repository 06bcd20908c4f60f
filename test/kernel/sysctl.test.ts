/** Random writes of settings, made with sysctl(8) and with our netlink: who follows whom. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addrAdd, linkAdd, linkDel, sysctlSet } from '../../src/kernel/netlink.ts';
import { createNetns } from '../../src/kernel/netns.ts';
import type { Ipv4Conf } from '../../src/kernel/sysctl.ts';
import { IPV4_CONF_NAMES, ipv4ConfKey, sysctlGet } from '../../src/kernel/sysctl.ts';
import type { Operation } from './ip-operations.ts';
import { attempt } from './ip-operations.ts';
import { inPrivateNamespace, section, sections, tryLines } from './ip-oracle.ts';
import { missing } from './requirements.ts';
import { seedsOf } from './seeds.ts';

const lacking = missing(['ip', 'unshare', 'sysctl']);

const NAMES: readonly Ipv4Conf[] = [
  'accept_redirects',
  'forwarding',
  'rp_filter',
  'send_redirects',
  'route_localnet',
];
const DEVICES = ['br0', 'br1', 'flannel.1'] as const;

const write = fc
  .tuple(
    fc.constantFrom('all', 'default', 'default', 'lo', ...DEVICES),
    fc.constantFrom(...NAMES),
    fc.constantFrom('0', '1'),
  )
  .map(([dev, name, value]): Operation => {
    const key = `net.ipv4.conf.${dev.replace('.', '/')}.${name}`;
    return {
      text: `sysctl -qw ${key}=${value}`,
      run: (netns) => {
        sysctlSet(netns, key, value);
      },
    };
  });

const forward = fc.constantFrom('0', '1').map(
  (value): Operation => ({
    text: `sysctl -qw net.ipv4.ip_forward=${value}`,
    run: (netns) => {
      sysctlSet(netns, 'net.ipv4.ip_forward', value);
    },
  }),
);

const add = fc.constantFrom(...DEVICES).map(
  (dev): Operation => ({
    text: `ip link add ${dev} type bridge`,
    run: (netns) => {
      linkAdd(netns, { kind: 'bridge', ifname: dev, mac: '02:00:00:00:00:01' });
    },
  }),
);

const remove = fc.constantFrom(...DEVICES).map(
  (dev): Operation => ({
    text: `ip link del ${dev}`,
    run: (netns) => {
      linkDel(netns, dev);
    },
  }),
);

const address = fc.constantFrom(...DEVICES).map(
  (dev, n = 1): Operation => ({
    text: `ip addr add 10.0.${n}.1/24 dev ${dev}`,
    run: (netns) => {
      addrAdd(netns, dev, { ip: `10.0.${n}.1`, prefix: 24 });
    },
  }),
);

const operations = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: write },
    { weight: 3, arbitrary: forward },
    { weight: 5, arbitrary: add },
    { weight: 1, arbitrary: remove },
    { weight: 4, arbitrary: address },
  ),
  { minLength: 10, maxLength: 40 },
);

/**
 * A namespace may inherit from the machine it is made on, even which defaults were ever written: it
 * starts from our defaults, written. What `lo` makes of them is then the machine's business.
 */
const fresh = createNetns({ host: 'h', name: 'host' });
const START = ['all', 'default'].flatMap((dev) =>
  IPV4_CONF_NAMES.filter((name) => name !== 'mc_forwarding').map(
    (name) => [ipv4ConfKey(dev, name), sysctlGet(fresh, ipv4ConfKey(dev, name))] as const,
  ),
);

const KEYS = ['all', 'default', ...DEVICES].flatMap((dev) =>
  NAMES.map((name) => `net.ipv4.conf.${dev.replace('.', '/')}.${name}`),
);

describe.skipIf(lacking.length > 0)(`sysctl${lacking.length ? ` (lacks ${lacking})` : ''}`, () => {
  it.each(seedsOf(20))('sets what the kernel sets, seed %i', (seed) => {
    const [steps] = fc.sample(operations, { seed, numRuns: 1 });
    if (!steps) throw new Error('no sample');
    const output = sections(
      inPrivateNamespace(
        `sysctl -qw ${START.map(([key, value]) => `${key}=${value}`).join(' ')}\n` +
          tryLines(
            'steps',
            steps.map(({ text }) => text),
          ) +
          section(
            'values',
            KEYS.map((key) => `echo "${key} = $(sysctl -n ${key} 2>/dev/null || echo none)"`).join(
              '\n',
            ),
          ),
      ),
    );
    const netns = createNetns({ host: 'h', name: 'host' });
    for (const [key, value] of START) sysctlSet(netns, key, value);
    for (const step of steps) attempt(netns, step);
    const ours = KEYS.map((key) => {
      let value = 'none';
      attempt(netns, {
        text: '',
        run: () => {
          value = sysctlGet(netns, key);
        },
      });
      return `${key} = ${value}`;
    });
    const told = steps.map(({ text }) => text).join('\n');
    expect(`${told}\n${ours.join('\n')}`).toBe(`${told}\n${output.get('values')}`);
  });
});
