/** Reads a plugin's own configuration key by key, and remembers every problem instead of the first. */
import { isIpv4, isIpv4Cidr, numberToIpv4, parseCidr } from '../../wire/ip.ts';
import type { Cidr, Ip } from '../../wire/packet.ts';

/** What is wrong with a key of `network.config`. */
export interface ConfigProblem {
  /** Path below `network.config`: `['Backend', 'VNI']`, `['ipam', 'routes', 0]`. */
  readonly path: readonly (string | number)[];
  /**
   * error: the plugin would refuse it, or nothing could be traced. unmodelled: the plugin takes it,
   * and the trace goes on as if it were not set.
   */
  readonly severity: 'error' | 'unmodelled';
  readonly message: string;
}

export type Config = Readonly<Record<string, unknown>>;

export const isConfig = (value: unknown): value is Config =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export interface ConfigReader {
  boolean(key: string, absent: boolean): boolean;
  /** A whole number within the bounds, both included. */
  integer(key: string, absent: number, bounds: readonly [number, number]): number;
  text(key: string, absent: string, pattern: RegExp): string;
  cidr(key: string, absent: Cidr): Cidr;
  ip(key: string): Ip | undefined;
  /** A section; empty when absent. */
  section(key: string): ConfigReader;
  sections(key: string): readonly ConfigReader[];
  has(key: string): boolean;
  value(key: string): unknown;
  problem(key: string, severity: ConfigProblem['severity'], message: string): void;
  /** Takes a key without looking at it. */
  ignore(...keys: readonly string[]): void;
  /** Reports every key that nobody has read. */
  finish(): void;
}

/**
 * A reader over one section. Keys are found whatever their case, as Go's encoding/json does; each
 * reading method answers the default when the key is absent or bad.
 * @param problems receives what is found
 */
export const readConfig = (
  config: Config,
  path: readonly (string | number)[],
  problems: ConfigProblem[],
): ConfigReader => {
  const read = new Set<string>();
  const inner: ConfigReader[] = [];

  /** The spelling in the input; the exact one wins, then the last one, as in encoding/json. */
  const spelling = (key: string): string | undefined => {
    const wanted = key.toLowerCase();
    const found = Object.keys(config).filter((name) => name.toLowerCase() === wanted);
    for (const name of found) read.add(name);
    return found.find((name) => name === key) ?? found.at(-1);
  };
  const report = (key: string, severity: ConfigProblem['severity'], message: string): void => {
    problems.push({ path: [...path, spelling(key) ?? key], severity, message });
  };
  /** null is as good as absent. */
  const take = (key: string): unknown => {
    const name = spelling(key);
    return name === undefined ? undefined : (config[name] ?? undefined);
  };
  const typed = <Value>(
    key: string,
    absent: Value,
    accept: (value: unknown) => Value | undefined,
    wanted: string,
  ): Value => {
    const value = take(key);
    if (value === undefined) return absent;
    const accepted = accept(value);
    if (accepted !== undefined) return accepted;
    report(key, 'error', `must be ${wanted}, not ${JSON.stringify(value)}`);
    return absent;
  };
  const child = (value: unknown, below: readonly (string | number)[]): ConfigReader => {
    const reader = readConfig(isConfig(value) ? value : {}, [...path, ...below], problems);
    inner.push(reader);
    return reader;
  };

  return {
    boolean: (key, absent) =>
      typed(
        key,
        absent,
        (value) => (typeof value === 'boolean' ? value : undefined),
        'true or false',
      ),
    integer: (key, absent, [least, most]) =>
      typed(
        key,
        absent,
        (value) =>
          typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
            ? value
            : undefined,
        `a whole number from ${least} to ${most}`,
      ),
    text: (key, absent, pattern) =>
      typed(
        key,
        absent,
        (value) => (typeof value === 'string' && pattern.test(value) ? value : undefined),
        `a text that matches ${pattern.source}`,
      ),
    cidr: (key, absent) =>
      typed(
        key,
        absent,
        (value) => {
          if (typeof value !== 'string' || !isIpv4Cidr(value)) return undefined;
          const { address, prefix } = parseCidr(value);
          return `${numberToIpv4(address)}/${prefix}`;
        },
        'an IPv4 range (10.244.0.0/16)',
      ),
    ip: (key) =>
      typed<Ip | undefined>(
        key,
        undefined,
        (value) => (typeof value === 'string' && isIpv4(value) ? value : undefined),
        'an IPv4 address',
      ),
    section: (key) =>
      child(
        typed<unknown>(key, {}, (value) => (isConfig(value) ? value : undefined), 'an object'),
        [spelling(key) ?? key],
      ),
    sections: (key) =>
      typed<readonly unknown[]>(
        key,
        [],
        (value) => (Array.isArray(value) && value.every(isConfig) ? value : undefined),
        'a list of objects',
      ).map((value, at) => child(value, [spelling(key) ?? key, at])),
    has: (key) => take(key) !== undefined,
    value: take,
    problem: report,
    ignore: (...keys) => {
      for (const key of keys) spelling(key);
    },
    finish: () => {
      for (const name of Object.keys(config))
        if (!read.has(name))
          problems.push({
            path: [...path, name],
            severity: 'unmodelled',
            message: 'is not a known key',
          });
      for (const reader of inner) reader.finish();
    },
  };
};
