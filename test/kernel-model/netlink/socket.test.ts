/** One namespace is one port space. */
import { describe, expect, it } from 'vitest';
import { socketAdd, socketHolder } from '../../../src/kernel/netlink.ts';
import { createNetns } from '../../../src/kernel/netns.ts';
import type { Socket } from '../../../src/kernel/world.ts';

const listener = (process: string, ip: string, port: number): Socket => ({
  protocol: 'tcp',
  ip,
  port,
  process,
});

describe('socketAdd', () => {
  it('lets one process hold a port, whoever asks first', () => {
    const pod = createNetns({ host: 'node-1', name: 'default/pod-a' });
    socketAdd(pod, listener('app', '0.0.0.0', 8080));
    const second = listener('sidecar', '0.0.0.0', 8080);
    expect(() => {
      socketAdd(pod, second);
    }).toThrow('Address already in use');
    expect(socketHolder(pod, second)?.process).toBe('app');
    expect(pod.sockets).toHaveLength(1);
  });

  it('lets addresses share a port, but none with all of them', () => {
    const pod = createNetns({ host: 'node-1', name: 'default/pod-a' });
    socketAdd(pod, listener('app', '127.0.0.1', 8080));
    socketAdd(pod, listener('web', '10.244.1.2', 8080));
    socketAdd(pod, { ...listener('dns', '0.0.0.0', 8080), protocol: 'udp' });
    expect(socketHolder(pod, listener('all', '0.0.0.0', 8080))?.process).toBe('app');
    expect(socketHolder(pod, listener('all', '0.0.0.0', 8081))).toBeUndefined();
  });
});
