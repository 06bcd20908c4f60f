import { expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { k8snet } from './k8snet.ts';

it('prints its version', async () => {
  expect(await k8snet(['--version'])).toEqual({
    code: 0,
    signal: null,
    stdout: `${manifest.version}\n`,
    stderr: '',
  });
});

it('ends with 2 and a hint on standard error when it is used wrongly', async () => {
  const { code, stdout, stderr } = await k8snet(['--nonsense']);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/nonsense/);
  expect(stderr).not.toMatch(/^\s+at /m);
});

it('ends quietly when the reader of its output has gone', async () => {
  const { code, signal, stderr } = await k8snet(['--help'], { closedPipe: true });
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
});
