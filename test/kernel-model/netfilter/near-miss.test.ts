import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KernelEvent, RuleMiss } from '../../../src/kernel/event.ts';
import type { MatchContext } from '../../../src/kernel/netfilter/match.ts';
import { collectNearMisses } from '../../../src/kernel/netfilter/near-miss.ts';
import {
  cloneRuleset,
  findChain,
  findTable,
  type Rule,
  type Ruleset,
} from '../../../src/kernel/netfilter/ruleset.ts';
import {
  everyRule,
  type RuleAt,
  SILENT,
  type WalkEnd,
  walkTable,
} from '../../../src/kernel/netfilter/walk.ts';
import type { Ipv4 } from '../../../src/wire/packet.ts';
import { filled, flow, rule } from './arbitrary-rules.ts';
import { icmp, iptables, routerWith, tcp } from './bench-router.ts';

const packet = tcp('10.0.0.2', 40000, '192.0.2.7', 80, 'syn');

/** The near misses that the events of one packet tell, each with what it is told of. */
const missesOf = (events: readonly KernelEvent[]): [of: string, miss: RuleMiss][] =>
  events.flatMap((event): [string, RuleMiss][] => {
    if (event.kind === 'hook')
      return event.detail.chains.flatMap(({ table, chain, nearMiss }): [string, RuleMiss][] =>
        nearMiss ? [[`${table} ${chain} passes`, nearMiss]] : [],
      );
    if (event.kind !== 'rule' && event.kind !== 'nat') return [];
    const { table, chain, number, nearMiss } = event.detail;
    return nearMiss ? [[`${event.action} ${table} ${chain} ${number ?? 'policy'}`, nearMiss]] : [];
  });

const told = (lines: readonly string[], of: Ipv4 = packet): string[] => {
  const router = routerWith(iptables(...lines), true);
  router.forward(of);
  return missesOf(router.events).map(([what, { chain, number, condition, found, leadsTo }]) => {
    const behind = leadsTo ? ` to ${leadsTo.chain} ${leadsTo.number}` : '';
    return `${what}: ${chain} ${number}${behind}, ${condition.kind} ${found.join(' ')}`.trimEnd();
  });
};

describe('the near miss of a firewall', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    [
      'of a policy: the ACCEPT with the most conditions that hold',
      [
        '-P FORWARD DROP',
        '-A FORWARD -s 10.0.0.0/8 -p tcp --dport 443 -j ACCEPT',
        '-A FORWARD -i wg0 -j ACCEPT',
        '-A FORWARD -i wg0 -p tcp -j DROP',
      ],
      ['policy-drop filter FORWARD policy: FORWARD 1, dport 80'],
    ],
    [
      'of equals the last one',
      ['-P FORWARD DROP', '-A FORWARD -i wg0 -j ACCEPT', '-A FORWARD -o wg0 -j ACCEPT'],
      ['policy-drop filter FORWARD policy: FORWARD 2, out eth1'],
    ],
    [
      'of a drop: an ACCEPT before it, not one behind it',
      [
        '-A FORWARD -p tcp -m multiport --dports 443,8080 -j ACCEPT',
        '-A FORWARD -p tcp --dport 80 -j DROP',
        '-A FORWARD -p tcp -m mark --mark 1 -j ACCEPT',
      ],
      ['drop filter FORWARD 2: FORWARD 1, multiport 80'],
    ],
    [
      'of an ACCEPT: what would have stopped it',
      ['-A FORWARD -p tcp --tcp-flags ACK ACK -j REJECT', '-A FORWARD -j ACCEPT'],
      ['accept filter FORWARD 2: FORWARD 1, tcp-flags SYN'],
    ],
    [
      'of a chain that nobody in it decided about',
      ['-A FORWARD -m conntrack --ctstate INVALID -j DROP'],
      ['filter FORWARD passes: FORWARD 1, ctstate NEW'],
    ],
    [
      'with the mark as it was then',
      ['-A FORWARD -m mark --mark 1 -j DROP', '-A FORWARD -j MARK --set-mark 1'],
      ['filter FORWARD passes: FORWARD 1, mark 0'],
    ],
    [
      'of a jump, with what it leads to',
      ['-N A', '-A A -p udp -j ACCEPT', '-A A -j DROP', '-A FORWARD -i wg0 -j A'],
      ['filter FORWARD passes: FORWARD 1 to A 2, in eth0'],
    ],
    ['of a jump that leads to nothing', ['-N A', '-A FORWARD -i wg0 -j A'], []],
    ['with two conditions that fail', ['-A FORWARD -i wg0 -o wg0 -j DROP'], []],
    [
      'with one that nobody knows',
      ['-A FORWARD -i wg0 -m limit --limit 1/s -j DROP', '-A FORWARD -i wg1 -j ACCEPT'],
      [],
    ],
    [
      'of a return: what stands before it in its chain',
      [
        '-N A',
        '-A A -p tcp --dport 22 -j DROP',
        '-A A -j RETURN',
        '-A FORWARD -o wg0 -j DROP',
        '-A FORWARD -j A',
      ],
      ['filter FORWARD passes: A 1, dport 80', 'return filter A 2: A 1, dport 80'],
    ],
    [
      'that would have returned: before the rule that decided, in its chain',
      [
        '-N A',
        '-A A -s 10.9.0.0/16 -j RETURN',
        '-A A -j DROP',
        '-A FORWARD -p tcp -d 10.9.0.0/16 -j RETURN',
        '-A FORWARD -j A',
      ],
      ['drop filter A 2: A 1, src 10.0.0.2'],
    ],
    [
      'of a rewritten packet',
      [
        '-t nat -A POSTROUTING -o eth1 -d 192.0.2.8/32 -j ACCEPT',
        '-t nat -A POSTROUTING -o eth1 -j MASQUERADE',
      ],
      ['masquerade nat POSTROUTING 2: POSTROUTING 1, dst 192.0.2.7'],
    ],
    [
      'of a packet that is not rewritten',
      ['-t nat -A POSTROUTING -o eth0 -j MASQUERADE'],
      ['nat POSTROUTING passes: POSTROUTING 1, out eth1'],
    ],
  ])('%s', (_, lines, expected) => {
    expect(told(lines)).toEqual(expected);
  });

  it.each<[string, string, Ipv4]>([
    ['-m physdev --physdev-in veth0', 'physdev', packet],
    ['-m addrtype --dst-type LOCAL', 'addrtype UNICAST', packet],
    ['-m length --length 0:39', 'length 40', packet],
    ['-p udp', 'protocol tcp', packet],
    ['-p tcp --sport 1:1024', 'sport 40000', packet],
    ['-p tcp -m multiport --ports 22,23', 'multiport 40000 80', packet],
    [
      '-p icmp --icmp-type 0',
      'icmp-type 8/0',
      icmp('10.0.0.2', '192.0.2.7', 'echo-request', { id: 1 }),
    ],
  ])('says what the packet has where %s looks', (condition, found, of) => {
    expect(told([`-A FORWARD ${condition} -j DROP`], of)).toEqual([
      `filter FORWARD passes: FORWARD 1, ${found}`,
    ]);
  });

  it('is looked for only when it is asked for', () => {
    const router = routerWith(iptables('-A FORWARD -i wg0 -j DROP'));
    router.forward(packet);
    expect(router.events).not.toEqual([]);
    expect(missesOf(router.events)).toEqual([]);
  });

  it('would have decided otherwise without its condition', () => {
    let held = 0;
    fc.assert(
      fc.property(
        fc.tuple(fc.array(rule, { maxLength: 12 }), fc.array(rule, { maxLength: 6 })),
        flow,
        (chains, of) => {
          const ruleset = filled(chains);
          const { end, miss } = walk(ruleset, of);
          if (!miss) return;
          held += 1;
          const { chain, number, leadsTo, rule: missed } = miss;
          for (const changed of settledEnds(without(ruleset, miss), of))
            if (missed.target.kind === 'RETURN') expect(placeOf(changed)).not.toEqual(placeOf(end));
            else expect(placeOf(changed)).toMatchObject(leadsTo ?? { chain, number });
        },
      ),
      { numRuns: 2000 },
    );
    expect(held).toBeGreaterThan(100);
  });
});

