/** The portmap plugin adds a Pod (containernetworking/plugins v1.9.1: plugins/meta/portmap, iptables backend). */
import type { ContainerPort } from '../../cluster/cluster.ts';
import type { Match, Rule, Ruleset, Target } from '../../kernel/netfilter/ruleset.ts';
import {
  findChain,
  findTable,
  nfAppend,
  nfInsert,
  nfNewChain,
} from '../../kernel/netfilter/ruleset.ts';
import { sysctlSet } from '../../kernel/netlink.ts';
import type { Origin } from '../../kernel/origin.ts';
import type { Cidr } from '../../wire/packet.ts';
import { sandboxId } from '../derived-name.ts';
import { sha512 } from '../digest.ts';
import {
  from,
  jump,
  marked,
  masquerade,
  ofProtocol,
  plainRule,
  to,
  toPort,
  typed,
} from '../iptables-rule.ts';
import type { Machine, RunningPod } from '../machine.ts';
import { forNetwork, forPod } from '../object-origin.ts';

const DNAT = 'CNI-HOSTPORT-DNAT';
const SET_MARK = 'CNI-HOSTPORT-SETMARK';
const MASQ = 'CNI-HOSTPORT-MASQ';
/** DefaultMarkBit: 13. */
const MARK = 0x2000;
/** Characters of a chain's name (pkg/utils, maxChainLength). */
const CHAIN_LENGTH = 28;
/** What one multiport match takes. */
const MOST_PORTS = 15;
const LOCALHOST: Cidr = '127.0.0.1/32';

type Mapping = ContainerPort & { readonly hostPort: number };

/** The ports of a Pod that are its node's, too, in the order of its containers. */
export const hostPortsOf = ({ containers }: Pick<RunningPod, 'containers'>): Mapping[] =>
  containers.flatMap(({ ports }) =>
    ports.flatMap((port) =>
      port.hostPort === undefined || port.hostPort === 0
        ? []
        : [{ ...port, hostPort: port.hostPort }],
    ),
  );

/** MustFormatChainNameWithPrefix: 21 hex digits behind `CNI-DN-`. */
export const hostPortChain = (network: string, containerId: string): string =>
  `CNI-DN-${sha512(network + containerId)}`.slice(0, CHAIN_LENGTH);

/** EnsureChain and InsertUnique: the first Pod makes what all of them use. */
const ensure = (netfilter: Ruleset, chain: string, rules: readonly Rule[]): boolean => {
  const nat = findTable(netfilter, 'nat');
  if (nat && findChain(nat, chain)) return false;
  nfNewChain(netfilter, 'nat', chain);
  for (const rule of rules) nfAppend(netfilter, 'nat', chain, rule);
  return true;
};

const ensureShared = (netfilter: Ruleset, origin: Origin): void => {
  const set: Target = { kind: 'MARK', op: 'set', value: MARK, mask: MARK };
  ensure(netfilter, SET_MARK, [plainRule(origin, [], set, 'CNI portfwd masquerade mark')]);
  // Before what other plugins masquerade.
  if (ensure(netfilter, MASQ, [plainRule(origin, [marked(MARK)], masquerade(false))]))
    nfInsert(
      netfilter,
      'nat',
      'POSTROUTING',
      plainRule(origin, [], jump(MASQ), 'CNI portfwd requiring masquerade'),
    );
  // Behind kube-proxy's: a NodePort wins over an equal host port.
  if (ensure(netfilter, DNAT, []))
    for (const chain of ['PREROUTING', 'OUTPUT'])
      nfAppend(netfilter, 'nat', chain, plainRule(origin, [typed('dst', 'LOCAL')], jump(DNAT)));
};

/** fillDnatRules: what is sent to itself or from 127.0.0.1 is masqueraded, then all is translated. */
const rulesOf = (
  { protocol, hostPort, hostIP, port }: Mapping,
  ip: string,
  subnet: Cidr,
  origin: Origin,
): Rule[] => {
  const at = hostIP === undefined || hostIP === '0.0.0.0' ? [] : [to(`${hostIP}/32`)];
  const base: readonly Match[] = [...at, ofProtocol(protocol), toPort(hostPort)];
  return [
    plainRule(origin, [from(subnet), ...base], jump(SET_MARK)),
    plainRule(origin, [from(LOCALHOST), ...base], jump(SET_MARK)),
    plainRule(origin, base, { kind: 'DNAT', ip, port }),
  ];
};

/** splitPortList: as many rules as it takes. */
const entries = (mappings: readonly Mapping[]): Match[][] =>
  [...new Set(mappings.map(({ protocol }) => protocol))].sort().flatMap((protocol) => {
    const ports = mappings.filter((one) => one.protocol === protocol).map((one) => one.hostPort);
    return Array.from({ length: Math.ceil(ports.length / MOST_PORTS) }, (_, n): Match[] => [
      ofProtocol(protocol),
      {
        kind: 'multiport',
        which: 'dports',
        ports: ports
          .slice(n * MOST_PORTS, (n + 1) * MOST_PORTS)
          .map((port) => [port, port] as const),
        negate: false,
      },
    ]);
  });

/**
 * cmdAdd of portmap, which both networks chain behind bridge, with `snat` as it is by default:
 * route_localnet on the device that leads to the Pod, and the rules of its host ports.
 * @param subnet the Pod's address with its prefix, as a range
 */
export const portmapAdd = (
  { cluster, netns }: Machine,
  pod: RunningPod,
  subnet: Cidr,
  { name, bridge }: { readonly name: string; readonly bridge: string },
): void => {
  const mappings = hostPortsOf(pod).filter(({ hostIP }) => !hostIP?.includes(':'));
  if (mappings.length === 0) return;
  const { netfilter } = netns;
  const shared = forNetwork('cni', cluster.network);
  const key = `net.ipv4.conf.${bridge.replaceAll('.', '/')}.route_localnet`;
  sysctlSet(netns, key, '1', shared('host-port-entry'));
  ensureShared(netfilter, shared('host-port-masquerade'));
  const id = sandboxId(pod);
  const chain = hostPortChain(name, id);
  const origin = forPod('cni', pod)('host-port', 'spec.containers.ports.hostPort');
  ensure(
    netfilter,
    chain,
    mappings.flatMap((mapping) => rulesOf(mapping, pod.ip, subnet, origin)),
  );
  const comment = `dnat name: ${JSON.stringify(name)} id: ${JSON.stringify(id)}`;
  for (const matches of entries(mappings))
    nfAppend(netfilter, 'nat', DNAT, plainRule(origin, matches, jump(chain), comment));
};
