/** Sysctls of one network namespace: the defaults of Linux 6.18, and what all, default and a device mean together. */
import { findDev } from './netdev.ts';
import { NetlinkError } from './netlink/error.ts';
import type { Netns } from './world.ts';

/** How `conf.all.X` and `conf.DEV.X` make one answer (include/linux/inetdevice.h). */
type Combine = 'device' | 'or' | 'and' | 'max' | 'redirects';

/** IPv4 settings that exist for all, default and every device (net/ipv4/devinet.c). */
const IPV4_CONF = {
  accept_local: ['0', 'or'],
  accept_redirects: ['1', 'redirects'],
  accept_source_route: ['1', 'and'],
  arp_accept: ['0', 'max'],
  arp_announce: ['0', 'max'],
  arp_evict_nocarrier: ['1', 'and'],
  arp_filter: ['0', 'or'],
  arp_ignore: ['0', 'max'],
  arp_notify: ['0', 'max'],
  bc_forwarding: ['0', 'and'],
  disable_policy: ['0', 'or'],
  disable_xfrm: ['0', 'or'],
  drop_gratuitous_arp: ['0', 'or'],
  drop_unicast_in_l2_multicast: ['0', 'or'],
  forwarding: ['0', 'device'],
  ignore_routes_with_linkdown: ['0', 'or'],
  log_martians: ['0', 'or'],
  mc_forwarding: ['0', 'and'],
  medium_id: ['0', 'device'],
  promote_secondaries: ['0', 'or'],
  proxy_arp: ['0', 'or'],
  proxy_arp_pvlan: ['0', 'device'],
  route_localnet: ['0', 'or'],
  rp_filter: ['0', 'max'],
  secure_redirects: ['1', 'or'],
  send_redirects: ['1', 'or'],
  shared_media: ['1', 'or'],
  src_valid_mark: ['0', 'or'],
  tag: ['0', 'device'],
} as const satisfies Record<string, readonly [string, Combine]>;

export type Ipv4Conf = keyof typeof IPV4_CONF;

/** Where `lo` (loopback_setup) or `all` (ipv4_devconf) start from another value than `default`. */
const CONF_EXCEPTIONS: Readonly<Record<string, string>> = {
  'lo.disable_policy': '1',
  'lo.disable_xfrm': '1',
  'all.accept_source_route': '0',
};

const IPV6_CONF: Readonly<Record<string, string>> = {
  accept_dad: '1',
  accept_ra: '1',
  addr_gen_mode: '0',
  autoconf: '1',
  disable_ipv6: '0',
  forwarding: '0',
  hop_limit: '64',
  keep_addr_on_down: '0',
  proxy_ndp: '0',
};

/** Per-device settings of neighbour tables (arp_tbl, net/ipv4/arp.c). */
const NEIGH: Readonly<Record<string, string>> = {
  app_solicit: '0',
  base_reachable_time_ms: '30000',
  delay_first_probe_time: '5',
  gc_stale_time: '60',
  mcast_resolicit: '0',
  mcast_solicit: '3',
  proxy_delay: '80',
  proxy_qlen: '64',
  retrans_time_ms: '1000',
  ucast_solicit: '3',
  unres_qlen: '101',
};

