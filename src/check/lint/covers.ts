/**
 * Whether one selector, rule or policy certainly has all of another: by what is written, so that it
 * holds for every Pod that may come.
 */
import type {
  PodSelection,
  PolicyPeer,
  PolicyPort,
  PolicyRule,
} from '../../cluster/policy/policy.ts';
import { isInside } from '../../cluster/policy/read-block.ts';
import type { Requirement, Selector } from '../../cluster/selector.ts';
import { parseUserCidr } from '../../wire/parse-ip.ts';

const isSame = (a: Requirement, b: Requirement): boolean =>
  a.key === b.key &&
  a.operator === b.operator &&
  a.values.length === b.values.length &&
  a.values.every((value) => b.values.includes(value));

/** Each requirement of the wide one is one of the narrow one. */
const selectorCovers = (wide: Selector, narrow: Selector): boolean =>
  wide.every((one) => narrow.some((other) => isSame(one, other)));

/** @param own the namespaces of the two policies */
export const selectionCovers = (
  wide: PodSelection,
  narrow: PodSelection,
  own: readonly [string | undefined, string | undefined],
): boolean => {
  if (!selectorCovers(wide.pods, narrow.pods)) return false;
  if (wide.namespaces === 'own') return narrow.namespaces === 'own' && own[0] === own[1];
  if (narrow.namespaces === 'own') return wide.namespaces.length === 0;
  return selectorCovers(wide.namespaces, narrow.namespaces);
};

type Block = Extract<PolicyPeer, { kind: 'block' }>;

const isPartOf = (inner: string, outer: string): boolean => {
  const [a, b] = [parseUserCidr(inner), parseUserCidr(outer)];
  return a !== undefined && b !== undefined && isInside(a, b);
};

/** What the wide one cuts out, the narrow one cuts out too, or has not. */
const blockCovers = (wide: Block, narrow: Block): boolean =>
  isPartOf(narrow.cidr, wide.cidr) &&
  wide.except.every(
    (cut) =>
      narrow.except.some((other) => isPartOf(cut, other)) ||
      (!isPartOf(cut, narrow.cidr) && !isPartOf(narrow.cidr, cut)),
  );

const peerCovers = (
  wide: PolicyPeer,
  narrow: PolicyPeer,
  own: readonly [string | undefined, string | undefined],
): boolean => {
  switch (wide.kind) {
    case 'pods':
      return narrow.kind === 'pods' && selectionCovers(wide, narrow, own);
    case 'block':
      return narrow.kind === 'block' && blockCovers(wide, narrow);
    case 'nodes':
      return narrow.kind === 'nodes' && selectorCovers(wide.nodes, narrow.nodes);
    // Names say nothing about addresses.
    case 'domain-names':
      return false;
    default:
      return wide satisfies never;
  }
};

const portCovers = (wide: PolicyPort, narrow: PolicyPort): boolean => {
  if (wide.protocol !== narrow.protocol) return false;
  if (wide.port === undefined) return true;
  if (typeof wide.port === 'string' || typeof narrow.port !== 'number')
    return wide.port === narrow.port;
  return narrow.port >= wide.port && (narrow.endPort ?? narrow.port) <= (wide.endPort ?? wide.port);
};

/** Whether all that one rule matches is matched by another one. */
export const ruleCovers = (
  wide: PolicyRule,
  narrow: PolicyRule,
  own: readonly [string | undefined, string | undefined],
): boolean => {
  const peers =
    wide.peers === 'everyone' ||
    (narrow.peers !== 'everyone' &&
      narrow.peers.every((one) =>
        (wide.peers as readonly PolicyPeer[]).some((other) => peerCovers(other, one, own)),
      ));
  const ports =
    wide.ports === 'all' ||
    (narrow.ports !== 'all' &&
      narrow.ports.every((one) =>
        (wide.ports as readonly PolicyPort[]).some((other) => portCovers(other, one)),
      ));
  return peers && ports;
};
