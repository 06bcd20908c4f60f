/** Pod addresses: those of the input, then from .2 upward in each node's range. */
import { cidrAt, cidrSize } from '../wire/ip.ts';
import type { Cidr, Ip } from '../wire/packet.ts';
import { placeText } from './cluster.ts';
import { atPlace, type Report } from './diagnostic.ts';
import { ipPlaceOf, type PodDraft } from './pod-draft.ts';

/** host-local (containernetworking/plugins) reserves .1 for the gateway. */
const FIRST = 2;

/** A pod that has or gets an address of its own: live, placed, not on the node's network. */
export interface Tenant {
  readonly draft: PodDraft;
  readonly node: string;
}

/** Two live Pods with one address: an error at the second. */
export const reportTwins = (tenants: readonly Tenant[], report: Report): void => {
  const owners = new Map<Ip, PodDraft>();
  for (const { draft } of tenants) {
    const { ip } = draft.status;
    if (ip === undefined) continue;
    const owner = owners.get(ip);
    if (!owner) {
      owners.set(ip, draft);
      continue;
    }
    report({
      severity: 'error',
      code: 'duplicate-ip',
      message: `Pods ${owner.namespace}/${owner.name} and ${draft.namespace}/${draft.name} both run with the address ${ip}`,
      path: 'status.podIP',
      ...atPlace(ipPlaceOf(draft)),
      hint: `The other one is at ${placeText(ipPlaceOf(owner))}.`,
    });
  }
};

/** A Pod with the address of a machine: an error, as two Pods with one are. */
export const reportMachines = (
  tenants: readonly Tenant[],
  machines: ReadonlyMap<Ip, string>,
  report: Report,
): void => {
  for (const { draft } of tenants) {
    const { ip } = draft.status;
    const machine = ip === undefined ? undefined : machines.get(ip);
    if (machine === undefined) continue;
    report({
      severity: 'error',
      code: 'duplicate-ip',
      message: `Pod ${draft.namespace}/${draft.name} and node ${machine} both have the address ${ip}`,
      path: 'status.podIP',
      ...atPlace(ipPlaceOf(draft)),
      hint: "A Pod on its node's network has spec.hostNetwork: true.",
    });
  }
};

/** The bridge of a node has its range's first address; a Pod that has it too makes it answer twice. */
export const reportGateways = (
  tenants: readonly Tenant[],
  ranges: ReadonlyMap<string, Cidr>,
  report: Report,
): void => {
  const gateways = new Map<string, Ip>();
  for (const [node, range] of ranges)
    if (cidrSize(range) >= 4) gateways.set(node, cidrAt(range, 1));
  for (const { draft, node } of tenants) {
    const { ip } = draft.status;
    if (ip === undefined || ip !== gateways.get(node)) continue;
    const range = ranges.get(node);
    report({
      severity: 'warning',
      code: 'gateway-address',
      message: `Pod ${draft.namespace}/${draft.name} has ${ip}, which the bridge of ${node} takes in ${range}`,
      path: 'status.podIP',
      ...atPlace(ipPlaceOf(draft)),
    });
  }
};

/**
 * An address for every tenant without one, in the tenants' order; nothing for those whose node's
 * range is used up.
 */
export const giveAddresses = (
  tenants: readonly Tenant[],
  ranges: ReadonlyMap<string, Cidr>,
): ReadonlyMap<PodDraft, Ip> => {
  const given = new Map<PodDraft, Ip>();
  if (tenants.every(({ draft }) => draft.status.ip !== undefined)) return given;
  const taken = new Set(tenants.flatMap(({ draft }) => draft.status.ip ?? []));
  const next = new Map<string, number>();
  for (const { draft, node } of tenants) {
    const range = ranges.get(node);
    if (draft.status.ip !== undefined || range === undefined) continue;
    const last = cidrSize(range) - 2;
    let at = next.get(node) ?? FIRST;
    while (at <= last && taken.has(cidrAt(range, at))) at++;
    next.set(node, at + 1);
    if (at <= last) given.set(draft, cidrAt(range, at));
  }
  return given;
};
