import { describe, expect, it } from 'vitest';
import { align } from '../../../src/check/diff/align.ts';
import { deployment, networkPolicy, opened, pathOf } from './clusters.ts';

const service = (name: string, port = 80): string => `---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec: { selector: { app: ${name} }, ports: [{ port: ${port}, targetPort: http }] }
`;

const APPS = deployment('web') + deployment('api', { port: 8080 }) + service('api');
const QUESTION = { from: 'shop/deploy/web', to: 'shop/svc/api' };

describe('two paths', () => {
  it('of one cluster are the same', async () => {
    const side = await opened(APPS);
    expect(pathOf(side, side, QUESTION)).toMatchObject({
      changes: [],
      rows: [],
      base: { disposition: 'delivered', protocol: 'tcp', port: 80 },
    });
  });

  it('are the same where only invented names and addresses have moved', async () => {
    const base = await opened(APPS);
    // Pods before theirs take their addresses, a new template gives them other names.
    const text =
      deployment('aaa', { replicas: 3 }) +
      service('aaa') +
      deployment('web', { image: 'y' }) +
      deployment('api', { port: 8080, image: 'y' }) +
      service('api');
    const head = await opened(text, [], base);
    const placed = ({ cluster }: typeof base) =>
      cluster.pods
        .filter(({ labels }) => labels['app'] !== 'aaa')
        .map(({ node, name, ip }) => ({ node, name, ip }));
    const [was, is] = [placed(base), placed(head)];
    expect(is.map(({ node }) => node)).toEqual(was.map(({ node }) => node));
    for (const [at, { name, ip }] of is.entries()) {
      expect(name).not.toBe(was[at]?.name);
      expect(ip).not.toBe(was[at]?.ip);
    }
    // Without regard to BASE they would be elsewhere, and so would their packets.
    const anew = await opened(text);
    expect(placed(anew).map(({ node }) => node)).not.toEqual(was.map(({ node }) => node));
    expect(pathOf(base, head, QUESTION).changes).toEqual([]);
  });

  it('show a tunnel that is gone', async () => {
    const text = APPS;
    const base = await opened(text);
    const head = await opened(text, ['network.backend=host-gw']);
    const { changes, rows } = pathOf(base, head, {
      from: 'shop/deploy/web',
      to: 'shop/deploy/api:8080',
    });
    const whats = new Set(changes.map(({ what }) => what));
    expect([...whats]).toEqual(['encapsulate', 'decapsulate']);
    expect(changes.every(({ base: was, head: is }) => was !== undefined && is === undefined)).toBe(
      true,
    );
    expect(rows.some(({ same }) => same)).toBe(true);
  });

  it('show NAT that is new, and another cause', async () => {
    const head = await opened(APPS);
    const base = await opened(
      APPS.replace(service('api'), service('api').replace('app: api', 'app: nobody')),
    );
    const { changes } = pathOf(base, head, QUESTION);
    expect(changes).toContainEqual({ what: 'disposition', base: 'rejected', head: 'delivered' });
    expect(changes).toContainEqual({ what: 'cause', base: 'SVC_NO_ENDPOINTS' });
    expect(changes).toContainEqual(
      expect.objectContaining({
        what: 'nat',
        head: expect.stringContaining('nat dnat dst shop/svc/api >'),
      }),
    );
    expect(changes).toContainEqual(expect.objectContaining({ what: 'hop', packet: 'syn' }));
  });

  it('show what policies stop where they are enforced', async () => {
    const policy = (from: string) =>
      networkPolicy(
        'api',
        `{ podSelector: { matchLabels: { app: api } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: ${from} } } }] }] }`,
      );
    const enforced = ['policyEngine=nftables'];
    const base = await opened(APPS + policy('web'), enforced);
    const head = await opened(APPS + policy('no'), enforced);
    const { changes, base: was, head: is } = pathOf(base, head, QUESTION);
    expect([was?.disposition, is?.disposition, is?.symptom]).toEqual([
      'delivered',
      'dropped',
      'timeout',
    ]);
    expect(changes).toContainEqual(
      expect.objectContaining({
        what: 'leg',
        base: 'there: syn, delivered',
        head: 'there: syn, dropped',
      }),
    );
    expect(changes).toContainEqual(
      expect.objectContaining({ what: 'leg', base: 'back: synack, delivered' }),
    );
  });

  it('of a Pod that only one side has are told alone', async () => {
    const base = await opened(APPS);
    const head = await opened(APPS + deployment('new'));
    const {
      changes,
      base: was,
      head: is,
      rows,
    } = pathOf(base, head, {
      from: 'shop/deploy/web',
      to: 'shop/deploy/new:80',
    });
    expect(changes).toEqual([{ what: 'question', head: 'delivered' }]);
    expect(was).toBeUndefined();
    expect(is?.disposition).toBe('delivered');
    expect(rows.every((row) => row.base === undefined && !row.same)).toBe(true);
    const back = pathOf(head, base, { from: 'shop/deploy/web', to: 'shop/deploy/new:80' });
    expect(back.changes).toEqual([{ what: 'question', base: 'delivered' }]);
  });
});

describe('aligning', () => {
  const letters = (text: string): string[] => [...text];
  const told = (a: string, b: string) =>
    align(
      letters(a),
      letters(b),
      (letter) => letter,
      (letter) => (/[a-z]/.test(letter) ? 'low' : letter),
    ).map(({ base = '', head = '', same }) => `${base}${same ? '=' : '/'}${head}`);

  it('keeps what is the same, and puts what is alike side by side', () => {
    expect(told('abc', 'abc')).toEqual(['a=a', 'b=b', 'c=c']);
    expect(told('abc', 'axc')).toEqual(['a=a', 'b/x', 'c=c']);
    expect(told('abc', 'ac')).toEqual(['a=a', 'b/', 'c=c']);
    expect(told('A1', 'B1')).toEqual(['A/', '/B', '1=1']);
    expect(told('', 'ab')).toEqual(['/a', '/b']);
  });
});
