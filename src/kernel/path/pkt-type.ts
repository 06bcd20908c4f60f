/** What a frame's destination means to the device that it came in by. */
import type { Mac } from '../../wire/packet.ts';
import { BROADCAST_MAC } from '../../wire/packet.ts';
import type { PktType } from '../skb.ts';
import type { Netdev } from '../world.ts';

/** is_multicast_ether_addr: the lowest bit of the first byte; the broadcast address has it too. */
export const isGroupMac = (mac: Mac): boolean => {
  const digit = mac.charCodeAt(1);
  // '0' to '9' are 48 to 57, 'a' to 'f' are 97 to 102: 'b', 'd' and 'f' are odd and even.
  return digit < 97 ? (digit & 1) === 1 : (digit & 1) === 0;
};

/** eth_type_trans (net/ethernet/eth.c). */
export const ethTypeTrans = (dev: Pick<Netdev, 'mac'>, dst: Mac): PktType => {
  if (dst === dev.mac) return 'host';
  if (dst === BROADCAST_MAC) return 'broadcast';
  return isGroupMac(dst) ? 'multicast' : 'otherhost';
};
