import { expect, it } from 'vitest';
import { k8snet } from './k8snet.ts';

it('runs by itself where there is no terminal, and ends well', async () => {
  const { code, stdout, stderr } = await k8snet(['tour']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('Stage 4 of 4');
  expect(stdout).toContain('4 of 4 answers were right');
});

it('knows its stages', async () => {
  const { code, stderr } = await k8snet(['tour', 'three-nodes']);
  expect(code).toBe(2);
  expect(stderr).toContain('one-pod, one-node, two-nodes, service');
});
