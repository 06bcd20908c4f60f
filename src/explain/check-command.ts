/** The command that shows a step's row on a real node or Pod. */
import type { Hop } from '../trace/trace.ts';
import type { StepContext } from './step.ts';

/**
 * Prefixes a command with the place to run it: nothing but the node's name as a prompt for a
 * node's own namespace, `kubectl exec` for a Pod's.
 */
export function runIn(hop: Hop, command: string): string {
  if (hop.netns === 'host') return `${hop.node}# ${command}`;
  const [namespace, pod] = hop.netns.split('/');
  return `kubectl exec -n ${namespace} ${pod} -- ${command}`;
}

/** @returns the command for the step, absent where no single command shows it. */
export function checkCommand(context: StepContext): string | undefined {
  const { hop } = context;
  const command = commandOf(context);
  return command === undefined ? undefined : runIn(hop, command);
}

function commandOf({ step }: StepContext): string | undefined {
  const detail = step.detail;
  switch (step.kind) {
    case 'route': {
      if (!('purpose' in detail)) return undefined;
      const from =
        detail.src !== undefined && detail.iif !== undefined
          ? ` from ${detail.src} iif ${detail.iif}`
          : '';
      return `ip route get ${detail.dst}${from}`;
    }
    case 'neighbour':
      return 'ip' in detail && step.device !== undefined
        ? `ip neigh show ${detail.ip} dev ${step.device}`
        : undefined;
    case 'bridge':
      return 'mac' in detail && step.device !== undefined
        ? `bridge fdb show br ${step.device} | grep ${detail.mac}`
        : undefined;
    case 'encapsulate':
      return step.device === undefined ? undefined : `bridge fdb show dev ${step.device}`;
    case 'decapsulate':
      return step.device === undefined ? undefined : `ip -d link show ${step.device}`;
    case 'transmit':
    case 'receive':
      return step.device === undefined ? undefined : `ip -s link show ${step.device}`;
    case 'rule':
    case 'nat':
      return 'table' in detail && 'chain' in detail && detail.chain !== undefined
        ? `iptables -t ${detail.table} -vnL ${detail.chain} --line-numbers`
        : 'conntrack -L';
    case 'conntrack':
      return 'conntrack -L';
    case 'forward':
      return 'sysctl net.ipv4.ip_forward';
    case 'deliver':
      return 'port' in detail && detail.port !== undefined
        ? `ss -ln${detail.protocol === 'udp' ? 'u' : 't'}p sport = :${detail.port}`
        : undefined;
    case 'size':
      return 'mtu' in detail ? `ip link show ${detail.device}` : undefined;
    default:
      return undefined;
  }
}
