/** Sysctls that somebody wrote for a node, and what a new Pod's namespace inherits of them. */
import type { ClusterNode } from '../cluster/cluster.ts';
import { NetlinkError, sysctlSet } from '../kernel/netlink.ts';
import { canonicalSysctl, sysctlKnown } from '../kernel/sysctl.ts';
import type { Netns, Sysctl } from '../kernel/world.ts';
import { forNode } from './object-origin.ts';

/** Sorted, so that the order of keys in the input does not matter. */
const settingsOf = ({ sysctl }: ClusterNode): (readonly [string, string])[] =>
  Object.entries(sysctl).sort(([a], [b]) => (a < b ? -1 : 1));

/** Writes a node's own settings, those at least whose devices are there already. */
export const writeSettings = (netns: Netns, node: ClusterNode): void => {
  const author = forNode('scenario', node);
  for (const [key, value] of settingsOf(node)) {
    try {
      sysctlSet(netns, key, value, author('node-sysctl', 'sysctl'));
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
    }
  }
};

/** Settings of a node that its finished namespace does not have: they are not modelled. */
export const unknownSettings = (netns: Netns, node: ClusterNode): string[] =>
  settingsOf(node)
    .map(([key]) => canonicalSysctl(key))
    .filter((key) => !sysctlKnown(netns, key));

const INHERITED = /^net\.ipv4\.(ip_forward$|conf\.(all|default)\.)/;

/**
 * What the machine's namespace hands down to new ones: devinet_init_net (net/ipv4/devinet.c) copies
 * `conf.all` and `conf.default`, and ip_forward with them, while devconf_inherit_init_net is 0.
 */
export const inheritedSettings = (machine: Netns): ReadonlyMap<string, Sysctl> =>
  new Map([...machine.sysctls].filter(([key]) => INHERITED.test(key)));
