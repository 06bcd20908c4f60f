/** Names of container ports, as rules use them: numbers of the one Pod that is the destination. */
import type { Container } from '../cluster/cluster.ts';
import type { PolicyPort } from '../cluster/policy/policy.ts';
import type { PortProtocol } from './connection-set.ts';

/** Protocols that a port of a rule speaks about. */
export const protocolsOf = (protocol: PolicyPort['protocol']): readonly PortProtocol[] =>
  protocol === 'any' ? ['tcp', 'udp', 'sctp'] : [protocol];

/**
 * The numbers that a name has in a Pod: of its containers and sidecars, where name and protocol
 * match. Empty: a rule with the name admits nothing there.
 */
export const namedPorts = (
  containers: readonly Container[],
  name: string,
  protocol: PortProtocol,
): readonly number[] => {
  const numbers = containers.flatMap(({ ports }) =>
    ports
      .filter((port) => port.name === name && port.protocol === protocol)
      .map(({ port }) => port),
  );
  return [...new Set(numbers)];
};
