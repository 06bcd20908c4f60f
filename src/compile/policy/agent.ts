/**
 * An agent beside the network plugin that enforces policies on one node by rules of nf_tables, by
 * the addresses of the node's own Pods. It stands for `spec.policyEngine: nftables`: no program
 * that is in use writes just this table.
 */
import type { PolicyDirection } from '../../cluster/policy/policy.ts';
import {
  nftAddChain,
  nftAddElement,
  nftAddRule,
  nftAddSet,
  nftLoad,
} from '../../kernel/netfilter/nft-edit.ts';
import {
  type NftBase,
  type NftStatement,
  type NftTable,
  nftTable,
} from '../../kernel/netfilter/nft-table.ts';
import { edited } from '../../kernel/netfilter/ruleset.ts';
import type { Origin, OriginWhy } from '../../kernel/origin.ts';
import type { Family } from '../kube-proxy/service-port.ts';
import type { Machine, RunningPod } from '../machine.ts';
import {
  addressType,
  concat,
  daddr,
  inSet,
  isLocalType,
  matching,
  saddr,
  vmap,
} from '../nft-rule.ts';
import { forPod } from '../object-origin.ts';
import { addressOf, populationOf } from './population.ts';
import { type Profile, profileOf } from './profile.ts';
import { writeProfile } from './profile-chain.ts';
import type { PolicyNode } from './rule-statements.ts';

export const POLICY_TABLE = 'k8snet-policy';

const HOOKS = ['forward', 'input', 'output'] as const;
type PolicyHook = (typeof HOOKS)[number];

/** `filter - 1`: before the rules of everybody else. */
const PRIORITY = -1;
/**
 * Behind IPVS at LOCAL_IN (NF_IP_PRI_NAT_SRC - 2 and - 1; ip_vs_ops4, net/netfilter/ipvs/ip_vs_core.c),
 * which by then has taken what it sends on, and has put a server of this machine in the Service's place.
 */
const BEHIND_IPVS = 100;

/** IPVS sends on what it takes at LOCAL_IN through LOCAL_OUT: the packets of others pass it too. */
const hasIpvs = ({ cluster: { kubeProxy } }: Machine): boolean => kubeProxy.mode === 'ipvs';

const ACCEPT: NftStatement = { kind: 'verdict', verdict: { kind: 'accept' } };

const ANSWERS: NftStatement = matching(
  { kind: 'ct', key: 'state' },
  { kind: 'flags', names: ['established', 'related'] },
);

const origin = (why: OriginWhy): Origin => ({ by: 'policy', why });

/** The table as the agent makes it when it starts: base chains have their place among others from then on. */
const baseTable = (ipvs: boolean): NftTable => {
  const table = nftTable('inet', POLICY_TABLE, 'policies of the Pods of this node');
  for (const hook of HOOKS) {
    const priority = ipvs && hook === 'input' ? BEHIND_IPVS : PRIORITY;
    const base: NftBase = { type: 'filter', hook, priority, policy: 'accept' };
    nftAddChain(table, { name: hook, base });
    nftAddRule(table, hook, {
      statements: [ANSWERS, ACCEPT],
      origin: origin('policy-established'),
    });
  }
  nftAddRule(table, 'output', {
    statements: [...(ipvs ? [isLocalType('saddr')] : []), ACCEPT],
    comment: 'a node always reaches its own Pods',
    origin: origin('policy-own-node'),
  });
  return table;
};

const isOn = ({ cluster: { policyEngine } }: Machine): boolean => policyEngine === 'nftables';

/** Once kube-proxy and the network plugin run. */
export const startPolicyAgent = (machine: Machine): void => {
  if (isOn(machine)) nftLoad(machine.netns.netfilter, baseTable(hasIpvs(machine)));
};

/** A Pod of the node that some policy touches. */
interface Touched {
  readonly pod: RunningPod;
  readonly profiles: Readonly<Record<PolicyDirection, Profile | undefined>>;
}

const touchedPods = ({ cluster, pods }: Machine): Touched[] => {
  const population = populationOf(cluster);
  return pods.flatMap((pod) => {
    const group = population.groupOf(pod);
    if (!group) return [];
    const ingress = profileOf(population, group, 'ingress');
    const egress = profileOf(population, group, 'egress');
    return ingress || egress ? [{ pod, profiles: { ingress, egress } }] : [];
  });
};

