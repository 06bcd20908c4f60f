/** What Expectations change in the Scenario before anything is asked: `spec.set` and `spec.policy`. */
import type { KubeObject } from '../../cluster/kube-object.ts';
import type { Setting } from '../override.ts';
import type { ExpectationsDocument } from './schema.ts';

/** In order; what the command line sets comes after these. */
export const settingsOf = (
  { spec: { set = [], policy } }: ExpectationsDocument,
  object: KubeObject,
): Setting[] => [
  ...set.map((text, at) => ({ text, place: object.place(['spec', 'set', at]) })),
  ...(policy === undefined
    ? []
    : [{ text: 'policyEngine=nftables', place: object.place(['spec', 'policy']) }]),
];
