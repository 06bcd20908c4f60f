/** What a Pod belongs to that stays when it is rolled out anew, and where such Pods were before. */

import type { Cluster, ObjectRef } from './cluster.ts';
import { compareText } from './order.ts';

interface Owned {
  readonly namespace: string;
  readonly name: string;
  readonly owners: readonly ObjectRef[];
  readonly labels: Readonly<Record<string, string>>;
}

const TEMPLATE_HASH = 'pod-template-hash';
/** A CronJob names its Jobs after the minute that they were due. */
const DUE = /-\d{8,10}$/;

/**
 * `shop/web[Deployment]`: the controller behind a Pod that stays. A dump of Pods alone shows the
 * ReplicaSet only, whose name is its Deployment's with the hash of the template.
 * @returns undefined: nobody made it
 */
export const topController = ({
  namespace,
  owners,
  labels,
}: Omit<Owned, 'name'>): string | undefined => {
  const top = owners.at(-1);
  if (!top) return undefined;
  const { kind, name } = top;
  const hash = labels[TEMPLATE_HASH];
  if (kind === 'ReplicaSet' && hash !== undefined && name.endsWith(`-${hash}`))
    return `${namespace}/${name.slice(0, -hash.length - 1)}[Deployment]`;
  if (kind === 'Job' && DUE.test(name)) return `${namespace}/${name.replace(DUE, '')}[CronJob]`;
  return `${namespace}/${name}[${kind}]`;
};

const keyOf = (pod: Owned): string => topController(pod) ?? `${pod.namespace}/${pod.name}`;

/** Gives the nodes of the Pods that a controller had, one for each time that it is asked. */
export type PlacedBefore = (pod: Owned) => string | undefined;

/**
 * Where we have placed the Pods of another state of a cluster. Pods that are there in both stay, as
 * they do in a real one; else an object that is added would move others about.
 * @returns what may be asked for the Pods of one other cluster
 */
export const placedBefore = ({ pods }: Pick<Cluster, 'pods'>): PlacedBefore => {
  const nodes = new Map<string, string[]>();
  const invented = pods.filter(({ node, invented: made }) => node !== undefined && made.node);
  for (const pod of invented.toSorted(
    (a, b) => a.ordinal - b.ordinal || compareText(a.name, b.name),
  )) {
    const key = keyOf(pod);
    const known = nodes.get(key);
    if (known) known.push(pod.node as string);
    else nodes.set(key, [pod.node as string]);
  }
  return (pod) => nodes.get(keyOf(pod))?.shift();
};
