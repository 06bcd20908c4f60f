/** kube-proxy's settings with its defaults (pkg/proxy/apis/config of Kubernetes v1.34). */

import type { Cidr } from '../../wire/packet.ts';
import { parseSloppyCidr } from '../../wire/parse-ip.ts';
import type { KubeProxyConfig, Place } from '../cluster.ts';
import type { KubeProxyFields } from './kube-proxy-object.ts';

/** Of fwmark's bits, the one that asks for masquerading. */
const MASQUERADE_BIT = 14;

/** Fields of one input, and where they are. */
export interface KubeProxyLayer {
  readonly fields: KubeProxyFields;
  readonly place?: Place | undefined;
}

/** The first of each family, canonical. */
const perFamily = (texts: readonly string[]): string[] => {
  const found = new Map<4 | 6, string>();
  for (const text of texts) {
    const parsed = parseSloppyCidr(text.trim());
    if (parsed && !found.has(parsed.family)) found.set(parsed.family, parsed.cidr);
  }
  return [...found.values()];
};

const canonical = (texts: readonly string[]): string[] =>
  texts.map((text) => parseSloppyCidr(text)?.cidr ?? text);

/**
 * The settings of every node's kube-proxy: of several inputs the first that writes a field counts.
 * @param layers the strongest first
 * @param podCIDR what kubeadm writes as clusterCIDR
 */
export const settleKubeProxy = (
  podCIDR: Cidr,
  layers: readonly KubeProxyLayer[] = [],
): KubeProxyConfig => {
  const first = <Value>(
    pick: (fields: KubeProxyFields) => Value | undefined,
  ): Value | undefined => {
    for (const { fields } of layers) {
      const value = pick(fields);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const mode = first((fields) => fields.mode || undefined) ?? 'iptables';
  const section = mode === 'nftables' ? 'nftables' : 'iptables';
  const clusterCIDR = first((fields) => fields.clusterCIDR);
  const place = layers[0]?.place;
  return {
    mode,
    clusterCIDR: clusterCIDR === undefined ? [podCIDR] : perFamily(clusterCIDR.split(',')),
    detectLocalMode: first((fields) => fields.detectLocalMode || undefined) ?? 'ClusterCIDR',
    detectLocal: {
      bridgeInterface: first((fields) => fields.detectLocal?.bridgeInterface) ?? '',
      interfaceNamePrefix: first((fields) => fields.detectLocal?.interfaceNamePrefix) ?? '',
    },
    nodePortAddresses: canonical(first((fields) => fields.nodePortAddresses) ?? []),
    masqueradeAll: first((fields) => fields[section]?.masqueradeAll) ?? false,
    masqueradeBit: first((fields) => fields[section]?.masqueradeBit) ?? MASQUERADE_BIT,
    localhostNodePorts: first((fields) => fields.iptables?.localhostNodePorts) ?? true,
    ipvs: {
      scheduler: first((fields) => fields.ipvs?.scheduler || undefined) ?? 'rr',
      strictARP: first((fields) => fields.ipvs?.strictARP) ?? false,
      excludeCIDRs: canonical(first((fields) => fields.ipvs?.excludeCIDRs) ?? []),
    },
    tcpBeLiberal: first((fields) => fields.conntrack?.tcpBeLiberal) ?? false,
    ...(place && { place }),
  };
};
