/** The Internet checksum (RFC 1071). */

/** The running sum of 16-bit words; an odd last byte counts as the high half of a word. */
export const sumWords = (bytes: Uint8Array, start: number, end: number, sum = 0): number => {
  let total = sum;
  for (let at = start; at + 1 < end; at += 2)
    total += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if ((end - start) % 2 === 1) total += (bytes[end - 1] ?? 0) << 8;
  return total;
};

/** The checksum field for a running sum: its ones' complement, folded to 16 bits. */
export const finishSum = (sum: number): number => {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
};

/** Sum of the pseudo header of TCP and UDP over IPv4 (RFC 9293 section 3.1, RFC 768). */
export const pseudoHeaderSum = (
  src: number,
  dst: number,
  protocol: number,
  length: number,
): number => (src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + protocol + length;
