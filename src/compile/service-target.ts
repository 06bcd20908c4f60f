/** Where a question about a Service is sent: which of its addresses the one who asks can use. */
import type { Cluster, EndpointSlice, Service, ServicePort } from '../cluster/cluster.ts';
import type { Ip } from '../wire/packet.ts';
import type { Asked } from './port-choice.ts';

/** One address that stands for the Service, and what the client chose where it could choose. */
export interface Aim {
  readonly ip: Ip;
  /** Absent: an ICMP echo. */
  readonly port?: number;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly chosen?: { readonly choice: 'backend' | 'node'; readonly name: string };
}

export type ServiceAims =
  | {
      readonly kind: 'aims';
      /** At least one, in the order of their names. */
      readonly aims: readonly Aim[];
      /** What was asked for, as the Service declares it; absent: it does not. */
      readonly port?: ServicePort;
      /** Nobody asked for this port: it is the first. */
      readonly portChosen: boolean;
    }
  | {
      readonly kind: 'problem';
      readonly why: 'sctp' | 'ipv6' | 'external-name' | 'port-needed' | 'port-for-echo';
    }
  /** Its name has no address: it is headless, and nobody is behind it. */
  | { readonly kind: 'no-address' };

/** A port of a Service that a probe can be sent to. */
type Sendable = ServicePort & { readonly protocol: 'tcp' | 'udp' };

const isSendable = (port: ServicePort): port is Sendable => port.protocol !== 'sctp';

export interface ServiceQuestion extends Asked {
  /** Name of a port. */
  readonly portName?: string;
  /** Who asks is outside the cluster. */
  readonly outside: boolean;
}

/**
 * Inside the cluster a Service is its ClusterIP, and headless its endpoints, as DNS answers them.
 * From outside it is the address of its load balancer, else an external IP, else its port on each
 * node; a Service without any of these is asked on its ClusterIP, which is not reached.
 */
export const aimsOf = (
  cluster: Cluster,
  service: Service,
  question: ServiceQuestion,
): ServiceAims => {
  if (service.type === 'ExternalName') return { kind: 'problem', why: 'external-name' };
  const choice = portOf(service, question);
  if ('why' in choice) return { kind: 'problem', why: choice.why };
  const aims = question.outside
    ? outsideAims(cluster, service, choice)
    : insideAims(cluster, service, choice);
  if (aims.length === 0)
    return service.headless ? { kind: 'no-address' } : { kind: 'problem', why: 'ipv6' };
  return {
    kind: 'aims',
    aims,
    ...(choice.declared && { port: choice.declared }),
    portChosen: choice.chosen,
  };
};

interface Choice {
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly port?: number;
  readonly declared?: Sendable;
  readonly chosen: boolean;
  /** Asked by a number: where nobody translates, that is what the client sends to. */
  readonly byNumber?: boolean;
}

type Problem = Extract<ServiceAims, { kind: 'problem' }>;

/** Settles protocol and port: the first port of the Service, unless one was asked for. */
const portOf = (
  { ports }: Service,
  { protocol, port, portName, outside }: ServiceQuestion,
): Choice | Pick<Problem, 'why'> => {
  if (protocol === 'sctp') return { why: 'sctp' };
  const asked = port !== undefined || portName !== undefined;
  if (protocol === 'icmp')
    return asked ? { why: 'port-for-echo' } : { protocol: 'icmp', chosen: false };
  const wanted = ports.filter(
    (one) =>
      (portName === undefined || one.name === portName) &&
      (protocol === undefined || one.protocol === protocol) &&
      // From outside, people may as well name the port that the nodes have for it.
      (port === undefined || one.port === port || (outside && one.nodePort === port)),
  );
  const declared = wanted.find(isSendable);
  if (declared)
    return {
      protocol: declared.protocol,
      port: declared.port,
      declared,
      chosen: !asked,
      byNumber: port !== undefined && portName === undefined,
    };
  if (wanted.length > 0) return { why: 'sctp' };
  if (port !== undefined) return { protocol: protocol ?? 'tcp', port, chosen: false };
  return protocol === undefined ? { protocol: 'icmp', chosen: true } : { why: 'port-needed' };
};

const at = (ip: Ip, { protocol, port }: Choice): Aim => ({
  ip,
  protocol,
  ...(port !== undefined && { port }),
});

const isIpv4 = ({ family }: { readonly family: 4 | 6 }): boolean => family === 4;

const clusterAims = ({ clusterIPs }: Service, choice: Choice): Aim[] =>
  clusterIPs
    .filter(isIpv4)
    .slice(0, 1)
    .map(({ ip }) => at(ip, choice));

const insideAims = (cluster: Cluster, service: Service, choice: Choice): Aim[] =>
  service.headless ? endpointAims(cluster, service, choice) : clusterAims(service, choice);

/** The endpoints that DNS answers with: the ready ones; each has the port of its slice. */
const endpointAims = (cluster: Cluster, { slices }: Service, choice: Choice): Aim[] =>
  slices
    .filter(isIpv4)
    .flatMap((slice) =>
      slice.endpoints
        .filter(({ ready }) => ready)
        .map(({ address, pod: index }): Aim => {
          const pod = index === undefined ? undefined : cluster.pods[index];
          return {
            ...at(address, { ...choice, ...(choice.byNumber ? {} : slicePort(slice, choice)) }),
            chosen: {
              choice: 'backend',
              name: pod ? `${pod.namespace}/${pod.name}` : address,
            },
          };
        }),
    )
    .sort(byName);

const slicePort = ({ ports }: EndpointSlice, { declared }: Choice): { readonly port?: number } => {
  const found =
    declared &&
    ports.find(({ name, protocol }) => name === declared.name && protocol === declared.protocol);
  return found?.port === undefined ? {} : { port: found.port };
};

const byName = ({ chosen: a }: Aim, { chosen: b }: Aim): number => {
  const [left, right] = [a?.name ?? '', b?.name ?? ''];
  if (left === right) return 0;
  return left < right ? -1 : 1;
};

const isDotted = (ip: string): boolean => !ip.includes(':');

const outsideAims = (cluster: Cluster, service: Service, choice: Choice): Aim[] => {
  const [vip] = service.ingress.flatMap(({ ip, ipMode }) =>
    ip !== undefined && ipMode === 'VIP' && isDotted(ip) ? [ip] : [],
  );
  const outer = vip ?? service.externalIPs.find(isDotted);
  if (outer !== undefined) return [at(outer, choice)];
  const { declared } = choice;
  if (declared?.nodePort !== undefined) {
    const { nodePort } = declared;
    return cluster.nodes
      .filter(({ onlyIpv6 }) => onlyIpv6 === undefined)
      .map(({ ip, name }) => ({
        ...at(ip, { ...choice, port: nodePort }),
        chosen: { choice: 'node', name },
      }));
  }
  const own = clusterAims(service, choice);
  return own.length > 0 ? own : endpointAims(cluster, service, choice);
};
