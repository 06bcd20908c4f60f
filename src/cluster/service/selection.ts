/** Which Pods each Service selects, without looking at every Pod for every Service. */
import type { PodDraft } from '../pod-draft.ts';
import { type Labels, matches } from '../selector.ts';
import type { ServiceObject } from './service-object.ts';

export interface Selection {
  /** Indexes of the Pods that a Service selects, in order. */
  podsOf(service: ServiceObject): readonly number[];
  /** Services that select the Pod with an index, by name. */
  servicesOf(pod: number): readonly ServiceObject[];
}

const NONE: readonly never[] = [];

const pairOf = (key: string, value: string): string => `${key}=${value}`;

/** Pairs of labels that Services of a namespace ask for, with the Pods that have them. */
const indexPods = (
  services: readonly ServiceObject[],
  pods: readonly Pick<PodDraft, 'namespace' | 'labels'>[],
): ReadonlyMap<string, ReadonlyMap<string, readonly number[]>> => {
  const byNamespace = new Map<string, Map<string, number[]>>();
  for (const { namespace, requirements, selector } of services) {
    if (requirements.length === 0) continue;
    const pairs = byNamespace.get(namespace) ?? new Map<string, number[]>();
    byNamespace.set(namespace, pairs);
    for (const key of Object.keys(selector)) pairs.set(pairOf(key, selector[key] ?? ''), []);
  }
  // Pods of one controller share their labels.
  const known = new Map<string, Map<Labels, readonly number[][]>>();
  for (const [index, { namespace, labels }] of pods.entries()) {
    const pairs = byNamespace.get(namespace);
    if (!pairs) continue;
    const lists = known.get(namespace) ?? new Map<Labels, readonly number[][]>();
    known.set(namespace, lists);
    const own =
      lists.get(labels) ??
      Object.keys(labels).flatMap((key) => {
        const list = pairs.get(pairOf(key, labels[key] ?? ''));
        return list ? [list] : [];
      });
    lists.set(labels, own);
    for (const list of own) list.push(index);
  }
  return byNamespace;
};

/**
 * Looks up what Services select: of the Pods that have the rarest of the labels, those that have
 * all of them.
 * @param services in the order in which `servicesOf` gives them
 */
export const selectPods = (
  services: readonly ServiceObject[],
  pods: readonly Pick<PodDraft, 'namespace' | 'labels'>[],
): Selection => {
  const index = indexPods(services, pods);
  const selected = new Map<ServiceObject, readonly number[]>();
  const selecting = new Map<number, ServiceObject[]>();
  for (const service of services) {
    const { namespace, requirements, selector } = service;
    const pairs = index.get(namespace);
    if (requirements.length === 0 || !pairs) continue;
    let rarest: readonly number[] | undefined;
    for (const key of Object.keys(selector)) {
      const list = pairs.get(pairOf(key, selector[key] ?? '')) ?? NONE;
      if (!rarest || list.length < rarest.length) rarest = list;
    }
    const found = (rarest ?? NONE).filter((at) => {
      const pod = pods[at];
      return pod !== undefined && matches(requirements, pod.labels);
    });
    selected.set(service, found);
    for (const at of found) {
      const list = selecting.get(at);
      if (list) list.push(service);
      else selecting.set(at, [service]);
    }
  }
  return {
    podsOf: (service) => selected.get(service) ?? NONE,
    servicesOf: (pod) => selecting.get(pod) ?? NONE,
  };
};
