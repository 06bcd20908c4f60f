/** The words of a command line, and how a parser takes them one by one. */
import { isIpv4 } from '../../wire/ip.ts';
import { isMac } from '../../wire/mac.ts';
import type { Cidr, Ip, Mac } from '../../wire/packet.ts';
import { parseUserCidr, parseUserIp } from '../../wire/parse-ip.ts';
import { splitWords } from '../iptables/words.ts';
import { CommandError } from './command-error.ts';

/** What a shell would act on: a command is run as it stands, without a shell. */
const SHELL = /[;&|<>$`(){}*?[\]~#\n]/;

const QUOTED = /\\.|'[^']*'|"(?:\\.|[^"\\])*"/gs;

/**
 * The words of a command as a shell parts them, nothing expanded.
 * @throws {CommandError} for an open quote, and for what only a shell can do
 */
export const commandWords = (text: string): string[] => {
  const bare = text.replace(QUOTED, '');
  if (/['"]/.test(bare)) throw new CommandError('a quotation mark is not closed');
  const special = SHELL.exec(bare)?.[0];
  if (special !== undefined)
    throw new CommandError(
      `${JSON.stringify(special)} is for a shell`,
      'give one command, without a shell around it',
    );
  return splitWords(text).map((word) => word.text);
};

/** The words of a command that are still to be read; to go through them takes them. */
export interface Words extends Iterable<string> {
  /** The next word, without taking it. */
  peek(): string | undefined;
  /** Takes the next word. */
  take(): string | undefined;
  /** Takes the value of an option. @throws {CommandError} as iproute2, when the words end */
  value(option: string): string;
}

/** A reader over words. */
export const wordsOf = (words: readonly string[]): Words => {
  let at = 0;
  const take = (): string | undefined => words[at++];
  return {
    peek: () => words[at],
    take,
    value: (option) => {
      const word = words[at++];
      if (word === undefined)
        throw new CommandError(
          'Command line is not complete. Try option "help"',
          `"${option}" wants a value`,
        );
      return word;
    },
    *[Symbol.iterator]() {
      for (let word = take(); word !== undefined; word = take()) yield word;
    },
  };
};

/** A row while a command's words fill it in. */
export type Draft<Spec> = { -readonly [Key in keyof Spec]: Spec[Key] };

/**
 * The first candidate that the word is or abbreviates, as iproute2's `matches` does it: `r` is
 * `route`, and never `rule`, because `route` stands first.
 */
export const abbreviated = <Name extends string>(
  word: string,
  candidates: readonly Name[],
): Name | undefined =>
  word === ''
    ? undefined
    : (candidates.find((name) => name === word) ??
      candidates.find((name) => name.startsWith(word)));

/** @throws {CommandError} as iproute2 says it of an argument */
export const wrong = (argument: string, what: string, hint?: string): never => {
  throw new CommandError(`Error: argument "${argument}" is wrong: ${what}`, hint);
};

/** A word that the parser has no meaning for. Nothing is guessed, nothing is skipped. */
export const notUnderstood = (word: string, understood: string): never => {
  throw new CommandError(
    `k8snet does not understand ${JSON.stringify(word)}`,
    `understood: ${understood}`,
  );
};

const integer = (word: string): number => {
  if (/^(?:0|[1-9][0-9]*)$/.test(word)) return Number(word);
  return /^0x[0-9a-f]+$/i.test(word) ? Number.parseInt(word, 16) : Number.NaN;
};

/** A decimal or 0x number in a range. */
export const numberIn = (word: string, option: string, min = 0, max = 0xffffffff): number => {
  const value = integer(word);
  if (!(value >= min && value <= max)) wrong(word, `Invalid "${option}" value`);
  return value;
};

/** An IPv4 address in four decimal parts. */
export const address = (word: string): Ip => {
  if (isIpv4(word)) return word;
  if (parseUserIp(word)?.family === 6)
    wrong(word, 'IPv6 is not modelled', 'an IPv4 address: 10.0.0.1');
  throw new CommandError(
    `Error: inet address is expected rather than "${word}".`,
    'four decimal parts: 10.0.0.1',
  );
};

/**
 * A prefix: an address (a /32), an address and a length, or one of the words for 0.0.0.0/0. Host
 * bits stay: to refuse them is the kernel's task.
 */
export const prefix = (word: string, everything: readonly string[]): Cidr => {
  if (everything.includes(word)) return '0.0.0.0/0';
  const parsed = parseUserCidr(word.includes('/') ? word : `${word}/32`);
  if (parsed?.family === 6) wrong(word, 'IPv6 is not modelled', 'an IPv4 address: 10.0.0.1');
  if (parsed?.family !== 4)
    throw new CommandError(
      `Error: inet prefix is expected rather than "${word}".`,
      'four decimal parts and a length: 10.0.0.0/24',
    );
  return `${parsed.ip}/${parsed.prefix}`;
};

/** A MAC address; upper case and short parts are made canonical, as iproute2 reads them. */
export const lladdr = (word: string): Mac => {
  const mac = word
    .toLowerCase()
    .split(':')
    .map((part) => part.padStart(2, '0'))
    .join(':');
  return isMac(mac) ? mac : wrong(word, '"lladdr" is invalid', 'six hex pairs: 02:00:00:00:00:01');
};

/** `on` or `off`. */
export const onOff = (word: string, option: string): boolean => {
  if (word !== 'on' && word !== 'off')
    throw new CommandError(`Error: argument of "${option}" must be "on" or "off", not "${word}"`);
  return word === 'on';
};
