import { describe, expect, it } from 'vitest';
import type { Service } from '../../../src/cluster/cluster.ts';
import {
  nftEndpointNames,
  nftServiceChains,
} from '../../../src/compile/kube-proxy/nftables-name.ts';
import { servicePorts } from '../../../src/compile/kube-proxy/service-port.ts';
import {
  findNftChain,
  findNftSet,
  type NftFamily,
  type NftTable,
} from '../../../src/kernel/netfilter/nft-table.ts';
import { nftRuleText } from '../../../src/kernel/netfilter/nft-text.ts';
import type { Netns } from '../../../src/kernel/world.ts';
import { nftListRuleset } from '../../../src/userland/nft/print.ts';
import { endpoint, service, servicePort, slice, vip } from './services.ts';
import { nodeWith, severalServices, web } from './several-services.ts';

const nftables = { mode: 'nftables' } as const;

const tableOf = ({ netfilter }: Netns, family: NftFamily = 'ip'): NftTable => {
  const table = netfilter.nft?.find((one) => one.family === family);
  if (!table) throw new Error(`no table of family ${family}`);
  return table;
};

const rulesOf = (table: NftTable, chain: string): string[] | undefined =>
  findNftChain(table, chain)?.rules.map((rule) => nftRuleText(rule, table.family));

const elementsOf = (table: NftTable, set: string): string[] | undefined =>
  findNftSet(table, set)?.elements.map(({ key, verdict }) => {
    const to = verdict && ('chain' in verdict ? `${verdict.kind} ${verdict.chain}` : verdict.kind);
    return `${key.join(' . ')}${to === undefined ? '' : ` : ${to}`}`;
  });

const tableWith = (...services: Service[]): NftTable => tableOf(nodeWith(services, nftables));

describe('names in nftables mode', () => {
  const [facts] = servicePorts(
    [
      service('svc1', {
        namespace: 'ns1',
        ports: [servicePort(80, { name: 'p80' })],
        slices: [],
      }),
    ],
    4,
  );
  if (!facts) throw new Error('no Service port');

  it('are those that kube-proxy gives', () => {
    expect(nftServiceChains(facts)).toEqual({
      cluster: 'service-ULMVA6XW-ns1/svc1/tcp/p80',
      local: 'local-ULMVA6XW-ns1/svc1/tcp/p80',
      external: 'external-ULMVA6XW-ns1/svc1/tcp/p80',
      firewall: 'firewall-ULMVA6XW-ns1/svc1/tcp/p80',
    });
    expect(nftEndpointNames(facts, { ip: '10.180.0.1', port: 80 })).toEqual({
      chain: 'endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80',
      affinity: 'affinity-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80',
    });
    expect(nftEndpointNames(facts, { ip: 'fd00::1', port: 80 }).chain).toMatch(
      /^endpoint-[A-Z2-7]{8}-ns1\/svc1\/tcp\/p80__fd00\.\.1\/80$/,
    );
  });

  it('have at most 240 characters behind the prefix', () => {
    const long = { ...facts, service: { ...facts.service, name: 'x'.repeat(300) } };
    const { cluster } = nftServiceChains(long);
    expect(cluster).toHaveLength('service-'.length + 240);
    expect(cluster.endsWith('x...')).toBe(true);
  });
});

