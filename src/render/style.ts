/** Colour: meaning to escape codes. Colour only adds; every form is complete without it. */
import { Chalk } from 'chalk';

export type ColorLevel = 0 | 1 | 2 | 3;

export interface Style {
  title(text: string): string;
  place(text: string): string;
  faint(text: string): string;
  label(text: string): string;
  edit(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  unsure(text: string): string;
}

/** @param level 0 gives every text back as it is. */
export function createStyle(level: ColorLevel): Style {
  const chalk = new Chalk({ level });
  return {
    title: (text) => chalk.bold(text),
    place: (text) => chalk.cyan(text),
    faint: (text) => chalk.dim(text),
    label: (text) => chalk.bold(text),
    edit: (text) => chalk.yellow(text),
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red(text),
    unsure: (text) => chalk.magenta(text),
  };
}
