/** Names of chains and sets in nftables mode (kubernetes v1.34.1, pkg/proxy/nftables: hashAndTruncate). */
import { sha256Base32 } from '../digest.ts';
import type { ProxyEndpoint, ServicePortFacts } from './service-port.ts';

/** chainNameBaseLengthMax: what a name has room for behind its prefix. */
const LONGEST = 240;

const hashAndTruncate = (text: string): string => {
  const name = `${sha256Base32(text, 8)}-${text}`;
  return name.length > LONGEST ? `${name.slice(0, LONGEST - 3)}...` : name;
};

const baseText = ({ service, port, protocol }: ServicePortFacts): string =>
  `${service.namespace}/${service.name}/${protocol}/${port.name ?? ''}`;

/** The chains that a Service port may have, whichever of them it uses. */
export interface NftServiceChains {
  /** All endpoints (policy Cluster). */
  readonly cluster: string;
  /** The node's own endpoints (policy Local). */
  readonly local: string;
  /** What comes to a node port, a VIP or an external IP. */
  readonly external: string;
  /** Source ranges. */
  readonly firewall: string;
}

export const nftServiceChains = (facts: ServicePortFacts): NftServiceChains => {
  const base = hashAndTruncate(baseText(facts));
  return {
    cluster: `service-${base}`,
    local: `local-${base}`,
    external: `external-${base}`,
    firewall: `firewall-${base}`,
  };
};

/** The chain of an endpoint, and the set of clients that stay with it. */
export const nftEndpointNames = (
  facts: ServicePortFacts,
  { ip, port }: Pick<ProxyEndpoint, 'ip' | 'port'>,
): { readonly chain: string; readonly affinity: string } => {
  const base = hashAndTruncate(`${baseText(facts)}__${ip.replaceAll(':', '.')}/${port}`);
  return { chain: `endpoint-${base}`, affinity: `affinity-${base}` };
};