describe('a node in nftables mode', () => {
  it('has both tables and no chain of kube-proxy in iptables', () => {
    const { netfilter } = nodeWith([], nftables);
    expect(netfilter.nft?.map(({ family, name }) => `${family} ${name}`)).toEqual([
      'ip kube-proxy',
      'ip6 kube-proxy',
    ]);
    const chains = netfilter.tables.flatMap(({ chains: all }) => all.map(({ name }) => name));
    expect(chains.filter((name) => /SERVICES|SVC|PROXY/.test(name))).toEqual([]);
  });

  it('answers NodePorts on its primary address, unless it is told otherwise', () => {
    const rule = (config: object) => {
      const table = tableOf(nodeWith([], { ...nftables, ...config }));
      return [rulesOf(table, 'services')?.[1], elementsOf(table, 'nodeport-ips')];
    };
    const ofSet = 'ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports';
    expect(rule({})).toEqual([ofSet, ['192.168.10.11']]);
    expect(rule({ nodePortAddresses: ['192.168.0.0/16', '127.0.0.0/8'] })).toEqual([
      ofSet,
      ['192.168.10.11'],
    ]);
    expect(rule({ nodePortAddresses: ['0.0.0.0/0'] })).toEqual([
      'fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @service-nodeports',
      undefined,
    ]);
  });

  it('drops ClusterIPs that nobody has, of the family that the range is of', () => {
    const host = nodeWith([], nftables);
    expect(rulesOf(tableOf(host), 'cluster-ips-check')).toEqual([
      'ip daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"',
      'ip daddr 10.96.0.0/12 drop comment "Drop traffic to unallocated ClusterIPs"',
    ]);
    expect(rulesOf(tableOf(host, 'ip6'), 'cluster-ips-check')).toHaveLength(1);
  });
});

