/** Bytes that are no value of this layer: cut off, broken, or of a protocol that is not in it. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}
