/** What the tour's questions ask of a trace: devices passed, frames seen, TTLs on the way. */
import type { Step, TraceFacts } from '../trace/trace.ts';
import type { Layer } from '../wire/packet.ts';

function requestTaps(facts: TraceFacts): Step[] {
  const steps = (facts.legs[0]?.hops ?? []).flatMap((hop) => hop.steps);
  return steps.filter((step) => step.kind === 'transmit' || step.kind === 'receive');
}

/** Devices that the request passed, each once, in order. */
export function tappedDevices(facts: TraceFacts): string[] {
  return [...new Set(requestTaps(facts).map((step) => step.device ?? ''))];
}

/** The Ethernet header with which the request left its sender. */
export function firstFrame(facts: TraceFacts): Extract<Layer, { type: 'ethernet' }> | undefined {
  return requestTaps(facts)[0]?.packet?.find((layer) => layer.type === 'ethernet');
}

/** The TTL of the flow's own header at each tap of the request. */
export function innerTtls(facts: TraceFacts): number[] {
  return requestTaps(facts).flatMap((step) => {
    const innermost = step.packet?.findLast((layer) => layer.type === 'ipv4');
    return innermost === undefined ? [] : [innermost.ttl];
  });
}
