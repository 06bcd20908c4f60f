/** Services that can never work, and Services that are in each other's way. */
import { type Pod, placeText, type Service } from '../cluster.ts';
import { type Spot, warn } from '../field.ts';
import type { Path } from '../kube-object.ts';
import { didYouMean, nearest } from '../nearest.ts';
import type { Selection } from './selection.ts';
import type { PortObject, ServiceObject } from './service-object.ts';

const below = ({ object, path, report, title }: Spot, ...more: Path): Spot => ({
  object,
  path: [...path, ...more],
  report,
  title,
});

const nameOf = ({ namespace, name }: ServiceObject): string => `${namespace}/${name}`;

/** Names of the ports of Pods, of a protocol. */
const portNames = (pods: readonly Pod[], protocol: string): ReadonlySet<string> =>
  new Set(
    pods.flatMap(({ containers }) =>
      containers.flatMap(({ ports }) =>
        ports.flatMap((port) => (port.protocol === protocol && port.name ? [port.name] : [])),
      ),
    ),
  );

/** Enough to look for names in: the Pods of one controller have the same. */
const MOST_PODS = 50;

const reportPort = (
  { field }: ServiceObject,
  { at, name, protocol, targetPort }: PortObject,
  { slices }: Service,
  pods: readonly Pod[],
): void => {
  const served = slices.some(
    ({ ports, endpoints }) =>
      endpoints.length > 0 &&
      ports.some((port) => port.name === name && port.protocol === protocol),
  );
  if (served || slices.every(({ endpoints }) => endpoints.length === 0)) return;
  if (slices[0]?.source === 'computed' && typeof targetPort === 'string') {
    const names = portNames(pods, protocol);
    warn(
      below(field, 'spec', 'ports', at, 'targetPort'),
      'unknown-port-name',
      `is ${JSON.stringify(targetPort)}, which no ${protocol.toUpperCase()} port of its Pods is called`,
      didYouMean(nearest(targetPort, names)) ??
        (names.size > 0 ? `Their ports are called ${[...names].join(', ')}.` : undefined),
    );
    return;
  }
  if (slices[0]?.source !== 'computed')
    warn(
      below(field, 'spec', 'ports', at),
      'unserved-port',
      `has no endpoints: no EndpointSlice has a ${protocol.toUpperCase()} port ${name === undefined ? 'without a name' : `called ${JSON.stringify(name)}`}`,
    );
};

/**
 * Reports on every Service by itself.
 * @param settled in the order of the objects
 */
export const reportDangling = (
  services: readonly ServiceObject[],
  settled: readonly Service[],
  { podsOf }: Selection,
  pods: readonly Pod[],
): void => {
  for (const [at, service] of services.entries()) {
    const result = settled[at];
    if (!result || service.type === 'ExternalName') continue;
    const selected = podsOf(service);
    const isComputed = result.slices.every(({ source }) => source === 'computed');
    if (service.requirements.length > 0 && selected.length === 0 && isComputed) {
      if (pods.length > 0) warn(service.field, 'selects-nothing', 'selects no Pod');
      continue;
    }
    const some = selected.slice(0, MOST_PODS).flatMap((index) => pods[index] ?? []);
    const isOther = some.length > 0 && some.every(({ onlyIpv6 }) => onlyIpv6 !== undefined);
    if (isComputed && result.slices.length === 0 && isOther)
      warn(
        service.field,
        'no-address',
        'has no endpoints: its family is IPv4, and its Pods have IPv6 addresses alone',
        'Give it spec.ipFamilies: [IPv6].',
      );
    for (const port of service.ports) reportPort(service, port, result, some);
  }
};

interface Holder {
  readonly service: ServiceObject;
  readonly path: Path;
}

/**
 * Reports what two Services both want: a ClusterIP; a NodePort; a port of an external address.
 * What a Service wants twice is no clash with another one.
 */
export const reportClashes = (services: readonly ServiceObject[]): void => {
  const holders = new Map<string, Holder>();
  const claim = (key: string, service: ServiceObject, path: Path, what: string): void => {
    const holder = holders.get(key);
    if (!holder) {
      holders.set(key, { service, path });
      return;
    }
    if (holder.service === service) return;
    const other = holder.service.field.object.place([...holder.service.field.path, ...holder.path]);
    warn(
      below(service.field, ...path),
      'service-clash',
      `is ${what}, which Service ${nameOf(holder.service)} has too`,
      `The other one is at ${placeText(other)}.`,
    );
  };
  for (const service of services) {
    const { clusterIPs, externalIPs, ingress, ports } = service;
    for (const { ip } of clusterIPs) claim(ip, service, ['spec', 'clusterIP'], ip);
    for (const { at, port, protocol, nodePort } of ports) {
      const own = `${port}/${protocol}`;
      if (nodePort !== undefined)
        claim(
          `node ${nodePort}/${protocol}`,
          service,
          ['spec', 'ports', at, 'nodePort'],
          `${nodePort}/${protocol}`,
        );
      for (const [index, ip] of externalIPs.entries())
        claim(`${ip} ${own}`, service, ['spec', 'externalIPs', index], `${ip} with port ${own}`);
      for (const [index, { ip, ipMode }] of ingress.entries())
        if (ip !== undefined && ipMode === 'VIP')
          claim(
            `${ip} ${own}`,
            service,
            ['status', 'loadBalancer', 'ingress', index, 'ip'],
            `${ip} with port ${own}`,
          );
    }
  }
};
