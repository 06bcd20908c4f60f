/** Frames in and out of a pcap file, as tcpdump writes and reads it. */

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const LINKTYPE_ETHERNET = 1;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;

/** The frames of a little-endian pcap file of Ethernet frames. */
export const readPcap = (file: Uint8Array): Uint8Array[] => {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (
    view.getUint32(0, true) !== MAGIC_MICROSECONDS ||
    view.getUint32(20, true) !== LINKTYPE_ETHERNET
  )
    throw new Error('not a little-endian pcap file of Ethernet frames');
  const frames: Uint8Array[] = [];
  for (let at = FILE_HEADER; at < file.length; ) {
    const captured = view.getUint32(at + 8, true);
    if (captured !== view.getUint32(at + 12, true)) throw new Error('a frame was cut');
    frames.push(file.subarray(at + RECORD_HEADER, at + RECORD_HEADER + captured));
    at += RECORD_HEADER + captured;
  }
  return frames;
};

/** A pcap file of the frames, one a second. */
export const writePcap = (frames: readonly Uint8Array[]): Uint8Array => {
  const length = frames.reduce((sum, frame) => sum + RECORD_HEADER + frame.length, FILE_HEADER);
  const file = new Uint8Array(length);
  const view = new DataView(file.buffer);
  view.setUint32(0, MAGIC_MICROSECONDS, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, 0x40000, true);
  view.setUint32(20, LINKTYPE_ETHERNET, true);
  let at = FILE_HEADER;
  for (const [second, frame] of frames.entries()) {
    view.setUint32(at, second, true);
    view.setUint32(at + 8, frame.length, true);
    view.setUint32(at + 12, frame.length, true);
    file.set(frame, at + RECORD_HEADER);
    at += RECORD_HEADER + frame.length;
  }
  return file;
};
