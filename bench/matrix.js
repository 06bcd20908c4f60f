/**
 * What all pairs cost: `k8snet matrix` over 5,000 nodes, 150,000 Pods in 1,000 namespaces and 5,003
 * policies, united by namespace, and streamed by workload; and over a small shop beside an empty
 * Node. The processor's seconds are those of all threads: they hold on a busy machine too.
 *
 * `npm run bench:matrix -- shop.yaml policies.yaml` takes another small input.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePolicies, writeShop } from './policy-input.js';
import { run } from './run.js';
import { writeJson } from './size-input.js';

const bin = join(import.meta.dirname, '../bin/k8snet.js');
const SIZE = { nodes: 5000, pods: 150_000, namespaces: 1000 };
/** Deployments of ten Pods in each namespace. */
const APPS = 15;
const ROUNDS = 15;

const cost = (/** @type {ReturnType<typeof run>} */ { seconds, processor, megabytes }) =>
  `${seconds.toFixed(1)} s  (processor ${processor.toFixed(1)} s)  ${megabytes.toFixed(0)} MiB`;

/** @param {string} folder */
function large(folder) {
  const pods = join(folder, 'cluster.json');
  const policies = join(folder, 'policies.json');
  const bytes = writeJson(pods, SIZE);
  const count = writePolicies(policies, { namespaces: SIZE.namespaces, apps: APPS });
  process.stdout.write(
    `5,000 nodes, 150,000 Pods, 1,000 namespaces, ${count} policies, ${(bytes / 1e9).toFixed(2)} GB\n`,
  );
  const spaces = run([bin, 'matrix', '--group-by', 'namespace', '-o', 'json', pods, policies]);
  const { peers, connections } = JSON.parse(spaces.output);
  process.stdout.write(
    `  by namespace, JSON     ${cost(spaces)}  ${peers.length} peers, ${connections.length} connections\n`,
  );
  const workloads = run([bin, 'matrix', '-o', 'csv', pods, policies], 'ignore');
  process.stdout.write(`  by workload, streamed  ${cost(workloads)}\n`);
}

/** @param {readonly string[]} inputs */
function small(inputs) {
  const commands = [
    { name: 'node -e 0', args: ['-e', '0'] },
    { name: 'k8snet matrix', args: [bin, 'matrix', ...inputs] },
  ];
  const runs = commands.map(() => /** @type {ReturnType<typeof run>[]} */ ([]));
  for (let round = -1; round < ROUNDS; round++)
    for (const [index, { args }] of commands.entries()) {
      const took = run(args);
      // The first round only warms the file cache.
      if (round >= 0) runs[index]?.push(took);
    }
  const best = (/** @type {'seconds' | 'processor'} */ what) =>
    runs.map((list) => Math.min(...list.map((took) => took[what])));
  const [times, processor] = [best('seconds'), best('processor')];
  process.stdout.write(`a small shop, best of ${ROUNDS}\n`);
  for (const [index, { name }] of commands.entries()) {
    const cells = [times, processor].map((list) => {
      const own = list[index] ?? 0;
      return `${(own * 1000).toFixed(0)} ms  ratio ${(own / (list[0] ?? 1)).toFixed(2)}`;
    });
    process.stdout.write(`  ${name.padEnd(14)} ${cells[0]}  (processor ${cells[1]})\n`);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'k8snet-matrix-'));
try {
  const shop = join(folder, 'shop.yaml');
  writeShop(shop);
  const inputs = process.argv.slice(2);
  small(inputs.length > 0 ? inputs : [shop]);
  large(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
