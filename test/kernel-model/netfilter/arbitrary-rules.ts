/** Rules and packets that meet each other often enough. */
import fc from 'fast-check';
import {
  type Match,
  nfAppend,
  type Rule,
  type Ruleset,
} from '../../../src/kernel/netfilter/ruleset.ts';
import type { Ipv4 } from '../../../src/wire/packet.ts';
import { iptables, tcp, udp } from './bench-router.ts';

const ips = ['10.0.0.2', '10.0.0.3', '192.0.2.7', '192.0.2.8'];
const pick = fc.constantFrom;
const host = (kind: 'src' | 'dst'): fc.Arbitrary<Match> =>
  fc.record({
    kind: fc.constant(kind),
    cidr: pick(...ips).chain((ip) => pick(`${ip}/32`, '10.0.0.0/8', '192.0.2.0/24')),
    negate: fc.boolean(),
  });
const port = fc
  .record({
    kind: pick('sport' as const, 'dport' as const),
    from: pick(79, 80, 81),
    width: pick(0, 0, 2),
    negate: fc.boolean(),
  })
  .map(({ kind, from, width, negate }): Match => ({ kind, from, to: from + width, negate }));
const protocol = pick('tcp' as const, 'udp' as const).map(
  (name): Match => ({ kind: 'protocol', protocol: name, negate: false }),
);
const mark = pick(0, 1).map((value): Match => ({ kind: 'mark', value, mask: 1, negate: false }));
/** A rule of FORWARD or of the chain A. */
export const rule: fc.Arbitrary<Rule> = fc.record({
  matches: fc
    .tuple(
      fc.array(host('src'), { maxLength: 1 }),
      fc.array(host('dst'), { maxLength: 1 }),
      fc.array(protocol, { maxLength: 1 }),
      fc.array(port, { maxLength: 2 }),
      fc.array(mark, { maxLength: 1 }),
    )
    .map((parts) => parts.flat()),
  target: pick<Rule['target']>(
    { kind: 'ACCEPT' },
    { kind: 'DROP' },
    { kind: 'NONE' },
    { kind: 'RETURN' },
    { kind: 'MARK', op: 'xor', value: 1, mask: 0 },
    { kind: 'jump', chain: 'A' },
    { kind: 'goto', chain: 'A' },
    { kind: 'unmodelled', text: '-j TEE' },
  ),
});
/** A packet that such rules can tell from others. */
export const flow: fc.Arbitrary<Ipv4> = fc
  .tuple(
    pick(tcp, udp),
    pick(...ips),
    pick(79, 80, 81),
    pick(...ips),
    pick(79, 80, 81, { unknown: 'random-port' as const, range: [80, 81] as const }),
  )
  .map(([make, src, sport, dst, dport]) => make(src, sport, dst, dport));

/** FORWARD with policy DROP, and A, which jumps nowhere. */
export const filled = (chains: readonly [readonly Rule[], readonly Rule[]]): Ruleset => {
  const ruleset = iptables('-N A', '-P FORWARD DROP');
  for (const one of chains[1])
    if (one.target.kind !== 'jump' && one.target.kind !== 'goto')
      nfAppend(ruleset, 'filter', 'A', one);
  for (const one of chains[0]) nfAppend(ruleset, 'filter', 'FORWARD', one);
  return ruleset;
};
