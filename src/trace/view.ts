/** The state that a trace walked over, and how it would be without the scenario's faults. */
import { netnsOf } from '../kernel/netns.ts';
import type { Netdev, Netns, NetnsId, World } from '../kernel/world.ts';
import type { ServiceView } from './services.ts';
import type { CauseCode, CauseSubject, Hop, Leg, Step } from './trace.ts';

export interface View {
  readonly world: World;
  /** Absent where nothing was broken on purpose. */
  readonly intended?: World | undefined;
  /** Absent: nobody knows the Services. */
  readonly services?: ServiceView | undefined;
}

/** A step with the place it happened at. */
export interface Found {
  readonly leg: Leg;
  readonly hop: Hop;
  readonly step: Step;
}

/** What came out of looking for a cause. */
export interface Finding {
  readonly code: CauseCode;
  readonly about?: CauseSubject;
  /** Where the step that ended it is not the one that went wrong. */
  readonly step?: number;
  readonly origin?: Netdev['origin'];
}

export const hereAt = ({ world }: View, { node, netns }: Pick<Hop, 'node' | 'netns'>): Netns =>
  netnsOf(world, `${node}/${netns}`);

/** The same namespace without faults. */
export const intendedOf = ({ intended }: View, id: NetnsId): Netns | undefined =>
  intended && netnsOf(intended, id);

export const placeOf = ({ host, name }: Netns): Pick<CauseSubject, 'node' | 'netns'> => ({
  node: host,
  netns: name,
});
