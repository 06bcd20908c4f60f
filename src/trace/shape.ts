/** What must hold for every trace, whatever the packet met: the shape contract of `k8snet/v1`. */
import type { Layer } from '../wire/packet.ts';
import { allLegs } from './resolution.ts';
import type { Leg, Step, TraceFacts } from './trace.ts';

/**
 * Checks a trace's own shape.
 *
 * @returns what is wrong, one text a violation; empty when the trace is well formed. Numbers are
 * step numbers. A violation is a defect of the model, never of the input.
 */
export function shapeViolations(facts: TraceFacts): string[] {
  const found: string[] = [];
  let expected = 1;
  allLegs(facts).forEach((leg, index) => {
    const name = `leg ${index + 1} (${leg.packet})`;
    if (leg.hops.length === 0) found.push(`${name}: no hops`);
    leg.hops.forEach((hop, at) => {
      const where = `${name}, hop ${at + 1} (${hop.node}/${hop.netns})`;
      if (hop.steps.length === 0) found.push(`${where}: no steps`);
      if (at > 0 && !entersThroughDevice(hop.steps)) {
        found.push(`${where}: not entered through a device`);
      }
      if (at < leg.hops.length - 1 && !leavesThroughDevice(hop.steps)) {
        found.push(`${where}: not left through a device`);
      }
      for (const step of hop.steps) {
        if (step.n !== expected) found.push(`${where}: step ${step.n} where ${expected} was due`);
        expected = step.n + 1;
        const isTap = step.kind === 'transmit' || step.kind === 'receive';
        if (isTap && (step.device === undefined || step.packet === undefined)) {
          found.push(`${where}: step ${step.n} (${step.kind}) names no device or no packet`);
        }
      }
    });
    found.push(...risingTtl(leg).map((n) => `${name}: the TTL rises at step ${n}`));
  });
  const cause = facts.cause?.step;
  if (cause !== undefined && (cause < 1 || cause >= expected)) {
    found.push(`the cause is step ${cause}, which does not exist`);
  }
  return found;
}

function entersThroughDevice(steps: readonly Step[]): boolean {
  return steps[0]?.kind === 'receive';
}

function leavesThroughDevice(steps: readonly Step[]): boolean {
  return steps.some((step) => step.kind === 'transmit');
}

/** The flow's own TTL: the innermost IPv4 header of each tap, outside ICMP's quotations. */
function risingTtl(leg: Leg): number[] {
  const rising: number[] = [];
  let last = 256;
  for (const step of leg.hops.flatMap((hop) => hop.steps)) {
    if (step.kind !== 'transmit' && step.kind !== 'receive') continue;
    const ttl = innermostTtl(step.packet ?? []);
    if (ttl === undefined) continue;
    if (ttl > last) rising.push(step.n);
    last = ttl;
  }
  return rising;
}

function innermostTtl(layers: readonly Layer[]): number | undefined {
  let ttl: number | undefined;
  for (const layer of layers) if (layer.type === 'ipv4') ttl = layer.ttl;
  return ttl;
}
