/** What Pods of one controller have in common is held once: they differ in a few texts only. */
import type { PodDraft } from './pod-draft.ts';

/** Whether two plain values are equal. Cheaper than making a key of either. */
const isEqual = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  let count = 0;
  for (const key in left) {
    if (!Object.hasOwn(right, key) || !isEqual(left[key], right[key])) return false;
    count++;
  }
  for (const _ in right) count--;
  return count === 0;
};

const either = <Value>(known: Value | undefined, value: Value): Value =>
  known !== undefined && isEqual(known, value) ? known : value;

/** Makes drafts smaller by what they have in common with the one before of their controller. */
export const createPodSharing = (): ((draft: PodDraft) => PodDraft) => {
  const texts = new Map<string, string>();
  const share = (text: string): string => {
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  };
  const like = new Map<string, PodDraft>();
  return (draft) => {
    const { spec, status } = draft;
    const key = `${draft.namespace}/${draft.owners[0]?.name ?? ''}`;
    const known = like.get(key);
    const shared: PodDraft = {
      ...draft,
      namespace: share(draft.namespace),
      labels: either(known?.labels, draft.labels),
      annotations: either(known?.annotations, draft.annotations),
      owners: either(known?.owners, draft.owners),
      spec: {
        ...spec,
        ...(spec.nodeName !== undefined && { nodeName: share(spec.nodeName) }),
        nodeSelector: either(known?.spec.nodeSelector, spec.nodeSelector),
        tolerations: either(known?.spec.tolerations, spec.tolerations),
        containers: spec.containers.map((container, at) => ({
          ...container,
          name: share(container.name),
          ports: either(known?.spec.containers[at]?.ports, container.ports),
        })),
        initContainers: either(known?.spec.initContainers, spec.initContainers),
      },
      status: {
        ...status,
        ...(status.hostIP !== undefined && { hostIP: share(status.hostIP) }),
      },
    };
    if (!known) like.set(key, shared);
    return shared;
  };
};
