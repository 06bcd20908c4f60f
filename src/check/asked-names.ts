/** What of a cluster decides how a name is looked up: the Services that its labels may stand for. */
import type { Cluster, Service } from '../cluster/cluster.ts';
import { dnsServiceOf } from '../cluster/dns/cluster-dns.ts';
import type { Resolution } from '../trace/trace.ts';

/** Labels of every name that was asked for or came back, in lower case. */
const labelsOf = ({ name, queries }: Resolution): ReadonlySet<string> => {
  const names = queries.flatMap(({ name: asked, answers, forwarded }) => [
    asked,
    ...(forwarded === undefined ? [] : [forwarded]),
    ...answers.flatMap((record) => ('target' in record ? [record.target] : [])),
  ]);
  return new Set([name, ...names].flatMap((one) => one.toLowerCase().split('.')));
};

/** Addresses that came back; of a reverse name, those that it asks about. */
const addressesOf = ({ name, addresses }: Resolution): ReadonlySet<string> =>
  new Set([...addresses, name.split('.').slice(0, 4).reverse().join('.')]);

/** Namespaces that a name may mean: CoreDNS tells those that there are from others. */
export const namespacesAsked = ({ namespaces }: Cluster, resolution: Resolution): string[] => {
  const labels = labelsOf(resolution);
  return namespaces.filter((name) => name !== 'default' && labels.has(name));
};

/** The DNS Service, Services that a name may mean in whatever namespace, and those that it led to. */
export const servicesAsked = (cluster: Cluster, resolution: Resolution): Service[] => {
  const labels = labelsOf(resolution);
  const addresses = addressesOf(resolution);
  const dns = dnsServiceOf(cluster);
  return cluster.services.filter(
    (service) =>
      service === dns ||
      labels.has(service.name.toLowerCase()) ||
      service.clusterIPs.some(({ ip }) => addresses.has(ip)) ||
      service.slices.some(({ endpoints }) =>
        endpoints.some(({ address }) => addresses.has(address)),
      ),
  );
};
