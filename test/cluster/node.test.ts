import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../src/cluster/diagnostic.ts';
import type { NodeDraft } from '../../src/cluster/node.ts';
import { settleRanges } from '../../src/cluster/pod-range.ts';
import { cidrContains, cidrOverlaps } from '../../src/wire/ip.ts';
import { clusterOf, codesOf, pod, podNamed, resolveYaml } from './cluster-of.ts';

const scenario = (spec: string): string =>
  `---\n{apiVersion: k8snet/v1, kind: Scenario, metadata: {name: s}, spec: ${spec}}\n`;

const node = (name: string, rest = ''): string =>
  `---\n{apiVersion: v1, kind: Node, metadata: {name: ${name}}${rest && `, ${rest}`}}\n`;

const live = (name: string, on: string, ip: string, hostIP = ''): string =>
  pod(
    name,
    `nodeName: ${on}`,
    `status: {phase: Running, podIP: ${ip}${hostIP && `, hostIP: ${hostIP}`}}`,
  );

const draftOf = (name: string): NodeDraft => ({
  name,
  labels: {},
  taints: [],
  sysctl: {},
  ready: true,
  annotations: [],
  made: false,
});

const nodesOf = async (yaml: string | readonly string[]): Promise<string[]> =>
  (await clusterOf(yaml)).nodes.map(({ name, ip, podCIDR }) => `${name} ${ip} ${podCIDR}`);

