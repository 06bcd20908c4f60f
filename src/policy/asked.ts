/** A connection, seen from one policy's side. */
import type { Container } from '../cluster/cluster.ts';
import type { Labels } from '../cluster/selector.ts';
import type { Peer } from './party.ts';
import type { PolicyProtocol } from './verdict.ts';

export interface Asked {
  readonly peer: Peer;
  readonly protocol: PolicyProtocol;
  /** Of the destination; undefined: an echo. */
  readonly port: number | undefined;
  /** Of the destination, where it is a Pod: what names of ports mean. */
  readonly containers: readonly Container[];
  readonly namespaceLabels: (namespace: string) => Labels;
}
