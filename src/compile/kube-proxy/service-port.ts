/**
 * Service ports as kube-proxy sees them, for one IP family (kubernetes v1.34: pkg/proxy,
 * serviceport.go, servicechangetracker.go, endpointslicecache.go). Nothing here depends on a node:
 * it is worked out once for a cluster, and `node-service-port.ts` adds what one node makes of it.
 */
import type { EndpointSlice, Service, ServicePort, SliceEndpoint } from '../../cluster/cluster.ts';

export type Family = 4 | 6;

/** One address and port behind a Service port. */
export interface ProxyEndpoint {
  /** `ip:port`, or `[ip]:port`: what it is sorted, compared and printed by. */
  readonly text: string;
  readonly ip: string;
  readonly port: number;
  readonly slice: EndpointSlice;
  readonly of: SliceEndpoint;
}

/** One port of one Service in one family: the unit that kube-proxy works with. */
export interface ServicePortFacts {
  readonly service: Service;
  readonly port: ServicePort;
  /** `ns/svc:port`, or `ns/svc` where the port has no name; in names and comments word for word. */
  readonly name: string;
  readonly protocol: ServicePort['protocol'];
  readonly clusterIP: string;
  readonly externalIPs: readonly string[];
  /** Addresses of load balancers that send packets on as they are (`ipMode: VIP`). */
  readonly vips: readonly string[];
  /** Empty: everybody may use the VIPs. */
  readonly sourceRanges: readonly string[];
  readonly nodePort: number | undefined;
  readonly healthCheckNodePort: number | undefined;
  readonly externalLocal: boolean;
  readonly internalLocal: boolean;
  /** ClientIP affinity, in seconds. */
  readonly affinitySeconds: number | undefined;
  /** Has a node port, a VIP or an external IP. */
  readonly externallyAccessible: boolean;
  /** Some of its traffic may go to endpoints of every node. */
  readonly usesCluster: boolean;
  /** Some of its traffic may go to endpoints of the node alone. */
  readonly usesLocal: boolean;
  /** Every endpoint once, ready or not, in the order of their texts. */
  readonly endpoints: readonly ProxyEndpoint[];
  /** Those that take new connections. */
  readonly ready: readonly ProxyEndpoint[];
  /** Those that end, and still serve: used where nobody is ready. */
  readonly ending: readonly ProxyEndpoint[];
  /** Some ready endpoint names zones or nodes that it is meant for. */
  readonly hinted: boolean;
  /** Further entries of an `ip:port` that several slices have; absent: none. */
  readonly twins?: ReadonlyMap<string, readonly ProxyEndpoint[]>;
}

const EVERYBODY: readonly string[] = ['0.0.0.0/0', '::/0'];

export const familyOf = (address: string): Family => (address.includes(':') ? 6 : 4);

const ofFamily = (addresses: readonly string[], family: Family): string[] =>
  addresses.filter((address) => familyOf(address) === family);

/** `ip:port` as Go's net.JoinHostPort writes it. */
export const joinHostPort = (ip: string, port: number): string =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;

const byText = (a: ProxyEndpoint, b: ProxyEndpoint): number =>
  a.text < b.text ? -1 : a.text > b.text ? 1 : 0;

interface Gathered {
  readonly endpoints: ProxyEndpoint[];
  readonly twins: Map<string, ProxyEndpoint[]>;
}

/** endpointInfoByServicePort: a slice's port counts where name and protocol are the Service port's. */
const gather = ({ slices }: Service, wanted: ServicePort, family: Family): Gathered => {
  const found = new Map<string, ProxyEndpoint>();
  const twins = new Map<string, ProxyEndpoint[]>();
  for (const slice of slices) {
    if (slice.family !== family) continue;
    for (const { name = '', port, protocol } of slice.ports) {
      if (port === undefined || port === 0) continue;
      if (name !== (wanted.name ?? '') || protocol !== wanted.protocol) continue;
      for (const of of slice.endpoints) {
        const ip = of.address;
        const text = joinHostPort(ip, port);
        const endpoint: ProxyEndpoint = { text, ip, port, slice, of };
        const known = found.get(text);
        if (!known) found.set(text, endpoint);
        else twins.set(text, [...(twins.get(text) ?? []), endpoint]);
      }
    }
  }
  return { endpoints: [...found.values()].sort(byText), twins };
};

