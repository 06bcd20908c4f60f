/** Lookups against a walk over all rows, and the cases that people ask about. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FibEntry, FibRule } from '../../src/kernel/fib.ts';
import { TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN } from '../../src/kernel/fib.ts';
import type { Flow } from '../../src/kernel/fib-lookup.ts';
import {
  fibLookupWith,
  fibRuleMatch,
  inetAddrType,
  scopeNumber,
} from '../../src/kernel/fib-lookup.ts';
import { addrAdd, linkAdd, linkSet, routeAdd, ruleAdd, ruleDel } from '../../src/kernel/netlink.ts';
import { createNetns, DEFAULT_RULES } from '../../src/kernel/netns.ts';
import type { Netns } from '../../src/kernel/world.ts';
import { cidrContains, cidrOf, parseCidr } from '../../src/wire/ip.ts';

const DEVICES = ['eth0', 'eth1'];

const emptyNode = (): Netns => {
  const netns = createNetns({ host: 'node-1', name: 'host' });
  DEVICES.forEach((ifname, n) => {
    linkAdd(netns, { kind: 'physical', ifname, mac: `02:00:00:00:00:0${n}` });
    linkSet(netns, ifname, { up: true });
  });
  return netns;
};

/** The walk that the index replaces: every row, the best one last. */
const walkTable = (rows: readonly FibEntry[], tables: readonly number[], flow: Flow) => {
  let best: FibEntry | undefined;
  const better = (row: FibEntry, than: FibEntry): boolean => {
    const [a, b] = [parseCidr(row.dst).prefix, parseCidr(than.dst).prefix];
    if (a !== b) return a > b;
    if (row.table !== than.table) return row.table > than.table;
    return row.metric < than.metric;
  };
  for (const row of rows) {
    if (!tables.includes(row.table) || !cidrContains(row.dst, flow.dst)) continue;
    if (scopeNumber(row.scope) < scopeNumber(flow.scope ?? 'global')) continue;
    const usable = row.dev === undefined || flow.oif === undefined || flow.oif === row.dev;
    if (usable && (!best || better(row, best))) best = row;
  }
  return best?.type === 'throw' ? undefined : best;
};

const walk = (netns: Netns, flow: Flow): FibEntry | undefined => {
  const custom = netns.rules.length !== DEFAULT_RULES.length;
  if (!custom)
    return (
      walkTable(netns.routes, [TABLE_LOCAL, TABLE_MAIN], flow) ??
      walkTable(netns.routes, [TABLE_DEFAULT], flow)
    );
  for (const rule of netns.rules) {
    if (!fibRuleMatch(rule, flow)) continue;
    if (rule.action.kind !== 'table') return undefined;
    const row = walkTable(netns.routes, [rule.action.table], flow);
    if (row) return row;
  }
  return undefined;
};

const address = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 255 }))
  .map(([net, host]) => `10.0.${net}.${host}`);

const row: fc.Arbitrary<FibEntry> = fc
  .record({
    table: fc.constantFrom(TABLE_MAIN, TABLE_MAIN, TABLE_LOCAL, TABLE_DEFAULT, 100),
    type: fc.constantFrom<FibEntry['type']>('unicast', 'unicast', 'local', 'blackhole', 'throw'),
    ip: address,
    prefix: fc.integer({ min: 0, max: 32 }),
    dev: fc.constantFrom(...DEVICES),
    scope: fc.constantFrom<FibEntry['scope']>('global', 'link', 'host'),
    metric: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ ip, prefix, dev, type, ...rest }) => ({
    ...rest,
    type,
    dst: cidrOf(ip, prefix),
    protocol: 'static',
    ...((type === 'unicast' || type === 'local') && { dev }),
  }));

const rule: fc.Arbitrary<FibRule> = fc
  .record({
    from: fc.constantFrom('10.0.0.0/24', '10.0.1.0/24'),
    priority: fc.integer({ min: 1, max: 5 }),
    action: fc.constantFrom<FibRule['action']>(
      { kind: 'table', table: 100 },
      { kind: 'table', table: TABLE_MAIN },
      { kind: 'blackhole' },
    ),
  })
  .map((one) => one);

const flow: fc.Arbitrary<Flow> = fc.record(
  {
    dst: address,
    src: address,
    oif: fc.constantFrom(...DEVICES),
    scope: fc.constantFrom<'global' | 'link'>('global', 'link'),
  },
  { requiredKeys: ['dst'] },
);

