/** The options of `k8snet diff`. */
import type { FailOn } from '../check/diff/fails-on.ts';
import type { InputOptions } from './open-input.ts';

export const FAIL_ON: readonly FailOn[] = [
  'opened',
  'closed',
  'changed',
  'added',
  'removed',
  'paths',
  'any',
];

export interface DiffCommandOptions extends InputOptions {
  readonly namespace: string;
  /** More inputs of one side; `file` and `scenario` are of both. */
  readonly base?: readonly string[];
  readonly head?: readonly string[];
  /** `FROM TO`, as typed. */
  readonly trace?: readonly string[];
  /** False: expected paths are not compared. */
  readonly paths: boolean;
  readonly groupBy: 'workload' | 'pod' | 'namespace';
  readonly match: 'workload' | 'id';
  readonly hostNetwork: 'pods' | 'node';
  readonly finished: 'pods' | 'omit';
  readonly failOn?: readonly FailOn[];
  readonly output: 'text' | 'json' | 'markdown';
}
