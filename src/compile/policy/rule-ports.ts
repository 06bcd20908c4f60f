/** Which ports a rule of a policy is about: numbers by protocol, and names. */
import type { PolicyPort, PolicyRule } from '../../cluster/policy/policy.ts';
import { mergeSpans } from '../../kernel/netfilter/address-span.ts';
import type { NftOperand, NftStatement, NftValue } from '../../kernel/netfilter/nft-table.ts';
import { L4PROTO, matching, PROTOCOL, value } from '../nft-rule.ts';

export type Protocol = keyof typeof PROTOCOL;

export const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp', 'sctp'];

/** A port name with the protocols in which it counts. */
export interface PortName {
  readonly name: string;
  readonly protocols: readonly Protocol[];
}

const isOf = (protocol: Protocol) => (port: PolicyPort) =>
  port.protocol === protocol || port.protocol === 'any';

const operandOf = (values: readonly NftValue[]): NftOperand => {
  const [first = 0, ...more] = values;
  return more.length === 0
    ? value(first)
    : { kind: 'set', elements: values.map((one) => ({ key: [one] })) };
};

const numbersOf = (ports: readonly PolicyPort[]): NftValue[] =>
  mergeSpans(
    ports.flatMap(({ port, endPort }) =>
      typeof port === 'number' ? [{ from: BigInt(port), to: BigInt(endPort ?? port) }] : [],
    ),
  ).map(({ from, to }) => (from === to ? Number(from) : { from: Number(from), to: Number(to) }));

const ofProtocol = (ports: readonly PolicyPort[], protocol: Protocol): NftStatement[] => {
  if (ports.some(({ port }) => port === undefined))
    return [matching(L4PROTO, value(PROTOCOL[protocol]))];
  const numbers = numbersOf(ports);
  if (numbers.length === 0) return [];
  return [matching({ kind: 'port', header: protocol, field: 'dport' }, operandOf(numbers))];
};

/** One condition a protocol; none at all where every packet is meant, of whatever protocol. */
export const portGuards = ({ ports }: PolicyRule): (readonly NftStatement[])[] =>
  ports === 'all'
    ? [[]]
    : PROTOCOLS.flatMap((protocol) => ofProtocol(ports.filter(isOf(protocol)), protocol)).map(
        (one) => [one],
      );

/** Names are numbers only together with a Pod. */
export const portNames = ({ ports }: PolicyRule): PortName[] => {
  if (ports === 'all') return [];
  const names = new Set(ports.flatMap(({ port }) => (typeof port === 'string' ? [port] : [])));
  return [...names].map((name) => ({
    name,
    protocols: PROTOCOLS.filter((protocol) =>
      ports.some((port) => port.port === name && isOf(protocol)(port)),
    ),
  }));
};