const isReady = ({ of }: ProxyEndpoint): boolean => of.ready;
const isEnding = ({ of }: ProxyEndpoint): boolean => !of.ready && of.serving && of.terminating;

/** The list itself where all of it stays: most Services have nothing else. */
const some = (
  endpoints: readonly ProxyEndpoint[],
  wanted: (endpoint: ProxyEndpoint) => boolean,
): readonly ProxyEndpoint[] => (endpoints.every(wanted) ? endpoints : endpoints.filter(wanted));

/** What of the endpoints does not depend on a node. */
export const sortOut = (
  endpoints: readonly ProxyEndpoint[],
): Pick<ServicePortFacts, 'ready' | 'ending' | 'hinted'> => {
  const ready = some(endpoints, isReady);
  return {
    ready,
    ending: ready === endpoints ? [] : endpoints.filter(isEnding),
    hinted: ready.some(({ of: { hints } }) => hints && hints.zones.length + hints.nodes.length > 0),
  };
};

const isExternal = ({ type, externalIPs }: Service): boolean =>
  type === 'NodePort' || type === 'LoadBalancer' || externalIPs.length > 0;

const factsOf = (
  service: Service,
  port: ServicePort,
  family: Family,
  clusterIP: string,
): ServicePortFacts => {
  const title = `${service.namespace}/${service.name}`;
  const externalIPs = ofFamily(service.externalIPs, family);
  const vips = ofFamily(
    service.ingress.flatMap(({ ip, ipMode }) => (ip !== undefined && ipMode === 'VIP' ? [ip] : [])),
    family,
  );
  const ranges = ofFamily(service.sourceRanges, family);
  const externalLocal = service.externalTrafficPolicy === 'Local' && isExternal(service);
  const internalLocal = service.internalTrafficPolicy === 'Local';
  const externallyAccessible =
    (port.nodePort ?? 0) !== 0 || vips.length > 0 || externalIPs.length > 0;
  const checked = service.type === 'LoadBalancer' && externalLocal;
  const { endpoints, twins } = gather(service, port, family);
  return {
    service,
    port,
    name: port.name === undefined || port.name === '' ? title : `${title}:${port.name}`,
    protocol: port.protocol,
    clusterIP,
    externalIPs,
    vips,
    sourceRanges: ranges.some((range) => EVERYBODY.includes(range)) ? [] : ranges,
    nodePort: port.nodePort === 0 ? undefined : port.nodePort,
    healthCheckNodePort: checked ? service.healthCheckNodePort : undefined,
    externalLocal,
    internalLocal,
    affinitySeconds: service.affinitySeconds,
    externallyAccessible,
    usesCluster: !internalLocal || externallyAccessible,
    usesLocal: internalLocal || (externalLocal && externallyAccessible),
    endpoints,
    ...sortOut(endpoints),
    ...(twins.size > 0 && { twins }),
  };
};

const makeFacts = (services: readonly Service[], family: Family): ServicePortFacts[] =>
  services.flatMap((service) => {
    if (service.type === 'ExternalName' || service.headless) return [];
    const own = service.clusterIPs.find((address) => address.family === family);
    return own ? service.ports.map((port) => factsOf(service, port, family, own.ip)) : [];
  });

const known = new WeakMap<readonly Service[], Map<Family, readonly ServicePortFacts[]>>();

/**
 * Every Service port that has a ClusterIP of the family, in the order of the Services; ExternalName
 * and headless Services have none. Worked out once for each list.
 */
export const servicePorts = (
  services: readonly Service[],
  family: Family,
): readonly ServicePortFacts[] => {
  let families = known.get(services);
  if (!families) {
    families = new Map();
    known.set(services, families);
  }
  const facts = families.get(family) ?? makeFacts(services, family);
  families.set(family, facts);
  return facts;
};
