/**
 * SHA-512 (FIPS 180-4), for the names that CNI plugins hash. Written here because loading the
 * platform's crypto module takes longer than a whole trace, and few traces need one such name.
 */

const WORD = 64n;
const MASK = (1n << WORD) - 1n;
const BLOCK = 128;

const rotate = (word: bigint, by: bigint): bigint => ((word >> by) | (word << (WORD - by))) & MASK;

/** The largest integer whose n-th power is at most `value`, for n = 2 and 3. */
const integerRoot = (value: bigint, n: bigint): bigint => {
  let low = 0n;
  let high = 1n << 80n;
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** n <= value) low = middle;
    else high = middle - 1n;
  }
  return low;
};

const firstPrimes = (count: number): bigint[] => {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++)
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes.map(BigInt);
};

/** The first 64 bits of the fraction of a root (FIPS 180-4, 4.2.3 and 5.3.5). */
const fractionOfRoot = (prime: bigint, n: bigint): bigint =>
  integerRoot(prime << (WORD * n), n) & MASK;

interface Constants {
  readonly initial: readonly bigint[];
  readonly rounds: readonly bigint[];
}

let made: Constants | undefined;

const constants = (): Constants => {
  made ??= {
    initial: firstPrimes(8).map((prime) => fractionOfRoot(prime, 2n)),
    rounds: firstPrimes(80).map((prime) => fractionOfRoot(prime, 3n)),
  };
  return made;
};

const pad = (message: Uint8Array): DataView => {
  const blocks = Math.ceil((message.length + 17) / BLOCK);
  const bytes = new Uint8Array(blocks * BLOCK);
  bytes.set(message);
  bytes[message.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setBigUint64(bytes.length - 8, BigInt(message.length) * 8n);
  return view;
};

const schedule = (view: DataView, offset: number): bigint[] => {
  const words: bigint[] = [];
  const at = (index: number): bigint => words[index] ?? 0n;
  for (let t = 0; t < 80; t++) {
    if (t < 16) {
      words.push(view.getBigUint64(offset + 8 * t));
      continue;
    }
    const x = at(t - 15);
    const y = at(t - 2);
    const s0 = rotate(x, 1n) ^ rotate(x, 8n) ^ (x >> 7n);
    const s1 = rotate(y, 19n) ^ rotate(y, 61n) ^ (y >> 6n);
    words.push((at(t - 16) + s0 + at(t - 7) + s1) & MASK);
  }
  return words;
};

type State = readonly [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

const round = ([a, b, c, d, e, f, g, h]: State, constant: bigint, word: bigint): State => {
  const s1 = rotate(e, 14n) ^ rotate(e, 18n) ^ rotate(e, 41n);
  const choice = (e & f) ^ (~e & MASK & g);
  const t1 = h + s1 + choice + constant + word;
  const s0 = rotate(a, 28n) ^ rotate(a, 34n) ^ rotate(a, 39n);
  const majority = (a & b) ^ (a & c) ^ (b & c);
  return [(t1 + s0 + majority) & MASK, a, b, c, (d + t1) & MASK, e, f, g];
};

/** The digest of a text (UTF-8) as 128 hex digits. */
export const sha512 = (text: string): string => {
  const { initial, rounds } = constants();
  const view = pad(new TextEncoder().encode(text));
  let hash = [...initial];
  for (let offset = 0; offset < view.byteLength; offset += BLOCK) {
    const words = schedule(view, offset);
    const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n, g = 0n, h = 0n] = hash;
    let state: State = [a, b, c, d, e, f, g, h];
    rounds.forEach((constant, t) => {
      state = round(state, constant, words[t] ?? 0n);
    });
    hash = hash.map((word, n) => (word + (state[n] ?? 0n)) & MASK);
  }
  return hash.map((word) => word.toString(16).padStart(16, '0')).join('');
};
