import { describe, expect, it } from 'vitest';
import { runHere } from './run-here.ts';

const k8snet = (...args: string[]) => runHere(args);

describe('k8snet exec', () => {
  it('runs a command on a node, after the faults', async () => {
    const fault = ['--break', 'node/node-1: ip route del 10.244.2.0/24'];
    const before = await k8snet('exec', 'node/node-1', '--', 'ip', 'route');
    const after = await k8snet('exec', 'node/node-1', ...fault, '--', 'ip', 'route');
    expect(before.stdout).toContain('10.244.2.0/24 via');
    expect(after.stdout).not.toContain('10.244.2.0/24 via');
    expect([before.code, after.code]).toEqual([0, 0]);
  });

  it('runs in a Pod, whichever of its containers is named', async () => {
    const text = (await k8snet('exec', 'pod-a', '--', 'ip', 'addr')).stdout;
    expect(text).toContain('inet 10.244.1.2/24');
    expect((await k8snet('exec', 'pod-a:sidecar', '--', 'ip', 'addr')).stdout).toBe(text);
  });

  it('keeps the tabs that nft lays its lines out with', async () => {
    const nft = ['nft', 'list', 'ruleset'];
    const { stdout } = await k8snet(
      'exec',
      'node/node-1',
      '-s',
      'services/mode-nftables',
      '--',
      ...nft,
    );
    expect(stdout).toContain('\n\tcomment "rules for kube-proxy"\n');
    expect(stdout).not.toContain('\\u');
  });

  it('ends as the command does', async () => {
    expect((await k8snet('exec', 'node/node-1', '--', 'nope')).code).toBe(127);
    expect((await k8snet('exec', 'node/node-1', '--', 'ip', 'link', 'show', 'x')).code).toBe(1);
  });

  it.each([
    [['exec', 'node/nope', '--', 'ip', 'route'], 'there is no node "nope"'],
    [['exec', 'node/node-1'], "missing required argument 'command'"],
    [['exec', '10.96.0.77', '--', 'ip', 'route'], ''],
  ])('is bad usage: %j', async (args, said) => {
    const { code, stdout, stderr } = await k8snet(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(said);
  });
});