describe('nodes', () => {
  it('are node-1 and node-2 where nothing names one', async () => {
    const cluster = await clusterOf(pod('a'));
    expect(cluster.nodes.map(({ name, ip, podCIDR }) => `${name} ${ip} ${podCIDR}`)).toEqual([
      'node-1 192.168.10.11 10.244.1.0/24',
      'node-2 192.168.10.12 10.244.2.0/24',
    ]);
    expect(cluster.underlay).toEqual({
      cidr: '192.168.10.0/24',
      mtu: 1500,
      gateway: '192.168.10.1',
    });
    expect(cluster.nodes[0]?.invented).toEqual({ node: true, ip: true, podCIDR: true });
    expect(cluster.notes.map(({ code, subject }) => `${code} ${subject}`)).toEqual([
      'plugin-default flannel vxlan',
      'nodes-default node-1, node-2',
      'underlay-default 192.168.10.0/24',
      'range-default podCIDR',
      'range-default serviceCIDR',
      'placement-invented Pods',
      'address-invented Pods',
    ]);
  });

  it('come in the order of the Scenario, then by number', async () => {
    expect(
      await nodesOf([
        scenario('{nodes: [{name: b}, {name: a}]}'),
        node('n-10'),
        node('n-9'),
        pod('x', 'nodeName: n-2'),
      ]),
    ).toEqual([
      'b 192.168.10.11 10.244.1.0/24',
      'a 192.168.10.12 10.244.2.0/24',
      'n-2 192.168.10.13 10.244.3.0/24',
      'n-9 192.168.10.14 10.244.4.0/24',
      'n-10 192.168.10.15 10.244.5.0/24',
    ]);
  });

  it('have what the Scenario says over what the Node object says', async () => {
    const cluster = await clusterOf([
      scenario(
        '{nodes: [{name: a, addresses: [192.168.10.77], labels: {zone: b}, sysctl: {net.ipv4.ip_forward: 0}}]}',
      ),
      node(
        'a',
        'spec: {podCIDR: 10.244.9.0/24, taints: [{key: k, effect: NoSchedule}]}, status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}',
      ),
    ]);
    expect(cluster.nodes).toMatchObject([
      {
        ip: '192.168.10.77',
        podCIDR: '10.244.9.0/24',
        labels: { 'kubernetes.io/hostname': 'a', zone: 'b' },
        taints: [{ key: 'k', effect: 'NoSchedule' }],
        sysctl: { 'net.ipv4.ip_forward': '0' },
        invented: { node: false, ip: false, podCIDR: false },
      },
    ]);
  });

  it('have the address that their Pods know as hostIP', async () => {
    expect(await nodesOf(live('a', 'kind', '10.244.0.5', '172.18.0.2'))).toEqual([
      'kind 172.18.0.2 10.244.0.0/24',
    ]);
    expect((await clusterOf(live('a', 'kind', '10.244.0.5', '172.18.0.2'))).underlay).toEqual({
      cidr: '172.18.0.0/24',
      mtu: 1500,
      gateway: '172.18.0.1',
    });
  });

  it('are found by hostIP alone, also where another Pod tells its name', async () => {
    const cluster = await clusterOf([
      pod('a', '', 'status: {phase: Running, podIP: 10.244.0.5, hostIP: 172.18.0.2}'),
      live('b', 'kind', '10.244.0.6', '172.18.0.2'),
    ]);
    expect(cluster.nodes.map(({ name }) => name)).toEqual(['kind']);
    expect(podNamed(cluster, 'a').node).toBe('kind');
  });

  it('that only a Pod names are odd where others are described', async () => {
    const { diagnostics, cluster } = await resolveYaml([
      node('node-1'),
      pod('a', 'nodeName: nod-1'),
    ]);
    expect(cluster.nodes.map(({ name }) => name)).toEqual(['nod-1', 'node-1']);
    expect(diagnostics).toMatchObject([
      {
        severity: 'warning',
        code: 'unknown-node',
        file: '1.yaml',
        line: 2,
        hint: 'Did you mean node-1?',
      },
    ]);
  });

  it('never share an address', async () => {
    const { diagnostics } = await resolveYaml(
      scenario('{nodes: [{name: a, addresses: [10.0.0.1]}, {name: b, addresses: [10.0.0.1]}]}'),
    );
    expect(codesOf(diagnostics)).toEqual(['error duplicate-ip']);
  });

  it('keep the gateway out of their addresses', async () => {
    const cluster = await clusterOf(live('a', 'n0', '10.244.0.5', '10.1.1.1'));
    expect(cluster.underlay.gateway).toBe('10.1.1.254');
  });

  it('need room on the underlay', async () => {
    const { diagnostics } = await resolveYaml(
      scenario('{underlay: {cidr: 10.0.0.0/30}, nodes: [{name: a}, {name: b}]}'),
    );
    expect(codesOf(diagnostics)).toEqual(['error range-exhausted']);
  });

  it('not ready, cordoned', async () => {
    const cluster = await clusterOf([
      node('a', 'status: {conditions: [{type: Ready, status: "False"}]}'),
      node('b', 'spec: {unschedulable: true}'),
    ]);
    expect(cluster.nodes.map(({ ready }) => ready)).toEqual([false, true]);
    expect(cluster.nodes[1]?.taints).toEqual([
      { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
    ]);
  });
});

describe('the underlay', () => {
  it('is wider where a node has what would be its broadcast address', async () => {
    const yaml = [scenario('{nodes: [{name: a, addresses: [192.168.10.255]}]}')];
    expect((await clusterOf(yaml)).underlay.cidr).toBe('192.168.10.0/23');
    const found = node('b', 'status: {addresses: [{type: InternalIP, address: 10.0.0.255}]}');
    const given = await clusterOf([scenario('{underlay: {cidr: 10.0.0.0/24}}'), found]);
    expect(given.underlay.cidr).toBe('10.0.0.0/23');
    expect(given.notes.map(({ code, subject }) => `${code} ${subject}`)).toContain(
      'range-widened 10.0.0.255',
    );
  });

  it.each(['192.168.10.255', '192.168.10.0'])(
    'of a Scenario contradicts a node of it with %s',
    async (ip) => {
      const { diagnostics } = await resolveYaml(
        scenario(`{underlay: {cidr: 192.168.10.0/24}, nodes: [{name: a, addresses: [${ip}]}]}`),
      );
      expect(codesOf(diagnostics)).toEqual(['error bad-value']);
    },
  );

  it('needs an address for its router', async () => {
    const { diagnostics } = await resolveYaml(
      scenario(
        '{underlay: {cidr: 10.0.0.0/31}, nodes: [{name: a, addresses: [10.0.0.0]}, {name: b, addresses: [10.0.0.1]}]}',
      ),
    );
    expect(codesOf(diagnostics)).toEqual(['error range-exhausted']);
  });

  it.each([
    ['{underlay: {cidr: 203.0.113.0/24}}', '198.51.100.10'],
    ['{underlay: {cidr: 203.0.113.0/24}, network: {serviceCIDR: 198.51.100.0/24}}', '192.0.2.10'],
    ['{}', '203.0.113.10'],
  ])('and the other ranges are not where the outside is: %s', async (spec, ip) => {
    expect((await clusterOf(scenario(spec))).external.ip).toBe(ip);
  });

  it('and the other ranges leave room for the outside', async () => {
    const { diagnostics } = await resolveYaml(scenario('{network: {serviceCIDR: 192.0.0.0/3}}'));
    expect(codesOf(diagnostics)).toContain('error ranges-overlap');
  });
});

describe('Pod ranges', () => {
  it('are the smallest aligned /24 that holds the Pods of the input', async () => {
    expect(
      await nodesOf([
        live('a', 'n1', '10.42.3.7'),
        live('b', 'n2', '10.42.9.250'),
        pod('c', 'nodeName: n3'),
      ]),
    ).toEqual([
      'n1 192.168.10.11 10.42.3.0/24',
      'n2 192.168.10.12 10.42.9.0/24',
      'n3 192.168.10.13 10.42.1.0/24',
    ]);
  });

  it('are narrower where two nodes share a /24', async () => {
    expect(
      await nodesOf([
        live('a', 'n1', '10.244.120.66'),
        live('b', 'n1', '10.244.120.70'),
        live('c', 'n2', '10.244.120.130'),
      ]),
    ).toEqual(['n1 192.168.10.11 10.244.120.0/25', 'n2 192.168.10.12 10.244.120.128/25']);
  });

  it('are as many as it takes where nodes have Pods among each other', async () => {
    const { cluster, diagnostics } = await resolveYaml([
      live('a', 'n1', '10.244.0.70'),
      live('b', 'n1', '10.244.0.200'),
      live('c', 'n2', '10.244.0.130'),
    ]);
    expect(diagnostics).toEqual([]);
    expect(cluster.nodes.map(({ podCIDR, otherPodCIDRs }) => [podCIDR, otherPodCIDRs])).toEqual([
      ['10.244.0.0/25', ['10.244.0.192/26']],
      ['10.244.0.128/26', undefined],
    ]);
    expect(cluster.notes.filter(({ code }) => code === 'node-ranges')).toEqual([
      {
        code: 'node-ranges',
        subject: 'n1',
        values: { ranges: '10.244.0.0/25, 10.244.0.192/26', more: 0 },
        place: expect.anything(),
      },
    ]);
  });

  it('are single addresses at worst, and a free share is made up for the gateway', async () => {
    const { cluster, diagnostics } = await resolveYaml([
      node('n1', 'status: {addresses: [{type: InternalIP, address: 10.0.1.4}]}'),
      node('n2', 'status: {addresses: [{type: InternalIP, address: 10.0.1.8}]}'),
      live('a', 'n1', '10.0.1.5'),
      live('b', 'n2', '10.0.1.6'),
      live('c', 'n1', '10.0.1.7'),
      live('d', 'n2', '10.0.1.9'),
      pod('new', 'nodeName: n1'),
    ]);
    expect(diagnostics).toEqual([]);
    expect(cluster.network.podCIDR).toBe('10.244.0.0/16');
    expect(cluster.nodes.map(({ podCIDR, otherPodCIDRs }) => [podCIDR, otherPodCIDRs])).toEqual([
      ['10.244.1.0/24', ['10.0.1.5/32', '10.0.1.7/32']],
      ['10.244.2.0/24', ['10.0.1.6/32', '10.0.1.9/32']],
    ]);
    expect(podNamed(cluster, 'new').ip).toBe('10.244.1.2');
    expect(cluster.notes.map(({ code }) => code)).toContain('range-apart');
  });

  it('never overlap, hold every Pod and nobody else, whatever addresses there are', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.tuple(fc.integer({ min: 0, max: 1023 }), fc.integer({ min: 0, max: 3 })),
          {
            selector: ([host]) => host,
            minLength: 1,
            maxLength: 40,
          },
        ),
        (owners) => {
          const podIps = new Map<string, string[]>();
          for (const [host, owner] of owners) {
            const ip = `10.9.${host >> 8}.${host & 255}`;
            podIps.set(`n${owner}`, [...(podIps.get(`n${owner}`) ?? []), ip]);
          }
          const nodes = [0, 1, 2, 3].map((at) => draftOf(`n${at}`));
          const { report, list } = createDiagnostics();
          const settled = settleRanges({
            nodes,
            podIps,
            machineIps: ['192.168.10.1'],
            avoid: ['192.168.10.0/24'],
            report,
            note: () => {},
          });
          expect(list()).toEqual([]);
          const all = settled.nodes.map(({ cidr, others }) => [cidr, ...others]);
          for (const [at, { name }] of nodes.entries())
            for (const ip of podIps.get(name) ?? [])
              expect(all.map((some) => some.some((cidr) => cidrContains(cidr, ip)))).toEqual(
                nodes.map((_, other) => other === at),
              );
          const flat = all.flat();
          for (const [at, a] of flat.entries())
            for (const b of flat.slice(at + 1))
              expect([a, b, cidrOverlaps(a, b)]).toEqual([a, b, false]);
        },
      ),
    );
  });

  it('given to a node stay, with others beside them, or go where no Pod is in them', async () => {
    const inside = await clusterOf([
      node('a', 'spec: {podCIDR: 10.244.0.0/24}'),
      live('x', 'a', '10.244.0.9'),
      live('y', 'a', '10.244.1.9'),
    ]);
    expect(inside.nodes[0]).toMatchObject({
      podCIDR: '10.244.0.0/24',
      otherPodCIDRs: ['10.244.1.0/24'],
    });
    expect(inside.notes).toContainEqual(
      expect.objectContaining({
        code: 'node-ranges',
        subject: 'a',
        values: { ranges: '10.244.1.0/24', more: 0, given: '10.244.0.0/24' },
      }),
    );
    const borrowed = await clusterOf([
      node('a', 'spec: {podCIDR: 10.244.0.0/24}'),
      node('b', 'spec: {podCIDR: 10.244.1.0/24}'),
      live('x', 'a', '10.244.0.9'),
      live('y', 'a', '10.244.1.1'),
    ]);
    expect(borrowed.nodes).toMatchObject([
      { podCIDR: '10.244.0.0/24', otherPodCIDRs: ['10.244.1.1/32'] },
      { podCIDR: '10.244.1.0/24', lentIps: ['10.244.1.1'] },
    ]);
    const elsewhere = await clusterOf([
      node('a', 'spec: {podCIDR: 10.244.0.0/24}'),
      live('x', 'a', '10.244.120.9'),
    ]);
    expect(elsewhere.nodes[0]?.podCIDR).toBe('10.244.120.0/24');
  });

  it('of Node objects that overlap are odd, and one of them is left out', async () => {
    const { cluster, diagnostics } = await resolveYaml([
      node('a', 'spec: {podCIDR: 10.244.0.0/24}'),
      node('b', 'spec: {podCIDR: 10.244.0.0/24}'),
    ]);
    expect(codesOf(diagnostics)).toEqual(['warning ranges-overlap']);
    expect(new Set(cluster.nodes.map(({ podCIDR }) => podCIDR)).size).toBe(2);
  });

  it('far from the others do not make the cluster as wide as the world', async () => {
    const cluster = await clusterOf([
      live('x', 'a', '10.42.0.9'),
      live('y', 'b', '10.42.1.9'),
      live('z', 'c', '200.1.1.9'),
    ]);
    expect(cluster.network.podCIDR).toBe('10.42.0.0/16');
    expect(cluster.nodes.at(-1)).toMatchObject({
      podCIDR: '10.42.2.0/24',
      otherPodCIDRs: ['200.1.1.0/24'],
    });
    expect(cluster.notes).toContainEqual({
      code: 'range-apart',
      subject: '10.42.0.0/16',
      values: { ranges: '200.1.1.0/24', more: 0 },
    });
  });

  it('outside the range of a Scenario widen it, with a note', async () => {
    const cluster = await clusterOf([
      scenario('{network: {podCIDR: 10.244.0.0/16}}'),
      live('x', 'a', '10.245.0.9'),
    ]);
    expect(cluster.network.podCIDR).toBe('10.244.0.0/15');
    expect(cluster.notes.map(({ code, subject }) => `${code} ${subject}`)).toContain(
      'range-widened 10.245.0.0/24',
    );
  });

  it('that nobody gave go where the Pods are', async () => {
    const cluster = await clusterOf(live('x', 'a', '192.168.3.9'));
    expect(cluster.network.podCIDR).toBe('192.168.0.0/16');
    expect(cluster.notes).toContainEqual({
      code: 'range-default',
      subject: 'podCIDR',
      values: { cidr: '192.168.0.0/16' },
    });
  });

  it('defaults keep out of the way of what is given', async () => {
    const cluster = await clusterOf([
      scenario('{network: {podCIDR: 192.168.0.0/16, serviceCIDR: 172.16.0.0/12}}'),
    ]);
    expect(cluster.underlay.cidr).toBe('10.10.10.0/24');
    const other = await clusterOf(scenario('{network: {podCIDR: 10.96.0.0/12}}'));
    expect(other.network.serviceCIDR).toBe('172.30.0.0/16');
    expect((await clusterOf(scenario('{underlay: {cidr: 10.244.7.0/24}}'))).network.podCIDR).toBe(
      '10.42.0.0/16',
    );
  });

  it.each([
    '{network: {podCIDR: 10.0.0.0/8, serviceCIDR: 10.96.0.0/12}}',
    '{network: {podCIDR: 10.0.0.0/8}, underlay: {cidr: 10.1.0.0/16}}',
    '{nodes: [{name: a, podCIDR: 10.244.1.0/24}, {name: b, podCIDR: 10.244.1.128/25}]}',
  ])('of a Scenario that overlap are an error: %s', async (spec) => {
    const { diagnostics } = await resolveYaml(scenario(spec));
    expect(codesOf(diagnostics)).toEqual(['error ranges-overlap']);
    expect(diagnostics[0]?.line).toBe(2);
  });

  it('of /24 need room for every node', async () => {
    const { diagnostics } = await resolveYaml(scenario('{network: {podCIDR: 10.244.7.0/24}}'));
    expect(codesOf(diagnostics)).toEqual(['error range-exhausted']);
    const one = scenario('{network: {podCIDR: 10.244.7.0/24}, nodes: [{name: a}]}');
    expect((await clusterOf(one)).nodes[0]?.podCIDR).toBe('10.244.7.0/24');
  });

  it('hand out 255 shares, the one with the network address last', async () => {
    const names = Array.from({ length: 256 }, (_, at) => `{name: n${at}}`);
    const cluster = await clusterOf(
      scenario(`{underlay: {cidr: 10.0.0.0/16}, nodes: [${names.join(', ')}]}`),
    );
    expect(cluster.nodes[0]?.podCIDR).toBe('10.244.1.0/24');
    expect(cluster.nodes.at(-2)?.podCIDR).toBe('10.244.255.0/24');
    expect(cluster.nodes.at(-1)?.podCIDR).toBe('10.244.0.0/24');
    expect(new Set(cluster.nodes.map(({ podCIDR }) => podCIDR)).size).toBe(256);
  });

  it('the range of Services holds every ClusterIP', async () => {
    const service =
      '{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {clusterIP: 10.43.7.7}}';
    expect((await clusterOf(service)).network.serviceCIDR).toBe('10.43.0.0/16');
    expect(
      (await clusterOf([scenario('{network: {serviceCIDR: 10.42.0.0/16}}'), service])).network
        .serviceCIDR,
    ).toBe('10.42.0.0/15');
  });
});

