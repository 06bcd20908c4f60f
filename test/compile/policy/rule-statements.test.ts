import { describe, expect, it } from 'vitest';
import {
  adminPolicy,
  baselinePolicy,
  blocksOn,
  chainOf,
  networkPolicy,
  pod,
  policed,
  tableOn,
} from './policed.ts';

/** Conditions and verdicts of a rule for ingress to `web` (10.244.1.3), whose neighbour is `db` (10.244.1.2). */
const ingress = async (...rules: readonly object[]): Promise<string[]> => {
  const scenario = await policed([
    pod({ name: 'web', ports: [{ name: 'http', containerPort: 8080 }] }),
    pod({ name: 'db' }),
    networkPolicy('web', { podSelector: { matchLabels: { app: 'web' } }, ingress: rules }),
  ]);
  return bare(chainOf(scenario, 'ingress', '10.244.1.3'));
};

const bare = (chain: readonly string[] | undefined): string[] =>
  (chain ?? []).slice(0, -1).map((line) => line.replace(/ return comment .*/, ''));

describe('a rule of a policy', () => {
  it('is about every packet without peers and ports, and about a protocol without a number', async () => {
    expect(await ingress({})).toEqual(['return comment "shop/web ingress[0]"']);
    expect(await ingress({ ports: [{ protocol: 'UDP' }, { protocol: 'SCTP', port: 99 }] })).toEqual(
      ['meta l4proto udp', 'sctp dport 99'],
    );
  });

  it('has ports of a protocol together, as nft would merge them', async () => {
    expect(
      await ingress({
        ports: [
          { port: 443 },
          { port: 81 },
          { port: 80 },
          { port: 8000, endPort: 8100 },
          { port: 8050 },
        ],
      }),
    ).toEqual(['tcp dport { 80-81, 443, 8000-8100 }']);
    expect(await ingress({ ports: [{ port: 80 }, {}] })).toEqual(['meta l4proto tcp']);
  });

  it('cuts exceptions out of their own block only', async () => {
    const block = (cidr: string, ...except: string[]) => ({ ipBlock: { cidr, except } });
    expect(await ingress({ from: [block('10.0.0.0/8', '10.0.0.0/9')] })).toEqual([
      'ip saddr 10.128.0.0/9',
    ]);
    expect(
      await ingress({
        from: [block('10.0.0.0/24', '10.0.0.1/32'), block('10.0.0.0/31'), block('192.0.2.7/32')],
      }),
    ).toEqual(['ip saddr { 10.0.0.0/24, 192.0.2.7 }']);
    expect(await ingress({ from: [block('10.0.0.0/24', '10.0.0.0/24')] })).toEqual([]);
    expect(await ingress({ from: [block('fd00::/8')] })).toEqual([]);
  });

  it('looks a named port up in the Pod that is called', async () => {
    expect(await ingress({ ports: [{ port: 'http' }] })).toEqual([
      'ip daddr . tcp dport @np/shop/web-ingress-0-own-http-tcp-ip4',
    ]);
    expect(await ingress({ ports: [{ port: 'http', protocol: 'UDP' }] })).toEqual([]);
    expect(await ingress({ ports: [{ port: 'nobody' }] })).toEqual([]);
  });

  it('knows the numbers of a name in every Pod that it may call', async () => {
    const egress = async (...to: readonly object[]): Promise<string[]> => {
      const scenario = await policed([
        pod({ name: 'web', ports: [{ name: 'http', containerPort: 8080 }] }),
        pod({ name: 'db', node: 2, ports: [{ name: 'http', containerPort: 9090 }] }),
        pod({ name: 'far', namespace: 'other', ports: [{ name: 'http', containerPort: 7070 }] }),
        networkPolicy('web', {
          podSelector: {},
          policyTypes: ['Egress'],
          egress: [{ ...(to.length > 0 && { to }), ports: [{ port: 'http' }] }],
        }),
      ]);
      const blocks = blocksOn(scenario);
      const [set = ''] = [...blocks.keys()].filter((name) => name.includes('-http-'));
      return [set, blocks.get(set)?.slice(1).join(' ') ?? ''];
    };
    const elements = (...texts: string[]) => `elements = { ${texts.join(', ')} }`;
    expect(await egress()).toEqual([
      'np/shop/web-egress-0-everyone-http-tcp-ip4',
      elements('10.244.2.2 . 9090', '10.244.1.3 . 8080', '10.244.1.2 . 7070'),
    ]);
    expect(await egress({ podSelector: {} })).toEqual([
      'np/shop/web-egress-0-pods-http-tcp-ip4',
      elements('10.244.2.2 . 9090', '10.244.1.3 . 8080'),
    ]);
    expect(await egress({ ipBlock: { cidr: '10.244.2.0/24' } })).toEqual([
      'np/shop/web-egress-0-block-http-tcp-ip4',
      elements('10.244.2.2 . 9090'),
    ]);
    expect(await egress({ ipBlock: { cidr: '203.0.113.0/24' } })).toEqual(['', '']);
  });

  it('means nodes by their addresses, and leaves names of domains undecided where they may matter', async () => {
    const scenario = await policed([
      pod({ name: 'web' }),
      adminPolicy('first', {
        priority: 1,
        subject: { namespaces: {} },
        egress: [
          {
            action: 'Allow',
            to: [{ domainNames: ['*.example.com'] }, { nodes: {} }],
            ports: [{ portNumber: { protocol: 'TCP', port: 443 } }],
          },
          { action: 'Allow', to: [{ domainNames: ['web.shop.svc.cluster.local'] }] },
          { action: 'Deny', to: [{ networks: ['0.0.0.0/0'] }] },
        ],
      }),
    ]);
    const comment = (n: number) => `comment "AdminNetworkPolicy first egress[${n}]"`;
    expect(chainOf(scenario, 'egress', '10.244.1.2')).toEqual([
      `ip daddr @anp/first-egress-0-nodes-ip4 tcp dport 443 return ${comment(0)}`,
      `ip daddr != 10.244.0.0/16 ip daddr @anp/first-egress-0-names-ip4 tcp dport 443 return ${comment(0)}`,
      `ip daddr @anp/first-egress-1-names-ip4 return ${comment(1)}`,
      `ip daddr 0.0.0.0/0 drop ${comment(2)}`,
    ]);
    expect(blocksOn(scenario).get('anp/first-egress-0-nodes-ip4')?.at(-1)).toBe(
      'elements = { 192.168.10.11, 192.168.10.12 }',
    );
    expect(blocksOn(scenario).get('anp/first-egress-0-names-ip4')).toEqual([
      'type ipv4_addr',
      'flags timeout',
      'comment "addresses of *.example.com"',
    ]);
  });

  it('knows that names make no difference where nothing denies', async () => {
    const kindsWith = async (...more: readonly object[]): Promise<string[]> => {
      const scenario = await policed([
        pod({ name: 'web' }),
        adminPolicy('first', {
          priority: 1,
          subject: { namespaces: {} },
          egress: [
            { action: 'Deny', to: [{ networks: ['192.0.2.0/24'] }] },
            { action: 'Allow', to: [{ domainNames: ['*.example.com'] }] },
            { action: 'Allow', to: [{ nodes: {} }] },
          ],
        }),
        ...more,
      ]);
      const rules = tableOn(scenario)?.chains.flatMap((chain) => chain.rules) ?? [];
      const [rule] = rules.filter(({ comment }) => comment?.endsWith('egress[1]'));
      return [...(rule?.statements.map(({ kind }) => kind) ?? []), rule?.origin?.why ?? ''];
    };
    const settled = ['match', 'match', 'verdict', 'policy-accept'];
    const open = ['match', 'unmodelled', 'verdict', 'policy-undecided'];
    expect(await kindsWith()).toEqual(settled);
    const second = (action: string) =>
      adminPolicy('second', {
        priority: 2,
        subject: { namespaces: {} },
        egress: [{ action, to: [{ networks: ['0.0.0.0/0'] }] }],
      });
    expect(await kindsWith(second('Allow'))).toEqual(settled);
    expect(await kindsWith(second('Deny'))).toEqual(open);
    const egress = { podSelector: {}, policyTypes: ['Egress'], egress: [{}] };
    expect(await kindsWith(networkPolicy('open', egress))).toEqual(open);
    const baseline = (action: string) =>
      baselinePolicy({
        subject: { namespaces: {} },
        egress: [{ action, to: [{ networks: ['0.0.0.0/0'] }] }],
      });
    expect(await kindsWith(baseline('Allow'))).toEqual(settled);
    expect(await kindsWith(baseline('Deny'))).toEqual(open);
  });

  it('is written for both families where Pods have both', async () => {
    const scenario = await policed([
      pod({ name: 'web', ips: ['10.244.1.9', 'fd00:10:244:1::9'] }),
      networkPolicy('web', {
        podSelector: {},
        ingress: [
          {
            from: [{ podSelector: {} }, { ipBlock: { cidr: 'fd00::/8', except: ['fd00:1::/32'] } }],
          },
        ],
      }),
    ]);
    expect(bare(chainOf(scenario, 'ingress', 'fd00:10:244:1::9'))).toEqual([
      'ip saddr @np/shop/web-ingress-0-pods-ip4',
      'ip6 saddr @np/shop/web-ingress-0-pods-ip6',
      'ip6 saddr { fd00::/32, fd00:2::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff }',
    ]);
    expect(blocksOn(scenario).get('forward')?.slice(1)).toEqual([
      'ct state established,related accept',
      'ip saddr . ip daddr @self-ip4 accept',
      'ip daddr vmap @ingress-ip4',
      'ip6 saddr . ip6 daddr @self-ip6 accept',
      'ip6 daddr vmap @ingress-ip6',
    ]);
  });
});