const GLOBAL: Readonly<Record<string, string>> = {
  'net.bridge.bridge-nf-call-arptables': '1',
  'net.bridge.bridge-nf-call-ip6tables': '1',
  'net.bridge.bridge-nf-call-iptables': '1',
  'net.bridge.bridge-nf-filter-vlan-tagged': '0',
  'net.bridge.bridge-nf-pass-vlan-input-dev': '0',
  'net.ipv4.fib_multipath_hash_policy': '0',
  'net.ipv4.fib_multipath_use_neigh': '0',
  'net.ipv4.fwmark_reflect': '0',
  'net.ipv4.icmp_echo_ignore_all': '0',
  'net.ipv4.icmp_echo_ignore_broadcasts': '1',
  'net.ipv4.icmp_errors_use_inbound_ifaddr': '0',
  'net.ipv4.icmp_msgs_burst': '50',
  'net.ipv4.icmp_msgs_per_sec': '1000',
  'net.ipv4.icmp_ratelimit': '1000',
  'net.ipv4.icmp_ratemask': '6168',
  'net.ipv4.ip_default_ttl': '64',
  'net.ipv4.ip_early_demux': '1',
  'net.ipv4.ip_forward_update_priority': '1',
  'net.ipv4.ip_forward_use_pmtu': '0',
  'net.ipv4.ip_local_port_range': '32768\t60999',
  'net.ipv4.ip_local_reserved_ports': '',
  'net.ipv4.ip_no_pmtu_disc': '0',
  'net.ipv4.ip_nonlocal_bind': '0',
  'net.ipv4.ip_unprivileged_port_start': '1024',
  'net.ipv4.ping_group_range': '1\t0',
  'net.ipv4.route.min_adv_mss': '256',
  'net.ipv4.route.min_pmtu': '552',
  'net.ipv4.route.mtu_expires': '600',
  'net.ipv4.tcp_base_mss': '1024',
  'net.ipv4.tcp_ecn': '2',
  'net.ipv4.tcp_fwmark_accept': '0',
  'net.ipv4.tcp_mtu_probing': '0',
  'net.ipv4.tcp_sack': '1',
  'net.ipv4.tcp_syn_retries': '6',
  'net.ipv4.tcp_synack_retries': '5',
  'net.ipv4.tcp_syncookies': '1',
  'net.ipv4.tcp_timestamps': '1',
  'net.ipv4.tcp_window_scaling': '1',
  // ip_vs_control_net_init_sysctl, once the module is there.
  'net.ipv4.vs.conn_reuse_mode': '1',
  'net.ipv4.vs.conntrack': '0',
  'net.ipv4.vs.expire_nodest_conn': '0',
  'net.ipv4.vs.expire_quiescent_template': '0',
  'net.ipv4.vs.sloppy_tcp': '0',
  'net.ipv4.vs.snat_reroute': '1',
  'net.netfilter.nf_conntrack_checksum': '1',
  'net.netfilter.nf_conntrack_icmp_timeout': '30',
  'net.netfilter.nf_conntrack_max': '262144',
  'net.netfilter.nf_conntrack_tcp_be_liberal': '0',
  'net.netfilter.nf_conntrack_tcp_ignore_invalid_rst': '0',
  'net.netfilter.nf_conntrack_tcp_loose': '1',
  'net.netfilter.nf_conntrack_tcp_timeout_established': '432000',
  'net.netfilter.nf_conntrack_udp_timeout': '30',
  'net.netfilter.nf_conntrack_udp_timeout_stream': '120',
};

/** A key taken apart: `net.ipv4.conf.flannel/1.forwarding`. */
interface DeviceKey {
  readonly family: 'ipv4' | 'ipv6';
  readonly group: 'conf' | 'neigh';
  /** `all`, `default` or an ifname. */
  readonly device: string;
  readonly name: string;
}

const DEVICE_KEY = /^net\.(ipv4|ipv6)\.(conf|neigh)\.([^.]+)\.([^.]+)$/;

const dotsAndSlashes = (text: string): string =>
  text.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));

/**
 * The one spelling under which a sysctl is stored and printed: dots between the parts, and a slash
 * for a dot inside a device's name, as sysctl(8) writes them. Takes `net/ipv4/ip_forward` and
 * `net.ipv4.conf.flannel/1.rp_filter` alike: the first separator says which form the key has.
 * `net.ipv4.ip_forward` and `net.ipv4.conf.all.forwarding` are two names of one setting.
 */
export const canonicalSysctl = (text: string): string => {
  const slash = text.indexOf('/');
  const key = slash >= 0 && !text.slice(0, slash).includes('.') ? dotsAndSlashes(text) : text;
  return key === 'net.ipv4.conf.all.forwarding' ? 'net.ipv4.ip_forward' : key;
};

/** The key of an IPv4 setting of one device, `all` or `default`. */
export const ipv4ConfKey = (device: string, name: Ipv4Conf): string =>
  canonicalSysctl(`net.ipv4.conf.${device.replaceAll('.', '/')}.${name}`);

/** Takes a canonical per-device key apart; undefined for any other key. */
export const parseDeviceSysctl = (key: string): DeviceKey | undefined => {
  const [, family, group, device, name] = DEVICE_KEY.exec(key) ?? [];
  if (device === undefined || name === undefined) return undefined;
  return {
    family: family === 'ipv6' ? 'ipv6' : 'ipv4',
    group: group === 'neigh' ? 'neigh' : 'conf',
    device: device.replaceAll('/', '.'),
    name,
  };
};

