import { describe, expect, it } from 'vitest';
import { netnsOf } from '../../../src/kernel/netns.ts';
import { nftListRuleset } from '../../../src/userland/nft/print.ts';
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

const DENY_ALL = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };

describe('the agent of policies', () => {
  it('writes one table, in which Pods with equal policies share their chains', async () => {
    const scenario = await policed([
      pod({ name: 'web-1', labels: { app: 'web' } }),
      pod({ name: 'web-2', labels: { app: 'web' } }),
      pod({ name: 'free', namespace: 'other' }),
      networkPolicy('web', {
        podSelector: { matchLabels: { app: 'web' } },
        ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 8080 }] }],
      }),
    ]);
    const table = tableOn(scenario);
    expect(nftListRuleset(table ? [table] : []).join('\n')).toMatchInlineSnapshot(`
      "table inet k8snet-policy {
      	comment "policies of the Pods of this node"
      	set np/shop/web-ingress-0-pods-ip4 {
      		type ipv4_addr
      		elements = { 10.244.1.3, 10.244.1.4 }
      	}

      	set self-ip4 {
      		type ipv4_addr . ipv4_addr
      		elements = { 10.244.1.3 . 10.244.1.3,
      			     10.244.1.4 . 10.244.1.4 }
      	}

      	map ingress-ip4 {
      		type ipv4_addr : verdict
      		elements = { 10.244.1.3 comment "shop/web-1" : jump ingress-JHZFINCZ, 10.244.1.4 comment "shop/web-2" : jump ingress-JHZFINCZ }
      	}

      	chain forward {
      		type filter hook forward priority filter - 1; policy accept;
      		ct state established,related accept
      		ip saddr . ip daddr @self-ip4 accept
      		ip daddr vmap @ingress-ip4
      	}

      	chain input {
      		type filter hook input priority filter - 1; policy accept;
      		ct state established,related accept
      	}

      	chain output {
      		type filter hook output priority filter - 1; policy accept;
      		ct state established,related accept
      		accept comment "a node always reaches its own Pods"
      	}

      	chain ingress-JHZFINCZ {
      		comment "shop/web"
      		ip saddr @np/shop/web-ingress-0-pods-ip4 tcp dport 8080 return comment "shop/web ingress[0]"
      		drop comment "ingress default deny: shop/web"
      	}
      }"
    `);
  });

  it('judges in IPVS mode what IPVS sends on, by the output hook, and only behind IPVS what stays', async () => {
    const scenario = await policed([pod({ name: 'web' }), networkPolicy('all', DENY_ALL)], {
      kubeProxy: { mode: 'ipvs' },
    });
    const blocks = blocksOn(scenario);
    const base = (name: string) => blocks.get(name);
    const both = [
      'ct state established,related accept',
      'ip saddr . ip daddr @self-ip4 accept',
      'ip saddr vmap @egress-ip4',
      'ip daddr vmap @ingress-ip4',
    ];
    const [answers = '', ...rest] = both;
    expect(base('forward')).toEqual([
      'type filter hook forward priority filter - 1; policy accept;',
      ...both,
    ]);
    expect(base('input')).toEqual([
      'type filter hook input priority 100; policy accept;',
      answers,
      'ip saddr vmap @egress-ip4',
    ]);
    expect(base('output')).toEqual([
      'type filter hook output priority filter - 1; policy accept;',
      answers,
      'fib saddr type local accept comment "a node always reaches its own Pods"',
      ...rest,
    ]);
  });

  it('is not there unless the scenario has it', async () => {
    const scenario = await policed([pod({ name: 'web' }), networkPolicy('all', DENY_ALL)], {
      policyEngine: 'none',
    });
    expect(tableOn(scenario)).toBeUndefined();
  });

  it('has chains only where Pods are that a policy touches', async () => {
    const scenario = await policed([
      pod({ name: 'web' }),
      pod({ name: 'free', namespace: 'other', node: 2 }),
      networkPolicy('all', DENY_ALL),
    ]);
    expect([...blocksOn(scenario, 'node-2').keys()]).toEqual(['forward', 'input', 'output']);
    expect(blocksOn(scenario, 'node-1').size).toBeGreaterThan(5);
  });

  it('knows no Pods of a node’s network and none that have ended', async () => {
    const scenario = await policed([
      pod({ name: 'web' }),
      pod({ name: 'on-host', more: { hostNetwork: true } }),
      pod({ name: 'done', phase: 'Succeeded', ips: ['10.244.1.77'] }),
      networkPolicy('all', { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }),
    ]);
    const blocks = blocksOn(scenario);
    expect(blocks.get('np/shop/all-ingress-0-pods-ip4')).toEqual([
      'type ipv4_addr',
      'elements = { 10.244.1.2 }',
    ]);
    expect(blocks.get('ingress-ip4')?.join()).not.toContain('on-host');
  });

  it('registers its chains before those of the same hooks with a higher priority are asked', async () => {
    const { world } = await policed([pod({ name: 'web' }), networkPolicy('all', DENY_ALL)], {
      kubeProxy: { mode: 'nftables' },
    });
    const { nft = [] } = netnsOf(world, 'node-1/host').netfilter;
    expect(nft.map(({ family, name }) => `${family} ${name}`)).toEqual([
      'ip kube-proxy',
      'ip6 kube-proxy',
      'inet k8snet-policy',
    ]);
  });

  it('says of everything for whom it is there, and where that stands', async () => {
    const scenario = await policed([
      pod({ name: 'web', ports: [{ name: 'http', containerPort: 8080 }] }),
      pod({ name: 'db', node: 2 }),
      networkPolicy('web', {
        podSelector: {},
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 'http' }] }],
      }),
      adminPolicy('first', {
        priority: 1,
        subject: { namespaces: {} },
        ingress: [{ action: 'Deny', from: [{ namespaces: { matchLabels: { a: 'b' } } }] }],
      }),
    ]);
    const table = tableOn(scenario);
    const rules = table?.chains.flatMap((chain) => chain.rules) ?? [];
    const elements = table?.sets.flatMap((set) => set.elements) ?? [];
    expect(rules.length).toBeGreaterThan(8);
    expect(elements.length).toBeGreaterThan(4);
    for (const { origin } of [...rules, ...elements])
      expect([origin?.by, origin?.why]).toEqual(['policy', expect.stringMatching(/^policy-/)]);
    for (const { origin } of elements) expect(origin?.object?.name).toBeTypeOf('string');
    const drops = rules
      .filter(({ statements }) =>
        statements.some((one) => one.kind === 'verdict' && one.verdict.kind === 'drop'),
      )
      .map(({ origin }) => [
        origin?.why,
        origin?.object?.kind,
        origin?.object?.name,
        origin?.object?.field,
        typeof origin?.at?.line,
      ]);
    expect(drops).toEqual([
      ['policy-egress-default-deny', 'NetworkPolicy', 'web', 'spec.egress', 'number'],
      ['policy-deny', 'AdminNetworkPolicy', 'first', 'spec.ingress[0]', 'number'],
      ['policy-ingress-default-deny', 'NetworkPolicy', 'web', 'spec.ingress', 'number'],
    ]);
  });

  it('names all policies that isolate together', async () => {
    const scenario = await policed([
      pod({ name: 'web' }),
      networkPolicy('b', { podSelector: {}, ingress: [{ ports: [{ port: 1 }] }] }),
      networkPolicy('a', { podSelector: {}, policyTypes: ['Ingress'] }),
    ]);
    expect(chainOf(scenario, 'ingress', '10.244.1.2')).toEqual([
      'tcp dport 1 return comment "shop/b ingress[0]"',
      'drop comment "ingress default deny: shop/a, shop/b"',
    ]);
    expect(chainOf(scenario, 'egress', '10.244.1.2')).toBeUndefined();
  });

  it('asks the tiers one after the other, and lets a rule pass on', async () => {
    const tier = (action: string, port: number) => ({
      action,
      from: [{ namespaces: {} }],
      ports: [{ portNumber: { protocol: 'TCP', port } }],
    });
    const scenario = await policed([
      pod({ name: 'web' }),
      pod({ name: 'free', namespace: 'other' }),
      networkPolicy('web', { podSelector: {}, ingress: [{}] }),
      adminPolicy('second', {
        priority: 20,
        subject: { namespaces: {} },
        ingress: [tier('Deny', 2)],
      }),
      adminPolicy('first', {
        priority: 10,
        subject: { namespaces: {} },
        ingress: [tier('Allow', 1), tier('Pass', 2)],
      }),
      baselinePolicy({ subject: { namespaces: {} }, ingress: [tier('Deny', 3)] }),
    ]);
    const free = chainOf(scenario, 'ingress', '10.244.1.2');
    const web = chainOf(scenario, 'ingress', '10.244.1.3');
    const set = (of: string, index: number) => `ip saddr @${of}-ingress-${index}-pods-ip4`;
    const name = web?.at(-1)?.replace('goto ', '') ?? '';
    expect(web).toEqual([
      `${set('anp/first', 0)} tcp dport 1 return comment "AdminNetworkPolicy first ingress[0]"`,
      `${set('anp/first', 1)} tcp dport 2 goto ${name} comment "AdminNetworkPolicy first ingress[1]"`,
      `${set('anp/second', 0)} tcp dport 2 drop comment "AdminNetworkPolicy second ingress[0]"`,
      `goto ${name}`,
    ]);
    expect(name).toMatch(/^ingress-\w{8}-after-pass$/);
    expect(blocksOn(scenario).get(name)).toEqual([
      'comment "shop/web"',
      'return comment "shop/web ingress[0]"',
      'drop comment "ingress default deny: shop/web"',
    ]);
    expect(blocksOn(scenario).get(free?.at(-1)?.replace('goto ', '') ?? '')).toEqual([
      'comment "default"',
      `${set('banp/default', 0)} tcp dport 3 drop comment "BaselineAdminNetworkPolicy default ingress[0]"`,
    ]);
  });

  it('keeps within what nft takes, however long the names are', async () => {
    const long = `${'x'.repeat(120)}.${'y'.repeat(120)}`;
    const scenario = await policed([
      pod({ name: 'web', namespace: 'n'.repeat(63) }),
      networkPolicy(
        long,
        { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] },
        'n'.repeat(63),
      ),
    ]);
    const table = tableOn(scenario);
    for (const { name } of [...(table?.sets ?? []), ...(table?.chains ?? [])])
      expect(name.length).toBeLessThan(256);
    const rules = table?.chains.flatMap((chain) => chain.rules) ?? [];
    const comments = [...rules, ...(table?.chains ?? [])].flatMap(({ comment }) => comment ?? []);
    for (const comment of comments) expect(comment.length).toBeLessThanOrEqual(128);
    expect(comments.some((comment) => comment.endsWith('... ingress[0]'))).toBe(true);
  });

  it('has the elements of a set once for all nodes', async () => {
    const scenario = await policed([
      pod({ name: 'web' }),
      pod({ name: 'db', node: 2 }),
      networkPolicy('all', { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }),
    ]);
    const [one, two] = ['node-1', 'node-2'].map((node) =>
      tableOn(scenario, node)?.sets.find(({ name }) => name.includes('-pods-')),
    );
    expect(one?.elements).toHaveLength(2);
    expect(two?.elements[0]).toBe(one?.elements[0]);
    // Whoever edits one node's table leaves the other's alone.
    expect(two?.elements).not.toBe(one?.elements);
  });
});
