import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { netnsOf } from '../../src/kernel/netns.ts';
import { builtInIndex, defaultName } from '../../src/scenario/built-in.ts';
import { listBuiltIn, readBuiltIn } from '../../src/scenario/find-built-in.ts';
import { freezeObject, thawObject } from '../../src/scenario/frozen.ts';
import { readSources } from '../../src/scenario/load.ts';
import {
  type Input,
  type OpenedScenario,
  type OpenOptions,
  openBuiltIn,
  openScenario,
} from '../../src/scenario/open.ts';
import { codesOf } from '../cluster/cluster-of.ts';

const opened = async (
  inputs: readonly Input[],
  options: OpenOptions = {},
): Promise<OpenedScenario> => {
  const result = await openScenario(inputs, options);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.scenario;
};

const problems = async (inputs: readonly Input[], options: OpenOptions = {}): Promise<string[]> => {
  const { ok, diagnostics } = await openScenario(inputs, options);
  expect(ok).toBe(diagnostics.every(({ severity }) => severity === 'warning'));
  return diagnostics.map(
    ({ severity, code, file, line, message, hint }) =>
      `${severity} ${code} ${file}:${line} ${message}${hint === undefined ? '' : ` | ${hint}`}`,
  );
};

const text = (yaml: string, file = 'x.yaml'): Input => ({ file, text: yaml });

const BASE = `apiVersion: k8snet/v1
kind: Scenario
metadata: { name: base }
spec:
  nodes: [{ name: node-1 }, { name: node-2 }]
`;
const PODS = `---
apiVersion: v1
kind: Pod
metadata: { name: pod-a }
spec: { nodeName: node-1, containers: [{ name: app }] }
---
apiVersion: v1
kind: Pod
metadata: { name: agent }
spec: { nodeName: node-2, hostNetwork: true, containers: [{ name: app }] }
---
apiVersion: v1
kind: Pod
metadata: { name: gone }
spec: { nodeName: node-2, containers: [{ name: app }] }
status: { phase: Failed }
`;

