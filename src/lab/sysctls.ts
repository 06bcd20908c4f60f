/** The sysctls of a lab: what the World says about each that matters, and what makes fates quick. */
import {
  canonicalSysctl,
  IPV4_CONF_NAMES,
  ipv4ConfKey,
  sysctlGet,
  sysctlKnown,
} from '../kernel/sysctl.ts';
import type { Netns } from '../kernel/world.ts';

/** Settings of a whole namespace that a packet can notice. */
const WHOLE = [
  'net.ipv4.fib_multipath_hash_policy',
  'net.ipv4.fwmark_reflect',
  'net.ipv4.icmp_echo_ignore_all',
  'net.ipv4.icmp_echo_ignore_broadcasts',
  'net.ipv4.icmp_errors_use_inbound_ifaddr',
  'net.ipv4.icmp_ratemask',
  'net.ipv4.ip_default_ttl',
  'net.ipv4.ip_early_demux',
  'net.ipv4.ip_forward_update_priority',
  'net.ipv4.ip_forward_use_pmtu',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_no_pmtu_disc',
  'net.ipv4.ip_nonlocal_bind',
  'net.ipv4.tcp_base_mss',
  'net.ipv4.tcp_ecn',
  'net.ipv4.tcp_mtu_probing',
  'net.ipv4.tcp_sack',
  'net.ipv4.tcp_timestamps',
  'net.ipv4.tcp_window_scaling',
  'net.bridge.bridge-nf-call-arptables',
  'net.bridge.bridge-nf-call-ip6tables',
  'net.bridge.bridge-nf-call-iptables',
  'net.bridge.bridge-nf-filter-vlan-tagged',
  'net.bridge.bridge-nf-pass-vlan-input-dev',
  'net.netfilter.nf_conntrack_checksum',
  'net.netfilter.nf_conntrack_tcp_be_liberal',
  'net.netfilter.nf_conntrack_tcp_loose',
];

/** What a lab sets whatever the World says: limits lifted, one retry, no memory of connections. */
const LAB: readonly (readonly [string, string])[] = [
  ['net.ipv6.conf.all.disable_ipv6', '1'],
  ['net.ipv6.conf.default.disable_ipv6', '1'],
  // A bridge that comes up tells the wire which groups it is in.
  ['net.ipv4.igmp_link_local_mcast_reports', '0'],
  ['net.ipv4.icmp_ratelimit', '0'],
  ['net.ipv4.icmp_msgs_per_sec', '1000000'],
  ['net.ipv4.icmp_msgs_burst', '1000000'],
  ['net.ipv4.tcp_syn_retries', '1'],
  ['net.ipv4.tcp_synack_retries', '1'],
  ['net.ipv4.tcp_no_metrics_save', '1'],
];

/** Settings that the kernel reports but takes from nobody. */
const READ_ONLY: ReadonlySet<string> = new Set(['mc_forwarding']);

const WRITABLE = IPV4_CONF_NAMES.filter((name) => !READ_ONLY.has(name));

/** A sysctl's path under /proc/sys: dots and slashes change places. */
const pathOf = (key: string): string =>
  key.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));

/**
 * Every sysctl to write in a namespace once its devices exist, as paths under /proc/sys, in an
 * order in which a later one is not overwritten by an earlier one's side effects
 * (inet_forward_change and devinet_copy_dflt_conf, net/ipv4/devinet.c).
 */
export const sysctlsOf = (netns: Netns): (readonly [path: string, value: string])[] => {
  const devices = ['all', 'default', ...netns.devices.map(({ ifname }) => ifname)];
  const keys = [
    'net.ipv4.ip_forward',
    ...WHOLE,
    ...devices.flatMap((device) => WRITABLE.map((name) => ipv4ConfKey(device, name))),
  ].map(canonicalSysctl);
  const told = [...new Set(keys)]
    .filter((key) => sysctlKnown(netns, key))
    .map((key) => [pathOf(key), sysctlGet(netns, key)] as const);
  return [...LAB.map(([key, value]) => [pathOf(key), value] as const), ...told];
};

/** The wires' own namespace: no IPv6, and no firewall between a wire's ends. */
export const WIRE_SYSCTLS: readonly (readonly [path: string, value: string])[] = [
  ['net.ipv6.conf.all.disable_ipv6', '1'] as const,
  ['net.ipv6.conf.default.disable_ipv6', '1'] as const,
  ...['arptables', 'ip6tables', 'iptables'].map(
    (what) => [`net.bridge.bridge-nf-call-${what}`, '0'] as const,
  ),
].map(([key, value]) => [pathOf(key), value]);
