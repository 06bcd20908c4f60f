/** The command that shows a step's row on a real node or Pod. */
import type { PolicyRow } from '../trace/policies.ts';
import type { Hop } from '../trace/trace.ts';
import type { Layer } from '../wire/packet.ts';
import type { StepContext } from './context.ts';
import { eventOf } from './event-of.ts';

/** The chain with its counters, in the tool that made its table: nft's are told with a family. */
const listChain = (table: string, chain: string): string =>
  table.includes(' ')
    ? `nft list chain ${table} ${chain}`
    : `iptables -t ${table} -vnL ${chain} --line-numbers`;

/** A command and the prompt that says where it is typed. */
export interface Command {
  /** `node-1#` for root on a node, `$` for anybody with kubectl. */
  readonly prompt: string;
  readonly text: string;
}

/** The command as it is typed in a namespace: on the node, or through kubectl in the Pod. */
export function commandIn(hop: Pick<Hop, 'node' | 'netns'>, command: string): Command {
  if (hop.netns === 'host') return { prompt: `${hop.node}#`, text: command };
  const [namespace, pod] = hop.netns.split('/');
  return { prompt: '$', text: `kubectl exec -n ${namespace} ${pod} -- ${command}` };
}

/** Several commands, one after the other as long as they succeed. */
export function commandsIn(
  place: Pick<Hop, 'node' | 'netns'>,
  commands: readonly string[],
): Command {
  return commandIn(place, inOneShell(place, commands));
}

/**
 * Commands that change the network of a place. A container may not change the network of its Pod,
 * and often has no tools: a debug container with the netadmin profile joins the same namespace.
 */
export function changesIn(
  place: Pick<Hop, 'node' | 'netns'>,
  commands: readonly string[],
): Command {
  if (place.netns === 'host') return commandsIn(place, commands);
  const [namespace, pod] = place.netns.split('/');
  const debug = `kubectl debug -n ${namespace} ${pod} -it --profile=netadmin --image=nicolaka/netshoot`;
  return { prompt: '$', text: `${debug} -- ${inOneShell(place, commands)}` };
}

const inOneShell = ({ netns }: Pick<Hop, 'netns'>, commands: readonly string[]): string => {
  const all = commands.join(' && ');
  return commands.length > 1 && netns !== 'host' ? `sh -c ${quoted(all)}` : all;
};

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** One line of text: what is typed on a node keeps its prompt, which says where. */
export function commandText(said: string | Command): string {
  if (typeof said === 'string') return said;
  return said.prompt === '$' ? said.text : `${said.prompt} ${said.text}`;
}

/** @returns the command for the step, absent where no single command shows it. */
export function checkCommand(context: StepContext): Command | undefined {
  const event = eventOf(context.step);
  // Policies are objects: anybody with kubectl sees them, and no node does.
  if (event.kind === 'policy') return describePolicies(event.detail.policies);
  const command = commandOf(context);
  return command === undefined ? undefined : commandIn(context.hop, command);
}

const RESOURCES: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicy',
  AdminNetworkPolicy: 'adminnetworkpolicy',
  BaselineAdminNetworkPolicy: 'baselineadminnetworkpolicy',
  ClusterNetworkPolicy: 'clusternetworkpolicy',
};

function describePolicies(policies: readonly PolicyRow[]): Command | undefined {
  const kinds = [...new Set(policies.map(({ kind }) => kind))];
  if (kinds.length === 0) return undefined;
  const commands = kinds.map((kind) => {
    const some = policies.filter((policy) => policy.kind === kind);
    const namespace = some[0]?.namespace;
    const where = namespace === undefined ? '' : `-n ${namespace} `;
    return `kubectl ${where}describe ${RESOURCES[kind] ?? kind} ${some.map(({ name }) => name).join(' ')}`;
  });
  return { prompt: '$', text: commands.join(' && ') };
}

function commandOf({ step, leg }: StepContext): string | undefined {
  const event = eventOf(step);
  const { device } = step;
  switch (event.kind) {
    case 'route': {
      const { dst, src, iif, mark } = event.detail;
      const from = src !== undefined && iif !== undefined ? ` from ${src} iif ${iif}` : '';
      return `ip route get ${dst}${from}${mark ? ` mark 0x${mark.toString(16)}` : ''}`;
    }
    case 'neighbour':
      return device && `ip neigh show ${event.detail.ip} dev ${device}`;
    case 'bridge':
      return device && `bridge fdb show br ${device} | grep ${event.detail.mac}`;
    case 'encapsulate':
      return device && `bridge fdb show dev ${device}`;
    case 'decapsulate':
      return device && `ip -d link show ${device}`;
    case 'transmit':
      return device && `tcpdump -p -eni ${device} ${captureFilter(step.packet ?? [])}`.trimEnd();
    case 'rule': {
      const { table, chain } = event.detail;
      return listChain(table, chain);
    }
    case 'nat': {
      const { table, chain, entry } = event.detail;
      if (table === undefined || chain === undefined) {
        return `conntrack -L -s ${entry.original.src} -d ${entry.original.dst}`;
      }
      return listChain(table, chain);
    }
    case 'conntrack': {
      const { entry } = event.detail;
      if (entry === undefined || event.action === 'confirm') return undefined;
      return `conntrack -L -s ${entry.original.src} -d ${entry.original.dst}`;
    }
    case 'hook':
      return undefined;
    case 'forward':
      return 'sysctl net.ipv4.ip_forward';
    case 'deliver': {
      const { port, protocol } = event.detail;
      if (event.action === 'echo' || event.action === 'icmp-error' || port === undefined) {
        return undefined;
      }
      const kind = protocol === 'udp' ? 'u' : 't';
      return `ss -${leg.direction === 'request' ? 'l' : ''}n${kind}p 'sport = :${port}'`;
    }
    case 'size':
      return `ip link show ${event.detail.device}`;
    case 'resolve':
      return event.action === 'answer'
        ? `nslookup -type=${event.detail.type.toLowerCase()} ${event.detail.name}.`
        : `cat /etc/${event.action === 'read' ? 'resolv.conf' : 'hosts'}`;
    case 'socket':
    case 'receive':
    case 'policy':
    case 'wire':
    case 'drop':
      return undefined;
    default:
      return event satisfies never;
  }
}

/** A capture filter (pcap-filter(7)) that shows the packet: its outermost addresses and port. */
export function captureFilter(layers: readonly Layer[]): string {
  const ip = layers.find((layer) => layer.type === 'ipv4');
  const transport = layers.find(({ type }) => ['tcp', 'udp', 'icmp'].includes(type));
  if (ip === undefined || transport === undefined) return '';
  const hosts = `host ${ip.src} and host ${ip.dst}`;
  if (transport.type !== 'tcp' && transport.type !== 'udp') return `icmp and ${hosts}`;
  const ports = [transport.dport, transport.sport].filter((port) => typeof port === 'number');
  return `${transport.type} port ${Math.min(...ports)}`;
}