describe('a Service in nftables mode', () => {
  const far = [slice('far', [endpoint('10.244.2.7', 'node-2')])];
  const ONE = 'endpoint-HGNPOIJ5-default/web/tcp/http__10.244.1.5/8080';
  const TWO = 'endpoint-BZGFZVVG-default/web/tcp/http__10.244.2.7/8080';
  const NAME = 'SUSTUHLJ-default/web/tcp/http';

  it('is written as in the worked example', () => {
    const table = tableWith(web());
    expect(elementsOf(table, 'cluster-ips')).toEqual(['10.96.0.20']);
    expect(elementsOf(table, 'service-ips')).toEqual([
      `10.96.0.20 . 6 . 80 : goto service-${NAME}`,
      `198.51.100.7 . 6 . 80 : goto external-${NAME}`,
    ]);
    expect(elementsOf(table, 'service-nodeports')).toEqual([`6 . 30080 : goto external-${NAME}`]);
    expect(elementsOf(table, 'no-endpoint-services')).toEqual([]);
    expect(rulesOf(table, `service-${NAME}`)).toEqual([
      'ip daddr 10.96.0.20 ip saddr != 10.244.0.0/16 jump mark-for-masquerade',
      `numgen random mod 2 vmap { 0 : goto ${ONE}, 1 : goto ${TWO} }`,
    ]);
    expect(rulesOf(table, `local-${NAME}`)).toEqual([
      `numgen random mod 1 vmap { 0 : goto ${ONE} }`,
    ]);
    expect(rulesOf(table, `external-${NAME}`)).toEqual([
      `ip saddr 10.244.0.0/16 goto service-${NAME} comment "short-circuit pod traffic"`,
      'fib saddr type local jump mark-for-masquerade comment "masquerade local traffic"',
      `fib saddr type local goto service-${NAME} comment "short-circuit local traffic"`,
      `goto local-${NAME}`,
    ]);
    expect(rulesOf(table, ONE)).toEqual([
      'ip saddr 10.244.1.5 jump mark-for-masquerade',
      'meta l4proto tcp dnat to 10.244.1.5:8080',
    ]);
  });

  it('says in every rule and element whom it is for', () => {
    const table = tableWith(web());
    const [, base] = [table.chains, table.chains.find(({ name }) => name === `service-${NAME}`)];
    expect(base?.rules.map(({ origin }) => origin)).toMatchObject([
      { by: 'kube-proxy', why: 'service-cluster-masquerade', object: { name: 'web' } },
      { by: 'kube-proxy', why: 'service-backend', at: { file: 'web.yaml', line: 4 } },
    ]);
    for (const { elements } of table.sets)
      for (const { origin } of elements) expect(origin).toMatchObject({ by: 'kube-proxy' });
    for (const { rules } of table.chains)
      for (const { origin } of rules) expect(origin).toMatchObject({ by: 'kube-proxy' });
  });

  it('masquerades what comes from outside under policy Cluster', () => {
    const table = tableWith(web({ externalTrafficPolicy: 'Cluster' }));
    expect(rulesOf(table, `external-${NAME}`)).toEqual([
      'jump mark-for-masquerade',
      `goto service-${NAME}`,
    ]);
    expect(rulesOf(table, `local-${NAME}`)).toBeUndefined();
  });

  it('refuses without endpoints, and drops where only others have one', () => {
    const none = tableWith(web({ slices: [] }));
    expect(elementsOf(none, 'no-endpoint-services')).toEqual([
      '10.96.0.20 . 6 . 80 : goto reject-chain',
      '198.51.100.7 . 6 . 80 : goto reject-chain',
    ]);
    expect(elementsOf(none, 'no-endpoint-nodeports')).toEqual(['6 . 30080 : goto reject-chain']);
    expect(elementsOf(none, 'service-ips')).toEqual([]);
    const local = tableWith(
      service('local', {
        type: 'NodePort',
        ports: [servicePort(80, { nodePort: 30081 })],
        internalTrafficPolicy: 'Local',
        externalTrafficPolicy: 'Local',
        slices: far,
      }),
    );
    expect(elementsOf(local, 'no-endpoint-services')).toEqual(['10.96.0.20 . 6 . 80 : drop']);
    expect(elementsOf(local, 'no-endpoint-nodeports')).toEqual(['6 . 30081 : drop']);
    expect(elementsOf(local, 'service-nodeports')).toHaveLength(1);
    const [first] = findNftSet(local, 'no-endpoint-nodeports')?.elements ?? [];
    expect(first).toMatchObject({
      comment: 'default/local',
      origin: { why: 'service-no-local-endpoints', object: { field: 'spec.ports.nodePort' } },
    });
  });

  it('holds VIPs to source ranges, and lets the node through where it is in one', () => {
    const ranges = (sourceRanges: string[]) => {
      const table = tableWith(
        service('r', { type: 'LoadBalancer', ingress: [vip('198.51.100.8')], sourceRanges }),
      );
      const chain =
        table.chains.find(({ name }) => name.startsWith('firewall-') && name.includes('/'))?.name ??
        '';
      return [elementsOf(table, 'firewall-ips'), rulesOf(table, chain)?.[0]];
    };
    expect(ranges(['203.0.113.0/25', '203.0.113.128/25'])).toMatchObject([
      [expect.stringMatching(/^198\.51\.100\.8 \. 6 \. 80 : goto firewall-/)],
      'ip saddr != { 203.0.113.0/24 } drop',
    ]);
    expect(ranges(['203.0.113.0/24'])[1]).toBe('ip saddr != 203.0.113.0/24 drop');
    expect(ranges(['192.168.10.0/24'])[1]).toBe(
      'ip saddr != { 192.168.10.0/24, 198.51.100.8 } drop',
    );
  });

  it('keeps a client with its endpoint', () => {
    const table = tableWith(service('sticky', { affinitySeconds: 10800, slices: far }));
    const set = table.sets.find(({ name }) => name.startsWith('affinity-'));
    expect(set).toMatchObject({ flags: ['dynamic', 'timeout'], timeout: 10800 });
    const chain = table.chains.find(
      ({ name }) => name.startsWith('service-') && name.includes('/'),
    );
    expect(rulesOf(table, chain?.name ?? '')?.[1]).toMatch(
      new RegExp(`^ip saddr @${set?.name.replaceAll('.', '\\.')} goto endpoint-`),
    );
    const end = table.chains.find(({ name }) => name.startsWith('endpoint-'))?.name ?? '';
    expect(rulesOf(table, end)?.[1]).toBe(`update @${set?.name} { ip saddr }`);
  });

  it('is in the table of each of its families', () => {
    const text = nftListRuleset([tableOf(nodeWith(severalServices(), nftables), 'ip6')]).join('\n');
    expect(text).toContain('fd00:10:96::1a . tcp . 80 : goto service-');
    expect(text).toContain('meta l4proto tcp dnat to [fd00:10:244:1::5]:8080');
    expect(text).toContain('ip6 saddr != { 2001:db8:1::/48, 2001:db8:3::/48 } drop');
    expect(text).not.toContain('10.96.');
  });
});
