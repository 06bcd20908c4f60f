/** The palette of a terminal: the sixteen colours that every theme defines. */
import { Chalk } from 'chalk';
import type { Style } from './style.ts';

export function createStyle(): Style {
  // An instance of our own: the default one looks at the process, and only the CLI decides.
  const chalk = new Chalk({ level: 1 });
  return {
    title: (text) => chalk.bold(text),
    place: (text) => chalk.cyan(text),
    faint: (text) => chalk.dim(text),
    label: (text) => chalk.bold(text),
    edit: (text) => chalk.yellow(text),
    command: (text) => chalk.blue(text),
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red(text),
    unsure: (text) => chalk.magenta(text),
  };
}
