/** One connection that is different, and the words for where and on which side. */
import type { Place } from '../../cluster/cluster.ts';
import type { AllowedPorts } from '../matrix/matrix.ts';

export type SideName = 'base' | 'head';

export type DiffPlace = Pick<Place, 'file' | 'line' | 'column'>;

export type ConnectionChangeKind =
  /** Nothing was allowed between two peers of both sides, and something is. */
  | 'opened'
  | 'closed'
  /** Other ports than before. */
  | 'changed'
  /** It comes with a peer that BASE does not have. */
  | 'added'
  /** It goes with a peer that HEAD does not have. */
  | 'removed';

/** A connection that is different, before anybody knows why. */
export interface BareChange {
  readonly change: ConnectionChangeKind;
  /** Ids as on HEAD; of what HEAD does not have, as on BASE. A block is cut to what has changed. */
  readonly src: string;
  readonly dst: string;
  /** Empty: nothing. */
  readonly base: readonly AllowedPorts[];
  readonly head: readonly AllowedPorts[];
  /** What HEAD allows and BASE does not. */
  readonly opened: readonly AllowedPorts[];
  /** What BASE allows and HEAD does not. */
  readonly closed: readonly AllowedPorts[];
}
