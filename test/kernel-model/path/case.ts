/** What must become of a packet. */
import type { Probe } from '../../../src/kernel/probe.ts';
import type { World } from '../../../src/kernel/world.ts';
import type { Disposition, Symptom } from '../../../src/trace/trace.ts';

export interface Case {
  readonly name: string;
  readonly world: () => World;
  readonly probe: Probe;
  readonly disposition: Disposition;
  readonly symptom: Symptom;
  /** Packets of the legs in order. */
  readonly legs: readonly string[];
  /** Where the packet that decided ended: the reason, and the device. */
  readonly drop?: readonly [reason: string, device?: string];
  /** Devices of the request's taps, an ordered part of them. */
  readonly via?: readonly string[];
  /** Why a kernel's captures cannot be held against this trace. */
  readonly unproved?: string;
}
