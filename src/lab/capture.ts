/** Captured frames as taps: decoded, named after the World's devices, in the order of time. */
import type { Tap } from '../kernel/event.ts';
import { decodeEthernet } from '../wire/decode.ts';
import { DecodeError } from '../wire/decode-error.ts';
import { layersOf } from '../wire/layers.ts';
import { ETHERNET_HEADER } from '../wire/length.ts';
import { readMac } from '../wire/mac.ts';
import type { Layer } from '../wire/packet.ts';
import type { RawFrame } from './agent.ts';
import type { Lab } from './build.ts';

/** A tap with the time at which it saw the frame, in ns since the lab started. */
export interface TimedTap extends Tap {
  readonly time: number;
}

/** Ethertypes that nobody here models (IPv6, LLDP …) end up in no tap. */
const MODELLED = new Set(['0800', '0806']);

/** A ring keeps the start of a long frame; what it cut off is payload nobody looks into. */
const bytesOf = ([, , , length, hex]: RawFrame): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < hex.length / 2; at++)
    bytes[at] = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  return bytes;
};

/** Fragments are no packets; they are told by their Ethernet header and their length. */
const layers = (bytes: Uint8Array): Layer[] => {
  try {
    return layersOf(decodeEthernet(bytes));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return [
      { type: 'ethernet', dst: readMac(bytes, 0), src: readMac(bytes, 6) },
      { type: 'data', length: bytes.length - ETHERNET_HEADER },
    ];
  }
};

/**
 * All frames of a probe that carry IPv4 or ARP, IGMP left out.
 * @throws {Error} when a frame was seen on a device that the World does not have
 */
export const timedTaps = (
  lab: Pick<Lab, 'byName'>,
  frames: Readonly<Record<string, readonly RawFrame[]>>,
): TimedTap[] => {
  const taps: TimedTap[] = [];
  for (const [name, seen] of Object.entries(frames)) {
    const netns = lab.byName.get(name);
    for (const frame of seen) {
      if (!MODELLED.has(frame[4].slice(24, 28))) continue;
      const device = netns?.devices.find(({ ifindex }) => ifindex === frame[1]);
      if (netns === undefined || device === undefined)
        throw new Error(`a frame on unknown device ${frame[1]} of ${name}`);
      const packet = layers(bytesOf(frame));
      if (packet.some((layer) => layer.type === 'ipv4' && layer.protocol === '2')) continue;
      taps.push({
        netns: netns.id,
        device: device.ifname,
        direction: frame[2] ? 'transmit' : 'receive',
        packet,
        time: frame[0],
      });
    }
  }
  // Array.sort is stable: frames of one instant keep the order in which their namespace saw them.
  return taps.sort((a, b) => a.time - b.time);
};
