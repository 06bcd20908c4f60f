import { describe, expect, it } from 'vitest';
import {
  CT_NEW,
  concat,
  DROP,
  daddr,
  goTo,
  inSet,
  isLocalType,
  jumpTo,
  L4PROTO,
  matching,
  notMatching,
  saddr,
  TH_DPORT,
  value,
  vmap,
} from '../../../src/compile/nft-rule.ts';
import {
  nftAddChain,
  nftAddElement,
  nftAddRule,
  nftAddSet,
  nftLoad,
} from '../../../src/kernel/netfilter/nft-edit.ts';
import { addressSet } from '../../../src/kernel/netfilter/nft-order.ts';
import {
  type NftBase,
  type NftStatement,
  type NftTable,
  nftTable,
} from '../../../src/kernel/netfilter/nft-table.ts';
import { emptyRuleset, type Ruleset } from '../../../src/kernel/netfilter/ruleset.ts';
import { icmp, ipv4, type Router, routerWith, tcp, udp } from './bench-router.ts';

const base = (hook: NftBase['hook'], priority: number, more: Partial<NftBase> = {}): NftBase => ({
  type: 'filter',
  hook,
  priority,
  policy: 'accept',
  ...more,
});

const rule = (table: NftTable, chain: string, ...statements: NftStatement[]): void =>
  nftAddRule(table, chain, { statements });

const loaded = (table: NftTable, ruleset: Ruleset = emptyRuleset()): Ruleset => {
  nftLoad(ruleset, table);
  return ruleset;
};

const router = (ruleset: Ruleset, more: Parameters<typeof routerWith>[2] = {}): Router =>
  routerWith(ruleset, false, { nftSets: new Map(), ...more });

const ACCEPT: NftStatement = { kind: 'verdict', verdict: { kind: 'accept' } };

/** Port 80 of 10.9.9.9 goes to one of two, and a third is refused. */
const proxy = (): NftTable => {
  const table = nftTable('ip', 'proxy');
  for (const name of ['one', 'two', 'balance', 'refuse', 'mark']) nftAddChain(table, { name });
  nftAddChain(table, { name: 'pre', base: base('prerouting', -100, { type: 'nat' }) });
  nftAddChain(table, { name: 'post', base: base('postrouting', 100, { type: 'nat' }) });
  nftAddChain(table, { name: 'forward', base: base('forward', 0) });
  const key = ['ipv4_addr', 'inet_proto', 'inet_service'] as const;
  const data = 'verdict';
  nftAddSet(table, { kind: 'map', name: 'services', key, data, flags: [] });
  nftAddSet(table, { kind: 'map', name: 'nobody', key, data, flags: [] });
  nftAddSet(table, {
    kind: 'set',
    name: 'seen',
    key: ['ipv4_addr'],
    flags: ['dynamic', 'timeout'],
  });
  nftAddElement(table, 'services', {
    key: ['10.9.9.9', 6, 80],
    verdict: { kind: 'goto', chain: 'balance' },
  });
  nftAddElement(table, 'nobody', {
    key: ['10.9.9.9', 6, 81],
    verdict: { kind: 'goto', chain: 'refuse' },
    origin: { by: 'kube-proxy', why: 'forward-accept', object: { kind: 'Service', name: 'web' } },
  });
  const on = concat(daddr(4), L4PROTO, TH_DPORT);
  rule(table, 'pre', vmap(on, 'services'));
  rule(table, 'forward', CT_NEW, vmap(on, 'nobody'));
  rule(table, 'refuse', { kind: 'reject' });
  rule(table, 'mark', { kind: 'mark', op: 'or', value: 0x4000 });
  rule(table, 'balance', matching(saddr(4), inSet('seen')), goTo('two'));
  rule(table, 'balance', {
    kind: 'vmap',
    on: { kind: 'numgen', mode: 'random', mod: 2 },
    map: [
      { key: [0], verdict: { kind: 'goto', chain: 'one' } },
      { key: [1], verdict: { kind: 'goto', chain: 'two' } },
    ],
  });
  for (const [name, ip] of [
    ['one', '10.2.0.1'],
    ['two', '10.2.0.2'],
  ] as const) {
    rule(table, name, matching(saddr(4), value(ip)), jumpTo('mark'));
    if (name === 'two')
      rule(table, name, { kind: 'set-element', op: 'update', set: 'seen', key: saddr(4) });
    rule(table, name, matching(L4PROTO, value(6)), { kind: 'dnat', to: { ip, port: 8080 } });
  }
  return table;
};

