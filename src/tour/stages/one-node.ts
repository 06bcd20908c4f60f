/** Stage: two Pods of one node talk over two veth pairs and the bridge, by MAC address alone. */
import { netnsOf } from '../../kernel/netns.ts';
import type { World } from '../../kernel/world.ts';
import type { Mac } from '../../wire/packet.ts';
import type { Stage } from '../stage.ts';
import { firstFrame } from '../taps-passed.ts';

export const oneNode: Stage = {
  id: 'one-node',
  question: { scenario: 'basics/one-node', from: 'pod-a', to: 'pod-b' },
  options: ['pod-b', 'bridge', 'node'],
  grade: ({ facts, world }) => {
    const frame = firstFrame(facts);
    if (frame === undefined) return undefined;
    if (ownsMac(world, 'node-1/default/pod-b', 'eth0', frame.dst)) return 'pod-b';
    if (ownsMac(world, 'node-1/host', 'cni0', frame.dst)) return 'bridge';
    return ownsMac(world, 'node-1/host', 'eth0', frame.dst) ? 'node' : undefined;
  },
};

function ownsMac(world: World, netns: string, ifname: string, mac: Mac): boolean {
  return netnsOf(world, netns).devices.some((dev) => dev.ifname === ifname && dev.mac === mac);
}
