/** Random lookups in random tables, asked of the model and of a real kernel with `ip route get`. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Errno } from '../../src/kernel/event.ts';
import type { FibEntry } from '../../src/kernel/fib.ts';
import { TABLE_LOCAL, TABLE_MAIN } from '../../src/kernel/fib.ts';
import { hasCustomRules } from '../../src/kernel/fib-index.ts';
import type { PickHop } from '../../src/kernel/fib-multipath.ts';
import { firstHop } from '../../src/kernel/fib-multipath.ts';
import type { RouteInput } from '../../src/kernel/route-input.ts';
import { ipRouteInput } from '../../src/kernel/route-input.ts';
import type { RouteOutput } from '../../src/kernel/route-output.ts';
import { ipRouteOutput } from '../../src/kernel/route-output.ts';
import type { Netns, World } from '../../src/kernel/world.ts';
import {
  address,
  applySettings,
  attempt,
  DEVICES,
  linkSettings,
  operations,
  SETUP,
  settings,
  setUp,
} from './ip-operations.ts';
import type { Answer } from './ip-oracle.ts';
import { answersOf, inPrivateNamespace, ipLines, sections, tryLines } from './ip-oracle.ts';
import type { RowText } from './ip-state.ts';
import { ourRow, realRow, worldOf } from './ip-state.ts';
import { missing } from './requirements.ts';
import { seedsOf } from './seeds.ts';

const lacking = missing(['ip', 'unshare', 'sysctl']);

interface Query {
  readonly dst: string;
  readonly src?: string | undefined;
  readonly iif?: string | undefined;
  readonly oif?: string | undefined;
  readonly mark?: number | undefined;
}

const target = fc.oneof(
  { weight: 8, arbitrary: address },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '192.0.2.1',
      '127.0.0.1',
      '127.0.0.5',
      '255.255.255.255',
      '10.0.1.127',
      '10.0.255.255',
    ),
  },
);

const query: fc.Arbitrary<Query> = fc.oneof(
  fc.record({
    dst: fc.oneof(
      { weight: 9, arbitrary: target },
      { weight: 1, arbitrary: fc.constantFrom('0.0.0.5', '224.0.0.5', '239.1.1.1') },
    ),
    src: fc.option(target, { nil: undefined, freq: 1 }),
    oif: fc.constantFrom(undefined, undefined, undefined, ...DEVICES),
    mark: fc.constantFrom(undefined, 1, 4, 5),
  }),
  fc.record({
    dst: fc.oneof(
      { weight: 9, arbitrary: target },
      { weight: 1, arbitrary: fc.constant('0.0.0.5') },
    ),
    src: fc.oneof(
      { weight: 9, arbitrary: target },
      { weight: 1, arbitrary: fc.constantFrom('224.0.0.5', '0.0.0.5') },
    ),
    iif: fc.constantFrom(...DEVICES),
    mark: fc.constantFrom(undefined, 1, 4),
  }),
);

const wordsOf = ({ dst, src, iif, oif, mark }: Query): string =>
  [
    dst,
    src === undefined ? '' : `from ${src}`,
    iif === undefined ? '' : `iif ${iif}`,
    oif === undefined ? '' : `oif ${oif}`,
    mark === undefined ? '' : `mark ${mark}`,
  ]
    .filter((word) => word !== '')
    .join(' ');

const TEXT: Partial<Readonly<Record<Errno, string>>> = {
  ENETUNREACH: 'Network is unreachable',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  EACCES: 'Permission denied',
};

const refusal = (errno: Errno): string => `RTNETLINK answers: ${TEXT[errno] ?? errno}`;

const real = ({ json, error }: Answer, { src, iif }: Query): string => {
  const [row] = json ?? [];
  if (!row) return error ?? 'nothing';
  const type = String(row['type'] ?? 'unicast');
  const dev = iif !== undefined && type !== 'unicast' ? 'lo' : row['dev'];
  const from = iif === undefined ? (src ?? row['prefsrc'] ?? '0.0.0.0') : '';
  return `${type} ${dev} ${row['gateway'] ?? ''} ${from}`;
};

const ourOutput = (route: Exclude<RouteOutput, { kind: 'not-modelled' }>): string =>
  route.kind === 'error'
    ? refusal(route.errno)
    : `${route.type} ${route.dev} ${route.gateway ?? ''} ${route.src}`;

const ourInput = (route: RouteInput): string => {
  switch (route.kind) {
    case 'local':
    case 'broadcast':
      return `${route.kind} lo  `;
    case 'forward':
      return `unicast ${route.dev} ${route.gateway ?? ''} `;
    case 'drop':
      return refusal('EINVAL');
    case 'error':
      return refusal(route.errno);
    default: {
      const never: never = route;
      return never;
    }
  }
};

interface Found {
  readonly answer: string;
  /** The row that the route was made from. */
  readonly row?: FibEntry | undefined;
}

