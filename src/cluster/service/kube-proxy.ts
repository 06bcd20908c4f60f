/** kube-proxy's settings with its defaults (pkg/proxy/apis/config of Kubernetes v1.34). */
import type { Cidr } from '../../wire/packet.ts';
import type { KubeProxyConfig } from '../cluster.ts';

/** Of fwmark's bits, the one that asks for masquerading. */
const MASQUERADE_BIT = 14;

/** @param podCIDR what kubeadm would write as clusterCIDR */
export const settleKubeProxy = (podCIDR: Cidr): KubeProxyConfig => ({
  mode: 'iptables',
  clusterCIDR: [podCIDR],
  detectLocalMode: 'ClusterCIDR',
  detectLocal: { bridgeInterface: '', interfaceNamePrefix: '' },
  nodePortAddresses: [],
  masqueradeAll: false,
  masqueradeBit: MASQUERADE_BIT,
  localhostNodePorts: true,
  ipvs: { scheduler: 'rr', strictARP: false, excludeCIDRs: [] },
  tcpBeLiberal: false,
});
