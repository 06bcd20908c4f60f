/** flannel's configuration: net-conf.json, flanneld's flags, and what its CNI plugin delegates. */
import type { Network } from '../../cluster/cluster.ts';
import { isUnicastCidr } from '../../wire/ip.ts';
import type { Cidr } from '../../wire/packet.ts';
import {
  BRIDGE_DEFAULTS,
  type BridgeConf,
  IFNAME,
  MACHINE_DEVICES,
  readBridgeConf,
} from './bridge-config.ts';
import type { ConfigReader } from './config-reader.ts';

/** VXLANConfig (pkg/backend/vxlan). */
export interface VxlanBackend {
  readonly type: 'vxlan';
  readonly vni: number;
  /** 0: the kernel's own, 8472. */
  readonly port: number;
  /** Bytes that a packet of the wire may have; absent: those of the node's device. */
  readonly mtu?: number;
  readonly learning: boolean;
  readonly directRouting: boolean;
}

/** ifname of the backend's device. */
export const vxlanName = ({ vni }: Pick<VxlanBackend, 'vni'>): string => `flannel.${vni}`;

export interface HostGwBackend {
  readonly type: 'host-gw';
}

export interface FlannelConf {
  /** FLANNEL_NETWORK: what flannel takes to be the cluster's Pods. */
  readonly network: Cidr;
  readonly backend: VxlanBackend | HostGwBackend;
  /** --ip-masq */
  readonly ipMasq: boolean;
  /** not --ip-masq-fully-random-disable */
  readonly randomFully: boolean;
  /** --iptables-forward-rules */
  readonly forwardRules: boolean;
  /** --ip-blackhole-route */
  readonly blackholeRoute: boolean;
  /** What the CNI plugin hands to bridge; its MTU is absent unless written down. */
  readonly delegate: Omit<BridgeConf, 'mtu'> & { readonly mtu?: number };
}

const LARGEST_VNI = 2 ** 24 - 1;
const LARGEST_PORT = 65535;
const SMALLEST_MTU = 68 + 50;

const readBackend = (
  reader: ConfigReader,
  backend: Network['backend'],
): VxlanBackend | HostGwBackend => {
  const type = reader.text('Type', backend, /./);
  if (type !== backend)
    reader.problem('Type', 'error', `contradicts the backend of the network, ${backend}`);
  if (backend === 'host-gw') return { type: 'host-gw' };
  if (reader.boolean('GBP', false))
    reader.problem('GBP', 'unmodelled', 'the group policy extension is not modelled');
  const mtu = reader.integer('MTU', 0, [SMALLEST_MTU, LARGEST_PORT]);
  const vni = reader.integer('VNI', 1, [1, LARGEST_VNI]);
  if (!IFNAME.test(vxlanName({ vni })))
    reader.problem('VNI', 'error', `makes ${vxlanName({ vni })}, which is too long for a device`);
  return {
    type: 'vxlan',
    vni,
    port: reader.integer('Port', 0, [0, LARGEST_PORT]),
    ...(mtu !== 0 && { mtu }),
    learning: reader.boolean('Learning', false),
    directRouting: reader.boolean('DirectRouting', false),
  };
};

/** getDelegateIPAM and doCmdAdd (flannel-io/cni-plugin v1.9.1-flannel3, flannel_linux.go). */
const readDelegate = (
  reader: ConfigReader,
  network: Cidr,
  ipMasq: boolean,
  tunnels: readonly string[],
): FlannelConf['delegate'] => {
  const section = reader.section('delegate');
  for (const key of ['name', 'ipam'])
    if (section.has(key)) section.problem(key, 'error', 'is set by flannel');
  const { mtu, ...conf } = readBridgeConf(
    section,
    {
      ...BRIDGE_DEFAULTS,
      name: 'cbr0',
      hairpinMode: true,
      // Whoever masquerades, it is one of the two.
      ipMasq: !ipMasq,
      routes: [{ dst: network }],
    },
    [...MACHINE_DEVICES, ...tunnels],
  );
  return section.has('mtu') ? { ...conf, mtu } : conf;
};

/**
 * Reads net-conf.json (pkg/subnet/config.go of flannel-io/flannel v0.28.9), flanneld's flags by
 * their names, and `delegate` of the CNI configuration. What is absent is as in flannel's manifest:
 * `--ip-masq`, hairpinMode and isDefaultGateway. SubnetLen, SubnetMin and SubnetMax are read by
 * flannel only where it hands out the ranges itself: with Kubernetes the nodes have theirs.
 */
export const readFlannelConf = (
  reader: ConfigReader,
  { backend, podCIDR }: Pick<Network, 'backend' | 'podCIDR'>,
): FlannelConf => {
  if (!reader.boolean('EnableIPv4', true))
    reader.problem('EnableIPv4', 'error', 'cannot be off: only IPv4 is modelled');
  if (reader.boolean('EnableIPv6', false))
    reader.problem('EnableIPv6', 'unmodelled', 'IPv6 is not modelled');
  if (reader.boolean('EnableNFTables', false))
    reader.problem('EnableNFTables', 'unmodelled', 'nftables is not modelled, iptables is');
  reader.ignore('SubnetLen', 'SubnetMin', 'SubnetMax');
  reader.ignore('IPv6Network', 'IPv6SubnetLen', 'IPv6SubnetMin', 'IPv6SubnetMax');
  const network = reader.cidr('Network', podCIDR);
  if (!isUnicastCidr(network))
    reader.problem('Network', 'error', `${network} holds addresses that no machine can have`);
  const ipMasq = reader.boolean('ip-masq', true);
  const settled = readBackend(reader.section('Backend'), backend);
  return {
    network,
    backend: settled,
    ipMasq,
    randomFully: !reader.boolean('ip-masq-fully-random-disable', false),
    forwardRules: reader.boolean('iptables-forward-rules', true),
    blackholeRoute: reader.boolean('ip-blackhole-route', false),
    delegate: readDelegate(
      reader,
      network,
      ipMasq,
      settled.type === 'vxlan' ? [vxlanName(settled)] : [],
    ),
  };
};
