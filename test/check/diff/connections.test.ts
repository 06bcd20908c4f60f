import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { atomsOf, blockId, blockOf, compareIds } from '../../../src/check/diff/block.ts';
import type { BareChange } from '../../../src/check/diff/change.ts';
import { compareConnections } from '../../../src/check/diff/connections.ts';
import type { AllowedPorts, Matrix, MatrixConnection } from '../../../src/check/matrix/matrix.ts';

type Table = Pick<Matrix, 'peers' | 'connections'>;

const tcp = (ports: string): AllowedPorts[] => [{ protocol: 'TCP', ports }];

const table = (
  peers: readonly string[],
  ...connections: readonly (readonly [src: string, dst: string, ports: string])[]
): Table => ({
  peers: peers.map((id) =>
    id.includes('/') ? { id, namespace: id.split('/')[0] as string } : { id },
  ),
  connections: connections.map(([src, dst, ports]) => ({ src, dst, allowed: tcp(ports) })),
});

const A = 'shop/a[Deployment]';
const B = 'shop/b[Deployment]';
const C = 'shop/c[Deployment]';
const ALL = 'ipblock:0.0.0.0-255.255.255.255';

const brief = ({ change, src, dst, opened, closed }: BareChange) => [
  change,
  src,
  dst,
  opened.map(({ protocol, ports }) => `${protocol} ${ports}`).join(),
  closed.map(({ protocol, ports }) => `${protocol} ${ports}`).join(),
];

const changes = (base: Table, head: Table, renamed?: ReadonlyMap<string, string>) =>
  compareConnections(base, head, renamed).changes.map(brief);

describe('connections of two matrices', () => {
  it('are opened, closed and changed, by ports and not by text', () => {
    const base = table([A, B, C], [A, B, '80-90'], [B, C, '53'], [C, A, '1-65535']);
    const head = table([A, B, C], [A, B, '80-85,86-90'], [A, C, '22'], [C, A, '1-79,81-65535']);
    expect(changes(base, head)).toEqual([
      ['opened', A, C, 'TCP 22', ''],
      ['closed', B, C, '', 'TCP 53'],
      ['changed', C, A, '', 'TCP 80'],
    ]);
    expect(compareConnections(base, head).unchanged).toBe(1);
  });

  it('tell protocols apart', () => {
    const one = (allowed: readonly AllowedPorts[]): Table => ({
      ...table([A, B]),
      connections: [{ src: A, dst: B, allowed }],
    });
    const { changes: found } = compareConnections(
      one([{ protocol: 'UDP', ports: '53' }]),
      one([
        { protocol: 'TCP', ports: '53' },
        { protocol: 'UDP', ports: '53' },
      ]),
    );
    expect(found).toEqual([
      {
        change: 'changed',
        src: A,
        dst: B,
        base: [{ protocol: 'UDP', ports: '53' }],
        head: [
          { protocol: 'TCP', ports: '53' },
          { protocol: 'UDP', ports: '53' },
        ],
        opened: [{ protocol: 'TCP', ports: '53' }],
        closed: [],
      },
    ]);
  });

  it('of a peer that one side lacks come and go with it', () => {
    const base = table([A, B, ALL], [A, B, '80'], [B, ALL, '443']);
    const head = table([A, C, ALL], [A, C, '80'], [ALL, C, '443']);
    expect(changes(base, head)).toEqual([
      ['removed', A, B, '', 'TCP 80'],
      ['added', A, C, 'TCP 80', ''],
      ['removed', B, ALL, '', 'TCP 443'],
      ['added', ALL, C, 'TCP 443', ''],
    ]);
    expect(changes(base, head, new Map([[B, C]]))).toEqual([
      ['closed', C, ALL, '', 'TCP 443'],
      ['opened', ALL, C, 'TCP 443', ''],
    ]);
  });

  it('of the ingress controller are opened, whether another Ingress was there or not', () => {
    const controller = '{ingress-controller}';
    expect(changes(table([A]), table([A, controller], [controller, A, '80']))).toEqual([
      ['opened', controller, A, 'TCP 80', ''],
    ]);
  });

  it('of blocks are compared address by address, and told as few blocks', () => {
    const base = table([A, ALL], [ALL, A, '80']);
    const low = 'ipblock:0.0.0.0-9.255.255.255';
    const ten = 'ipblock:10.0.0.0-10.0.0.255';
    const dmz = 'ipblock:10.0.1.0-10.0.1.255';
    const high = 'ipblock:10.0.2.0-255.255.255.255';
    const head = table(
      [A, low, ten, dmz, high],
      [low, A, '80'],
      [ten, A, '80'],
      [high, A, '80'],
      [A, ten, '22'],
      [A, dmz, '22'],
    );
    expect(changes(base, head)).toEqual([
      ['opened', A, 'ipblock:10.0.0.0-10.0.1.255', 'TCP 22', ''],
      ['closed', dmz, A, '', 'TCP 80'],
    ]);
    expect(compareConnections(base, head).unchanged).toBe(2);
  });

  it('of a family that one side lacks are not compared, and that is said', () => {
    const base = table([A, ALL], [ALL, A, '80']);
    const six = 'ipblock:::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
    const head = table([A, ALL, six], [ALL, A, '80'], [six, A, '80']);
    expect(compareConnections(base, head)).toEqual({
      changes: [],
      unchanged: 1,
      oneSided: [{ family: 6, side: 'head' }],
    });
  });
});