describe('Pod addresses', () => {
  it('go from .2 upward by namespace, kind, name and ordinal, never by file order', async () => {
    const yaml = [
      pod('b', 'nodeName: n0'),
      pod('a', 'nodeName: n0'),
      '---\n{apiVersion: v1, kind: Pod, metadata: {name: z, namespace: aa}, spec: {nodeName: n0, containers: [{name: x}]}}\n',
      '---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: zz}, spec: {template: {spec: {nodeName: n0, containers: [{name: x}]}}}}\n',
    ];
    const seen = async (texts: readonly string[]): Promise<string[]> =>
      (await clusterOf(texts)).pods.map(({ name, ip }) => `${name.slice(0, 2)} ${ip}`);
    const expected = ['z 10.244.1.2', 'zz 10.244.1.3', 'a 10.244.1.4', 'b 10.244.1.5'];
    expect(await seen(yaml)).toEqual(expected);
    expect(await seen(yaml.toReversed())).toEqual(expected);
  });

  it('leave out what Pods of the input have', async () => {
    const cluster = await clusterOf([live('z', 'n0', '10.244.7.2'), pod('a', 'nodeName: n0')]);
    expect(podNamed(cluster, 'a')).toMatchObject({
      ip: '10.244.7.3',
      invented: { ip: true, node: false },
    });
    expect(podNamed(cluster, 'z').invented.ip).toBe(false);
  });

  it('of two live Pods are an error at the second; ended ones and the node network aside', async () => {
    const { diagnostics } = await resolveYaml([
      live('a', 'n0', '10.244.1.9'),
      live('b', 'n0', '10.244.1.9'),
    ]);
    expect(diagnostics).toMatchObject([
      { severity: 'error', code: 'duplicate-ip', file: '1.yaml', line: 2, path: 'status.podIP' },
    ]);
    const ended = pod('b', 'nodeName: n0', 'status: {phase: Succeeded, podIP: 10.244.1.9}');
    expect((await resolveYaml([live('a', 'n0', '10.244.1.9'), ended])).diagnostics).toEqual([]);
    const host = (name: string): string =>
      pod(name, 'nodeName: n0, hostNetwork: true', 'status: {podIP: 10.0.0.7, hostIP: 10.0.0.7}');
    expect((await resolveYaml([host('a'), host('b')])).diagnostics).toEqual([]);
  });

  it('are used up at some point: the Pod stays Pending and says why', async () => {
    const { cluster, diagnostics } = await resolveYaml([
      scenario('{nodes: [{name: n0, podCIDR: 10.244.1.0/30}]}'),
      pod('a'),
      pod('b'),
    ]);
    expect(cluster.pods.map(({ phase, ip }) => `${phase} ${ip}`)).toEqual([
      'Running 10.244.1.2',
      'Pending undefined',
    ]);
    expect(cluster.pods[1]?.pendingReason).toBe('the range of n0 has no free address');
    expect(codesOf(diagnostics)).toEqual(['warning unschedulable']);
  });

  it('are the node’s on its network', async () => {
    const cluster = await clusterOf(pod('a', 'nodeName: n0, hostNetwork: true'));
    expect(cluster.pods[0]).toMatchObject({
      ip: '192.168.10.11',
      hostNetwork: true,
      invented: { ip: false },
    });
  });

  it('are not those of a node', async () => {
    const { diagnostics } = await resolveYaml([
      live('a', 'n0', '10.0.0.7', '10.0.0.7'),
      pod('b', 'nodeName: n0, hostNetwork: true', 'status: {podIP: 10.0.0.7, hostIP: 10.0.0.7}'),
    ]);
    expect(codesOf(diagnostics)).toEqual(['error duplicate-ip']);
  });

  it('keep the router and the broadcast address of the nodes’ network elsewhere', async () => {
    const yaml = [
      node('n1', 'status: {addresses: [{type: InternalIP, address: 10.0.1.8}]}'),
      live('a', 'n1', '10.0.1.1'),
      live('b', 'n1', '10.0.1.255'),
    ];
    const { underlay } = await clusterOf(yaml);
    expect(underlay).toMatchObject({ cidr: '10.0.0.0/22', gateway: '10.0.0.1' });
  });

  it('none for Pods that have ended or not begun', async () => {
    const cluster = await clusterOf([
      pod('a', 'nodeName: n0', 'status: {phase: Failed, podIP: 10.244.1.7}'),
      pod(
        'b',
        'nodeName: n0',
        'status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ContainerCreating}}}]}',
      ),
      pod(
        'c',
        '',
        'status: {phase: Pending, conditions: [{type: PodScheduled, status: "False", message: no room}]}',
      ),
    ]);
    expect(
      cluster.pods.map(({ ip, node: on, phase, pendingReason }) => [ip, on, phase, pendingReason]),
    ).toEqual([
      [undefined, 'n0', 'Failed', undefined],
      [undefined, 'n0', 'Pending', 'ContainerCreating'],
      [undefined, undefined, 'Pending', 'no room'],
    ]);
  });

  it.each(['224.0.0.9', '0.0.0.0', '255.255.255.255', '127.0.0.1', '10.244.1'])(
    'that no machine can have is odd, and as if it were not there: %s',
    async (ip) => {
      const { cluster, diagnostics } = await resolveYaml([
        pod('a', 'nodeName: n0', `status: {phase: Running, podIP: ${ip}, podIPs: [{ip: ${ip}}]}`),
        pod('b', '', `status: {phase: Running, hostIP: ${ip}}`),
        node('n1', `status: {addresses: [{type: InternalIP, address: ${ip}}]}`),
      ]);
      const codes = codesOf(diagnostics).filter((code) => code !== 'warning unknown-node');
      expect(codes).toEqual(Array.from({ length: 3 }, () => 'warning bad-ip'));
      expect(podNamed(cluster, 'a').ip).toBe('10.244.1.2');
      expect(cluster.network.podCIDR).toBe('10.244.0.0/16');
      expect(cluster.underlay.cidr).toBe('192.168.10.0/24');
    },
  );

  it('IPv6 alone is no IPv4 address, and nonsense is replaced, and both are said', async () => {
    const { cluster, diagnostics } = await resolveYaml([
      live('a', 'n0', '"fd00::7"'),
      live('b', 'n0', '10.244.1'),
      pod(
        'c',
        'nodeName: n0',
        'status: {phase: Running, podIP: "fd00::8", podIPs: [{ip: "fd00::8"}, {ip: 10.244.1.8}]}',
      ),
    ]);
    expect(cluster.pods.map(({ ip, onlyIpv6 }) => ip ?? onlyIpv6)).toEqual([
      'fd00::7',
      '10.244.1.2',
      '10.244.1.8',
    ]);
    expect(codesOf(diagnostics)).toEqual(['warning bad-ip', 'warning ipv6-only']);
  });

  it('of a node are IPv6 alone where its Pods say so, and nothing says otherwise', async () => {
    const six = (name: string) => live(name, 'n0', '"fd00::7"', '"fd00::1"');
    const nodes = async (...yaml: string[]) =>
      (await clusterOf(yaml)).nodes.map(({ onlyIpv6 }) => onlyIpv6);
    expect(await nodes(six('a'))).toEqual(['fd00::1']);
    expect(await nodes(pod('0', 'nodeName: n0'), six('a'))).toEqual(['fd00::1']);
    expect(await nodes(six('a'), live('b', 'n0', '10.244.1.9', '192.168.10.11'))).toEqual([
      undefined,
    ]);
  });

  it('of a Pod that is the bridge’s is odd', async () => {
    const { diagnostics } = await resolveYaml(live('a', 'n0', '10.244.1.1'));
    expect(codesOf(diagnostics)).toEqual(['warning gateway-address']);
  });
});

