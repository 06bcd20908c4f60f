import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { masqChainName } from '../../src/compile/cni/bridge.ts';
import { sha512 } from '../../src/compile/sha512.ts';

const reference = (text: string): string => createHash('sha512').update(text).digest('hex');

describe('sha512', () => {
  it('agrees with another implementation', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        expect(sha512(text)).toBe(reference(text));
      }),
      { numRuns: 60 },
    );
  });

  it.each([0, 110, 111, 112, 113, 127, 128, 129, 239, 240, 256])(
    'agrees where blocks fill up: %i bytes',
    (length) => {
      expect(sha512('x'.repeat(length))).toBe(reference('x'.repeat(length)));
    },
  );
});

describe('masqChainName', () => {
  it('is CNI- and the first 24 hex digits of the hash, 28 characters in all', () => {
    // printf 'testnet0123456789' | sha512sum
    const digest = reference('testnet0123456789');
    expect(masqChainName('testnet', '0123456789')).toBe(`CNI-${digest.slice(0, 24)}`);
    expect(masqChainName('testnet', '0123456789')).toHaveLength(28);
  });
});
