/** The schema of netfilter: rules, connections, and which rule nearly decided. */

import type { ConntrackEntry, CtDir, CtTuple } from '../../kernel/netfilter/conntrack.ts';
import type { NftTableName } from '../../kernel/netfilter/nft-table.ts';
import type {
  CtState,
  Hook,
  Match,
  RejectWith,
  Rule,
  TableName,
  Target,
} from '../../kernel/netfilter/ruleset.ts';
import type { Unknown } from '../../wire/packet.ts';
import type { RuleMiss } from '../trace.ts';
import { from } from './kernel-rows.ts';
import { port } from './packets.ts';
import {
  anyOf,
  cidr,
  closed,
  complete,
  count,
  described,
  enumOf,
  flag,
  ip,
  list,
  object,
  only,
  opt,
  raw,
  ref,
  text,
  whole,
} from './typed-schema.ts';

export const hook = closed<Hook>()('PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING');
export const table = anyOf(
  closed<TableName>()('raw', 'mangle', 'nat', 'filter', 'security'),
  described(
    raw<NftTableName>({ type: 'string', pattern: '^(ip|ip6|inet) ' }),
    'A table of nf_tables, with its family.',
  ),
);
export const ctState = closed<CtState>()('INVALID', 'NEW', 'ESTABLISHED', 'RELATED', 'UNTRACKED');
export const ctDir = closed<CtDir>()('original', 'reply');

type MatchOf<Kind extends Match['kind']> = Extract<Match, { readonly kind: Kind }>;

const match = complete<Match>()(
  anyOf(
    object<MatchOf<'src' | 'dst'>>({
      kind: closed<'src' | 'dst'>()('src', 'dst'),
      cidr,
      negate: flag,
    }),
    object<MatchOf<'in' | 'out'>>({
      kind: closed<'in' | 'out'>()('in', 'out'),
      ifname: text,
      negate: flag,
    }),
    object<MatchOf<'protocol'>>({
      kind: only('protocol'),
      protocol: anyOf(enumOf(['tcp', 'udp', 'icmp', 'sctp'] as const), count),
      negate: flag,
    }),
    object<MatchOf<'sport' | 'dport'>>({
      kind: closed<'sport' | 'dport'>()('sport', 'dport'),
      from: count,
      to: count,
      negate: flag,
    }),
    object<MatchOf<'multiport'>>({
      kind: only('multiport'),
      which: closed<MatchOf<'multiport'>['which']>()('sports', 'dports', 'ports'),
      ports: list(
        raw<[number, number]>({
          type: 'array',
          items: { type: 'integer' },
          minItems: 2,
          maxItems: 2,
        }),
      ),
      negate: flag,
    }),
    object<MatchOf<'mark'>>({ kind: only('mark'), value: count, mask: count, negate: flag }),
    object<MatchOf<'ctstate'>>({
      kind: only('ctstate'),
      states: list(anyOf(ctState, enumOf(['DNAT', 'SNAT'] as const))),
      negate: flag,
      alias: opt(only('state')),
    }),
    object<MatchOf<'addrtype'>>({
      kind: only('addrtype'),
      which: closed<MatchOf<'addrtype'>['which']>()('src', 'dst'),
      type: closed<MatchOf<'addrtype'>['type']>()('LOCAL', 'UNICAST', 'BROADCAST', 'MULTICAST'),
      negate: flag,
    }),
    object<MatchOf<'physdev'>>({
      kind: only('physdev'),
      which: closed<MatchOf<'physdev'>['which']>()('in', 'out', 'is-bridged', 'is-in', 'is-out'),
      ifname: opt(text),
      negate: flag,
    }),
    object<MatchOf<'icmp-type'>>({
      kind: only('icmp-type'),
      type: count,
      code: opt(count),
      negate: flag,
    }),
    object<MatchOf<'tcp-flags'>>({
      kind: only('tcp-flags'),
      mask: list(text),
      set: list(text),
      negate: flag,
    }),
    object<MatchOf<'length'>>({ kind: only('length'), from: count, to: count, negate: flag }),
    object<MatchOf<'set'>>({
      kind: only('set'),
      name: text,
      dirs: list(closed<MatchOf<'set'>['dirs'][number]>()('src', 'dst')),
      negate: flag,
    }),
    object<MatchOf<'statistic'>>({ kind: only('statistic'), probability: count, negate: flag }),
    object<MatchOf<'recent'>>({
      kind: only('recent'),
      op: closed<MatchOf<'recent'>['op']>()('set', 'rcheck', 'update', 'remove'),
      name: text,
      seconds: opt(count),
      reap: opt(only(true)),
      hitcount: opt(count),
      mask: ip,
      side: closed<MatchOf<'recent'>['side']>()('source', 'dest'),
      negate: flag,
    }),
    object<MatchOf<'nfacct'>>({ kind: only('nfacct'), name: text }),
    object<MatchOf<'extension'>>({
      kind: only('extension'),
      name: closed<MatchOf<'extension'>['name']>()('tcp', 'udp', 'sctp'),
    }),
    object<MatchOf<'comment'>>({ kind: only('comment'), text }),
    object<MatchOf<'unmodelled'>>({ kind: only('unmodelled'), text }),
  ),
);

