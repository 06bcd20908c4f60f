import { describe, expect, it } from 'vitest';
import {
  derivedMac,
  nodeKey,
  podKey,
  sandboxId,
  vethName,
} from '../../src/compile/derived-name.ts';
import { pod } from './cluster.ts';

const many = Array.from({ length: 3000 }, (_, n) => pod(`web-${n}`, 'node-1', '10.244.1.2'));

describe('names and addresses that a node draws at random', () => {
  it('have the shape of the real ones', () => {
    for (const one of many.slice(0, 200)) {
      expect(vethName(one, 0)).toMatch(/^veth[0-9a-f]{8}$/);
      expect(sandboxId(one)).toMatch(/^[0-9a-f]{64}$/);
      // Unicast, locally administered.
      expect(derivedMac(podKey(one), 'eth0')).toMatch(/^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/);
    }
  });

  it('depend on the object alone', () => {
    const elsewhere = pod('web-7', 'node-9', '10.9.9.9', { labels: { a: 'b' }, ready: false });
    expect(vethName(elsewhere, 0)).toBe(vethName(pod('web-7', 'node-1', '10.244.1.2'), 0));
    expect(sandboxId(elsewhere)).toBe(sandboxId(pod('web-7', 'node-1', '10.244.1.2')));
  });

  it('differ from Pod to Pod, from device to device, from attempt to attempt', () => {
    const macs = many.flatMap((one) => [
      derivedMac(podKey(one), 'eth0'),
      derivedMac(podKey(one), 'host end'),
    ]);
    const nodes = many.flatMap((_, n) => [
      derivedMac(nodeKey(`node-${n}`), 'eth0'),
      derivedMac(nodeKey(`node-${n}`), 'flannel.1'),
    ]);
    expect(new Set([...macs, ...nodes]).size).toBe(4 * many.length);
    expect(new Set(many.map((one) => vethName(one, 0))).size).toBe(many.length);
    const [first] = many;
    expect(first && vethName(first, 1)).not.toBe(first && vethName(first, 0));
  });

  it('tell a namespace from a name', () => {
    const a = pod('b-c', 'node-1', '10.244.1.2', { namespace: 'a' });
    const b = pod('c', 'node-1', '10.244.1.2', { namespace: 'a-b' });
    expect(vethName(a, 0)).not.toBe(vethName(b, 0));
  });
});
