/** The options of `k8snet matrix`. */
import type { MatrixOptions } from '../check/matrix/matrix.ts';
import type { ConnectionSet } from '../policy/policy-engine.ts';
import type { InputOptions } from './open-input.ts';

export interface MatrixCommandOptions
  extends InputOptions,
    Required<Pick<MatrixOptions, 'groupBy' | 'hostNetwork' | 'finished'>> {
  readonly namespace: string;
  readonly from?: string;
  readonly to?: string;
  readonly port?: ConnectionSet;
  readonly exposure?: boolean;
  /** With packets. */
  readonly path?: boolean;
  readonly output: 'table' | 'json' | 'csv' | 'yaml' | 'dot' | 'svg';
}