describe('fibLookup', () => {
  it('finds the row that a walk over all rows finds', () => {
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 60 }),
        fc.array(rule, { maxLength: 3 }),
        fc.array(flow, { minLength: 10, maxLength: 10 }),
        (rows, rules, flows) => {
          const netns = emptyNode();
          netns.routes.push(...rows);
          for (const one of rules)
            if (!netns.rules.some(({ priority }) => priority === one.priority)) ruleAdd(netns, one);
          for (const one of flows) {
            const found = fibLookupWith(netns, one);
            const expected = walk(netns, one);
            // Between rows that only differ in their number the first one wins.
            expect(found.row && { ...found.row }).toEqual(expected && { ...expected });
          }
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });

  it('sees a row as soon as netlink has written it, and no longer than it is there', () => {
    const netns = emptyNode();
    addrAdd(netns, 'eth0', { ip: '192.168.10.11', prefix: 24 });
    expect(fibLookupWith(netns, { dst: '10.1.2.3' }).type).toBe('no-route');
    const route = routeAdd(netns, { dst: '10.1.0.0/16', via: '192.168.10.1' });
    expect(fibLookupWith(netns, { dst: '10.1.2.3' }).row).toBe(route);
    linkSet(netns, 'eth0', { up: false });
    expect(fibLookupWith(netns, { dst: '10.1.2.3' })).toEqual({
      type: 'no-route',
      errno: 'ENETUNREACH',
    });
  });

  it('asks main before local rows of a shorter prefix, until there are custom rules', () => {
    const netns = emptyNode();
    linkSet(netns, 'lo', { up: true });
    routeAdd(netns, { dst: '127.5.0.0/16', dev: 'eth0' });
    expect(fibLookupWith(netns, { dst: '127.5.0.1' }).type).toBe('unicast');
    expect(inetAddrType(netns, '127.5.0.1')).toBe('unicast');
    ruleAdd(netns, { priority: 100, action: { kind: 'table', table: 100 } });
    expect(fibLookupWith(netns, { dst: '127.5.0.1' }).type).toBe('local');
    expect(inetAddrType(netns, '127.5.0.1')).toBe('local');
    ruleDel(netns, { priority: 100 });
    expect(fibLookupWith(netns, { dst: '127.5.0.1' }).type).toBe('unicast');
  });

  it('answers errors as the kernel numbers them: routes and rules differ', () => {
    const netns = emptyNode();
    const answer = (dst: string) => fibLookupWith(netns, { dst }).errno;
    routeAdd(netns, { dst: '10.1.0.0/16', type: 'unreachable' });
    routeAdd(netns, { dst: '10.2.0.0/16', type: 'prohibit' });
    routeAdd(netns, { dst: '10.3.0.0/16', type: 'blackhole' });
    routeAdd(netns, { dst: '10.4.0.0/16', type: 'throw' });
    expect(['10.1.0.1', '10.2.0.1', '10.3.0.1', '10.4.0.1'].map(answer)).toEqual([
      'EHOSTUNREACH',
      'EACCES',
      'EINVAL',
      'ENETUNREACH',
    ]);
    ruleAdd(netns, { priority: 1, to: '10.1.0.0/16', action: { kind: 'unreachable' } });
    expect(answer('10.1.0.1')).toBe('ENETUNREACH');
  });

  it('goes on with the next rule after a throw route', () => {
    const netns = emptyNode();
    ruleAdd(netns, { priority: 1, action: { kind: 'table', table: 100 } });
    routeAdd(netns, { dst: '10.1.0.0/16', dev: 'eth1', table: 100 });
    routeAdd(netns, { dst: '10.1.2.0/24', type: 'throw', table: 100 });
    const wide = routeAdd(netns, { dst: '10.0.0.0/8', dev: 'eth0' });
    expect(fibLookupWith(netns, { dst: '10.1.2.3' }).row).toBe(wide);
    expect(fibLookupWith(netns, { dst: '10.1.3.3' }).row?.dev).toBe('eth1');
  });
});

describe('what nearly matched', () => {
  const node = (): Netns => {
    const netns = emptyNode();
    addrAdd(netns, 'eth0', { ip: '192.168.10.11', prefix: 24 });
    return netns;
  };

  it('is the row of the next shorter prefix', () => {
    const netns = node();
    const wide = routeAdd(netns, { dst: '0.0.0.0/0', via: '192.168.10.1' });
    routeAdd(netns, { dst: '10.244.0.0/16', via: '192.168.10.2' });
    expect(fibLookupWith(netns, { dst: '10.244.1.1' }).nearMiss).toEqual({
      row: wide,
      reason: 'shorter-prefix',
    });
  });

  it('is the same prefix with a higher metric', () => {
    const netns = node();
    const second = routeAdd(netns, { dst: '10.244.0.0/16', via: '192.168.10.3', metric: 100 });
    routeAdd(netns, { dst: '10.244.0.0/16', via: '192.168.10.2' });
    expect(fibLookupWith(netns, { dst: '10.244.1.1' }).nearMiss).toEqual({
      row: second,
      reason: 'higher-metric',
    });
  });

  it('is a better row of another device, when the sender is bound to one', () => {
    const netns = node();
    const better = routeAdd(netns, { dst: '10.244.0.0/16', via: '192.168.10.2' });
    routeAdd(netns, { dst: '0.0.0.0/0', dev: 'eth1' });
    expect(fibLookupWith(netns, { dst: '10.244.1.1', oif: 'eth1' }).nearMiss).toEqual({
      row: better,
      reason: 'other-device',
    });
  });

  it('is what a rule would have led to, had its condition held', () => {
    const netns = node();
    ruleAdd(netns, { priority: 1, from: '10.9.0.0/16', action: { kind: 'table', table: 100 } });
    const special = routeAdd(netns, { dst: '0.0.0.0/0', via: '192.168.10.9', table: 100 });
    routeAdd(netns, { dst: '0.0.0.0/0', via: '192.168.10.1' });
    expect(fibLookupWith(netns, { dst: '10.244.1.1' }).nearMiss).toEqual({
      row: special,
      reason: 'rule-condition',
    });
  });

  it('is nothing for the addresses of the machine itself', () => {
    const netns = node();
    routeAdd(netns, { dst: '0.0.0.0/0', via: '192.168.10.1' });
    expect(fibLookupWith(netns, { dst: '192.168.10.11' }).nearMiss).toBeUndefined();
  });
});
