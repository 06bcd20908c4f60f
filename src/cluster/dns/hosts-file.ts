/**
 * The /etc/hosts that kubelet writes for a Pod (pkg/kubelet/kubelet_pods.go of Kubernetes v1.31:
 * managedHostsFileContent, hostsEntriesFromHostAliases), which resolvers read before they ask.
 */
import { isIpv4 } from '../../wire/ip.ts';
import type { Pod } from '../cluster.ts';
import { CLUSTER_DOMAIN } from './resolv-conf.ts';

export interface HostsEntry {
  readonly ip: string;
  readonly names: readonly string[];
}

/** What a Pod is called in a headless Service's domain. */
interface Called {
  readonly hostname?: string;
  readonly subdomain?: string;
}

/** On its node's network a Pod has a copy of the node's file, of which localhost alone is known. */
export const hostsOf = (
  pod: Pick<Pod, 'name' | 'namespace' | 'ip' | 'hostNetwork' | 'dns'> & Called,
): HostsEntry[] => {
  const { name, namespace, ip, hostNetwork, hostname = name, subdomain, dns } = pod;
  const domain = subdomain === undefined ? undefined : `${subdomain}.${namespace}.svc`;
  const own =
    ip === undefined || hostNetwork
      ? []
      : [
          {
            ip,
            names:
              domain === undefined
                ? [hostname]
                : [`${hostname}.${domain}.${CLUSTER_DOMAIN}`, hostname],
          },
        ];
  return [
    { ip: '127.0.0.1', names: ['localhost'] },
    ...own,
    ...(dns?.hostAliases ?? []).map(({ ip: alias, hostnames }) => ({
      ip: alias,
      names: hostnames,
    })),
  ];
};

/** The first line with the name and an IPv4 address (nss files). */
export const inHosts = (entries: readonly HostsEntry[], name: string): HostsEntry | undefined => {
  const wanted = name.replace(/\.$/, '').toLowerCase();
  return entries.find(
    ({ ip, names }) => isIpv4(ip) && names.some((one) => one.toLowerCase() === wanted),
  );
};
