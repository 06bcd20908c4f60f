/** The ports of a matrix as sets to count with. */
import { type ConnectionSet, NO_CONNECTIONS, unionOf } from '../../policy/connection-set.ts';
import { type PortRange, portSets } from '../../policy/port-set.ts';
import type { AllowedPorts } from '../matrix/matrix.ts';

/** `80-90,443` */
const portsOf = (text: string): PortRange[] =>
  text.split(',').flatMap((part) => {
    const [from = '', to = from] = part.trim().split('-');
    return from === '' ? [] : [{ from: Number(from), to: Number(to) }];
  });

export const connectionSetOf = (allowed: readonly AllowedPorts[]): ConnectionSet =>
  allowed.reduce<ConnectionSet>((set, { protocol, ports }) => {
    const name = protocol.toLowerCase() as Lowercase<typeof protocol>;
    return unionOf(set, { [name]: portSets.of(portsOf(ports)) });
  }, NO_CONNECTIONS);