type TargetOf<Kind extends Target['kind']> = Extract<Target, { readonly kind: Kind }>;

const target = complete<Target>()(
  anyOf(
    object<TargetOf<'ACCEPT' | 'DROP'>>({ kind: closed<'ACCEPT' | 'DROP'>()('ACCEPT', 'DROP') }),
    object<TargetOf<'RETURN'>>({ kind: only('RETURN') }),
    object<TargetOf<'NONE'>>({ kind: only('NONE') }),
    object<TargetOf<'jump' | 'goto'>>({
      kind: closed<'jump' | 'goto'>()('jump', 'goto'),
      chain: text,
    }),
    object<TargetOf<'REJECT'>>({
      kind: only('REJECT'),
      with: closed<RejectWith>()(
        'icmp-net-unreachable',
        'icmp-host-unreachable',
        'icmp-port-unreachable',
        'icmp-proto-unreachable',
        'icmp-net-prohibited',
        'icmp-host-prohibited',
        'icmp-admin-prohibited',
        'tcp-reset',
      ),
    }),
    object<TargetOf<'MARK'>>({
      kind: only('MARK'),
      op: closed<TargetOf<'MARK'>['op']>()('set', 'or', 'and', 'xor'),
      value: count,
      mask: count,
    }),
    object<TargetOf<'MASQUERADE'>>({ kind: only('MASQUERADE'), randomFully: flag }),
    object<TargetOf<'SNAT'>>({ kind: only('SNAT'), ip, port: opt(count) }),
    object<TargetOf<'DNAT'>>({ kind: only('DNAT'), ip, port: opt(count) }),
    object<TargetOf<'NOTRACK'>>({ kind: only('NOTRACK'), alias: opt(only('CT')) }),
    object<TargetOf<'LOG'>>({ kind: only('LOG'), options: opt(text) }),
    object<TargetOf<'unmodelled'>>({ kind: only('unmodelled'), text }),
  ),
);

export const rule = object<Rule>({
  matches: list(match),
  target,
  comment: opt(text),
  commentAt: opt(count),
  nft: opt(described(text, 'A rule of nf_tables in the words of nft; it has no other matches.')),
  origin: from,
});

const place = object<{ chain: string; number: number }>({ chain: text, number: count });

export const ruleMiss = described(
  object<RuleMiss>({
    chain: text,
    number: count,
    rule: ref<Rule>('Rule'),
    path: list(place),
    condition: described(match, 'The only condition of the rule that does not hold.'),
    found: described(
      list(anyOf(text, whole, ref<Unknown>('Unknown'))),
      'What the packet has where the condition looks; empty: nothing of that kind.',
    ),
    leadsTo: opt(described(place, 'Of a jump: the rule that would have decided behind it.')),
  }),
  'A firewall rule that would have decided otherwise, had one condition of it held.',
);

const tuple = object<CtTuple>({
  src: ip,
  dst: ip,
  protocol: closed<CtTuple['protocol']>()('tcp', 'udp', 'icmp'),
  sport: port,
  dport: port,
});

export const entry = object<ConntrackEntry>({
  original: tuple,
  reply: tuple,
  seenReply: flag,
  assured: flag,
  snat: flag,
  dnat: flag,
  tcpState: opt(
    closed<NonNullable<ConntrackEntry['tcpState']>>()(
      'SYN_SENT',
      'SYN_SENT2',
      'SYN_RECV',
      'ESTABLISHED',
      'FIN_WAIT',
      'CLOSE_WAIT',
      'LAST_ACK',
      'TIME_WAIT',
      'CLOSE',
    ),
  ),
  confirmed: flag,
  srcNatDone: opt(flag),
  dstNatDone: opt(flag),
  masqueradeOut: opt(text),
  closedBy: opt(closed<NonNullable<ConntrackEntry['closedBy']>>()('fin', 'original', 'reply')),
});

export const path = opt(list(place));
