/** The sets of kube-proxy in IPVS mode (kubernetes v1.34.0, pkg/proxy/ipvs/ipset.go, ipset/ipset.go). */
import {
  type IpSet,
  type IpSets,
  type IpSetType,
  ipsetAdd,
  ipsetCreate,
} from '../../kernel/netfilter/ipset.ts';
import type { Origin } from '../../kernel/origin.ts';
import type { Family } from './service-port.ts';

/** ipsetInfo: type and comment of each set. */
const SETS = {
  'KUBE-LOOP-BACK': [
    'hash:ip,port,ip',
    'Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose',
  ],
  'KUBE-CLUSTER-IP': [
    'hash:ip,port',
    'Kubernetes service cluster ip + port for masquerade purpose',
  ],
  'KUBE-EXTERNAL-IP': [
    'hash:ip,port',
    'Kubernetes service external ip + port for masquerade and filter purpose',
  ],
  'KUBE-EXTERNAL-IP-LOCAL': [
    'hash:ip,port',
    'Kubernetes service external ip + port with externalTrafficPolicy=local',
  ],
  'KUBE-LOAD-BALANCER': ['hash:ip,port', 'Kubernetes service lb portal'],
  'KUBE-LOAD-BALANCER-FW': [
    'hash:ip,port',
    'Kubernetes service load balancer ip + port for load balancer with sourceRange',
  ],
  'KUBE-LOAD-BALANCER-LOCAL': [
    'hash:ip,port',
    'Kubernetes service load balancer ip + port with externalTrafficPolicy=local',
  ],
  'KUBE-LOAD-BALANCER-SOURCE-IP': [
    'hash:ip,port,ip',
    'Kubernetes service load balancer ip + port + source IP for packet filter purpose',
  ],
  'KUBE-LOAD-BALANCER-SOURCE-CIDR': [
    'hash:ip,port,net',
    'Kubernetes service load balancer ip + port + source cidr for packet filter purpose',
  ],
  'KUBE-NODE-PORT-TCP': ['bitmap:port', 'Kubernetes nodeport TCP port for masquerade purpose'],
  'KUBE-NODE-PORT-LOCAL-TCP': [
    'bitmap:port',
    'Kubernetes nodeport TCP port with externalTrafficPolicy=local',
  ],
  'KUBE-NODE-PORT-UDP': ['bitmap:port', 'Kubernetes nodeport UDP port for masquerade purpose'],
  'KUBE-NODE-PORT-LOCAL-UDP': [
    'bitmap:port',
    'Kubernetes nodeport UDP port with externalTrafficPolicy=local',
  ],
  'KUBE-NODE-PORT-SCTP-HASH': [
    'hash:ip,port',
    "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'",
  ],
  'KUBE-NODE-PORT-LOCAL-SCTP-HASH': [
    'hash:ip,port',
    "Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type 'hash ip:port'",
  ],
  'KUBE-HEALTH-CHECK-NODE-PORT': ['bitmap:port', 'Kubernetes health check node port'],
  'KUBE-IPVS-IPS': ['hash:ip', 'Addresses on the ipvs interface'],
} as const satisfies Record<string, readonly [IpSetType, string]>;

export type SetName = keyof typeof SETS;

const NAMES = Object.keys(SETS) as SetName[];

/** What the rules say that the set is for. */
export const commentOf = (name: SetName): string => SETS[name][1];

const LONGEST = 31;

/** NewIPSet: sets of IPv6 have names of their own, cut where ipset takes no more. */
export const setName = (name: SetName, family: Family): string =>
  family === 4 ? name : name.replace('KUBE-', 'KUBE-6-').slice(0, LONGEST);

/** The sets of one family while they are filled. */
export interface ProxySets {
  readonly family: Family;
  /** Adds a member; one that is there already stays. */
  add(name: SetName, member: string, origin: Origin): void;
  isEmpty(name: SetName): boolean;
}

/** Makes all sets of a family, empty. */
export const createProxySets = (sets: IpSets, family: Family, origin: Origin): ProxySets => {
  const made = new Map<SetName, IpSet>(
    NAMES.map((name) => [
      name,
      ipsetCreate(
        sets,
        {
          name: setName(name, family),
          type: SETS[name][0],
          family: family === 4 ? 'inet' : 'inet6',
        },
        origin,
      ),
    ]),
  );
  const of = (name: SetName): IpSet => {
    const set = made.get(name);
    if (!set) throw new RangeError(`no set ${name}`);
    return set;
  };
  return {
    family,
    add: (name, member, by) => {
      const set = of(name);
      if (!set.members.has(member)) ipsetAdd(set, member, { origin: by });
    },
    isEmpty: (name) => of(name).members.size === 0,
  };
};
