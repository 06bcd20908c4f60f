/** `k8snet scenarios`: all, those of a folder, or the file of one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runHere } from './run-here.ts';

const namesIn = (stdout: string): string[] =>
  [...stdout.matchAll(/^(\w\S*\/\S+)/gm)].map(([, name = '']) => name);

describe('k8snet scenarios', () => {
  it('lists those of a folder, and only them', async () => {
    const all = namesIn((await runHere(['scenarios'])).stdout);
    const some = await runHere(['scenarios', 'policies']);
    expect(some.code).toBe(0);
    expect(namesIn(some.stdout)).toEqual(all.filter((name) => name.startsWith('policies/')));
    expect(namesIn(some.stdout).length).toBeGreaterThan(30);
    expect((await runHere(['scenarios', 'policies/'])).stdout).toBe(some.stdout);
  });

  it('prints the file of a name, and refuses what is neither', async () => {
    const { stdout } = await runHere(['scenarios', 'basics/one-pod']);
    const file = join(import.meta.dirname, '../../scenarios/basics/one-pod.yaml');
    expect(stdout).toBe(readFileSync(file, 'utf8'));
    expect((await runHere(['scenarios', 'polic'])).code).toBe(2);
  });
});
