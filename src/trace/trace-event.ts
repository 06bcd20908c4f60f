/** What steps are made of: what the kernels report, and what the trace itself adds. */
import type { KernelEvent } from '../kernel/event.ts';
import type { PolicyEvent } from './policies.ts';

export type TraceEvent = KernelEvent | PolicyEvent;

export type StepKind = TraceEvent['kind'];
