/** What `network.config` says, read by the rules of the network's own plugin. */
import type { ClusterNode, Network } from '../../cluster/cluster.ts';
import { cidrContains, parseCidr } from '../../wire/ip.ts';
import { BRIDGE_DEFAULTS, type BridgeConf, readBridgeConf } from './bridge-config.ts';
import { type ConfigProblem, readConfig } from './config-reader.ts';
import { type FlannelConf, readFlannelConf } from './flannel-config.ts';

export type PluginConf =
  | {
      readonly plugin: 'bridge';
      readonly routes: 'static-routes' | 'cloud-routes';
      readonly conf: BridgeConf;
    }
  | { readonly plugin: 'flannel'; readonly conf: FlannelConf };

interface Parsed {
  readonly conf: PluginConf;
  readonly problems: readonly ConfigProblem[];
}

const parse = (network: Network): Parsed => {
  const problems: ConfigProblem[] = [];
  const reader = readConfig(network.config, [], problems);
  const read = (): PluginConf => {
    switch (network.plugin) {
      case 'bridge':
        return {
          plugin: 'bridge',
          routes: network.backend === 'cloud-routes' ? 'cloud-routes' : 'static-routes',
          conf: readBridgeConf(reader, BRIDGE_DEFAULTS),
        };
      case 'flannel':
        return { plugin: 'flannel', conf: readFlannelConf(reader, network) };
      default: {
        const never: never = network.plugin;
        return never;
      }
    }
  };
  const conf = read();
  reader.finish();
  return { conf, problems };
};

const known = new WeakMap<Network, Parsed>();

/** Read once: the check, the compiler and every probe ask for it. */
const parsed = (network: Network): Parsed => {
  const found = known.get(network) ?? parse(network);
  known.set(network, found);
  return found;
};

/** The plugin's configuration with its defaults; bad keys count as absent. */
export const pluginConf = (network: Network): PluginConf => parsed(network).conf;

const holds = (network: string, { podCIDR }: ClusterNode): boolean =>
  parseCidr(podCIDR).prefix >= parseCidr(network).prefix &&
  cidrContains(network, podCIDR.slice(0, podCIDR.indexOf('/')));

/**
 * Everything that is wrong with `network.config`, in the order of its keys: errors, and keys that
 * the plugin knows and the model does not. `compileWorld` wants no errors.
 * @param nodes flanneld does not start on a node whose range lies outside its Network
 */
export const checkNetworkConfig = (
  network: Network,
  nodes: readonly ClusterNode[] = [],
): ConfigProblem[] => {
  const { conf: found, problems } = parsed(network);
  if (found.plugin !== 'flannel') return [...problems];
  const { network: range } = found.conf;
  const outside = nodes.find((node) => !holds(range, node));
  if (!outside) return [...problems];
  const message = `${range} does not hold the Pod range of ${outside.name}, ${outside.podCIDR}`;
  return [...problems, { path: ['Network'], severity: 'error', message }];
};
