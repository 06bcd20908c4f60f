/** Ports of one protocol. */
import { type Interval, type Intervals, intervalSets } from './intervals.ts';

export type PortRange = Interval<number>;
export type PortSet = Intervals<number>;

export const portSets = intervalSets<number>((value, by) => value + by);

export const NO_PORTS: PortSet = [];
/** 0 is no port that a packet can be sent to. */
export const ALL_PORTS: PortSet = [{ from: 1, to: 65_535 }];

/** `80-90,443`; all: `1-65535`. */
export const portSetText = (ports: PortSet): string =>
  ports.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
