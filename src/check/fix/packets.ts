/** What decides about a packet on its way: firewalls, filters of addresses, sizes and lifetimes. */
import { pluginConf } from '../../compile/cni/network-config.ts';
import { findDev } from '../../kernel/netdev.ts';
import { sysctlGet } from '../../kernel/sysctl.ts';
import type { Check, Fix } from '../../trace/remedy.ts';
import { type Ailment, advise, checkAt, commandsAt, nameOfPlace } from './ailment.ts';
import { scenarioPatch } from './patches.ts';
import { routeFix } from './routes.ts';

/** Tables of nft are told with their family; no command that is modelled edits them. */
const isOfNft = (table: string): boolean => table.includes(' ');

export const ruleFix = (ailment: Ailment): Fix => {
  const { table = 'filter', chain, number } = ailment.detail;
  const commands =
    chain === undefined || number === undefined || isOfNft(table)
      ? []
      : [`iptables -t ${table} -D ${chain} ${number}`];
  return commandsAt(ailment, commands, advise('mend-firewall', { place: nameOfPlace(ailment) }));
};

export const policyFix = (ailment: Ailment): Fix => {
  const { table = 'filter', chain } = ailment.detail;
  return commandsAt(
    ailment,
    [chain && (isOfNft(table) ? undefined : `iptables -t ${table} -P ${chain} ACCEPT`)],
    advise('mend-firewall', { place: nameOfPlace(ailment) }),
  );
};

export const ruleCheck = (ailment: Ailment): Check => {
  const { table = 'filter', chain = '' } = ailment.detail;
  if (isOfNft(table)) return checkAt(ailment, `nft list chain ${table} ${chain}`);
  return checkAt(ailment, `iptables -t ${table} -vnL ${chain} --line-numbers`.replace('  ', ' '));
};

/** A sysctl of a device: its dots are not those of the name (sysctl(8)). */
export const sysctlOf = (device: string, key: string): string =>
  `net.ipv4.conf.${device.replaceAll('.', '/')}.${key}`;

/** Where the way back is what is wrong, that is mended; else the filter is made loose. */
export const reversePathFix = (ailment: Ailment): Fix => {
  const { device = 'all', missing, wrong } = ailment.about;
  if (missing || wrong) return routeFix(ailment);
  return commandsAt(ailment, [`sysctl -w ${sysctlOf(device, 'rp_filter')}=2`], advise('one-way'));
};

const DEFAULT_TTL = 64;
const TTL_KEY = 'net.ipv4.ip_default_ttl';

/** A sender that starts with too little is told so; else the packet goes in circles. */
export const ttlFix = ({ facts, scenario }: Ailment): Fix => {
  const first = facts.legs[0]?.hops[0];
  const sender = first && scenario.world.host(first.node).netns.get(first.netns);
  if (!first || !sender || Number(sysctlGet(sender, TTL_KEY)) >= DEFAULT_TTL) {
    return advise('find-loop');
  }
  const { node, netns } = first;
  return {
    kind: 'commands',
    on: { node, netns },
    commands: [`sysctl -w ${TTL_KEY}=${DEFAULT_TTL}`],
  };
};

/** The sender's own device, where a fault made it larger than it was. */
const senderFix = ({ facts, leg, scenario }: Ailment): Fix | undefined => {
  const first = (leg ?? facts.legs[0])?.hops[0];
  const device = first?.steps.find(({ kind }) => kind === 'transmit')?.device;
  if (!first || device === undefined) return undefined;
  const { node, netns } = first;
  const [is, was] = [scenario.world, scenario.unfaulted].map((world) => {
    const there = world?.host(node).netns.get(netns);
    return there && findDev(there, device)?.mtu;
  });
  if (is === undefined || was === undefined || is <= was) return undefined;
  return { kind: 'commands', on: { node, netns }, commands: [`ip link set ${device} mtu ${was}`] };
};

/** The device as large as it was, or the Pods' devices as small as the way allows. */
export const sizeFix = (ailment: Ailment): Fix => {
  const { detail, there, hop, scenario } = ailment;
  const { device, mtu } = detail;
  const meant = there && device !== undefined ? findDev(there, device)?.mtu : undefined;
  if (meant !== undefined && mtu !== undefined && meant > mtu) {
    return commandsAt(
      ailment,
      [`ip link set ${device} mtu ${meant}`],
      advise('lower-mtu', { mtu }),
    );
  }
  const sender = senderFix(ailment);
  if (sender) return sender;
  // A Pod's own device says what fits: then the application sends too much at once.
  if (mtu === undefined || hop?.netns !== 'host') return advise('lower-mtu', { mtu });
  const { network } = scenario.cluster;
  const { plugin } = pluginConf(network);
  const config = plugin === 'flannel' ? { delegate: { mtu } } : { mtu };
  return scenarioPatch(ailment, { network: { config } }, 'lower-mtu', { mtu, plugin });
};

/** Without a default route of its own a Pod reaches its own network only. */
export const noRouteFix = (ailment: Ailment): Fix => {
  const { about, hop, scenario } = ailment;
  const found = pluginConf(scenario.cluster.network);
  const conf = found.plugin === 'flannel' ? found.conf.delegate : found.conf;
  const isPod = hop !== undefined && hop.netns !== 'host' && about.netns === hop.netns;
  if (!isPod || about.missing || about.wrong || conf.isDefaultGateway) return routeFix(ailment);
  const config =
    found.plugin === 'flannel'
      ? { delegate: { isDefaultGateway: true } }
      : { isDefaultGateway: true };
  return scenarioPatch(ailment, { network: { config } }, 'add-default-route', {});
};

export const masqueradeFix = (ailment: Ailment): Fix => {
  const { plugin } = pluginConf(ailment.scenario.cluster.network);
  const config = plugin === 'flannel' ? { 'ip-masq': true } : { ipMasq: true };
  return scenarioPatch(ailment, { network: { config } }, 'masquerade', {
    node: ailment.about.node,
    plugin,
  });
};