/** The hooks at which a side is judged: each new packet of a Pod passes one of them, and one only. */
const hooksOf = (direction: PolicyDirection, ipvs: boolean): readonly PolicyHook[] => [
  'forward',
  ...(direction === 'egress' ? (['input'] as const) : []),
  ...(ipvs ? (['output'] as const) : []),
];

const mapName = (direction: PolicyDirection, family: Family): string => `${direction}-ip${family}`;

/** Leads the node's own Pods to the chains of their policies. */
const dispatch = (
  { table }: PolicyNode,
  direction: PolicyDirection,
  family: Family,
  leads: readonly { readonly pod: RunningPod; readonly chain: string }[],
  hooks: readonly PolicyHook[],
): void => {
  const name = mapName(direction, family);
  const found = leads.flatMap(({ pod, chain }) => {
    const address = addressOf(pod, family);
    return address === undefined ? [] : [{ pod, chain, address }];
  });
  if (found.length === 0) return;
  nftAddSet(table, { kind: 'map', name, key: [addressType(family)], data: 'verdict', flags: [] });
  for (const { pod, chain, address } of found)
    nftAddElement(table, name, {
      key: [address],
      verdict: { kind: 'jump', chain },
      comment: `${pod.namespace}/${pod.name}`.slice(0, 128),
      origin: forPod('policy', pod)('policy-dispatch'),
    });
  const by = direction === 'egress' ? saddr(family) : daddr(family);
  for (const hook of hooks)
    nftAddRule(table, hook, {
      statements: [vmap(by, name)],
      origin: origin('policy-dispatch'),
    });
};

/** A Pod cannot shut itself out: only through a Service does it meet itself here. */
const acceptSelf = (
  { table }: PolicyNode,
  family: Family,
  pods: readonly RunningPod[],
  hooks: readonly PolicyHook[],
): void => {
  const found = pods.flatMap((pod) => {
    const address = addressOf(pod, family);
    return address === undefined ? [] : [{ pod, address }];
  });
  if (found.length === 0) return;
  const type = addressType(family);
  const name = `self-ip${family}`;
  nftAddSet(table, { kind: 'set', name, key: [type, type], flags: [] });
  for (const { pod, address } of found)
    nftAddElement(table, name, {
      key: [address, address],
      origin: forPod('policy', pod)('policy-self'),
    });
  for (const hook of hooks)
    nftAddRule(table, hook, {
      statements: [matching(concat(saddr(family), daddr(family)), inSet(name)), ACCEPT],
      origin: origin('policy-self'),
    });
};

/** A full sync, once the node's Pods are there. */
export const syncPolicyAgent = (machine: Machine): void => {
  if (!isOn(machine)) return;
  const { netfilter } = machine.netns;
  const table = netfilter.nft?.find(
    ({ family, name }) => family === 'inet' && name === POLICY_TABLE,
  );
  if (!table) throw new TypeError('the agent of policies has not been started');
  const touched = touchedPods(machine);
  const pods = touched.map(({ pod }) => pod);
  const families = ([4, 6] as const).filter((family) =>
    pods.some((pod) => addressOf(pod, family) !== undefined),
  );
  const node: PolicyNode = { table, population: populationOf(machine.cluster), families, pods };
  const leads = {
    egress: chainsOf(node, touched, 'egress'),
    ingress: chainsOf(node, touched, 'ingress'),
  };
  const hooks = {
    egress: hooksOf('egress', hasIpvs(machine)),
    ingress: hooksOf('ingress', hasIpvs(machine)),
  };
  for (const family of families) {
    acceptSelf(node, family, pods, hooks.ingress);
    dispatch(node, 'egress', family, leads.egress, hooks.egress);
    dispatch(node, 'ingress', family, leads.ingress, hooks.ingress);
  }
  edited(netfilter);
};

const chainsOf = (
  node: PolicyNode,
  touched: readonly Touched[],
  direction: PolicyDirection,
): { readonly pod: RunningPod; readonly chain: string }[] =>
  touched.flatMap(({ pod, profiles }) => {
    const profile = profiles[direction];
    return profile ? [{ pod, chain: writeProfile(node, profile) }] : [];
  });