describe('opening', () => {
  it('joins inputs into one cluster and compiles it', async () => {
    const scenario = await opened([text(BASE), text(PODS, 'pods.yaml')]);
    expect(scenario.name).toBe('base');
    expect(scenario.cluster.pods.map(({ name }) => name)).toEqual(['agent', 'gone', 'pod-a']);
    expect(
      netnsOf(scenario.world, 'node-1/default/pod-a').devices.map(({ ifname }) => ifname),
    ).toContain('eth0');
    expect(scenario.unfaulted).toBeUndefined();
  });

  it.each([
    ['shop.yaml', 'shop'],
    ['a/b/shop.yml', 'shop'],
    ['a/shop.JSON', 'shop'],
    ['shop', 'shop'],
    ['<stdin>', '<stdin>'],
  ])('a cluster without a Scenario is called after its first input: %s', async (file, name) => {
    const [, pods = ''] = PODS.split('---\n');
    const json =
      '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"spec":{"containers":[{"name":"a"}]}}';
    const scenario = await opened([text(/json$/i.test(file) ? json : pods, file)]);
    expect(scenario.name).toBe(name);
  });

  it('without anything in it is an error', async () => {
    expect(await problems([text('# nothing')])).toEqual([
      'error no-objects x.yaml:1 the input has no Kubernetes object and no Scenario',
    ]);
    expect(await problems(['/nowhere.yaml'])).toEqual([
      'error unreadable /nowhere.yaml:undefined cannot read /nowhere.yaml: no such file or directory',
    ]);
  });

  it('shows the problems of the Scenario and those of the objects together', async () => {
    const both = `${BASE}  expct: []\n---\nkind: Pod\napiVersion: v1\nmetadata: {}\n---\nx: [\n`;
    expect(
      (await problems([text(both)])).map((line) => line.split(' ').slice(0, 3).join(' ')),
    ).toEqual([
      'error unknown-field x.yaml:6',
      'warning missing-name x.yaml:8',
      'error syntax x.yaml:13',
    ]);
  });

  it('hands out expectations, numbered and placed', async () => {
    const scenario = await opened([
      text(
        `${BASE}  expect:\n    - { from: a, to: b, disposition: delivered }\n    - { from: b, to: a, disposition: dropped, cause: NO_ROUTE }\n`,
      ),
    ]);
    expect(scenario.expectations).toEqual([
      {
        n: 1,
        place: { file: 'x.yaml', line: 7, column: 7 },
        from: 'a',
        to: 'b',
        disposition: 'delivered',
      },
      {
        n: 2,
        place: { file: 'x.yaml', line: 8, column: 7 },
        from: 'b',
        to: 'a',
        disposition: 'dropped',
        cause: 'NO_ROUTE',
      },
    ]);
  });

  it('counts what it leaves out', async () => {
    const scenario = await opened([
      text(`${PODS}---\n{apiVersion: v1, kind: Secret, metadata: {name: s}}`),
    ]);
    expect([...scenario.skipped]).toEqual([['Secret', 1]]);
  });

  it('says what is wrong with the plugin’s own configuration, with its place', async () => {
    const config = (inner: string): Input =>
      text(`${BASE}  network:\n    config:\n      ${inner}\n`);
    expect(await problems([config('Backend: { VNI: -1 }')])).toEqual([
      'error bad-value x.yaml:8 network.config.Backend.VNI must be a whole number from 1 to 16777215, not -1',
    ]);
    expect((await problems([config('EnableNFTables: true')]))[0]).toMatch(
      /^warning not-modelled x.yaml:8/,
    );
  });

  it('options: listen', async () => {
    const yaml =
      '{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, ports: [{containerPort: 80}]}]}}';
    const unlisted = async (listen: 'declared' | 'evidence'): Promise<string | undefined> =>
      (await opened([text(yaml)], { listen })).cluster.pods[0]?.listeners.unlisted;
    expect(await unlisted('evidence')).toBe('unknown');
    expect(await unlisted('declared')).toBe('refused');
  });

  it('options: set', async () => {
    const scenario = await opened([text(BASE)], {
      set: ['network.plugin=bridge', 'underlay.mtu=9000'],
    });
    expect(scenario.cluster.network.plugin).toBe('bridge');
    expect(scenario.cluster.underlay.mtu).toBe(9000);
    expect(await problems([text(BASE)], { set: ['network.plugin=brigde'] })).toEqual([
      'error bad-value --set network.plugin=brigde:undefined spec.network.plugin is "brigde"; expected one of bridge, flannel | Did you mean bridge?',
    ]);
  });
});

