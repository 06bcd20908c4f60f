/** Ports of every protocol that policies know: what is allowed between two ends. */
import { ALL_PORTS, NO_PORTS, type PortSet, portSets, portSetText } from './port-set.ts';

/** Ports by protocol, as sorted intervals that do not touch; absent: none of the protocol. */
export interface ConnectionSet {
  readonly tcp?: PortSet;
  readonly udp?: PortSet;
  readonly sctp?: PortSet;
}

export type PortProtocol = keyof ConnectionSet;

export const PROTOCOLS: readonly PortProtocol[] = ['tcp', 'udp', 'sctp'];

export const NO_CONNECTIONS: ConnectionSet = {};
export const ALL_CONNECTIONS: ConnectionSet = { tcp: ALL_PORTS, udp: ALL_PORTS, sctp: ALL_PORTS };

/** Ports of some protocols; those of the others are none. */
export const connectionsOf = (protocols: readonly PortProtocol[], ports: PortSet): ConnectionSet =>
  ports.length === 0 ? {} : Object.fromEntries(protocols.map((protocol) => [protocol, ports]));

const each = (
  operation: (a: PortSet, b: PortSet) => PortSet,
): ((a: ConnectionSet, b: ConnectionSet) => ConnectionSet) => {
  return (a, b) => {
    const set: { -readonly [Protocol in PortProtocol]?: PortSet } = {};
    for (const protocol of PROTOCOLS) {
      const ports = operation(a[protocol] ?? NO_PORTS, b[protocol] ?? NO_PORTS);
      if (ports.length > 0) set[protocol] = ports;
    }
    return set;
  };
};

export const unionOf = each(portSets.union);
export const intersectionOf = each(portSets.intersect);
/** What is in the first and not in the second. */
export const differenceOf = each(portSets.subtract);

export const isEqual = (a: ConnectionSet, b: ConnectionSet): boolean =>
  PROTOCOLS.every((protocol) => portSets.equal(a[protocol] ?? NO_PORTS, b[protocol] ?? NO_PORTS));

export const isEmpty = (set: ConnectionSet): boolean => isEqual(set, NO_CONNECTIONS);
export const isFull = (set: ConnectionSet): boolean => isEqual(set, ALL_CONNECTIONS);

export const includes = (set: ConnectionSet, protocol: PortProtocol, port: number): boolean =>
  portSets.contains(set[protocol] ?? NO_PORTS, port);

/** `TCP 80-90,443; UDP 53`, `all`, `none`. */
export const connectionText = (set: ConnectionSet): string => {
  if (isFull(set)) return 'all';
  const parts = PROTOCOLS.flatMap((protocol) => {
    const ports = set[protocol];
    return ports && ports.length > 0 ? [`${protocol.toUpperCase()} ${portSetText(ports)}`] : [];
  });
  return parts.join('; ') || 'none';
};
