/** Names of the chains of a Service port (kubernetes v1.34, pkg/proxy/iptables: portProtoHash). */
import { sha256Base32 } from '../digest.ts';
import type { ProxyEndpoint, ServicePortFacts } from './service-port.ts';

type Named = Pick<ServicePortFacts, 'name' | 'protocol'>;

/** The chains that a Service port may have, whichever of them it uses. */
export interface ServiceChains {
  /** All endpoints (policy Cluster). */
  readonly cluster: string;
  /** The node's own endpoints (policy Local). */
  readonly local: string;
  /** What comes to a node port, a VIP or an external IP. */
  readonly external: string;
  /** Source ranges. */
  readonly firewall: string;
}

export const serviceChains = ({ name, protocol }: Named): ServiceChains => {
  const hash = sha256Base32(`${name}${protocol}`, 16);
  return {
    cluster: `KUBE-SVC-${hash}`,
    local: `KUBE-SVL-${hash}`,
    external: `KUBE-EXT-${hash}`,
    firewall: `KUBE-FW-${hash}`,
  };
};

export const endpointChain = (
  { name, protocol }: Named,
  { text }: Pick<ProxyEndpoint, 'text'>,
): string => `KUBE-SEP-${sha256Base32(`${name}${protocol}${text}`, 16)}`;