describe('faults', () => {
  const faulted = (...faults: string[]): Input =>
    text(`${BASE}  faults:\n${faults.map((fault) => `    - ${fault}\n`).join('')}${PODS}`);

  it('change the World, and leave the unfaulted one beside it', async () => {
    const { world, unfaulted } = await opened([
      faulted(
        '{ on: node/node-2, run: ip link set flannel.1 down }',
        '{ on: pod/pod-a, run: ip route del default }',
      ),
    ]);
    const flannel = (from: typeof world) =>
      netnsOf(from, 'node-2/host').devices.find(({ ifname }) => ifname === 'flannel.1');
    expect(flannel(world)?.up).toBe(false);
    expect(unfaulted && flannel(unfaulted)?.up).toBe(true);
    const defaults = netnsOf(world, 'node-1/default/pod-a').routes.filter(
      ({ dst }) => dst === '0.0.0.0/0',
    );
    expect(defaults).toEqual([]);
  });

  it('carry their place', async () => {
    const { world } = await opened([
      faulted('{ on: node/node-1, run: ip route add blackhole 10.9.0.0/16 }'),
    ]);
    const row = netnsOf(world, 'node-1/host').routes.find(({ type }) => type === 'blackhole');
    expect(row?.origin).toEqual({
      by: 'fault',
      why: 'fault-command',
      at: { file: 'x.yaml', line: 7, column: 7 },
    });
  });

  it('run on the node for a Pod of its network', async () => {
    const { world } = await opened([faulted('{ on: pod/agent, run: ip link set flannel.1 down }')]);
    expect(
      netnsOf(world, 'node-2/host').devices.find(({ ifname }) => ifname === 'flannel.1')?.up,
    ).toBe(false);
  });

  it('cut wires both ways', async () => {
    const { world } = await opened([
      faulted('{ wire: [node-1, node-2], drop: udp/8472 }', '{ wire: [node-2, gw], drop: all }'),
    ]);
    const cuts = [...world.segments.values()].flatMap((segment) => segment.cuts);
    expect(cuts.map(({ from, to, drop }) => [from, to, drop])).toEqual([
      ['node-1', 'node-2', { protocol: 'udp', port: 8472 }],
      ['node-2', 'node-1', { protocol: 'udp', port: 8472 }],
      ['node-2', 'gw', 'all'],
      ['gw', 'node-2', 'all'],
    ]);
  });

  it.each([
    [
      '{ on: node/node-3, run: ip link }',
      'there is no node "node-3" | Did you mean node-1 or node-2?',
    ],
    [
      '{ on: pod/pod-b, run: ip link }',
      'there is no Pod "pod-b" in namespace default | Did you mean pod-a?',
    ],
    ['{ on: pod/gone, run: ip link }', 'Pod default/gone is Failed: it has no network namespace'],
    [
      '{ wire: [node-1, node-9], drop: all }',
      'there is no node "node-9" | Did you mean node-1 or node-2?',
    ],
    ['{ wire: [node-1, external], drop: all }', 'no wire joins node-1 and external'],
    ['{ wire: [node-1, node-1], drop: all }', 'no wire joins node-1 and node-1'],
  ])('that cannot be are errors: %s', async (fault, expected) => {
    expect(await problems([faulted(fault)])).toEqual([`error bad-fault x.yaml:7 ${expected}`]);
  });

  it('a command that is refused is shown as the kernel refuses it, and all of them are', async () => {
    const found = await problems([
      faulted(
        '{ on: node/node-1, run: ip link set nope down }',
        '{ on: node/node-1, run: reboot }',
      ),
    ]);
    expect(found).toHaveLength(2);
    expect(found[0]).toContain('ip link set nope down (on node/node-1): Cannot find device "nope"');
  });

  it('of the command line come after those of the Scenario', async () => {
    const { world } = await opened(
      [faulted('{ on: node/node-2, run: ip link set flannel.1 down }')],
      {
        break: [
          'node/node-2: ip link set flannel.1 up',
          ' pod/default/pod-a :  ip link set eth0 down ',
        ],
      },
    );
    expect(
      netnsOf(world, 'node-2/host').devices.find(({ ifname }) => ifname === 'flannel.1')?.up,
    ).toBe(true);
    expect(
      netnsOf(world, 'node-1/default/pod-a').devices.find(({ ifname }) => ifname === 'eth0')?.up,
    ).toBe(false);
    expect((await problems([text(BASE)], { break: ['ip link set x down'] }))[0]).toMatch(
      /^error bad-fault --break ip link set x down:undefined expected ENDPOINT: COMMAND/,
    );
  });
});

describe('--break', () => {
  const eth0Of = async (on: string, namespace?: string): Promise<boolean | undefined> => {
    const { world } = await opened([text(PODS)], {
      break: [`${on}: ip link set eth0 down`],
      ...(namespace !== undefined && { namespace }),
    });
    return netnsOf(world, 'node-1/default/pod-a').devices.find(({ ifname }) => ifname === 'eth0')
      ?.up;
  };

  it.each(['pod-a', 'po/pod-a', 'default/pod-a', 'default/pod/pod-a', 'pod/default/pod-a'])(
    'runs where an endpoint says: %s',
    async (on) => {
      expect(await eth0Of(on)).toBe(false);
    },
  );

  it('looks for names in the namespace of the question', async () => {
    expect(await eth0Of('default/pod-a', 'shop')).toBe(false);
    const inShop = PODS.replaceAll('{ name:', '{ namespace: shop, name:');
    for (const on of ['pod-a', 'po/pod-a', 'shop/pod-a', 'pod-a:app']) {
      const { world } = await opened([text(inShop)], {
        break: [`${on}: ip link set eth0 down`],
        namespace: 'shop',
      });
      const { devices } = netnsOf(world, 'node-1/shop/pod-a');
      expect(devices.find(({ ifname }) => ifname === 'eth0')?.up).toBe(false);
    }
    expect(
      await problems([text(PODS)], {
        break: ['pod-a: ip link set eth0 down'],
        namespace: 'kube-system',
      }),
    ).toEqual([expect.stringContaining('there is no namespace "kube-system"')]);
  });

  it('is told as what the command line says, once', async () => {
    const command = 'node/node-1: ip route add blackhole 10.9.0.0/16';
    const { world } = await opened([text(PODS)], { break: [command] });
    const row = netnsOf(world, 'node-1/host').routes.find(({ type }) => type === 'blackhole');
    expect(row?.origin).toEqual({
      by: 'fault',
      why: 'break-command',
      at: { file: `--break ${command}` },
    });
    expect(await problems([text(PODS)], { break: ['node/node-1: ip link set nope down'] })).toEqual(
      [
        'error bad-fault --break node/node-1: ip link set nope down:undefined Cannot find device "nope" | devices here: lo, eth0, flannel.1, cni0, vethc4f48094',
      ],
    );
  });

  it.each(['node/gw', 'external', 'node/external', '10.244.1.2'])('knows %s', async (on) => {
    expect(
      await problems([text(PODS)], { break: [`${on}: ip route add blackhole 10.9.0.0/16`] }),
    ).toEqual([]);
  });

  it.each([
    ['pod-a:80: ip link set eth0 down', 'a command runs in a namespace, not on a port'],
    ['svc/x: ip link set eth0 down', 'there is no Service "x" in namespace default'],
  ])('is refused elsewhere: %s', async (command, message) => {
    expect((await problems([text(PODS)], { break: [command] }))[0]).toContain(message);
  });
});

