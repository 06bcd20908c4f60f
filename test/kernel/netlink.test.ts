/** Random changes of a namespace, tried on the model and with `ip` on a real kernel: same state, same refusals. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasCarrier } from '../../src/kernel/netdev.ts';
import type { Netns, World } from '../../src/kernel/world.ts';
import { applySettings, attempt, operations, SETUP, settings, setUp } from './ip-operations.ts';
import {
  answersOf,
  inPrivateNamespace,
  ipLines,
  jsonOf,
  section,
  sections,
  tryLines,
} from './ip-oracle.ts';
import { inGroups, ourRow, realRow, tableNumber, worldOf } from './ip-state.ts';
import { missing } from './requirements.ts';
import { seedsOf } from './seeds.ts';

const lacking = missing(['ip', 'unshare', 'sysctl']);

const realDevices = (devices: readonly Record<string, unknown>[]) =>
  devices.map((dev) => ({
    ifindex: dev['ifindex'],
    ifname: dev['ifname'],
    mac: dev['address'],
    mtu: dev['mtu'],
    carrier: (dev['flags'] as string[]).includes('LOWER_UP'),
    addresses: (dev['addr_info'] as Record<string, unknown>[]).map(
      (one) =>
        `${one['local']}/${one['prefixlen']} ${one['broadcast'] ?? ''} ${one['scope']} ${one['secondary'] === true}`,
    ),
  }));

const ourDevices = (world: World, netns: Netns) =>
  netns.devices.map((dev) => ({
    ifindex: dev.ifindex,
    ifname: dev.ifname,
    mac: dev.mac,
    mtu: dev.mtu,
    // operstate follows the carrier only after a while (linkwatch).
    carrier: dev.up && hasCarrier(world, netns, dev),
    addresses: dev.addresses.map(
      (one) =>
        `${one.ip}/${one.prefix} ${one.broadcast ?? ''} ${one.scope} ${one.secondary === true}`,
    ),
  }));

const realRules = (rules: readonly Record<string, unknown>[]): string[] =>
  rules.map((rule) =>
    [
      rule['priority'],
      rule['src'] === 'all' ? '' : `${rule['src']}/${rule['srclen'] ?? 32}`,
      rule['dst'] === undefined ? '' : `${rule['dst']}/${rule['dstlen'] ?? 32}`,
      rule['iif'] ?? '',
      rule['oif'] ?? '',
      rule['fwmark'] === undefined
        ? ''
        : `${Number(rule['fwmark'])}/${Number(rule['fwmask'] ?? 0xffffffff)}`,
      rule['action'] ?? tableNumber(rule['table']),
    ].join(' '),
  );

const ourRules = ({ rules }: Netns): string[] =>
  rules.map((rule) =>
    [
      rule.priority,
      rule.from === '0.0.0.0/0' ? '' : (rule.from ?? ''),
      rule.to === '0.0.0.0/0' ? '' : (rule.to ?? ''),
      rule.iif ?? '',
      rule.oif ?? '',
      rule.fwmark ? `${rule.fwmark.mark}/${rule.fwmark.mask}` : '',
      rule.action.kind === 'table' ? rule.action.table : rule.action.kind,
    ].join(' '),
  );

const neighText = (ip: unknown, dev: unknown, mac: unknown, state: unknown): string =>
  `${ip} ${dev} ${mac} ${state}`;

/** The kernel has its own words for a table that never existed; the model cannot always tell. */
const sameWords = (error: string | undefined): string | undefined =>
  error?.replace('Error: FIB table does not exist.', 'RTNETLINK answers: No such process');

describe.skipIf(lacking.length > 0)(`netlink${lacking.length ? ` (lacks ${lacking})` : ''}`, () => {
  it.each(seedsOf(60))('leaves the state that the kernel has, seed %i', (seed) => {
    const [sample] = fc.sample(fc.tuple(settings, operations(seed % 2 === 0)), {
      seed,
      numRuns: 1,
    });
    if (!sample) throw new Error('no sample');
    const [values, steps] = sample;
    const output = sections(
      inPrivateNamespace(
        ipLines(SETUP) +
          `sysctl -qw ${values.map(([key, value]) => `${key}=${value}`).join(' ')}\n` +
          tryLines(
            'steps',
            steps.map(({ text }) => text),
          ) +
          section('addr', 'ip -j addr') +
          section('route', 'ip -j route show table all') +
          section('rule', 'ip -j rule') +
          section('neigh', 'ip -j neigh'),
      ),
    );
    const netns = setUp();
    applySettings(netns, values);
    const world = worldOf(netns);
    const answers = answersOf(output, 'steps');
    const told = steps.map(
      (step, n) => `${n} ${step.text}: ${sameWords(answers[n]?.error) ?? 'ok'}`,
    );
    expect(
      steps.map((step, n) => `${n} ${step.text}: ${sameWords(attempt(netns, step)) ?? 'ok'}`),
    ).toEqual(told);
    expect(inGroups(netns.routes.map(ourRow))).toEqual(
      inGroups(jsonOf(output, 'route').map(realRow)),
    );
    expect(ourDevices(world, netns)).toEqual(realDevices(jsonOf(output, 'addr')));
    expect(ourRules(netns)).toEqual(realRules(jsonOf(output, 'rule')));
    expect(
      netns.neighbours.map((row) => neighText(row.ip, row.dev, row.lladdr, row.state)).sort(),
    ).toEqual(
      jsonOf(output, 'neigh')
        .map((row) =>
          neighText(row['dst'], row['dev'], row['lladdr'], (row['state'] as string[])[0]),
        )
        .sort(),
    );
  });
});
