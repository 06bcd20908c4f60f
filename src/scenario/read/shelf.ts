/** Where the values of packs are kept until all of them go at once. */

/** glibc gives memory back to the system at once from this size on, whatever came before. */
const SHELF_BYTES = 32 * 1024 * 1024;

/**
 * Keeps bytes side by side in a few large buffers: thousands of small ones leave holes between what
 * else is allocated, which stay with the process after they are freed.
 */
export const createShelf = (): ((bytes: Uint8Array) => Uint8Array) => {
  let shelf = new Uint8Array(0);
  let used = 0;
  return (bytes) => {
    if (bytes.length > shelf.length - used) {
      // Its pages cost nothing until something is put on them.
      shelf = new Uint8Array(Math.max(SHELF_BYTES, bytes.length));
      used = 0;
    }
    const part = shelf.subarray(used, used + bytes.length);
    part.set(bytes);
    used += bytes.length;
    return part;
  };
};