describe('a table of nf_tables', () => {
  it('translates to what chance picks, and remembers who came', () => {
    const nftSets = new Map<string, Set<string>>();
    const picks = [1, 0];
    const choices: string[] = [];
    const net = router(loaded(proxy()), {
      nftSets,
      choose: ({ by, options, at }) => {
        choices.push(`${by} ${options} ${at}`);
        return picks.shift() ?? 0;
      },
    });
    expect(net.forward(tcp('10.1.0.2', 4000, '10.9.9.9', 80, 'syn'))).toMatchObject({
      dst: '10.2.0.2',
      payload: { dport: 8080 },
    });
    expect(net.events.find(({ kind }) => kind === 'nat')).toMatchObject({
      action: 'dnat',
      detail: {
        table: 'ip proxy',
        chain: 'two',
        number: 3,
        rule: { nft: 'meta l4proto tcp dnat to 10.2.0.2:8080', target: { kind: 'DNAT' } },
        path: [
          { chain: 'pre', number: 1 },
          { chain: 'balance', number: 2 },
        ],
      },
    });
    expect([...(nftSets.get('ip proxy seen') ?? [])]).toEqual(['10.1.0.2']);
    expect(net.forward(tcp('10.1.0.2', 4001, '10.9.9.9', 80, 'syn'))).toMatchObject({
      dst: '10.2.0.2',
    });
    expect(net.forward(tcp('10.1.0.3', 4001, '10.9.9.9', 80, 'syn'))).toMatchObject({
      dst: '10.2.0.1',
    });
    expect(choices).toEqual(['numgen 2 balance 2', 'numgen 2 balance 2']);
  });

  it('marks what comes back to itself', () => {
    const net = router(loaded(proxy()));
    net.forward(tcp('10.2.0.1', 4000, '10.9.9.9', 80, 'syn'));
    expect(net.events.filter(({ kind }) => kind === 'rule')).toMatchObject([
      { action: 'mark', detail: { chain: 'mark', mark: 0x4000, table: 'ip proxy' } },
    ]);
  });

  it('blames the element that led to a refusal', () => {
    const net = router(loaded(proxy()));
    expect(net.forward(tcp('10.1.0.2', 4000, '10.9.9.9', 81, 'syn'))).toMatchObject({
      kind: 'REJECT',
      with: 'icmp-port-unreachable',
    });
    expect(net.events.find(({ kind }) => kind === 'rule')).toMatchObject({
      action: 'reject',
      origin: { object: { name: 'web' } },
    });
  });

  it('leaves alone what is of another protocol', () => {
    const net = router(loaded(proxy()));
    for (const packet of [
      udp('10.1.0.2', 4000, '10.9.9.9', 80),
      icmp('10.1.0.2', '10.9.9.9', 'echo-request', { id: 1 }),
    ])
      expect(net.forward(packet)).toMatchObject({ dst: '10.9.9.9' });
  });

  it('ends with accept one base chain, and with drop all', () => {
    const table = nftTable('inet', 'filter');
    nftAddChain(table, { name: 'early', base: base('forward', -1) });
    nftAddChain(table, { name: 'late', base: base('forward', 0) });
    rule(table, 'early', ACCEPT);
    rule(
      table,
      'late',
      matching(saddr(4), addressSet('ipv4_addr', ['10.1.0.0/24', '9.9.9.9'])),
      DROP,
    );
    const net = router(loaded(table));
    expect(net.forward(tcp('10.1.0.2', 1, '10.2.0.2', 80, 'syn'))).toMatchObject({ kind: 'DROP' });
    expect(net.forward(tcp('10.1.1.2', 1, '10.2.0.2', 80, 'syn'))).toMatchObject({
      dst: '10.2.0.2',
    });
  });

  it('asks tables of IPv6 nothing, and looks at no IPv6 address', () => {
    const six = nftTable('ip6', 'six');
    nftAddChain(six, { name: 'forward', base: base('forward', 0, { policy: 'drop' }) });
    const both = nftTable('inet', 'both');
    nftAddChain(both, { name: 'forward', base: base('forward', 0) });
    rule(both, 'forward', notMatching(saddr(6), value('fd00::1')), DROP);
    const net = router(loaded(both, loaded(six)));
    expect(net.forward(udp('10.1.0.2', 1, '10.2.0.2', 80))).toMatchObject({ dst: '10.2.0.2' });
  });

  it('looks for a port of SCTP in nothing else', () => {
    const table = nftTable('inet', 't');
    nftAddChain(table, { name: 'forward', base: base('forward', 0) });
    rule(
      table,
      'forward',
      matching({ kind: 'port', header: 'sctp', field: 'dport' }, value(80)),
      DROP,
    );
    const net = router(loaded(table));
    const opaque = (protocol: number) =>
      net.forward({ ...ipv4('10.1.0.2', '10.2.0.2', { type: 'data', length: 20 }), protocol });
    expect(net.forward(tcp('10.1.0.2', 1, '10.2.0.2', 80, 'syn'))).toMatchObject({
      dst: '10.2.0.2',
    });
    expect(opaque(47)).toMatchObject({ dst: '10.2.0.2' });
    expect(opaque(132)).toMatchObject({ kind: 'UNKNOWN' });
  });

  it('does not know what an unmodelled statement decides, and says so only where it matters', () => {
    const with_ = (...statements: NftStatement[]) => {
      const table = nftTable('ip', 't');
      nftAddChain(table, { name: 'forward', base: base('forward', 0) });
      rule(table, 'forward', ...statements);
      return router(loaded(table)).forward(udp('10.1.0.2', 1, '10.2.0.2', 80));
    };
    const limit: NftStatement = { kind: 'unmodelled', text: 'limit rate 5/second' };
    const other = matching(saddr(4), value('10.1.0.3'));
    expect(with_(limit, DROP)).toMatchObject({ kind: 'UNKNOWN' });
    expect(with_(limit, { kind: 'counter' })).toMatchObject({ dst: '10.2.0.2' });
    expect(with_(limit, other, DROP)).toMatchObject({ dst: '10.2.0.2' });
    expect(with_(other, limit, DROP)).toMatchObject({ dst: '10.2.0.2' });
    expect(with_({ kind: 'unmodelled', text: 'queue to 0' })).toMatchObject({ kind: 'UNKNOWN' });
    expect(with_(isLocalType('saddr'), DROP)).toMatchObject({ dst: '10.2.0.2' });
  });
});
