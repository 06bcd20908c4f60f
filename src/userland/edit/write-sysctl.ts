/** Writes to /proc/sys: which values the kernel takes. */
import { sysctlSet } from '../../kernel/netlink.ts';
import type { Origin } from '../../kernel/origin.ts';
import { parseDeviceSysctl, sysctlGet, sysctlKnown, sysctlNumber } from '../../kernel/sysctl.ts';
import type { Netns } from '../../kernel/world.ts';
import { CommandError } from './command-error.ts';

const INTEGER = /^-?\d+$/;
const MAX_PORT = 65535;

/** Keys whose values have bounds; the rest of the numbers are any integer (proc_dointvec). */
const BOUNDS: Readonly<Record<string, readonly [number, number]>> = {
  'net.ipv4.ip_default_ttl': [1, 255],
  'net.netfilter.nf_conntrack_max': [0, 2 ** 31 - 1],
  'net.ipv4.tcp_syn_retries': [1, 127],
  'net.ipv4.icmp_echo_ignore_all': [0, 1],
};

/** ipv4_local_port_range (net/ipv4/sysctl_net_ipv4.c): in order, and above the ports of root. */
const isPortRange = (netns: Netns, numbers: readonly number[]): boolean => {
  const [low = -1, high = -1] = numbers;
  const first = sysctlNumber(netns, 'net.ipv4.ip_unprivileged_port_start');
  return numbers.length === 2 && low >= Math.max(1, first) && high >= low && high <= MAX_PORT;
};

const isAllowed = (netns: Netns, key: string, value: string): boolean => {
  const before = sysctlGet(netns, key);
  const parts = value.split('\t');
  if (key.endsWith('ip_local_port_range'))
    return parts.every((part) => INTEGER.test(part)) && isPortRange(netns, parts.map(Number));
  if (!before.split('\t').every((part) => INTEGER.test(part))) return true;
  const [low, high] = BOUNDS[key] ?? [-(2 ** 31), 2 ** 31 - 1];
  return (
    parts.length === before.split('\t').length &&
    parts.every((part) => INTEGER.test(part) && Number(part) >= low && Number(part) <= high)
  );
};

const check = (netns: Netns, key: string, value: string): void => {
  if (!sysctlKnown(netns, key)) {
    const device = parseDeviceSysctl(key)?.device;
    throw new CommandError(
      `sysctl: cannot stat /proc/sys/${key.replaceAll('.', '/')}: No such file or directory`,
      device === undefined || netns.devices.some(({ ifname }) => ifname === device)
        ? `${key} is not modelled, if a kernel has it`
        : `there is no device ${device}`,
    );
  }
  // The machine's alone: only its first namespace may write it (nf_conntrack_standalone.c).
  const isForeign = key === 'net.netfilter.nf_conntrack_max' && netns.name !== 'host';
  if (isForeign || !isAllowed(netns, key, value))
    throw new CommandError(`sysctl: setting key "${key}": Invalid argument`);
};

/**
 * Writes each key, in order.
 * @throws {CommandError} for a key that is not there and a value that the kernel refuses
 */
export const writeSysctls = (
  netns: Netns,
  writes: readonly { readonly key: string; readonly value: string }[],
  origin: Origin,
): void => {
  for (const { key, value } of writes) {
    check(netns, key, value);
    sysctlSet(netns, key, value, origin);
  }
};
