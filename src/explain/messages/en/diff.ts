/** English words of a diff. */
import type { ConnectionKind, DiffWords } from '../../diff-words.ts';
import { count } from './phrases.ts';

const KINDS: readonly ConnectionKind[] = ['opened', 'closed', 'changed', 'added', 'removed'];

const list = (items: readonly string[]): string => {
  const shown = items.slice(0, 3);
  const more = items.length - shown.length;
  if (more > 0) return `${shown.join(', ')} and ${more} more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
};

export const diffWords: DiffWords = {
  base: 'BASE',
  head: 'HEAD',
  counts: (counts) => [
    ...KINDS.flatMap((kind) => (counts[kind] > 0 ? [`${counts[kind]} ${kind}`] : [])),
    ...(counts.peersAdded > 0 ? [count(counts.peersAdded, 'new workload')] : []),
    ...(counts.peersRemoved > 0
      ? [count(counts.peersRemoved, 'workload gone', 'workloads gone')]
      : []),
    ...(counts.pathsChanged > 0
      ? [count(counts.pathsChanged, 'path changed', 'paths changed')]
      : []),
    `${count(counts.unchanged, 'connection')} unchanged`,
  ],
  noDifference: ({ unchanged, pathsUnchanged }) =>
    [
      'No difference',
      `${count(unchanged, 'connection')} unchanged`,
      ...(pathsUnchanged > 0 ? [`${count(pathsUnchanged, 'path')} unchanged`] : []),
    ].join('; '),
  heads: {
    opened: 'Opened',
    closed: 'Closed',
    changed: 'Changed',
    added: 'Come with new workloads',
    removed: 'Go with workloads',
  },
  aside: {
    opened: 'nothing was allowed before',
    closed: 'nothing is allowed any more',
    changed: 'other ports than before',
    added: 'BASE does not have one of the two',
    removed: 'HEAD does not have one of the two',
  },
  peersHead: 'Workloads',
  peerAdded: 'only on HEAD',
  peerRemoved: 'only on BASE',
  renamed: (base, head) => `${base} is ${head} on HEAD`,
  isolated: (direction, isolated) =>
    isolated
      ? `isolated for ${direction} on HEAD, and not on BASE`
      : `isolated for ${direction} on BASE, and not on HEAD`,
  anyAddress: (family) => `any IPv${family} address outside`,
  several: (number, what) => `${number} ${what === 'peers' ? 'peers' : 'blocks of addresses'}`,
  more: (number) => `and ${number} more`,
  allPorts: 'all ports',
  nothing: 'nothing',
  columns: { from: 'From', to: 'To', ports: 'Ports', why: 'Why' },
  why: {
    admits: (policy, rule) => `rule ${rule} of ${policy} admits`,
    denies: (policy, rule) => `rule ${rule} of ${policy} denies`,
    unknown: (policy, rule) => `nobody knows offline what rule ${rule} of ${policy} is about`,
    isolates: (policies, connection) =>
      `${list(policies)} ${policies.length === 1 ? 'isolates' : 'isolate'}, and no rule admits ${connection}`,
    notIsolated: (direction) => `no policy isolates for ${direction}`,
    exempt: 'policies have no say',
    edits: { added: 'new', removed: 'gone', edited: 'edited' },
    namespaceLabels: (namespace, labels) => `labels of namespace ${namespace}: ${labels}`,
    podLabels: (peer, labels) => `labels of ${peer}: ${labels}`,
    namedPort: (peer, name, base, head) =>
      `port ${name} of ${peer}: ${base} on BASE, ${head} on HEAD`,
  },
  paths: {
    head: 'Paths',
    expectedAt: (place) => `expected at ${place}`,
    same: (paths) => `${count(paths, 'path is', 'paths are')} the same on both sides`,
    onlyOn: (side) => `can be asked on ${side} only`,
    what: {
      question: 'question',
      disposition: 'disposition',
      symptom: 'symptom',
      cause: 'cause',
      port: 'port',
      name: 'name',
      way: 'way',
      leg: 'packet',
      hop: 'hop',
      socket: 'socket',
      resolve: 'name',
      route: 'route',
      neighbour: 'neighbour',
      transmit: 'device',
      receive: 'device',
      bridge: 'bridge',
      encapsulate: 'tunnel',
      decapsulate: 'tunnel',
      hook: 'hook',
      rule: 'rule',
      nat: 'NAT',
      conntrack: 'connection',
      policy: 'policy',
      forward: 'forwarding',
      size: 'size',
      wire: 'wire',
      deliver: 'delivery',
      drop: 'drop',
    },
    none: 'none',
    lines: (number) => `${count(number, 'line')} the same`,
    more: (number) => count(number, 'line'),
  },
  leftOut: (rows) =>
    `${count(rows, 'row is', 'rows are')} left out to keep this short; -o text and -o json have all of it.`,
};
