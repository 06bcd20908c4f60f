/** What a scenario expects of its traces. */
import type { Place } from '../cluster/cluster.ts';
import type { KubeObject } from '../cluster/kube-object.ts';
import type { TraceExpectation } from './expectation-schema.ts';
import type { ExpectationsDocument } from './expectations/schema.ts';
import type { ScenarioDocument } from './schema.ts';

export type Expectation = TraceExpectation & {
  /** Of names that have none; absent: `default`. */
  readonly namespace?: string;
  /** From 1, in the order of the file. */
  readonly n: number;
  readonly place: Place;
};

/** The expectations of a checked Scenario, or of Expectations, in order. */
export const expectationsOf = (
  { spec, metadata }: ScenarioDocument | ExpectationsDocument,
  object: KubeObject,
): Expectation[] =>
  (spec?.expect ?? []).map((expectation, at) => ({
    ...expectation,
    ...('namespace' in metadata &&
      metadata.namespace !== undefined && { namespace: metadata.namespace }),
    n: at + 1,
    place: object.place(['spec', 'expect', at]),
  }));