describe('what the network plugin cannot do', () => {
  const set = [
    'network={"plugin":"bridge","config":{"ipam":{"routes":[{"dst":"10.9.0.0/16","gw":"1.2.3.4"}]}}}',
  ];

  it('is bad input, for a command that is run there and for a question', async () => {
    const why = 'the network plugin cannot add Pod default/pod-a on node-1';
    const [found] = await problems([text(PODS)], { set, break: ['pod-a: ip link set eth0 down'] });
    expect(found).toContain(`error plugin-fails ${`--set ${set[0]}`}`);
    const answer = ask(await opened([text(PODS)], { set }), { from: 'pod-a', to: 'external:80' });
    expect(answer).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'plugin-fails', message: expect.stringContaining(why) }],
    });
  });
});

describe('built-in scenarios', () => {
  it('all open without an error, and say what they are about', async () => {
    for (const { name, description } of builtInIndex) {
      const result = await openBuiltIn(name);
      const errors = result.diagnostics.filter(({ severity }) => severity === 'error');
      expect([name, errors]).toEqual([name, []]);
      expect(description, name).toMatch(/\.$/);
      if (result.ok) expect(result.scenario.expectations.length, name).toBeGreaterThan(0);
    }
  });

  it('are found by their whole name or its last part', async () => {
    for (const name of ['two-nodes', 'basics/two-nodes']) {
      const source = await readBuiltIn(name);
      expect(source).toMatchObject({ file: 'scenarios/basics/two-nodes.yaml' });
    }
    expect(await readBuiltIn('two-node')).toMatchObject({
      diagnostic: { code: 'unknown-scenario', hint: expect.stringContaining('basics/two-nodes') },
    });
    expect((await openBuiltIn('nope')).ok).toBe(false);
    expect(await listBuiltIn()).toBe(builtInIndex);
  });

  it('the default is the same, frozen or read', async () => {
    const source = await readBuiltIn(defaultName);
    if ('diagnostic' in source) throw new Error(source.diagnostic.message);
    const [frozen, read] = [await openScenario([]), await openScenario([source])];
    if (!frozen.ok || !read.ok) throw new Error('does not open');
    expect(JSON.stringify(frozen.scenario.cluster)).toBe(JSON.stringify(read.scenario.cluster));
    expect(frozen.scenario.expectations).toEqual(read.scenario.expectations);
  });

  it('the default can be overridden', async () => {
    const result = await openBuiltIn(undefined, {
      set: ['network.plugin=bridge', 'network.backend=static-routes'],
    });
    expect(result.ok && result.scenario.cluster.network.plugin).toBe('bridge');
  });

  it('frozen objects keep their places through JSON', async () => {
    const source = await readBuiltIn(defaultName);
    if ('diagnostic' in source) throw new Error(source.diagnostic.message);
    const { objects, scenarios } = await readSources([source], () => undefined);
    for (const object of [...objects, ...scenarios]) {
      const thawed = thawObject(JSON.parse(JSON.stringify(freezeObject(object))));
      expect(thawed.value).toEqual(object.value);
      for (const path of [
        [],
        ['metadata', 'name'],
        ['spec', 'containers', 0, 'ports'],
        ['spec', 'x', 'y'],
        ['constructor'],
      ]) {
        expect(thawed.place(path)).toEqual(object.place(path));
        expect(thawed.place(path, 'key')).toEqual(object.place(path, 'key'));
      }
    }
  });
});

