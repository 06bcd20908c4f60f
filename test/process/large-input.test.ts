import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPair, writeJson, writeYaml } from '../../bench/size-input.js';
import { bin, k8snet, run } from './k8snet.ts';

const size = { nodes: 200, pods: 5000 };
const pair = aPair(size.pods);

let folder = '';
let json = '';
let yaml = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'k8snet-size-'));
  json = join(folder, 'cluster.json');
  yaml = join(folder, 'pods.yaml');
  writeJson(json, size);
  writeYaml(yaml, { nodes: 50, pods: 3500 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const trace = (file: string, options: Parameters<typeof k8snet>[1] = {}, ends = pair) =>
  k8snet(['trace', ...ends, '-f', file], options);

describe('a large input', () => {
  it('is traced, with and without threads, to the same bytes', async () => {
    const threaded = await trace(json);
    expect(threaded).toMatchObject({ code: 0, stderr: '' });
    // The assumption about the port names its line, far down in the file.
    expect(threaded.stdout.replaceAll(/\s+/g, '')).toMatch(/cluster\.json:\d{6,}:\d+/);
    expect(await trace(json, { env: { K8SNET_NO_THREADS: '1' } })).toEqual(threaded);
  });

  it('is parsed by more than one thread where there are processors', async () => {
    const profiles = join(folder, 'profiles');
    const profiling = ['--cpu-prof', '--cpu-prof-dir', profiles];
    await run(process.execPath, [...profiling, bin, 'trace', ...pair, '-f', json]);
    expect(readdirSync(profiles).length > 1).toBe(availableParallelism() > 1);
  });

  it('has the same diagnostics, in the same order, with and without threads', async () => {
    const lines = readFileSync(json, 'utf8').split('\n');
    for (let at = 5; at < 100; at++) {
      const index = lines.findIndex((line, i) => i > at * 14_000 && line.includes('"podIP":'));
      if (index < 0) break;
      lines[index] =
        at % 2 ? '                "podIP": "nowhere",' : '                "podIP" nowhere,';
    }
    const broken = join(folder, 'broken.json');
    writeFileSync(broken, lines.join('\n'));
    const threaded = await trace(broken);
    expect(threaded.code).toBe(2);
    expect(threaded.stderr.match(/error/g)?.length).toBeGreaterThan(20);
    expect(threaded.stderr.match(/warning/g)?.length).toBeGreaterThan(20);
    expect(await trace(broken, { env: { K8SNET_NO_THREADS: '1' } })).toEqual(threaded);
  });

  it('comes on standard input too, with its places near the start of the objects', async () => {
    const piped = await trace('-', { input: readFileSync(json, 'utf8') });
    expect(piped).toMatchObject({ code: 0, stderr: '' });
  });

  it('is read as YAML', async () => {
    const options = { env: { K8SNET_NO_THREADS: '1' } };
    const ends = aPair(3500);
    const alone = await trace(yaml, options, ends);
    expect(alone).toMatchObject({ code: 0 });
    expect(await trace(yaml, {}, ends)).toEqual(alone);
  });
});
