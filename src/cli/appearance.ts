/** How output looks here: with colour or without, how wide, with which glyphs. */
import { ASCII, type Glyphs, UNICODE } from '../explain/quote.ts';
import { PLAIN, type Style } from '../render/style.ts';
import type { Io, Sink } from './io.ts';

type Environment = Io['env'];

/**
 * Whether a stream gets colour: the option, else NO_COLOR (not empty), else FORCE_COLOR (`0` and
 * `false` say no), else whether it is a terminal that is not dumb.
 */
export function wantsColor(
  option: boolean | undefined,
  env: Environment,
  sink: Pick<Sink, 'isTTY'>,
): boolean {
  if (option !== undefined) return option;
  if (env['NO_COLOR']) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return sink.isTTY && env['TERM'] !== 'dumb';
}

/** The palette; chalk is only loaded where there is colour. */
export async function styleFor(color: boolean): Promise<Style> {
  if (!color) return PLAIN;
  const { createStyle } = await import('../render/color-style.ts');
  return createStyle();
}

const NARROWEST = 40;
/** Beyond this, the eye loses the line between a step and its remark. */
const WIDEST = 100;
const WITHOUT_TERMINAL = 80;

/** Columns to fit into: COLUMNS, else the terminal's, else 80; between 40 and 100, or `widest`. */
export function widthOf(
  env: Environment,
  sink: Pick<Sink, 'columns'>,
  widest: number = WIDEST,
): number {
  const asked = Number(env['COLUMNS']);
  const width = Number.isInteger(asked) && asked > 0 ? asked : (sink.columns ?? WITHOUT_TERMINAL);
  return Math.min(widest, Math.max(NARROWEST, width));
}

/**
 * Glyphs of the locale (LC_ALL, LC_CTYPE, LANG, the first that is set): ASCII where it names
 * another encoding than UTF-8. Where no locale is set at all (containers, CI), UTF-8 is taken for
 * granted.
 */
export function glyphsFor(env: Environment): Glyphs {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'];
  return locale === undefined || locale === '' || /utf-?8/i.test(locale) ? UNICODE : ASCII;
}
