/** One line on a terminal while work takes long, gone before anything else is written. */

import { harmless } from '../render/harmless.ts';
import type { OpenOptions } from '../scenario/open.ts';
import type { Io } from './io.ts';

/** Reading that is shorter is over before anybody wonders. */
const QUIET_MS = 500;
/** Between two lines. */
const PAUSE_MS = 100;
/** To the start of the line, and all of it gone (ECMA-48: CR, EL). */
const CLEAR = '\r\x1b[2K';
const DEFAULT_WIDTH = 80;
const MEGABYTE = 1_000_000;

interface ProgressLine {
  readonly show: NonNullable<OpenOptions['progress']>;
  /** Something else than reading; the text is only asked for where it is shown. */
  readonly say: (text: () => string) => void;
  readonly clear: () => void;
}

/**
 * Writes to standard error, and only to a terminal.
 * @param now milliseconds, of any clock
 */
export function progressLine(
  { stderr }: Pick<Io, 'stderr'>,
  now: () => number = () => performance.now(),
): ProgressLine {
  const start = now();
  let last = Number.NEGATIVE_INFINITY;
  let shown = false;
  const say: ProgressLine['say'] = (text) => {
    const time = now();
    if (!stderr.isTTY || time - start < QUIET_MS || time - last < PAUSE_MS) return;
    last = time;
    shown = true;
    stderr.write(CLEAR + text().slice(0, (stderr.columns ?? DEFAULT_WIDTH) - 1));
  };
  return {
    show: ({ file, read, size }) => say(() => `reading ${harmless(file)}  ${amount(read, size)}`),
    say,
    clear: () => {
      if (shown) stderr.write(CLEAR);
      shown = false;
    },
  };
}

function amount(read: number, size: number | undefined): string {
  const megabytes = `${Math.floor(read / MEGABYTE)} MB`;
  if (!size) return megabytes;
  return `${Math.floor((Math.min(read, size) / size) * 100)} %  ${megabytes} of ${Math.ceil(size / MEGABYTE)} MB`;
}
