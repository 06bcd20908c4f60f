/**
 * The /etc/resolv.conf that kubelet writes for a Pod (pkg/kubelet/network/dns/dns.go of Kubernetes
 * v1.31: GetPodDNS, generateSearchesForDNSClusterFirst, appendDNSConfig, formDNSConfigFitsLimits).
 *
 * The node's own /etc/resolv.conf is no part of any input. A file that begins with it says so in
 * `node`; where kubelet only adds the node's search domains to its own, they are taken to be none.
 */
import type { PodDns } from '../cluster.ts';

/** Kubernetes' default; a cluster made with another domain is not told apart. */
export const CLUSTER_DOMAIN = 'cluster.local';

/** pkg/apis/core/validation: MaxDNSNameservers, MaxDNSSearchPaths, MaxDNSSearchListChars. */
const MOST_NAMESERVERS = 3;
const MOST_SEARCHES = 32;
const MOST_SEARCH_CHARACTERS = 2048;
/** DNS1123SubdomainMaxLength. */
const LONGEST_DOMAIN = 253;

/** What resolvers without the option use (glibc, RES_DEFAULT). */
const USUAL_NDOTS = 1;
/** glibc's MAXNDOTS: RES_MAXNDOTS of resolv.h. */
const MOST_NDOTS = 15;

export interface ResolvConf {
  /** `Node`: no Pod's, the machine's own. */
  readonly policy: PodDns['policy'] | 'Node';
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  /** As they stand in the file: `ndots:5`. */
  readonly options: readonly string[];
  readonly ndots: number;
  /** It begins with what the node's file has, which no input shows. */
  readonly node: boolean;
}

export interface ResolverOwner {
  readonly namespace: string;
  readonly hostNetwork: boolean;
  readonly dns: PodDns;
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

const fitting = (searches: readonly string[]): string[] => {
  const kept = searches.slice(0, MOST_SEARCHES).filter(({ length }) => length <= LONGEST_DOMAIN);
  while (kept.join(' ').length > MOST_SEARCH_CHARACTERS) kept.pop();
  return kept;
};

/** Later options of a name take the place of earlier ones. */
const merged = (before: readonly string[], { options }: PodDns): string[] => {
  const values = new Map(
    before.map((option) => {
      const [name = '', value = ''] = option.split(/:(.*)/);
      return [name, value] as const;
    }),
  );
  for (const { name, value = '' } of options) values.set(name, value);
  return [...values].map(([name, value]) => (value === '' ? name : `${name}:${value}`));
};

const ndotsOf = (options: readonly string[]): number => {
  const text = options.findLast((option) => option.startsWith('ndots:'))?.slice('ndots:'.length);
  const number = text !== undefined && /^\d+$/.test(text) ? Number(text) : USUAL_NDOTS;
  return Math.min(number, MOST_NDOTS);
};

/** getPodDNSType: on its node's network, ClusterFirst means Default. */
const kindOf = ({ hostNetwork, dns }: ResolverOwner): 'cluster' | 'node' | 'none' => {
  switch (dns.policy) {
    case 'None':
      return 'none';
    case 'ClusterFirstWithHostNet':
      return 'cluster';
    case 'ClusterFirst':
      return hostNetwork ? 'node' : 'cluster';
    case 'Default':
      return 'node';
    default: {
      const never: never = dns.policy;
      return never;
    }
  }
};

/** @param clusterDns kubelet's `clusterDNS`: the addresses of the DNS Service */
export const resolvConfOf = (owner: ResolverOwner, clusterDns: readonly string[]): ResolvConf => {
  const { namespace, dns } = owner;
  const kind = kindOf(owner);
  const own =
    kind === 'cluster'
      ? {
          nameservers: clusterDns,
          searches: [`${namespace}.svc.${CLUSTER_DOMAIN}`, `svc.${CLUSTER_DOMAIN}`, CLUSTER_DOMAIN],
          options: ['ndots:5'],
        }
      : { nameservers: [], searches: [], options: [] };
  const options = merged(own.options, dns);
  return {
    policy: dns.policy,
    nameservers: unique([...own.nameservers, ...dns.nameservers]).slice(0, MOST_NAMESERVERS),
    searches: fitting(unique([...own.searches, ...dns.searches])),
    options,
    ndots: ndotsOf(options),
    node: kind === 'node',
  };
};

/** The file of a machine that is no Pod: nothing of it is known. */
export const NODE_RESOLV_CONF: ResolvConf = {
  policy: 'Node',
  nameservers: [],
  searches: [],
  options: [],
  ndots: USUAL_NDOTS,
  node: true,
};
