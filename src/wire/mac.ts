/** MAC addresses between text and bytes. */
import type { Mac } from './packet.ts';

const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;

/** Whether the text is canonical: six lower-case pairs of hex digits, joined by colons. */
export const isMac = (text: string): boolean => MAC.test(text);

/**
 * Writes the six bytes of an address at an offset.
 * @throws {RangeError} when the text is no canonical MAC address
 */
export const writeMac = (bytes: Uint8Array, offset: number, mac: Mac): void => {
  if (!isMac(mac)) throw new RangeError(`not a MAC address: ${JSON.stringify(mac)}`);
  for (let n = 0; n < 6; n++) bytes[offset + n] = Number.parseInt(mac.slice(3 * n, 3 * n + 2), 16);
};

/** The address whose six bytes stand at an offset. */
export const readMac = (bytes: Uint8Array, offset: number): Mac =>
  Array.from(bytes.subarray(offset, offset + 6), (byte) => byte.toString(16).padStart(2, '0')).join(
    ':',
  );