describe('whatever the order and the company', () => {
  const kinds = fc.constantFrom('Pod', 'Deployment', 'StatefulSet', 'Service', 'Node', 'Namespace');
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  const object = fc
    .tuple(kinds, name, fc.constantFrom('default', 'shop'), fc.nat(3))
    .map(([kind, one, namespace, count]) => ({
      apiVersion: kind === 'Deployment' || kind === 'StatefulSet' ? 'apps/v1' : 'v1',
      kind,
      metadata: { name: one, namespace },
      spec: {
        ...(kind === 'Pod' && {
          containers: [{ name: 'x', ports: [{ containerPort: 80 + count }] }],
          ...(count === 0 && { nodeName: 'n9' }),
        }),
        ...(kind === 'Service' && { selector: { app: 'x' }, ports: [{ port: 80 }] }),
        replicas: count,
        template: {
          metadata: { labels: { app: 'x' } },
          spec: { containers: [{ name: 'x' }] },
        },
      },
    }));
  const objects = fc.uniqueArray(object, {
    selector: ({ kind, metadata }) =>
      `${kind}/${kind === 'Node' || kind === 'Namespace' ? '' : metadata.namespace}/${metadata.name}`,
    minLength: 1,
    maxLength: 12,
  });

  const clusterText = async (inputs: readonly object[]): Promise<string> => {
    const scenario = await opened(
      inputs.map((value, at) => text(JSON.stringify(value), `${at}.json`)),
    );
    // Files are named by their order here, so places differ; the name is that of the first file.
    return JSON.stringify({ ...scenario.cluster, name: '' }, (key, value) =>
      key === 'place' ? undefined : value,
    );
  };

  it('the cluster is the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        objects.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        async ([all, shuffled]) => {
          expect(await clusterText(shuffled)).toBe(await clusterText(all));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('an object that does not matter changes nothing', async () => {
    const unrelated = fc.constantFrom('Secret', 'ServiceAccount', 'ConfigMap', 'Ingress', 'Role');
    await fc.assert(
      fc.asyncProperty(objects, unrelated, fc.nat(12), async (all, kind, at) => {
        const more = all.toSpliced(at, 0, {
          apiVersion: 'v1',
          kind,
          metadata: { name: 'other', namespace: 'default' },
          spec: {},
        } as unknown as (typeof all)[number]);
        expect(await clusterText(more)).toBe(await clusterText(all));
      }),
      { numRuns: 60 },
    );
  });

  it('the same input twice is the same', async () => {
    await fc.assert(
      fc.asyncProperty(objects, async (all) => {
        expect(await clusterText(all)).toBe(await clusterText(all));
      }),
      { numRuns: 20 },
    );
  });

  it('every live Pod has an address of its own, in the range of its node', async () => {
    await fc.assert(
      fc.asyncProperty(objects, async (all) => {
        const { cluster } = await opened(
          all.map((value, at) => text(JSON.stringify(value), `${at}.json`)),
        );
        const ips = cluster.pods.flatMap(({ ip }) => ip ?? []);
        expect(new Set(ips).size).toBe(ips.length);
        for (const { ip, node } of cluster.pods) {
          const range = cluster.nodes.find((one) => one.name === node)?.podCIDR ?? '';
          expect(ip?.startsWith(range.replace(/\.0\/24$/, '.'))).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('from the disk', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'k8snet-open-'));
    writeFileSync(join(folder, '2-pods.yaml'), PODS);
    writeFileSync(join(folder, '1-scenario.yaml'), BASE);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('a directory is one cluster', async () => {
    const result = await openScenario([folder]);
    expect(codesOf(result.diagnostics)).toEqual([]);
    expect(result.ok && result.scenario.cluster.pods).toHaveLength(3);
  });
});
