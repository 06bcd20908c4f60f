import { describe, expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { openBuiltIn } from '../../src/scenario/open.ts';

const assumed = async (name: string, from: string, to: string): Promise<string[]> => {
  const opened = await openBuiltIn(name);
  if (!opened.ok) throw new Error('does not open');
  const answer = ask(opened.scenario, { from, to });
  if (!answer.ok) throw new Error('cannot be asked');
  return answer.facts.assumptions
    .filter(({ code }) => code.startsWith('listener-') || code === 'port-chosen')
    .map(({ code, subject, values }) => `${code} ${subject} ${values?.['port']}`);
};

describe('what is assumed about a backend', () => {
  it('is what is assumed about a Pod that is asked itself', async () => {
    expect(await assumed('services/affinity', 'client', 'svc/free')).toEqual([
      'port-chosen svc/free 80/tcp',
      'listener-declared default/web-1 8080/tcp',
    ]);
    expect(await assumed('services/affinity', 'client', 'web-1:8080')).toEqual([
      'listener-declared default/web-1 8080/tcp',
    ]);
  });

  it('is told of who is behind a NodePort, an address, a name and a headless Service', async () => {
    const web = 'listener-declared default/web-1 8080/tcp';
    expect(await assumed('services/affinity', 'external', 'node/node-1:30080')).toContain(web);
    expect(await assumed('services/affinity', 'client', '10.96.0.11:80')).toContain(web);
    expect(await assumed('services/affinity', 'client', 'free:80')).toContain(web);
    const headless = await assumed('services/headless', 'client', 'shop/svc/web');
    expect(headless).toContain('listener-declared shop/web-1 8080/tcp');
  });

  it('is nothing where nobody is reached', async () => {
    const all = await assumed('services/no-endpoints', 'client', 'shop/svc/web');
    expect(all).toEqual(['port-chosen shop/svc/web 80/tcp']);
  });
});
