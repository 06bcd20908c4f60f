/** Which CNI plugin a cluster's own objects show. */
import { isIpv4Cidr, isUnicastCidr } from '../wire/ip.ts';
import type { Cidr } from '../wire/packet.ts';
import type { Place } from './cluster.ts';
import { type Field, fieldAt, textOf, warn } from './field.ts';
import { isObject, type Json, valueAt } from './kube-object.ts';

/** What gave the plugin away, and what it is called. */
export interface PluginSign {
  readonly plugin: string;
  readonly place: Place;
  /** flannel's net-conf.json. */
  readonly flannel?: {
    readonly network?: Cidr;
    readonly backend?: string;
    readonly config: Readonly<Record<string, unknown>>;
  };
}

/** Names of the agents that plugins run on every node, and of their configuration. */
const AGENTS: ReadonlyMap<string, string> = new Map([
  ['kube-flannel', 'flannel'],
  ['kube-flannel-ds', 'flannel'],
  ['kube-flannel-cfg', 'flannel'],
  ['calico-node', 'Calico'],
  ['calico-config', 'Calico'],
  ['canal', 'Canal'],
  ['canal-config', 'Canal'],
  ['cilium', 'Cilium'],
  ['cilium-config', 'Cilium'],
  ['weave-net', 'Weave Net'],
  ['aws-node', 'AWS VPC CNI'],
  ['amazon-vpc-cni', 'AWS VPC CNI'],
  ['azure-cns', 'Azure CNI'],
  ['kindnet', 'kindnet'],
  ['antrea-agent', 'Antrea'],
  ['kube-router', 'kube-router'],
  ['kube-ovn-cni', 'Kube-OVN'],
  ['ovnkube-node', 'OVN-Kubernetes'],
]);

/** Prefixes of annotation keys that plugins write on Pods and Nodes. */
const ANNOTATIONS: readonly (readonly [string, string])[] = [
  ['cni.projectcalico.org/', 'Calico'],
  ['projectcalico.org/', 'Calico'],
  ['network.cilium.io/', 'Cilium'],
  ['io.cilium.', 'Cilium'],
  ['flannel.alpha.coreos.com/', 'flannel'],
  ['ovn.kubernetes.io/', 'Kube-OVN'],
  ['k8s.ovn.org/', 'OVN-Kubernetes'],
  ['node.antrea.io/', 'Antrea'],
];

/** The plugin that annotations of these keys belong to. */
export const pluginOfAnnotations = (keys: readonly string[]): string | undefined => {
  for (const [prefix, plugin] of ANNOTATIONS) {
    if (keys.some((key) => key.startsWith(prefix))) return plugin;
  }
  return undefined;
};

export const pluginOfName = (name: string): string | undefined => AGENTS.get(name);

/**
 * Those that enforce NetworkPolicies as they are installed. Others need something beside them:
 * flannel nothing of its own, AWS VPC CNI and Azure CNI an agent that is off unless asked for.
 */
const ENFORCING: ReadonlySet<string> = new Set([
  'Calico',
  'Canal',
  'Cilium',
  'Weave Net',
  'kindnet',
  'Antrea',
  'kube-router',
  'Kube-OVN',
  'OVN-Kubernetes',
]);

export const enforcesPolicies = ({ plugin }: PluginSign): boolean => ENFORCING.has(plugin);

const parseJson = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
};

/** net-conf.json of ConfigMap kube-flannel-cfg: the range and the backend (flannel, pkg/subnet). */
const readNetConf = (object: Field): PluginSign['flannel'] => {
  const field = fieldAt(object, 'data', 'net-conf.json');
  const text = textOf(field);
  if (text === undefined) return undefined;
  const config = parseJson(text);
  if (!isObject(config)) {
    warn(field, 'bad-json', 'is not a JSON object; the backend is taken to be vxlan');
    return undefined;
  }
  const network = valueAt(config, ['Network']);
  const backend = valueAt(config, ['Backend', 'Type']);
  if (typeof network === 'string' && isIpv4Cidr(network) && !isUnicastCidr(network)) {
    warn(field, 'bad-cidr', `has Network ${network}, which no Pods can be in; it is left out`);
    const { Network: _, ...rest } = config;
    return { ...(typeof backend === 'string' && { backend }), config: rest };
  }
  return {
    ...(typeof network === 'string' && isIpv4Cidr(network) && { network }),
    ...(typeof backend === 'string' && { backend }),
    config,
  };
};

/** A DaemonSet or a ConfigMap that a plugin's manifest brings. */
export const signOfObject = (object: Field): PluginSign | undefined => {
  const plugin = pluginOfName(textOf(fieldAt(object, 'metadata', 'name')) ?? '');
  if (plugin === undefined) return undefined;
  const flannel = plugin === 'flannel' ? readNetConf(object) : undefined;
  return { plugin, place: object.object.place([]), ...(flannel && { flannel }) };
};
