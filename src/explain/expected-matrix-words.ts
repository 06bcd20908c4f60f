/** The words of what `k8snet test` finds about who may talk to whom. */
import type { Verdict } from '../policy/verdict.ts';
import type { MatrixExpectation } from '../scenario/expectations/matrix-expectation.ts';

/** One pair that is otherwise than expected; ports as text, absent: no port is let through at all. */
export interface ToldPair {
  readonly expected: 'allowed' | 'denied';
  readonly found: 'allowed' | 'denied' | 'undecided';
  readonly from: string;
  readonly to: string;
  readonly ports?: string;
}

export interface ExpectedMatrixWords {
  /** `to deploy/cart:7070/tcp: only deploy/web`. */
  readonly title: (expectation: MatrixExpectation) => string;
  readonly expected: (pair: ToldPair) => string;
  readonly found: (pair: ToldPair) => string;
  /** Who decides on one side, and where it stands. */
  readonly reason: (verdict: Verdict & { readonly pod: string }) => string;
  /** So many pairs are not shown. */
  readonly more: (pairs: number) => { readonly expected: string; readonly found: string };
}
