import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { k8snet } from './k8snet.ts';

describe('code that is kept between runs', () => {
  let home = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'k8snet-start-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const trace = (env: Record<string, string> = {}) =>
    k8snet(['trace', 'pod-a', 'pod-b'], { env: { XDG_CACHE_HOME: home, ...env } });
  const kept = (): string[] =>
    readdirSync(home, { recursive: true, encoding: 'utf8' })
      .map((file) => join(home, file))
      .filter((file) => statSync(file).isFile());
  const written = () => kept().map((file) => [file, statSync(file).mtimeMs]);

  it('is written once, for nobody else, and changes nothing', async () => {
    const first = await trace();
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const files = written();
    expect(files.length).toBeGreaterThan(5);
    const [folder = ''] = readdirSync(join(home, 'k8snet'));
    expect(statSync(join(home, 'k8snet', folder)).mode & 0o777).toBe(0o700);

    expect(await trace()).toEqual(first);
    expect(written()).toEqual(files);
  });

  it('is written again where it cannot be used', async () => {
    const first = await trace();
    const [file = ''] = kept();
    const good = readFileSync(file);
    writeFileSync(file, 'something else');
    expect(await trace()).toEqual(first);
    expect(readFileSync(file).length).toBeGreaterThan(good.length / 2);
  });

  it('is not there where it is switched off, or where there is no home', async () => {
    const first = await trace({ NODE_DISABLE_COMPILE_CACHE: '1' });
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(kept()).toEqual([]);
    expect(await trace({ XDG_CACHE_HOME: '', HOME: '', LOCALAPPDATA: '' })).toEqual(first);
    expect(await trace({ XDG_CACHE_HOME: join('/dev/null', 'x') })).toEqual(first);
  });
});