const MOST_HOPS = 4;

/** Everything that the model holds possible; none where it says that it does not know. */
const possible = (world: World, netns: Netns, query: Query): readonly Found[] =>
  Array.from({ length: MOST_HOPS }, (_, n) => {
    const pick: PickHop = (_netns, row, hops, flow) =>
      hops[Math.min(n, hops.length - 1)] ?? firstHop(netns, row, hops, flow);
    return ask(world, netns, query, pick);
  }).filter((found) => found !== undefined);

/** What the model says; undefined where it says that it does not know. */
const ask = (world: World, netns: Netns, query: Query, pick: PickHop): Found | undefined => {
  const { dst, src, iif, oif, mark } = query;
  const marked = mark === undefined ? {} : { mark };
  if (iif !== undefined && src !== undefined) {
    const route = ipRouteInput(world, netns, { dst, src, iif, ...marked }, pick);
    const refused = route.kind === 'drop' || route.kind === 'error';
    return { answer: ourInput(route), row: refused ? undefined : route.result?.row };
  }
  const key = { dst, ...(src && { src }), ...(oif && { oif }), ...marked };
  const route = ipRouteOutput(world, netns, key, pick);
  if (route.kind === 'not-modelled') return undefined;
  return { answer: ourOutput(route), row: route.kind === 'route' ? route.row : undefined };
};

/** While local and main are one table, the kernel calls both of them main. */
const rowText = ({ table, dst, text }: RowText, customRules: boolean): string =>
  ` by ${table === TABLE_LOCAL && !customRules ? TABLE_MAIN : table} ${dst} ${text}`;

const QUERIES = 40;

describe.skipIf(lacking.length > 0)(`fib${lacking.length ? ` (lacks ${lacking})` : ''}`, () => {
  it.each(seedsOf(40))('finds the rows and the routes that the kernel finds, seed %i', (seed) => {
    const [sample] = fc.sample(
      fc.tuple(
        settings,
        linkSettings,
        operations(seed % 2 === 0),
        fc.array(query, { minLength: QUERIES, maxLength: QUERIES }),
      ),
      { seed, numRuns: 1 },
    );
    if (!sample) throw new Error('no sample');
    const [values, links, steps, queries] = sample;
    const set = (all: typeof values): string =>
      `sysctl -qw ${all.map(([key, value]) => `${key}=${value}`).join(' ')}\n`;
    const output = sections(
      inPrivateNamespace(
        ipLines(SETUP) +
          set(values) +
          tryLines(
            'steps',
            steps.map(({ text }) => text),
          ) +
          set(links) +
          tryLines(
            'get',
            queries.map((one) => `route get ${wordsOf(one)}`),
          ) +
          tryLines(
            'match',
            queries.map((one) => `route get fibmatch ${wordsOf(one)}`),
          ),
      ),
    );
    const netns = setUp();
    applySettings(netns, values);
    for (const step of steps) attempt(netns, step);
    applySettings(netns, links);
    const world = worldOf(netns);
    const routes = answersOf(output, 'get');
    const rows = answersOf(output, 'match');
    const custom = hasCustomRules(netns);
    const ours: string[] = [];
    const theirs: string[] = [];
    let unknown = 0;
    queries.forEach((one, n) => {
      const all = possible(world, netns, one);
      const theirAnswer = real(routes[n] ?? {}, one);
      const found = all.find(({ answer }) => answer === theirAnswer) ?? all[0];
      if (!found) {
        unknown++;
        return;
      }
      const match = rows[n]?.json?.[0];
      const question = `${wordsOf(one)}: `;
      // The kernel calls a row what the destination is: these two change any row's type.
      const special = one.dst === '255.255.255.255' || match?.['type'] === 'multicast';
      const compare = found.row && match && !special;
      ours.push(question + found.answer + (compare ? rowText(ourRow(found.row), custom) : ''));
      theirs.push(question + theirAnswer + (compare ? rowText(realRow(match), custom) : ''));
    });
    expect(ours).toEqual(theirs);
    expect(unknown).toBeLessThan(QUERIES / 2);
  });
});
