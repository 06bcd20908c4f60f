/** Names that a rule admits, of which nobody knows offline which addresses they have. */
import type { Peer } from './party.ts';

const CLUSTER_DOMAIN = 'cluster.local';

/** A name that the cluster's own DNS answers with addresses of Pods, or a wildcard over such. */
const isClusterName = (name: string): boolean => {
  const plain = name.replace(/\.$/, '').replace(/^\*\./, '').toLowerCase();
  return (
    plain === CLUSTER_DOMAIN ||
    plain.endsWith(`.${CLUSTER_DOMAIN}`) ||
    (name.startsWith('*.') && CLUSTER_DOMAIN.endsWith(`.${plain}`))
  );
};

/** Some of the names may be those of Pods: records of Pods and of headless Services (NPEP-133). */
export const mayNamePods = (names: readonly string[]): boolean => names.some(isClusterName);

/** Whether one of the names may have the peer's address: `unknown` at best. */
export const namesMatch = (names: readonly string[], peer: Peer): false | 'unknown' =>
  peer.kind === 'pod' && !mayNamePods(names) ? false : 'unknown';
