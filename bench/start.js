/**
 * What starting costs: each command against an empty Node, run in turns so that a busy machine
 * slows all of them alike. Read the ratios; the times belong to this machine and this minute.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const bin = join(import.meta.dirname, '../bin/k8snet.js');
const rounds = Number(process.argv[2] ?? 20);

const commands = [
  { name: 'node -e 0', args: ['-e', '0'] },
  { name: 'k8snet --version', args: [bin, '--version'] },
  { name: 'k8snet trace pod-a pod-b', args: [bin, 'trace', 'pod-a', 'pod-b'] },
];

const times = commands.map(() => /** @type {number[]} */ ([]));
for (let round = -1; round < rounds; round++) {
  for (const [index, { name, args }] of commands.entries()) {
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const time = performance.now() - start;
    if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
    // The first round only warms the file cache.
    if (round >= 0) times[index]?.push(time);
  }
}

const rows = times.map((list) => {
  const sorted = list.toSorted((a, b) => a - b);
  return { min: sorted[0] ?? 0, median: sorted[sorted.length >> 1] ?? 0 };
});
const floor = rows[0] ?? { min: 1, median: 1 };

process.stdout.write(
  `Node ${process.version}, ${rounds} rounds       min   ratio    median   ratio\n`,
);
for (const [index, { min, median }] of rows.entries()) {
  const cells = [min, min / floor.min, median, median / floor.median];
  const [a, b, c, d] = cells.map((value, column) => value.toFixed(column % 2 ? 2 : 1));
  process.stdout.write(
    `${commands[index]?.name.padEnd(26)} ${a?.padStart(7)}ms ${b?.padStart(6)} ${c?.padStart(8)}ms ${d?.padStart(6)}\n`,
  );
}