describe('blocks', () => {
  it('are read and written, of both families', () => {
    for (const id of [ALL, 'ipblock:2001:db8::-2001:db8::ff']) {
      const block = blockOf(id);
      expect(block && blockId(block)).toBe(id);
    }
    expect(blockOf(A)).toBeUndefined();
  });

  it('stand behind the other peers, in order of address', () => {
    const ids = ['ipblock:100.0.0.0-100.0.0.1', 'ipblock:::-::1', A, 'ipblock:9.0.0.0-9.0.0.1'];
    expect(ids.sort(compareIds)).toEqual([
      A,
      'ipblock:9.0.0.0-9.0.0.1',
      'ipblock:100.0.0.0-100.0.0.1',
      'ipblock:::-::1',
    ]);
  });
});

/** Matrices over a few peers, and blocks that cover everything, cut anywhere. */
const matrices = fc
  .record({
    peers: fc.subarray([A, B, C, 'tools/d[DaemonSet]'], { minLength: 1 }),
    cuts: fc.uniqueArray(fc.integer({ min: 1, max: 254 }), { maxLength: 4 }),
  })
  .chain(({ peers, cuts }) => {
    const edges = [0, ...cuts.sort((a, b) => a - b)];
    const blocks = edges.map((from, at) => {
      const to = (edges[at + 1] ?? 256) - 1;
      return `ipblock:${from}.0.0.0-${to}.255.255.255`;
    });
    const ids = [...peers, ...blocks];
    const pairs = ids.flatMap((src) =>
      ids.flatMap((dst) =>
        src === dst || (blockOf(src) && blockOf(dst)) ? [] : [[src, dst] as const],
      ),
    );
    const ports = fc.constantFrom('80', '80,443', '1-65535', '79-81', '443');
    return fc
      .array(fc.tuple(fc.constantFrom(...pairs), ports), { maxLength: 12 })
      .map((all): Table => {
        const known = new Map(all.map(([[src, dst], allowed]) => [`${src} ${dst}`, allowed]));
        const connections = [...known].map(([key, allowed]): MatrixConnection => {
          const [src = '', dst = ''] = key.split(' ');
          return { src, dst, allowed: tcp(allowed) };
        });
        return { peers: table(ids).peers, connections };
      });
  });

/** Whether a table allows a port between two ends; an end outside is an address. */
const allows = ({ connections }: Table, src: string, dst: string, port: number): boolean => {
  const holds = (id: string, end: string): boolean => {
    const block = blockOf(id);
    const address = /^\d/.test(end) ? blockOf(`ipblock:${end}-${end}`) : undefined;
    return block && address ? block.from <= address.from && address.from <= block.to : id === end;
  };
  return connections.some(
    (one) =>
      holds(one.src, src) &&
      holds(one.dst, dst) &&
      one.allowed.some(({ ports }) =>
        ports.split(',').some((part) => {
          const [from = 0, to = from] = part.split('-').map(Number);
          return from <= port && port <= to;
        }),
      ),
  );
};

const swapped = { opened: 'closed', closed: 'opened', added: 'removed', removed: 'added' } as const;

describe('a diff', () => {
  it('of a matrix with itself is empty', () => {
    fc.assert(
      fc.property(matrices, (one) => {
        expect(compareConnections(one, one).changes).toEqual([]);
      }),
    );
  });

  it('the other way round is the mirror image', () => {
    fc.assert(
      fc.property(matrices, matrices, (base, head) => {
        const there = compareConnections(base, head);
        const back = compareConnections(head, base);
        expect(back.unchanged).toBe(there.unchanged);
        expect(back.changes).toEqual(
          there.changes.map((one) => ({
            ...one,
            change: one.change === 'changed' ? 'changed' : swapped[one.change],
            base: one.head,
            head: one.base,
            opened: one.closed,
            closed: one.opened,
          })),
        );
      }),
    );
  });

  it('says of every address and port what each side says of it', () => {
    const ends = [A, B, C, '0.0.0.0', '100.1.2.3', '255.255.255.255'];
    fc.assert(
      fc.property(
        matrices,
        matrices,
        fc.constantFrom(...ends),
        fc.constantFrom(...ends),
        fc.constantFrom(22, 79, 80, 443),
        (base, head, src, dst, port) => {
          const { changes: found } = compareConnections(base, head);
          const part = (key: 'opened' | 'closed' | 'base' | 'head'): Table => ({
            peers: [],
            connections: found.map((one) => ({ src: one.src, dst: one.dst, allowed: one[key] })),
          });
          const [was, is] = [allows(base, src, dst, port), allows(head, src, dst, port)];
          expect(allows(part('opened'), src, dst, port)).toBe(!was && is);
          expect(allows(part('closed'), src, dst, port)).toBe(was && !is);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('cuts blocks into atoms that cover what the blocks cover, once', () => {
    fc.assert(
      fc.property(matrices, matrices, (base, head) => {
        const atoms = atomsOf(base, head, 4);
        expect(atoms[0]?.from).toBe(0n);
        expect(atoms.at(-1)?.to).toBe(0xffffffffn);
        for (const [at, atom] of atoms.entries()) {
          expect(atom.base).toBeDefined();
          expect(atom.head).toBeDefined();
          const next = atoms[at + 1];
          if (next) expect(next.from).toBe(atom.to + 1n);
        }
      }),
    );
  });
});
