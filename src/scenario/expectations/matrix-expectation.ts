/** Who may talk to whom, as Expectations have it: texts with their places, not looked up yet. */
import type { Place } from '../../cluster/cluster.ts';
import type { KubeObject, Path } from '../../cluster/kube-object.ts';
import type { ExpectationsDocument } from './schema.ts';

/** `deploy/cart:7070/tcp`, as it is written. */
export interface PeerText {
  readonly text: string;
  readonly place: Place;
}

export interface MatrixExpectation {
  /** From 1, in the order of the file. */
  readonly n: number;
  readonly name?: string;
  /** Of names that have none. */
  readonly namespace?: string;
  /** `to`: `subjects` are talked to; `from`: they talk. */
  readonly side: 'to' | 'from';
  readonly subjects: readonly PeerText[];
  /** These may, nobody else; empty: nobody. */
  readonly only?: readonly PeerText[];
  /** Each of these may. */
  readonly allow?: readonly PeerText[];
  /** None of these may. */
  readonly deny?: readonly PeerText[];
  readonly place: Place;
}

/** The matrix expectations of a checked document, in order. */
export const matrixExpectationsOf = (
  { metadata: { namespace }, spec: { matrix = [] } }: ExpectationsDocument,
  object: KubeObject,
): MatrixExpectation[] =>
  matrix.map(({ name, ...entry }, at) => {
    const textsOf = (field: 'to' | 'from' | 'only' | 'allow' | 'deny'): PeerText[] | undefined => {
      const value = entry[field];
      if (value === undefined) return undefined;
      const path: Path = ['spec', 'matrix', at, field];
      return typeof value === 'string'
        ? [{ text: value, place: object.place(path) }]
        : value.map((text, item) => ({ text, place: object.place([...path, item]) }));
    };
    const [to, from] = [textsOf('to'), textsOf('from')];
    const [only, allow, deny] = [textsOf('only'), textsOf('allow'), textsOf('deny')];
    return {
      n: at + 1,
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      side: to ? 'to' : 'from',
      subjects: to ?? from ?? [],
      ...(only && { only }),
      ...(allow && { allow }),
      ...(deny && { deny }),
      place: object.place(['spec', 'matrix', at]),
    };
  });