it('ready is what the input says, and a Pod on its way out is not', async () => {
  const cluster = await clusterOf([
    pod(
      'a',
      'nodeName: n0',
      'status: {phase: Running, conditions: [{type: Ready, status: "False"}]}',
    ),
    pod(
      'b',
      'nodeName: n0',
      'status: {phase: Running, containerStatuses: [{ready: true}, {ready: false}]}',
    ),
    pod('c', 'nodeName: n0'),
    '---\n{apiVersion: v1, kind: Pod, metadata: {name: d, deletionTimestamp: "2026-01-01T00:00:00Z"}, spec: {nodeName: n0, containers: [{name: x}]}}\n',
  ]);
  expect(cluster.pods.map(({ ready, phase }) => `${ready} ${phase}`)).toEqual([
    'false Running',
    'false Running',
    'true Running',
    'false Running',
  ]);
});

describe('names that no object can have', () => {
  it('are reported, and neither make a node nor a Pod', async () => {
    const { cluster, diagnostics } = await resolveYaml([
      pod('a', "nodeName: '10.0.0.0/8'"),
      pod("'b/c'"),
      pod('d', 'nodeName: ..'),
    ]);
    expect(cluster.pods.map(({ name }) => name)).toEqual(['a', 'd']);
    expect(cluster.nodes.map(({ name }) => name)).toEqual(['node-1', 'node-2']);
    expect(codesOf(diagnostics).sort()).toEqual([
      ...Array<string>(3).fill('warning bad-name'),
      'warning missing-name',
    ]);
  });
});
