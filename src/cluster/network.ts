/** Which plugin and back end a cluster has: what the Scenario says, else what its objects show. */
import { isIpv4Cidr, isUnicastCidr } from '../wire/ip.ts';
import type { Cidr } from '../wire/packet.ts';
import type { ClusterNote, Network, Place } from './cluster.ts';
import type { Inventory } from './inventory.ts';
import { enforcesPolicies, type PluginSign, pluginOfAnnotations, pluginOfName } from './plugin.ts';
import { type PlacedSpec, placeIn } from './spec.ts';

export interface NetworkChoice {
  readonly plugin: Network['plugin'];
  readonly backend: Network['backend'];
  readonly config: Network['config'];
  /** The Pods' range, where the plugin's own configuration names one. */
  readonly podCIDR?: { readonly cidr: Cidr; readonly place: Place };
  readonly place?: Place;
  /** What the input shows that enforces policies, although its data path is another's. */
  readonly enforcer?: PluginSign;
}

export const BACKENDS = {
  flannel: ['vxlan', 'host-gw'],
  bridge: ['static-routes', 'cloud-routes'],
} as const;

const flannelBackend = (text: string | undefined): 'vxlan' | 'host-gw' | undefined =>
  BACKENDS.flannel.find((known) => known === (text ?? 'vxlan'));

/** Signs in order of weight: objects of the plugin's manifest, Pods of its agents, annotations. */
const signsOf = ({ signs, pods, nodes }: Inventory): PluginSign[] => {
  const agents = pods.flatMap(({ owners, place }) => {
    const plugin = pluginOfName(owners[0]?.kind === 'DaemonSet' ? owners[0].name : '');
    return plugin === undefined ? [] : [{ plugin, place }];
  });
  const annotated = [...nodes, ...pods].flatMap(({ annotations, place }) => {
    const plugin = pluginOfAnnotations(annotations);
    return plugin === undefined || !place ? [] : [{ plugin, place }];
  });
  return [...signs, ...agents, ...annotated];
};

const isModelled = ({ plugin, flannel }: PluginSign): boolean =>
  plugin === 'flannel' && flannelBackend(flannel?.backend) !== undefined;

const titleOf = ({ plugin, flannel }: PluginSign): string =>
  flannel?.backend === undefined ? plugin : `${plugin} ${flannel.backend}`;

/** flannel alone is modelled; whatever else shows up beside it (Canal) decides the data path. */
const strangest = (signs: readonly PluginSign[]): PluginSign | undefined =>
  signs.find((sign) => !isModelled(sign)) ?? signs.find(({ flannel }) => flannel) ?? signs[0];

const fromSign = (sign: PluginSign, note: (note: ClusterNote) => void): NetworkChoice => {
  const { place, flannel } = sign;
  const podCIDR = flannel?.network === undefined ? undefined : { cidr: flannel.network, place };
  const backend = flannelBackend(flannel?.backend);
  if (isModelled(sign) && backend) {
    note({ code: 'plugin-found', subject: `flannel ${backend}`, place });
    return {
      plugin: 'flannel',
      backend,
      config: flannel?.config ?? {},
      place,
      ...(podCIDR && { podCIDR }),
    };
  }
  note({ code: 'plugin-traced-as-bridge', subject: titleOf(sign), place });
  return {
    plugin: 'bridge',
    backend: 'static-routes',
    config: {},
    place,
    ...(podCIDR && { podCIDR }),
  };
};

/** Settles plugin and back end. Nothing said and nothing shown: flannel with VXLAN. */
export const chooseNetwork = (
  spec: PlacedSpec | undefined,
  inventory: Inventory,
  note: (note: ClusterNote) => void,
): NetworkChoice => {
  const network = spec?.value.network;
  const signs = signsOf(inventory);
  const sign = strangest(signs);
  if (network?.plugin === undefined && network?.backend === undefined) {
    if (sign) {
      const enforcer = signs.find(enforcesPolicies);
      const choice = { ...fromSign(sign, note), ...(enforcer && { enforcer }) };
      return network?.config ? { ...choice, config: network.config } : choice;
    }
    note({
      code: 'plugin-default',
      subject: 'flannel vxlan',
      values: { plugin: 'flannel', backend: 'vxlan' },
    });
  }
  const plugin =
    network?.plugin ??
    (BACKENDS.bridge.some((known) => known === network?.backend) ? 'bridge' : 'flannel');
  const place = placeIn(spec, 'network');
  const config = network?.config ?? {};
  const range = config['Network'];
  const rangePlace = placeIn(spec, 'network', 'config', 'Network');
  return {
    plugin,
    backend: network?.backend ?? BACKENDS[plugin][0],
    config,
    ...(place && { place }),
    ...(plugin === 'flannel' &&
      typeof range === 'string' &&
      isIpv4Cidr(range) &&
      isUnicastCidr(range) &&
      rangePlace && { podCIDR: { cidr: range, place: rangePlace } }),
  };
};
