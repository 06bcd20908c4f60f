/** The options of `k8snet test`. */
import type { InputOptions } from './open-input.ts';

export const TEST_FORMATS = ['text', 'junit', 'tap', 'json', 'github'] as const;
export type TestFormat = (typeof TEST_FORMATS)[number];

export type TestOptions = Pick<
  InputOptions,
  'recursive' | 'color' | 'set' | 'break' | 'listen' | 'policy'
> & {
  /** Built-in ones. */
  readonly scenario?: readonly string[];
  /** Files that have to hold Expectations. */
  readonly expect?: readonly string[];
  readonly verbose?: boolean;
  readonly output: TestFormat;
  /** Differences are told, and end with 0 all the same. */
  readonly soft?: boolean;
  /** Expectations whose name, or one of whose ends, matches. */
  readonly only?: string;
  /** What is found is written into the files. */
  readonly update?: boolean;
  /** Once more, whenever a file changes. */
  readonly watch?: boolean;
  /** So many failures are enough. */
  readonly bail?: number;
};
