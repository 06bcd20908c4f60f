/** The grammar of matrix expectations: `deploy/cart:7070/tcp`, `namespace/shop`, `10.0.0.0/8:53/udp`. */
import {
  type ConnectionSet,
  connectionsOf,
  type PortProtocol,
} from '../../policy/connection-set.ts';
import { type PortRange, portSets } from '../../policy/port-set.ts';
import { parseUserCidr, parseUserIp } from '../../wire/parse-ip.ts';

export type ParsedPeer =
  /** Every Pod, and all addresses outside. */
  | { readonly form: 'everything' }
  /** All addresses outside. */
  | { readonly form: 'external' }
  | { readonly form: 'namespace'; readonly namespace: string }
  /** Canonical, of either family; a single address is the longest prefix. */
  | { readonly form: 'block'; readonly cidr: string }
  /** A Pod, a workload or a Service, as on the command line. */
  | { readonly form: 'endpoint'; readonly text: string };

export interface PeerAndPorts {
  readonly peer: ParsedPeer;
  /** Absent: whatever port. */
  readonly ports?: ConnectionSet;
}

export interface PeerProblem {
  readonly message: string;
  readonly hint: string;
}

const PORTS =
  'Ports are numbers with a protocol behind them: 80, 80-90,443/tcp, 53/udp; tcp is the default.';

const rangeOf = (text: string): PortRange | undefined => {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  return from >= 1 && from <= to && to <= 65_535 ? { from, to } : undefined;
};

const portsOf = (text: string): ConnectionSet | PeerProblem => {
  const [numbers = '', protocol = 'tcp', ...rest] = text.toLowerCase().split('/');
  const ranges = numbers.split(',').map(rangeOf);
  const known = protocol === 'tcp' || protocol === 'udp' || protocol === 'sctp';
  if (rest.length > 0 || !known || ranges.includes(undefined))
    return { message: `${JSON.stringify(text)} is no list of ports`, hint: PORTS };
  const ports = portSets.of(ranges.filter((range) => range !== undefined));
  return connectionsOf([protocol satisfies PortProtocol], ports);
};

/** What stands before the ports, and they; an IPv6 address has ports only behind brackets. */
const split = (text: string): readonly [string, string | undefined] => {
  const bracketed = /^\[(.*)\](?::(.*))?$/s.exec(text);
  if (bracketed) return [bracketed[1] ?? '', bracketed[2]];
  const parts = text.split(':');
  if (parts.length > 2) return [text, undefined];
  return [parts[0] ?? '', parts[1]];
};

const blockOf = (text: string): string | undefined => {
  const address = parseUserIp(text);
  if (address) return `${address.ip}/${address.family === 4 ? 32 : 128}`;
  return parseUserCidr(text)?.cidr;
};

const peerOf = (text: string): ParsedPeer => {
  if (text === 'everything' || text === 'external') return { form: text };
  const [, namespace] = /^(?:ns|namespaces?)\/([^/]+)$/.exec(text) ?? [];
  if (namespace !== undefined) return { form: 'namespace', namespace };
  const cidr = blockOf(text);
  return cidr === undefined ? { form: 'endpoint', text } : { form: 'block', cidr };
};

/** Takes a peer apart. No cluster is asked. */
export const parsePeer = (text: string): PeerAndPorts | PeerProblem => {
  const [before, behind] = split(text);
  if (before === '')
    return {
      message: `${JSON.stringify(text)} names nobody`,
      hint: 'Name a Pod, a workload, a Service, namespace/NAME, a range, external or everything.',
    };
  const peer = peerOf(before);
  if (behind === undefined) return { peer };
  const ports = portsOf(behind);
  return 'message' in ports ? (ports as PeerProblem) : { peer, ports };
};
