/** Names and addresses that a real node draws at random: here each depends on its object alone. */
import type { Pod } from '../cluster/cluster.ts';
import { hashNumber } from '../cluster/name-hash.ts';
import type { Mac } from '../wire/packet.ts';

const WORD = 2 ** 32;

/** Hex digits that depend on the text alone. */
const hexOf = (text: string, digits: number): string => {
  let hex = '';
  for (let at = 0; hex.length < digits; at++)
    hex += hashNumber(`${at}/${text}`, WORD).toString(16).padStart(8, '0');
  return hex.slice(0, digits);
};

/** What an object is called in hashes: `Pod/default/pod-a`, `Node/node-1`. */
export const podKey = ({ namespace, name }: Pick<Pod, 'namespace' | 'name'>): string =>
  `Pod/${namespace}/${name}`;

export const nodeKey = (name: string): string => `Node/${name}`;

/**
 * A locally administered unicast address, as eth_random_addr (include/linux/etherdevice.h) and
 * flannel (pkg/mac) make them: the low bits of the first byte are 10.
 * @param owner the object, from `podKey` or `nodeKey`
 */
export const derivedMac = (owner: string, device: string): Mac => {
  const bytes = hexOf(`${owner}/${device}`, 12).match(/../g) ?? [];
  const first = (Number.parseInt(bytes[0] ?? '0', 16) & 0xfc) | 0x02;
  return [first.toString(16).padStart(2, '0'), ...bytes.slice(1)].join(':');
};

/**
 * The host end of a Pod's veth pair: `veth` and 8 hex digits (RandomVethName, pkg/ip of
 * containernetworking/plugins).
 * @param attempt counts up while the name is taken on the node
 */
export const vethName = (pod: Pod, attempt: number): string =>
  `veth${hexOf(`${podKey(pod)}/veth${attempt === 0 ? '' : attempt}`, 8)}`;

/** The id that the container runtime gives a Pod's sandbox: 64 hex digits. */
export const sandboxId = (pod: Pod): string => hexOf(`${podKey(pod)}/sandbox`, 64);
