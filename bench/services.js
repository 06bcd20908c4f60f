/**
 * 10,000 Services with 100,000 endpoints: compile the rules of one node and send one packet to a
 * Service through them, side by side with `iptables-restore --test` of the same rules.
 *
 * Run by `npm run bench:services`, after the build; the right column needs root and iptables.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';

const SERVICES = Number(process.env['SERVICES'] ?? 10_000);
const ENDPOINTS = 10;
/** The Service that is asked. */
const ASKED = 7;
const BIN = new URL('../bin/k8snet.js', import.meta.url).pathname;

/** @type {(base: number, at: number) => string} */
const ip = (base, at) => `${base}.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`;

/** Services without selectors, each with a slice of its own: what kube-proxy is given. */
const input = () => {
  /** @type {object[]} */
  const items = [];
  for (let n = 0; n < SERVICES; n++) {
    const name = `web-${n}`;
    items.push(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { clusterIP: ip(10, 0x600000 + 10 + n), ports: [{ port: 80, targetPort: 8080 }] },
      },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
        addressType: 'IPv4',
        ports: [{ name: '', port: 8080, protocol: 'TCP' }],
        endpoints: Array.from({ length: ENDPOINTS }, (_, at) => ({
          addresses: [ip(10, 0x900000 + n * ENDPOINTS + at)],
          nodeName: `node-${1 + (at % 2)}`,
          conditions: { ready: true },
        })),
      },
    );
  }
  items.push(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'client' },
      spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'app' }] },
    },
    // The first endpoint of the Service that is asked: somebody has to answer.
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'server' },
      spec: {
        nodeName: 'node-1',
        containers: [{ name: 'app', image: 'app', ports: [{ containerPort: 8080 }] }],
      },
      status: { phase: 'Running', podIP: ip(10, 0x900000 + ASKED * ENDPOINTS) },
    },
  );
  const nodes = ['node-1', 'node-2'].map((name) => ({ name }));
  const network = { podCIDR: '10.144.0.0/12', serviceCIDR: '10.96.0.0/12' };
  return {
    scenario: {
      apiVersion: 'k8snet/v1',
      kind: 'Scenario',
      metadata: { name: 'bench' },
      spec: { network, nodes },
    },
    list: { apiVersion: 'v1', kind: 'List', items },
  };
};

/** @type {(start: number) => number} */
const seconds = (start) => (performance.now() - start) / 1000;

/** @param {string[]} args */
const run = (args) => {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  return { took: seconds(start), status, stdout, stderr };
};

const folder = mkdtempSync(join(tmpdir(), 'k8snet-bench-'));
try {
  const { scenario, list } = input();
  const files = ['scenario.json', 'list.json'].map((name) => join(folder, name));
  for (const [at, document] of [scenario, list].entries())
    writeFileSync(files[at] ?? '', JSON.stringify(document));
  const from = files.flatMap((file) => ['-f', file]);
  const read = run([
    'exec',
    'node/node-1',
    ...from,
    '--set',
    'kubeProxy.mode=none',
    '--',
    'ip',
    'rule',
  ]);
  const traced = run(['trace', 'client', `svc/web-${ASKED}`, '--backend', 'first', ...from]);
  const saved = run(['exec', 'node/node-1', ...from, '--', 'iptables-save']);
  if (saved.status !== 0) throw new Error(saved.stderr);
  const rules = saved.stdout;
  /** @type {(what: string, took: number) => boolean} */
  const print = (what, took) => process.stdout.write(`${what.padEnd(58)} ${took.toFixed(2)} s\n`);
  process.stdout.write(
    `${SERVICES} Services, ${SERVICES * ENDPOINTS} endpoints, ${rules.split('\n').length} lines of iptables-save\n`,
  );
  print('k8snet: read the input, no rules of kube-proxy', read.took);
  print(`k8snet: read it, compile the rules and trace (exit ${traced.status})`, traced.took);
  print('  of which rules and trace', traced.took - read.took);
  print('k8snet: read it, compile and print the rules', saved.took);
  const lines = rules.replace(/ -m nfacct --nfacct-name {2}\S+/g, '');
  const start = performance.now();
  const tested = spawnSync('unshare', ['-n', 'iptables-restore', '--test'], {
    input: lines,
    encoding: 'utf8',
  });
  if (tested.status === 0) print('iptables-restore --test of the same rules', seconds(start));
  else
    process.stdout.write(
      `iptables-restore --test: not to be had here (${tested.stderr ?? tested.error})\n`,
    );
} finally {
  rmSync(folder, { recursive: true });
}
