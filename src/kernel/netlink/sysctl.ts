/** Writing sysctls: what a write to all or default does to devices (net/ipv4/devinet.c). */
import { findDev } from '../netdev.ts';
import type { Origin } from '../origin.ts';
import {
  canonicalSysctl,
  IPV4_CONF_NAMES,
  ipv4ConfKey,
  parseDeviceSysctl,
  sysctlGet,
  sysctlKnown,
} from '../sysctl.ts';
import type { Netns, Sysctl } from '../world.ts';
import { NetlinkError } from './error.ts';

const FORWARDING = 'forwarding';

const write = (netns: Netns, key: string, value: string, origin: Origin | undefined): void => {
  netns.sysctls.set(key, { value, ...(origin && { origin }) });
};

/**
 * inet_forward_change: the switch for all sets default and every device too, and a router believes
 * no redirects.
 */
const forwardChange = (netns: Netns, value: string, origin: Origin | undefined): void => {
  write(netns, ipv4ConfKey('all', 'accept_redirects'), value === '0' ? '1' : '0', origin);
  write(netns, ipv4ConfKey('default', FORWARDING), value, origin);
  for (const { ifname } of netns.devices)
    write(netns, ipv4ConfKey(ifname, FORWARDING), value, origin);
};

/**
 * devinet_copy_dflt_conf: devices follow that were never written to, never had an address, and are
 * older than the first write of that default: a new device takes over that it was written.
 */
const copyDefault = (netns: Netns, name: string, sysctl: Sysctl): void => {
  for (const dev of netns.devices) {
    const key = `net.ipv4.conf.${dev.ifname.replaceAll('.', '/')}.${name}`;
    const own = netns.sysctls.get(key);
    if (dev.addresses.length === 0 && (!own || own.inherited))
      netns.sysctls.set(key, { ...sysctl, inherited: true });
  }
};

/**
 * `sysctl -w KEY=VALUE`. `ip_forward` (and its other name `conf.all.forwarding`) sets every
 * device's forwarding when it changes; `conf.default.X` sets new devices, and those that
 * nobody configured yet.
 * @param key any spelling that `canonicalSysctl` takes
 * @throws {NetlinkError} ENOENT for a key that does not exist here or is not modelled
 */
export const sysctlSet = (netns: Netns, key: string, value: string, origin?: Origin): void => {
  const canonical = canonicalSysctl(key);
  if (!sysctlKnown(netns, canonical))
    throw new NetlinkError(
      'ENOENT',
      `cannot stat /proc/sys/${canonical.replaceAll('.', '/')}: No such file or directory`,
    );
  const before = sysctlGet(netns, canonical);
  write(netns, canonical, value, origin);
  if (canonical === 'net.ipv4.ip_forward') {
    if (before !== value) forwardChange(netns, value, origin);
    return;
  }
  const parts = parseDeviceSysctl(canonical);
  if (parts?.family !== 'ipv4' || parts.group !== 'conf' || parts.device !== 'default') return;
  // devinet_sysctl_forward: the default of forwarding is for new devices alone.
  if (parts.name !== FORWARDING)
    copyDefault(netns, parts.name, { value, ...(origin && { origin }) });
};

/** inetdev_init: a new device starts with what `conf.default` says. */
export const inheritSysctls = (netns: Netns, ifname: string): void => {
  for (const name of IPV4_CONF_NAMES) {
    const preset = netns.sysctls.get(ipv4ConfKey('default', name));
    if (preset) netns.sysctls.set(ipv4ConfKey(ifname, name), preset);
  }
};

/** The settings of a device go with it. */
export const forgetSysctls = (netns: Netns, ifname: string): void => {
  for (const key of netns.sysctls.keys())
    if (parseDeviceSysctl(key)?.device === ifname && !findDev(netns, ifname))
      netns.sysctls.delete(key);
};
