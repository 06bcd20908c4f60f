/** Who there is: the Pods of the input, those that workloads stand for, and the nodes they run on. */
import type { ClusterNote, ObjectRef } from './cluster.ts';
import type { Report } from './diagnostic.ts';
import { warn } from './field.ts';
import type { Inventory } from './inventory.ts';
import { nameHash } from './name-hash.ts';
import { gatherNodes, type NodeDraft } from './node.ts';
import { compareDrafts, type PodDraft } from './pod-draft.ts';
import { fits, type Placement, schedule } from './schedule.ts';
import type { PlacedSpec } from './spec.ts';
import type { PlacedBefore } from './top-controller.ts';
import { podsOfWorkload, type WorkloadObject } from './workload.ts';

/** Its containers have ended. */
export const isFinished = ({ status }: PodDraft): boolean =>
  status.phase === 'Succeeded' || status.phase === 'Failed';

const sameRef = (a: ObjectRef, b: ObjectRef): boolean =>
  a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;

/** `Deployment/shop/web`. */
export const refKey = ({ kind, namespace, name }: ObjectRef): string =>
  `${kind}/${namespace}/${name}`;

/** A Pod knows its ReplicaSet; the ReplicaSet's object knows the Deployment above it. */
const withUpperOwners = (
  draft: PodDraft,
  workloads: ReadonlyMap<string, WorkloadObject>,
): PodDraft => {
  if (workloads.size === 0 || draft.owners.length === 0) return draft;
  const owners = [...draft.owners];
  for (let at = 0; at < owners.length && at < 8; at++) {
    const owner = owners[at];
    const upper = owner && workloads.get(refKey(owner))?.owner;
    const next = owners[at + 1];
    if (upper && !(next && sameRef(next, upper))) owners.splice(at + 1, owners.length, upper);
  }
  return owners.length === draft.owners.length ? draft : { ...draft, owners };
};

/** Workloads whose Pods, or whose own workloads, the input has: nothing is made for them. */
const alreadyThere = ({ workloads }: Inventory, pods: readonly PodDraft[]): ReadonlySet<string> => {
  const there = new Set<string>();
  if (workloads.length === 0) return there;
  for (const { owners } of pods) for (const owner of owners) there.add(refKey(owner));
  for (const { owner } of workloads) if (owner) there.add(refKey(owner));
  return there;
};

export interface Population {
  readonly drafts: readonly PodDraft[];
  readonly nodes: readonly NodeDraft[];
  readonly nodeOf: ReadonlyMap<PodDraft, string>;
}

/** All Pods, in order, and all nodes. */
export const populate = (
  spec: PlacedSpec | undefined,
  inventory: Inventory,
  report: Report,
  note: (note: ClusterNote) => void,
): Population => {
  const workloads = new Map(inventory.workloads.map((workload) => [refKey(workload), workload]));
  const inOrder = sorted(inventory.pods.map((draft) => withUpperOwners(draft, workloads)));
  const given = withOwnNames(inOrder);
  const there = alreadyThere(inventory, given);
  const absent = inventory.workloads.filter((workload) => !there.has(refKey(workload)));
  // Templates may name nodes too; a DaemonSet's Pods need all nodes to be known.
  const made = absent
    .filter(({ kind }) => kind !== 'DaemonSet')
    .flatMap((workload) => podsOfWorkload(workload, []))
    .map((draft) => withUpperOwners(draft, workloads));
  const { nodes, nodeOf } = gatherNodes({
    spec,
    objects: inventory.nodes,
    pods: [...given, ...made],
    report,
    note,
  });
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const names = nodes.map(({ name }) => name);
  const daemons = absent
    .filter(({ kind }) => kind === 'DaemonSet')
    .flatMap((workload) => podsOfWorkload(workload, names))
    .filter(({ boundTo, spec }) => {
      const node = byName.get(boundTo ?? '');
      return node !== undefined && fits(spec, node);
    });
  const added = withoutTaken([...made, ...daemons], given);
  if (
    made.some(
      ({ owners: [owner] }) => owner?.kind === 'ReplicaSet' && !workloads.has(refKey(owner)),
    )
  )
    note({ code: 'pod-template-hash', subject: 'Deployments' });
  const isSorted = added.length === 0 && given.every((draft, at) => draft === inOrder[at]);
  return { drafts: isSorted ? given : sorted([...given, ...added]), nodes, nodeOf };
};

const fullName = ({ namespace, name }: PodDraft): string => `${namespace}/${name}`;

/** Equal objects with a generateName get equal hashes; the API server would draw again. */
const withOwnNames = (drafts: readonly PodDraft[]): PodDraft[] => {
  const taken = new Set<string>();
  return drafts.map((draft) => {
    let own = draft;
    for (let again = 1; taken.has(fullName(own)); again++)
      own = {
        ...draft,
        name: `${draft.name.slice(0, -5)}${nameHash(`${draft.name}/${again}`, 5)}`,
      };
    taken.add(fullName(own));
    return own;
  });
};

/** A controller cannot make a Pod whose name another one has. */
const withoutTaken = (made: readonly PodDraft[], given: readonly PodDraft[]): PodDraft[] => {
  if (made.length === 0) return [];
  const taken = new Set(given.map(fullName));
  return made.filter((draft) => {
    if (!taken.has(fullName(draft))) return true;
    warn(
      draft.field,
      'name-taken',
      `would make Pod ${fullName(draft)}, which is there already and not its own`,
    );
    return false;
  });
};

const sorted = (drafts: readonly PodDraft[]): PodDraft[] => drafts.toSorted(compareDrafts);

/** Pods that the input says are not placed, or have ended, stay where they are. */
const isSettled = (draft: PodDraft): boolean =>
  isFinished(draft) || (draft.status.phase === 'Pending' && draft.spec.nodeName === undefined);

/** In the order of the Pods. @param before where Pods are kept that we placed there before */
export const place = (
  { drafts, nodes, nodeOf }: Population,
  before?: PlacedBefore,
): readonly Placement[] => {
  const placements = schedule(
    drafts.filter((draft) => !isSettled(draft)),
    nodes,
    nodeOf,
    before,
  );
  let next = 0;
  return drafts.map((draft): Placement => {
    if (!isSettled(draft)) return placements[next++] ?? { pendingReason: 'not scheduled' };
    const node = nodeOf.get(draft);
    if (node !== undefined) return { node, invented: false };
    return { pendingReason: draft.status.reason ?? 'the input says Pending' };
  });
};
