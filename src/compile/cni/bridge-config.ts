/** The configuration of the bridge plugin (containernetworking/plugins v1.9.1, plugins/main/bridge). */
import type { Cidr, Ip } from '../../wire/packet.ts';
import { NIC } from '../machine.ts';
import type { ConfigReader } from './config-reader.ts';

/** A route of the IPAM's result; without `gw` it leads to the Pod's gateway. */
export interface IpamRoute {
  readonly dst: Cidr;
  readonly gw?: Ip;
}

/** NetConf of the plugin, as far as it matters here. */
export interface BridgeConf {
  /** The network's name, which chain names and comments carry. */
  readonly name: string;
  /** ifname of the bridge. */
  readonly bridge: string;
  readonly isGateway: boolean;
  readonly isDefaultGateway: boolean;
  readonly ipMasq: boolean;
  /** Bytes; 0: the kernel's own. */
  readonly mtu: number;
  readonly hairpinMode: boolean;
  readonly promiscMode: boolean;
  readonly portIsolation: boolean;
  readonly enableDad: boolean;
  readonly routes: readonly IpamRoute[];
}

/** libcni's rule for names of networks (containernetworking/cni, pkg/utils). */
const NETWORK_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
/** dev_valid_name (net/core/dev.c): at most 15 bytes, no slash, colon or space; not . or .. */
export const IFNAME = /^(?!\.{1,2}$)[^/:\s]{1,15}$/;
const MAX_MTU = 65535;
/** What every machine has. */
export const MACHINE_DEVICES: readonly string[] = ['lo', NIC];
/** sysctl_dev_name_is_allowed (net/ipv4/devinet.c): they stand for something else there. */
const NO_DEVICES: readonly string[] = ['all', 'default'];
const EVERYTHING: Cidr = '0.0.0.0/0';

/** What neither a Pod's packets nor the state they meet depend on. */
const IRRELEVANT = ['cniVersion', 'cniVersions', 'disableCheck', 'disableGC', 'dns'] as const;

const notModelled = (reader: ConfigReader, key: string, what: string): void => {
  if (reader.has(key)) reader.problem(key, 'unmodelled', what);
};

const readIpam = (ipam: ConfigReader, isDefaultGateway: boolean): IpamRoute[] => {
  if (ipam.text('type', 'host-local', /./) !== 'host-local')
    ipam.problem('type', 'unmodelled', 'only host-local is modelled');
  for (const key of ['subnet', 'range', 'ranges', 'rangeStart', 'rangeEnd', 'gateway'])
    notModelled(ipam, key, 'Pod ranges come from the nodes, the gateway is their first address');
  ipam.ignore('dataDir', 'resolvConf');
  const routes = ipam.sections('routes').flatMap((route) => {
    const dst = route.cidr('dst', '');
    const gw = route.ip('gw');
    for (const key of ['mtu', 'advmss', 'priority', 'table', 'scope'])
      notModelled(route, key, 'is not modelled');
    if (dst !== '') return [{ dst, ...(gw !== undefined && { gw }) }];
    if (!route.has('dst')) route.problem('dst', 'error', 'is missing');
    return [];
  });
  // calcGateways only looks for a default route that names its gateway.
  if (isDefaultGateway && routes.some(({ dst, gw }) => dst === EVERYTHING && gw === undefined))
    ipam.problem(
      'routes',
      'error',
      'have a default route, and isDefaultGateway adds the same: the plugin fails with "file exists"',
    );
  return routes;
};

/**
 * Reads the keys of the bridge plugin; what is absent gets `defaults`. Flags, MTU, name, hairpin and
 * promiscuous mode, isolation and the routes of `ipam` are modelled; VLANs, MAC address checks,
 * nftables masquerading and other IPAM plugins are reported as not modelled.
 * @param taken names of devices that are there before the first Pod
 */
export const readBridgeConf = (
  reader: ConfigReader,
  defaults: BridgeConf,
  taken: readonly string[] = MACHINE_DEVICES,
): BridgeConf => {
  const isDefaultGateway = reader.boolean('isDefaultGateway', defaults.isDefaultGateway);
  const conf: BridgeConf = {
    name: reader.text('name', defaults.name, NETWORK_NAME),
    bridge: reader.text('bridge', defaults.bridge, IFNAME),
    isGateway: reader.boolean('isGateway', defaults.isGateway),
    isDefaultGateway,
    ipMasq: reader.boolean('ipMasq', defaults.ipMasq),
    mtu: reader.integer('mtu', defaults.mtu, [0, MAX_MTU]),
    hairpinMode: reader.boolean('hairpinMode', defaults.hairpinMode),
    promiscMode: reader.boolean('promiscMode', defaults.promiscMode),
    portIsolation: reader.boolean('portIsolation', defaults.portIsolation),
    enableDad: reader.boolean('enabledad', defaults.enableDad),
    routes: [...defaults.routes, ...readIpam(reader.section('ipam'), isDefaultGateway)],
  };
  if (taken.includes(conf.bridge))
    reader.problem(
      'bridge',
      'error',
      `${JSON.stringify(conf.bridge)} already exists but is not a bridge`,
    );
  if (NO_DEVICES.includes(conf.bridge))
    reader.problem('bridge', 'error', `${JSON.stringify(conf.bridge)} is no name of a device`);
  if (conf.hairpinMode && conf.promiscMode)
    reader.problem('promiscMode', 'error', 'cannot be set together with hairpinMode');
  if (conf.mtu !== 0 && conf.mtu < 68) reader.problem('mtu', 'error', 'must be 0 or at least 68');
  if (reader.text('type', 'bridge', /./) !== 'bridge')
    reader.problem('type', 'unmodelled', 'only the bridge plugin is modelled');
  if (reader.text('ipMasqBackend', 'iptables', /^(iptables|nftables)$/) === 'nftables')
    reader.problem('ipMasqBackend', 'unmodelled', 'nftables is not modelled, iptables is');
  if (reader.integer('vlan', 0, [0, 4094]) !== 0)
    reader.problem('vlan', 'unmodelled', 'VLANs are not modelled');
  for (const key of ['vlanTrunk', 'preserveDefaultVlan'])
    notModelled(reader, key, 'VLANs are not modelled');
  if (reader.boolean('macspoofchk', false))
    reader.problem('macspoofchk', 'unmodelled', 'MAC address checks are not modelled');
  if (reader.boolean('disableContainerInterface', false))
    reader.problem('disableContainerInterface', 'error', 'cannot be set together with IPAM');
  // Only one address is ever asked of the bridge, so there is nothing to force.
  reader.boolean('forceAddress', false);
  for (const key of ['args', 'runtimeConfig']) notModelled(reader, key, 'is not modelled');
  reader.ignore(...IRRELEVANT, 'capabilities');
  // cmdAdd: a default gateway is a gateway.
  return conf.isDefaultGateway ? { ...conf, isGateway: true } : conf;
};

/**
 * The plugin alone, as a scenario has it unless told otherwise: every Pod gets a default route by
 * the bridge, nothing is masqueraded. (The plugin's own default is a bridge without an address.)
 */
export const BRIDGE_DEFAULTS: BridgeConf = {
  name: 'bridge',
  bridge: 'cni0',
  isGateway: true,
  isDefaultGateway: true,
  ipMasq: false,
  mtu: 0,
  hairpinMode: false,
  promiscMode: false,
  portIsolation: false,
  enableDad: false,
  routes: [],
};
