/** What a scenario expects of its traces. */
import type { Place } from '../cluster/cluster.ts';
import type { KubeObject } from '../cluster/kube-object.ts';
import type { TraceExpectation } from './expectation-schema.ts';
import type { ScenarioDocument } from './schema.ts';

export type Expectation = TraceExpectation & {
  /** From 1, in the order of the file. */
  readonly n: number;
  readonly place: Place;
};

/** The expectations of a checked Scenario, in order. */
export const expectationsOf = (document: ScenarioDocument, object: KubeObject): Expectation[] =>
  (document.spec?.expect ?? []).map((expectation, at) => ({
    ...expectation,
    n: at + 1,
    place: object.place(['spec', 'expect', at]),
  }));
