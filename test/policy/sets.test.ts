import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressNumber,
  addressText,
  atomOf,
  blockAddresses,
  cutFamily,
  holdsAddress,
  wholeFamily,
} from '../../src/policy/address-set.ts';
import {
  ALL_CONNECTIONS,
  connectionsOf,
  connectionText,
  NO_CONNECTIONS,
} from '../../src/policy/connection-set.ts';
import { ALL, createConnectionTable, NONE } from '../../src/policy/connection-table.ts';
import { ALL_PORTS, portSets, portSetText } from '../../src/policy/port-set.ts';

const interval = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 8 }))
  .map(([from, more]) => ({ from, to: from + more }));
const set = fc.array(interval, { maxLength: 5 }).map(portSets.of);
const members = (ports: ReturnType<typeof portSets.of>): number[] =>
  Array.from({ length: 60 }, (_, port) => port).filter((port) => portSets.contains(ports, port));

describe('sets of ports', () => {
  it('do what sets of numbers do', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const [left, right] = [new Set(members(a)), new Set(members(b))];
        expect(members(portSets.union(a, b))).toEqual(
          [...new Set([...left, ...right])].sort((x, y) => x - y),
        );
        expect(members(portSets.intersect(a, b))).toEqual([...left].filter((x) => right.has(x)));
        expect(members(portSets.subtract(a, b))).toEqual([...left].filter((x) => !right.has(x)));
        expect(portSets.equal(a, b)).toBe([...left].join() === [...right].join());
      }),
    );
  });

  it('are sorted and do not touch, whatever made them', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        for (const made of [
          a,
          portSets.union(a, b),
          portSets.intersect(a, b),
          portSets.subtract(a, b),
        ])
          for (const [at, { from, to }] of made.entries()) {
            expect(from).toBeLessThanOrEqual(to);
            expect(from).toBeGreaterThan((made[at - 1]?.to ?? -2) + 1);
          }
      }),
    );
  });

  it.each([
    [[{ from: 80, to: 80 }], '80'],
    [
      [
        { from: 443, to: 443 },
        { from: 80, to: 90 },
      ],
      '80-90,443',
    ],
    [
      [
        { from: 81, to: 90 },
        { from: 80, to: 80 },
      ],
      '80-90',
    ],
    [ALL_PORTS, '1-65535'],
    [[{ from: 5, to: 4 }], ''],
  ])('%o is written %s', (parts, text) => {
    expect(portSetText(portSets.of(parts))).toBe(text);
  });
});

describe('sets of connections', () => {
  const tcp = connectionsOf(['tcp'], [{ from: 80, to: 90 }]);
  it('are written for people', () => {
    expect(connectionText(tcp)).toBe('TCP 80-90');
    expect(connectionText(connectionsOf(['tcp', 'udp'], [{ from: 53, to: 53 }]))).toBe(
      'TCP 53; UDP 53',
    );
    expect(connectionText(connectionsOf(['sctp'], []))).toBe('none');
    expect(connectionText(ALL_CONNECTIONS)).toBe('all');
  });

  it('have one number each, and operations on numbers', () => {
    const table = createConnectionTable();
    const a = table.idOf(tcp);
    const b = table.idOf(connectionsOf(['tcp', 'udp'], [{ from: 85, to: 95 }]));
    expect(table.idOf(connectionsOf(['tcp'], [{ from: 80, to: 90 }]))).toBe(a);
    const text = (id: number): string => connectionText(table.setOf(id));
    expect(text(table.union(a, b))).toBe('TCP 80-95; UDP 85-95');
    expect(text(table.intersect(a, b))).toBe('TCP 85-90');
    expect(text(table.subtract(a, b))).toBe('TCP 80-84');
    expect(text(table.subtract(ALL, a))).toBe('TCP 1-79,91-65535; UDP 1-65535; SCTP 1-65535');
    for (const id of [NONE, ALL, a, b]) {
      expect([table.union(id, NONE), table.union(NONE, id)]).toEqual([id, id]);
      expect([table.union(id, ALL), table.union(ALL, id)]).toEqual([ALL, ALL]);
      expect([table.intersect(id, ALL), table.intersect(ALL, id)]).toEqual([id, id]);
      expect([table.intersect(id, NONE), table.intersect(NONE, id)]).toEqual([NONE, NONE]);
      expect([table.subtract(id, ALL), table.subtract(NONE, id)]).toEqual([NONE, NONE]);
      expect([table.subtract(id, NONE), table.subtract(id, id)]).toEqual([id, NONE]);
    }
    expect(table.setOf(NONE)).toEqual(NO_CONNECTIONS);
  });
});

describe('sets of addresses', () => {
  it.each([
    ['0.0.0.0', 0n],
    ['255.255.255.255', 2n ** 32n - 1n],
    ['10.244.0.1', 0x0af40001n],
    ['::', 0n],
    ['fd00::1', (0xfd00n << 112n) + 1n],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 2n ** 128n - 1n],
  ])('%s is %s, and back', (ip, value) => {
    expect(addressNumber(ip)).toBe(value);
    expect(addressText(ip.includes(':') ? 6 : 4, value)).toBe(ip);
  });

  it('are blocks without their exceptions', () => {
    const addresses = blockAddresses({
      cidr: '10.0.0.0/8',
      except: ['10.1.0.0/16', '10.255.255.255/32', 'fd00::/8'],
    });
    const held = ['10.0.255.255', '10.2.0.0', '10.255.255.254'];
    const outside = ['9.255.255.255', '10.1.0.0', '10.1.255.255', '10.255.255.255', 'fd00::1'];
    expect(held.filter((ip) => holdsAddress(addresses, ip))).toEqual(held);
    expect(outside.filter((ip) => holdsAddress(addresses, ip))).toEqual([]);
    const all = blockAddresses({ cidr: '::/0', except: ['::/1'] });
    expect([holdsAddress(all, '7fff::'), holdsAddress(all, '8000::')]).toEqual([false, true]);
  });

  const cidr = fc
    .tuple(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 4, 8, 9, 16, 32))
    .map(([octet, prefix]) => ({ cidr: `${octet}.1.2.3/${prefix}`, except: [] }));
  it('cut their family into the fewest intervals that cover it', () => {
    fc.assert(
      fc.property(fc.array(cidr, { maxLength: 6 }), fc.nat({ max: 0xffffffff }), (cidrs, value) => {
        const sets = cidrs.map(blockAddresses);
        const atoms = cutFamily(4, sets);
        expect([atoms[0]?.from, atoms.at(-1)?.to]).toEqual([
          wholeFamily(4).from,
          wholeFamily(4).to,
        ]);
        for (const [at, atom] of atoms.entries()) {
          if (at === 0) continue;
          expect(atom.from).toBe((atoms[at - 1]?.to ?? 0n) + 1n);
          expect(atom.sets).not.toEqual(atoms[at - 1]?.sets);
        }
        const ip = addressText(4, BigInt(value));
        const own = atoms[atomOf(atoms, ip)];
        expect(own?.sets).toEqual(
          sets.flatMap((each, index) => (holdsAddress(each, ip) ? [index] : [])),
        );
      }),
    );
  });
});