const confDefault = (device: string, name: string): string | undefined =>
  CONF_EXCEPTIONS[`${device}.${name}`] ??
  (Object.hasOwn(IPV4_CONF, name) ? IPV4_CONF[name as Ipv4Conf][0] : undefined);

const own = (table: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

const defaultOf = (netns: Netns, key: string): string | undefined => {
  if (key === 'net.ipv4.ip_forward') return '0';
  const known = own(GLOBAL, key);
  if (known !== undefined) return known;
  const parts = parseDeviceSysctl(key);
  if (!parts) return undefined;
  const { family, group, device, name } = parts;
  const everyone = device === 'default' || (device === 'all' && group === 'conf');
  if (!everyone && !findDev(netns, device)) return undefined;
  if (group === 'neigh') return own(NEIGH, name);
  return family === 'ipv4' ? confDefault(device, name) : own(IPV6_CONF, name);
};

/** Whether the namespace has such a sysctl, as far as it is modelled. */
export const sysctlKnown = (netns: Netns, key: string): boolean =>
  defaultOf(netns, canonicalSysctl(key)) !== undefined;

/**
 * The value of a sysctl as `sysctl -n` prints it: what was written, else the default of Linux 6.18.
 * @param key any spelling that `canonicalSysctl` takes
 * @throws {NetlinkError} ENOENT for a key that does not exist here or is not modelled
 */
export const sysctlGet = (netns: Netns, key: string): string => {
  const canonical = canonicalSysctl(key);
  const written = netns.sysctls.get(canonical);
  if (written) return written.value;
  const value = defaultOf(netns, canonical);
  if (value === undefined)
    throw new NetlinkError('ENOENT', `sysctl ${canonical}: No such file or directory`);
  return value;
};

/** A sysctl that is a number. @throws {NetlinkError} ENOENT as sysctlGet */
export const sysctlNumber = (netns: Netns, key: string): number => Number(sysctlGet(netns, key));

/** A setting of a device: where it is written, and what it is until then. */
interface Setting {
  readonly key: string;
  readonly start: number;
}

type Settings = Readonly<Record<Ipv4Conf, Setting>>;

// Every packet asks a dozen of these at every device. The bound keeps a program that reads one
// cluster after the other from growing for ever.
const MEMO_LIMIT = 20_000;
const memo = new Map<string, Settings>();

const settingsOf = (device: string): Settings => {
  const known = memo.get(device);
  if (known) return known;
  const settings = Object.fromEntries(
    (Object.keys(IPV4_CONF) as Ipv4Conf[]).map((name) => [
      name,
      { key: ipv4ConfKey(device, name), start: Number(confDefault(device, name) ?? 0) },
    ]),
  ) as Record<Ipv4Conf, Setting>;
  if (memo.size >= MEMO_LIMIT) memo.clear();
  memo.set(device, settings);
  return settings;
};

const confNumber = (netns: Netns, device: string, name: Ipv4Conf): number => {
  const { key, start } = settingsOf(device)[name];
  const written = netns.sysctls.get(key);
  return written ? Number(written.value) : start;
};

/**
 * What a device does about an IPv4 setting: the IN_DEV_* macros of include/linux/inetdevice.h,
 * which put `conf.all` and `conf.DEV` together by or, and, the larger one, or look at the device
 * alone (`forwarding`).
 */
export const ipv4DevConf = (netns: Netns, ifname: string, name: Ipv4Conf): number => {
  const dev = confNumber(netns, ifname, name);
  const combine: Combine = IPV4_CONF[name][1];
  if (combine === 'device') return dev;
  const all = confNumber(netns, 'all', name);
  switch (combine) {
    case 'or':
      return all || dev;
    case 'and':
      return all && dev;
    case 'max':
      return Math.max(all, dev);
    case 'redirects':
      // IN_DEV_RX_REDIRECTS: a router believes redirects only when both say so.
      return confNumber(netns, ifname, 'forwarding') ? all && dev : all || dev;
    default: {
      const never: never = combine;
      return never;
    }
  }
};

/** IPv4 settings that exist for every device. */
export const IPV4_CONF_NAMES: readonly Ipv4Conf[] = Object.keys(IPV4_CONF) as Ipv4Conf[];
