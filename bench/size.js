/**
 * What a large cluster costs: 5,000 nodes and 150,000 Pods as `kubectl get -o json`, and 39,000
 * Pods as YAML documents. Each is read, compiled and traced between two Pods by the built command
 * line; beside it, in a process of its own too, the floor: the same file cut at the layout that
 * kubectl writes, and each item parsed and forgotten. Read the ratios; the machine is shared.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.js';
import { aPair, writeJson, writeYaml } from './size-input.js';

const bin = join(import.meta.dirname, '../bin/k8snet.js');
const BLOCK = 4 * 1024 * 1024;

/** How items are cut and parsed: as kubectl lays them out, and nothing else. */
const floors = {
  json: { begin: '\n        {', end: '\n        }', parse: async () => JSON.parse },
  yaml: {
    begin: '---\n',
    end: '\n---\n',
    parse: async () => {
      const { CORE_SCHEMA, load } = await import('js-yaml');
      return (/** @type {string} */ text) => load(text, { schema: CORE_SCHEMA });
    },
  },
};

/**
 * The floor: prints the number of items.
 * @param {'json' | 'yaml'} format
 * @param {string} path
 */
async function floor(format, path) {
  const { begin, end, parse } = floors[format];
  const read = await parse();
  const file = openSync(path, 'r');
  const block = Buffer.allocUnsafe(BLOCK);
  let rest = Buffer.alloc(0);
  let items = 0;
  for (let count = readSync(file, block); count > 0; count = readSync(file, block)) {
    const bytes = Buffer.concat([rest, block.subarray(0, count)]);
    let at = 0;
    for (;;) {
      const from = bytes.indexOf(begin, at);
      const to = from < 0 ? -1 : bytes.indexOf(end, from + begin.length);
      if (to < 0) break;
      // What ends a JSON item belongs to it; what ends a YAML document begins the next one.
      const behind = format === 'json' ? to + end.length : to + 1;
      if (read(bytes.toString('utf8', from, behind))) items++;
      at = behind;
    }
    rest = bytes.subarray(at);
  }
  closeSync(file);
  process.stdout.write(`${items}\n`);
}

/**
 * @param {'json' | 'yaml'} format
 * @param {string} title
 * @param {string} path
 * @param {number} bytes
 * @param {number} pods
 */
function measure(format, title, path, bytes, pods) {
  const rounds = Array.from({ length: Number(process.argv[2] ?? 3) }, () => ({
    floor: run([import.meta.filename, '--floor', format, path]),
    trace: run([bin, 'trace', ...aPair(pods), '-f', path]),
  }));
  const best = (/** @type {'floor' | 'trace'} */ name) =>
    rounds.map((round) => round[name]).reduce((a, b) => (a.seconds <= b.seconds ? a : b));
  const [low, high] = [best('floor'), best('trace')];
  const most = Math.max(...rounds.map(({ trace }) => trace.megabytes));
  process.stdout.write(
    `${title}, ${(bytes / 1e9).toFixed(2)} GB, best of ${rounds.length}
  floor: cut, parse each item  ${low.seconds.toFixed(1)} s  ${low.megabytes.toFixed(0)} MiB
  k8snet trace                 ${high.seconds.toFixed(1)} s  ${most.toFixed(0)} MiB at most  ratio ${(high.seconds / low.seconds).toFixed(2)}\n`,
  );
}

if (process.argv[2] === '--floor') {
  await floor(process.argv[3] === 'yaml' ? 'yaml' : 'json', process.argv[4] ?? '');
} else {
  const folder = mkdtempSync(join(tmpdir(), 'k8snet-size-'));
  try {
    const json = join(folder, 'cluster.json');
    const all = { nodes: 5000, pods: 150_000 };
    measure('json', '5,000 nodes, 150,000 Pods as JSON', json, writeJson(json, all), all.pods);
    rmSync(json);
    const yaml = join(folder, 'pods.yaml');
    const some = { nodes: 5000, pods: 39_000 };
    measure('yaml', '39,000 Pods as YAML', yaml, writeYaml(yaml, some), some.pods);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
