/**
 * Spoiled inputs, thousands of them: whatever they are, the command line answers with one of its
 * exit codes, says what is wrong, and sends nothing to a terminal that a terminal would obey.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { runHere } from '../cli/run-here.ts';
import { type Random, random } from '../kernel/random.ts';
import { scenarioFiles } from '../scenarios.ts';
import { mutateArguments, mutateText, mutateValue } from './mutate.ts';

const ROUNDS = Number(process.env['K8SNET_FUZZ_ROUNDS'] ?? 2500);
const FIRST_SEED = Number(process.env['K8SNET_FUZZ_SEED'] ?? 1);

// C0 and C1 but the line feed, and what turns the direction of text around.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const OBEYED = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'k8snet-fuzz-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const texts = scenarioFiles.map((file) => readFileSync(file, 'utf8'));
const selector = { matchExpressions: [{ key: 'team', operator: 'In', values: ['a', 'b'] }] };
const subject = { pods: { namespaceSelector: selector, podSelector: {} } };
/** One of each kind, with every form of peer and port. */
const policies = [
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'net' },
    spec: {
      podSelector: { matchLabels: { app: 'web' } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [
            { podSelector: selector, namespaceSelector: {} },
            { ipBlock: { cidr: '10.0.0.0/8', except: ['10.244.0.0/16'] } },
          ],
          ports: [{ protocol: 'UDP', port: 53, endPort: 60 }, { port: 'http' }],
        },
      ],
      egress: [{}],
    },
  },
  {
    apiVersion: 'policy.networking.k8s.io/v1alpha1',
    kind: 'AdminNetworkPolicy',
    metadata: { name: 'admin' },
    spec: {
      priority: 10,
      subject,
      egress: [
        {
          name: 'out',
          action: 'Allow',
          to: [{ networks: ['10.0.0.0/8'] }, { nodes: selector }, { domainNames: ['*.k8s.io'] }],
          ports: [
            { portNumber: { protocol: 'TCP', port: 80 } },
            { portRange: { start: 1, end: 9 } },
          ],
        },
      ],
    },
  },
  {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: 'cluster' },
    spec: {
      tier: 'Baseline',
      priority: 10,
      subject: { namespaces: {} },
      ingress: [
        {
          action: 'Pass',
          from: [{ namespaces: selector }],
          protocols: [
            { tcp: { destinationPort: { range: { start: 1, end: 9 } } } },
            { destinationNamedPort: 'http' },
          ],
        },
      ],
    },
  },
];
/** As kubectl gets it: nothing is left to be made up. */
const live = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    ...['node-1', 'node-2'].map((name, at) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { zone: 'a' } },
      spec: { podCIDR: `10.244.${at + 1}.0/24`, taints: [{ key: 'x', effect: 'NoSchedule' }] },
      status: { addresses: [{ type: 'InternalIP', address: `192.168.10.${at + 11}` }] },
    })),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default', labels: { team: 'a' } } },
    ...policies,
    ...['pod-a', 'pod-b', 'client', 'server'].map((name, at) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, annotations: { 'k8snet/listen': '8080/tcp' } },
      spec: {
        nodeName: `node-${(at % 2) + 1}`,
        hostNetwork: false,
        containers: [{ name: 'app', ports: [{ containerPort: 8080, protocol: 'TCP' }] }],
      },
      status: {
        phase: 'Running',
        podIP: `10.244.${(at % 2) + 1}.${at + 2}`,
        hostIP: `192.168.10.${(at % 2) + 11}`,
      },
    })),
  ],
};
const values = texts.map((text) => parseAllDocuments(text).map((one) => one.toJS() as unknown));

/** The documents of a scenario, or of a live cluster. */
const documents = (random: Random): unknown[] =>
  (random.chance(0.3) ? [live] : random.pick(values)).map((one) => mutateValue(one, random));

const ends = [
  ['pod-a', 'pod-b'],
  ['client', 'server'],
  ['pod-a', 'external:443'],
  ['node/node-1', 'pod-b'],
  ['pod-a', '10.244.2.2:8080'],
] as const;

/** The arguments of one case; files are written below the folder. */
const CASES: Record<string, (random: Random) => string[]> = {
  yaml: (random) => {
    const text = mutateText(random.pick(texts), random);
    const file = join(folder, 'input.yaml');
    writeFileSync(file, text);
    return onFile(random, file);
  },
  json: (random) => {
    const file = join(folder, 'input.json');
    const text = documents(random)
      .map((one) => JSON.stringify(one, null, 1))
      .join('\n');
    writeFileSync(file, random.chance(0.3) ? mutateText(text, random) : text);
    return onFile(random, file);
  },
  'values as yaml': (random) => {
    const file = join(folder, 'values.yaml');
    writeFileSync(
      file,
      documents(random)
        .map((one) => `---\n${JSON.stringify(one)}\n`)
        .join(''),
    );
    return onFile(random, file);
  },
  arguments: (random) => mutateArguments(random),
};

const onFile = (random: Random, file: string): string[] =>
  random.chance(0.3)
    ? [random.pick(['test', 'lint']), file]
    : [
        'trace',
        ...random.pick(ends),
        '-f',
        file,
        ...random.pick([[], ['-v'], ['--minimal'], ['-o', 'json']]),
      ];

describe.each(Object.keys(CASES))('%s', (kind) => {
  it(`ends well for ${ROUNDS} of them`, async () => {
    const codes = new Map<number, number>();
    for (let seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS; seed++) {
      const args = CASES[kind]?.(random(seed)) ?? [];
      const about = `K8SNET_FUZZ_SEED=${seed} K8SNET_FUZZ_ROUNDS=1, ${kind}: ${JSON.stringify(args)}`;
      const result = await runHere(args).catch((error: unknown) => {
        throw new Error(about, { cause: error });
      });
      const { stdout, stderr } = result;
      codes.set(result.code, (codes.get(result.code) ?? 0) + 1);
      expect([0, 1, 2, 3], about).toContain(result.code);
      expect(
        OBEYED.exec(args.includes('--color') ? '' : stdout + stderr)?.[0],
        about,
      ).toBeUndefined();
      if (result.code === 2) expect(stderr, about).not.toBe('');
      if (result.code === 2 && args[0] === 'trace') expect(stdout, about).toBe('');
    }
    // A spoiled input is not always a bad one; but if none were, nothing would have been tested.
    expect(codes.get(2)).toBeGreaterThan(ROUNDS / 50);
    expect(codes.size).toBeGreaterThan(1);
  });
});
