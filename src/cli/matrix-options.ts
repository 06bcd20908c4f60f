/** The options of `k8snet matrix`. */
import type { GroupBy } from '../check/matrix/matrix.ts';
import type { ConnectionSet } from '../policy/policy-engine.ts';
import type { InputOptions } from './open-input.ts';

export interface MatrixCommandOptions extends InputOptions {
  readonly namespace: string;
  readonly groupBy: GroupBy;
  readonly hostNetwork: 'pods' | 'node';
  readonly finished: 'pods' | 'omit';
  readonly from?: string;
  readonly to?: string;
  readonly port?: ConnectionSet;
  readonly exposure?: boolean;
  /** With packets. */
  readonly path?: boolean;
  readonly output: 'table' | 'json' | 'csv' | 'yaml' | 'dot' | 'svg';
}
