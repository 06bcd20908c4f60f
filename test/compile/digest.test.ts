import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { masqChainName } from '../../src/compile/cni/bridge.ts';
import { sha512 } from '../../src/compile/digest.ts';

const reference = (text: string): string => createHash('sha512').update(text).digest('hex');

describe('sha512', () => {
  it.each([
    // printf '' | sha512sum
    [
      '',
      'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce' +
        '47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
    ],
    // printf 'abc' | sha512sum (FIPS 180-2, C.1)
    [
      'abc',
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
        '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
  ])('is the digest that sha512sum prints: %j', (text, digest) => {
    expect(sha512(text)).toBe(digest);
  });

  it('hashes the bytes of UTF-8', () => {
    expect(sha512('nœud-π')).toBe(reference('nœud-π'));
  });
});

describe('masqChainName', () => {
  it('is CNI- and the first 24 hex digits of the hash, 28 characters in all', () => {
    // printf 'testnet0123456789' | sha512sum
    const digest = reference('testnet0123456789');
    expect(masqChainName('testnet', '0123456789')).toBe(`CNI-${digest.slice(0, 24)}`);
    expect(masqChainName('testnet', '0123456789')).toHaveLength(28);
  });
});