/** Which rule ended a walk. */
const placeOf = (end: WalkEnd) =>
  end.kind === 'policy' ? end : { chain: end.at.chain, number: end.at.number, path: end.at.path };

const walk = (ruleset: Ruleset, of: Ipv4): { end: WalkEnd; miss: RuleMiss | undefined } => {
  const table = findTable(ruleset, 'filter');
  const chain = table && findChain(table, 'FORWARD');
  if (!table || !chain) throw new Error('no FORWARD');
  const context: MatchContext = {
    skb: { packet: of, mark: 0 },
    state: { hook: 'FORWARD', in: 'eth0', out: 'eth1', bridged: false },
    addrType: () => 'UNICAST',
    ipsets: new Map(),
  };
  const misses = collectNearMisses(table, context);
  const report = { ...SILENT, missed: misses.missed };
  const end = walkTable(table, chain, context, report, everyRule);
  return { end, miss: misses.ofEnd(end) };
};

/** The same rules but one. */
const withRule = (
  ruleset: Ruleset,
  { chain: name, number }: Pick<RuleAt, 'chain' | 'number'>,
  change: (rule: Rule) => Partial<Rule>,
): Ruleset => {
  const copy = cloneRuleset(ruleset);
  const table = findTable(copy, 'filter');
  const chain = table && findChain(table, name);
  const changed = chain?.rules[number - 1];
  if (!chain || !changed) throw new Error(`no ${name} ${number}`);
  chain.rules[number - 1] = { ...changed, ...change(changed) };
  return copy;
};

/** The same rules, without the condition that did not hold. */
const without = (ruleset: Ruleset, miss: RuleMiss): Ruleset =>
  withRule(ruleset, miss, ({ matches }) => ({
    matches: matches.filter((match) => match !== miss.condition),
  }));

/**
 * Every end that the packet may come to, where it is not known whether a jump applies: with the
 * condition that changed, a chain decides that was walked before without a decision.
 */
const settledEnds = (ruleset: Ruleset, of: Ipv4): WalkEnd[] => {
  const { end } = walk(ruleset, of);
  if (end.kind !== 'unmodelled' || end.at.rule.target.kind !== 'jump') return [end];
  const always = withRule(ruleset, end.at, () => ({ matches: [] }));
  const never = withRule(ruleset, end.at, () => ({ target: { kind: 'NONE' } }));
  return [...settledEnds(always, of), ...settledEnds(never, of)];
};
