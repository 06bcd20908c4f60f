import { chownSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCodeCache, type Runner } from '../../src/start/code-cache.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'k8snet-cache-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const runner = (other: Partial<Runner> = {}): Runner => ({
  arch: 'x64',
  env: { XDG_CACHE_HOME: home },
  ...(process.getuid && { getuid: process.getuid }),
  pid: 1,
  platform: 'linux',
  version: 'v20.20.2',
  ...other,
});
const code = new Uint8Array([1, 2, 3]);
const keep = (build: string, who = runner()) =>
  openCodeCache(build, who)?.write(new Map([['a.cjs', code]]));
const read = (build: string, who = runner()) => openCodeCache(build, who)?.read('a.cjs');

describe('the code cache', () => {
  it('gives back what was kept, for the same build, Node and machine only', () => {
    keep('one');
    expect(read('one')).toEqual(Buffer.from(code));
    expect(read('two')).toBeUndefined();
    expect(read('one', runner({ version: 'v22.0.0' }))).toBeUndefined();
    expect(read('one', runner({ arch: 'arm64' }))).toBeUndefined();
    expect(readdirSync(join(home, 'k8snet/one-v20.20.2-x64'))).toEqual(['a.cjs']);
  });

  it.each([
    ['XDG_CACHE_HOME', 'linux', () => ({ XDG_CACHE_HOME: home, HOME: '/nowhere' }), 'k8snet'],
    ['HOME', 'darwin', () => ({ HOME: home }), '.cache/k8snet'],
    ['LOCALAPPDATA', 'win32', () => ({ LOCALAPPDATA: home, HOME: '/nowhere' }), 'k8snet'],
  ] as const)('is below %s', (_, platform, env, folder) => {
    keep('one', runner({ platform, env: env() }));
    expect(readdirSync(join(home, folder))).toEqual(['one-v20.20.2-x64']);
  });

  it('is nowhere without a home, or where Node keeps none', () => {
    expect(openCodeCache('one', runner({ env: {} }))).toBeUndefined();
    const env = { XDG_CACHE_HOME: home, NODE_DISABLE_COMPILE_CACHE: '1' };
    expect(openCodeCache('one', runner({ env }))).toBeUndefined();
  });

  it('keeps the newest builds', () => {
    for (const at of [1, 2, 3, 4, 5, 6]) {
      keep(`build-${at}`);
      utimesSync(join(home, `k8snet/build-${at}-v20.20.2-x64`), at, at);
    }
    const left = readdirSync(join(home, 'k8snet')).map((name) => name.split('-v')[0]);
    expect(left.sort()).toEqual(['build-3', 'build-4', 'build-5', 'build-6']);
  });

  it.runIf(process.getuid?.() === 0)('does not run what another user may have written', () => {
    keep('one');
    chownSync(join(home, 'k8snet/one-v20.20.2-x64'), 12_345, 12_345);
    expect(read('one')).toBeUndefined();
    keep('one', runner({ getuid: () => 12_345 }));
    expect(read('one', runner({ getuid: () => 12_345 }))).toEqual(Buffer.from(code));
  });
});
