/** The options of `k8snet lint`. */
import type { InputOptions } from './open-input.ts';

export const LINT_FORMATS = ['text', 'json', 'sarif', 'github'] as const;
export const FAIL_ON = ['error', 'warning', 'info', 'never'] as const;

export type LintCommandOptions = Omit<InputOptions, 'file' | 'break'> & {
  readonly output: (typeof LINT_FORMATS)[number];
  /** The least severity that ends with 1. */
  readonly failOn: (typeof FAIL_ON)[number];
  readonly only?: readonly string[];
  readonly ignore?: readonly string[];
};
