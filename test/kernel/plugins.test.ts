/**
 * What the compiler says of a node is what the real programs make of it: the plugins of Debian's
 * containernetworking-plugins (bridge with host-local, portmap, loopback) run on the same input, flanneld's
 * part is typed in with ip(8), bridge(8) and iptables-restore(8), and whatever the tools then print
 * of the namespaces is what they would print of ours.
 *
 * What may differ, and is made equal before the comparison:
 * - drawn at random in reality: names of host veths, MAC addresses;
 * - versions: the plugins are 1.1.1 and make the pair in the Pod before they move its other end, so
 *   ifindexes differ, and without a queue length; the model follows 1.9.1, which makes each end where
 *   it belongs, with the kernel's;
 * - the stand-in for hardware: eth0 is one end of a veth pair here, which has its own queue;
 * - inherited: a namespace takes conf.all and conf.default from the machine's first namespace, not
 *   from the one that stands for the node; both are set to what a node of the model would hand down.
 */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Cluster, ContainerPort, Network } from '../../src/cluster/cluster.ts';
import { compileWorld } from '../../src/compile/compile.ts';
import { sandboxId } from '../../src/compile/derived-name.ts';
import { findDev } from '../../src/kernel/netdev.ts';
import { netnsOf } from '../../src/kernel/netns.ts';
import { IPV4_CONF_NAMES, sysctlGet, sysctlKnown } from '../../src/kernel/sysctl.ts';
import type { Netns, World } from '../../src/kernel/world.ts';
import { iptablesSave } from '../../src/userland/iptables/print.ts';
import { bridgeFdb, bridgeLink, ipAddr, ipNeigh, ipRoute } from '../../src/userland/print/show.ts';
import { cluster, container, network, pod } from '../compile/cluster.ts';
import { openPrivateNetwork } from './private-network.ts';
import { missing } from './requirements.ts';

const PLUGINS = '/usr/lib/cni';
const lacking = [
  ...missing(['ip', 'bridge', 'iptables-save', 'iptables-restore', 'sysctl', 'unshare']),
  ...['bridge', 'host-local', 'loopback', 'portmap']
    .filter((plugin) => !existsSync(`${PLUGINS}/${plugin}`))
    .map((plugin) => `${PLUGINS}/${plugin}`),
];

const MARK = '@@';

/** Rules without those of kubelet and kube-proxy, which run on no node here, and the tables' own lines. */
const ofPlugins = (lines: readonly string[]): string[] =>
  lines.filter((line) => /^(?:-A|:\S+ -)/.test(line) && !/[ :]KUBE-/.test(line));

/** What is asked of both worlds, line by line. */
const QUESTIONS: Readonly<
  Record<string, { command: string; ours: (world: World, netns: Netns) => string[] }>
> = {
  'ip addr': { command: 'ip addr', ours: (world, netns) => withLowest(ipAddr(world, netns)) },
  'ip route': {
    command: 'ip -4 route show table all',
    ours: (world, netns) => ipRoute(world, netns, 'all'),
  },
  'ip neigh': { command: 'ip -4 neigh show nud permanent', ours: ipNeigh },
  'bridge link': {
    command: 'bridge -d link',
    ours: (world, netns) => bridgeLink(world, netns, true),
  },
  'bridge fdb': { command: 'bridge fdb', ours: bridgeFdb },
  'iptables-save': {
    command: 'iptables-save',
    ours: (_, { netfilter }) => ofPlugins(iptablesSave(netfilter)),
  },
};

interface Case {
  readonly title: string;
  readonly network: Partial<Network>;
  /** How many Pods are added to the node. */
  readonly pods: number;
  /** What the bridge plugin reads on its standard input, beside `ipam.ranges`. */
  readonly conf: Readonly<Record<string, unknown>>;
  /** Routes of `ipam`. */
  readonly routes?: readonly { readonly dst: string; readonly gw?: string }[];
  /** Ports that are the node's too, by Pod, counted from 0; portmap is chained behind bridge for them. */
  readonly hostPorts?: Readonly<Record<number, readonly HostPort[]>>;
  /** What a daemon does to the node before the first Pod. */
  readonly daemon?: (world: World) => string;
}

type HostPort = ContainerPort & { readonly hostPort: number };

const bridgeCase = (
  title: string,
  pods: number,
  config: Readonly<Record<string, unknown>>,
  routes?: Case['routes'],
): Case => {
  const conf = { isGateway: false, isDefaultGateway: false, ...config };
  return {
    title,
    pods,
    network: {
      plugin: 'bridge',
      backend: 'cloud-routes',
      config: { name: 'mynet', ...conf, ...(routes && { ipam: { routes } }) },
    },
    conf: { cniVersion: '0.4.0', name: 'mynet', ...conf },
    ...(routes && { routes }),
  };
};

/** What flannel's CNI plugin hands to bridge (doCmdAdd), with subnet.env as flanneld wrote it. */
const delegate = (mtu: number) => ({
  cniVersion: '0.3.1',
  name: 'cbr0',
  type: 'bridge',
  hairpinMode: true,
  isDefaultGateway: true,
  isGateway: true,
  ipMasq: false,
  mtu,
});

/** iptables-restore --noflush, once for each chain, after `-N` (setupAndEnsureIP4Tables). */
const FLANNEL_RULES = `
iptables -t nat -N FLANNEL-POSTRTG
iptables-restore --noflush <<'RULES'
*nat
-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG -s 10.244.1.0/24 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN
-A FLANNEL-POSTRTG -s 10.244.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
-A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
COMMIT
RULES
iptables -t filter -N FLANNEL-FWD
iptables-restore --noflush <<'RULES'
*filter
-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
-A FLANNEL-FWD -s 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
-A FLANNEL-FWD -d 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
COMMIT
RULES`;

const macOf = (world: World, id: string, ifname: string): string =>
  findDev(netnsOf(world, id), ifname)?.mac ?? '';

/** The vxlan device and the peer's three rows, with the numbers that flanneld passes to netlink. */
const vxlanDaemon =
  ({ mtu, dev = 'flannel.1', options = 'id 1' }: { mtu: number; dev?: string; options?: string }) =>
  (world: World): string => {
    const peer = macOf(world, 'node-2/host', dev);
    return `
ip link add ${dev} address ${macOf(world, 'node-1/host', dev)} mtu ${mtu} type vxlan ${options} \\
  local 192.168.10.11 dev eth0 nolearning
sysctl -qw net.ipv6.conf.${dev.replace('.', '/')}.accept_ra=0
ip addr add 10.244.1.0/32 dev ${dev}
ip link set ${dev} up
${FLANNEL_RULES}
ip neigh replace 10.244.2.0 lladdr ${peer} dev ${dev} nud permanent
bridge fdb replace ${peer} dev ${dev} dst 192.168.10.12 self permanent
ip route replace 10.244.2.0/24 via 10.244.2.0 dev ${dev} onlink`;
  };

const flannelCase = (
  title: string,
  pods: number,
  given: Pick<Case, 'daemon' | 'network'>,
  conf: Readonly<Record<string, unknown>>,
): Case => ({
  title,
  pods,
  ...given,
  conf,
  routes: [{ dst: '10.244.0.0/16' }],
});

/** A tunnel of flannel, and host ports as runtimes hand them to portmap. */
const hostPortCase = (title: string, pods: number, hostPorts: Case['hostPorts']): Case => ({
  ...flannelCase(title, pods, { network: {}, daemon: vxlanDaemon({ mtu: 1450 }) }, delegate(1450)),
  ...(hostPorts && { hostPorts }),
});

const WEB: HostPort = { port: 80, protocol: 'tcp', hostPort: 8080 };

const CASES: readonly Case[] = [
  hostPortCase('portmap: a host port', 1, { 0: [WEB] }),
  hostPortCase('portmap: ports of both protocols, and of one address', 2, {
    1: [
      { port: 53, protocol: 'udp', hostPort: 5353 },
      WEB,
      { port: 443, protocol: 'tcp', hostPort: 8443, hostIP: '192.168.10.11' },
      { port: 54, protocol: 'udp', hostPort: 54, hostIP: '0.0.0.0' },
    ],
  }),
  hostPortCase('portmap: several Pods', 3, {
    0: [WEB],
    2: [{ ...WEB, hostPort: 8081 }],
  }),
  hostPortCase('portmap: more ports than one match takes', 1, {
    0: Array.from({ length: 17 }, (_, n) => ({ ...WEB, hostPort: 9000 + n })),
  }),
  {
    ...bridgeCase('portmap behind ipMasq', 2, { isDefaultGateway: true, ipMasq: true }),
    hostPorts: { 0: [WEB], 1: [{ ...WEB, hostPort: 81, protocol: 'udp' }] },
  },
  bridgeCase('a bridge without an address', 1, {}),
  bridgeCase('a bridge without an address, several ports', 3, {}),
  bridgeCase('isGateway', 2, { isGateway: true }),
  bridgeCase('isDefaultGateway', 4, { isDefaultGateway: true }),
  bridgeCase('isDefaultGateway alone makes a gateway', 1, {
    isGateway: false,
    isDefaultGateway: true,
  }),
  bridgeCase('ipMasq', 3, { isDefaultGateway: true, ipMasq: true }),
  bridgeCase('ipMasq of another network', 1, { isGateway: true, ipMasq: true, name: 'a.b-c_1' }),
  bridgeCase('hairpinMode', 2, { isDefaultGateway: true, hairpinMode: true }),
  bridgeCase('promiscMode', 2, { isDefaultGateway: true, promiscMode: true }),
  bridgeCase('mtu, smaller', 2, { isDefaultGateway: true, mtu: 1400 }),
  bridgeCase('mtu, larger', 1, { isDefaultGateway: true, mtu: 8900 }),
  bridgeCase('another bridge, with a dot in its name', 2, {
    isDefaultGateway: true,
    bridge: 'br.0',
  }),
  bridgeCase('everything at once', 4, {
    isDefaultGateway: true,
    ipMasq: true,
    hairpinMode: true,
    mtu: 1450,
    forceAddress: true,
  }),
  bridgeCase('routes of the IPAM', 2, { isGateway: true }, [
    { dst: '0.0.0.0/0' },
    { dst: '10.0.0.0/8' },
    { dst: '172.16.0.0/12', gw: '10.244.1.9' },
  ]),
  bridgeCase('a default route of the IPAM and isDefaultGateway', 1, { isDefaultGateway: true }, [
    { dst: '0.0.0.0/0', gw: '10.244.1.1' },
  ]),
  flannelCase(
    'flannel vxlan',
    3,
    { network: {}, daemon: vxlanDaemon({ mtu: 1450 }) },
    delegate(1450),
  ),
  flannelCase(
    'flannel vxlan before the first Pod',
    0,
    { network: {}, daemon: vxlanDaemon({ mtu: 1450 }) },
    {},
  ),
  flannelCase(
    'flannel vxlan with VNI, port and MTU',
    1,
    {
      network: { config: { Backend: { Type: 'vxlan', VNI: 42, Port: 4789, MTU: 1400 } } },
      daemon: vxlanDaemon({ mtu: 1350, dev: 'flannel.42', options: 'id 42 dstport 4789' }),
    },
    delegate(1350),
  ),
  flannelCase(
    'flannel vxlan with an MTU that the wire does not have',
    1,
    {
      network: { config: { Backend: { MTU: 9000 } } },
      daemon: vxlanDaemon({ mtu: 8950 }),
    },
    delegate(8950),
  ),
  flannelCase(
    'flannel vxlan with DirectRouting',
    1,
    {
      network: { config: { Backend: { DirectRouting: true } } },
      daemon: (world) => `
ip link add flannel.1 address ${macOf(world, 'node-1/host', 'flannel.1')} mtu 1450 type vxlan id 1 \\
  local 192.168.10.11 dev eth0 nolearning
sysctl -qw net.ipv6.conf.flannel/1.accept_ra=0
ip addr add 10.244.1.0/32 dev flannel.1
ip link set flannel.1 up
${FLANNEL_RULES}
ip route replace 10.244.2.0/24 via 192.168.10.12`,
    },
    delegate(1450),
  ),
  flannelCase(
    'flannel host-gw',
    2,
    {
      network: { backend: 'host-gw' },
      daemon: () => `${FLANNEL_RULES}\nip route add 10.244.2.0/24 via 192.168.10.12 dev eth0`,
    },
    delegate(1500),
  ),
  flannelCase(
    'flannel host-gw with a blackhole, which the bridge’s route goes behind',
    1,
    {
      network: { backend: 'host-gw', config: { 'ip-blackhole-route': true } },
      daemon: () =>
        `${FLANNEL_RULES}\nip route add blackhole 10.244.1.0/24\nip route add 10.244.2.0/24 via 192.168.10.12 dev eth0`,
    },
    delegate(1500),
  ),
  flannelCase(
    'flannel host-gw without --ip-masq: the bridge plugin masquerades',
    2,
    {
      network: {
        backend: 'host-gw',
        config: { 'ip-masq': false, 'iptables-forward-rules': false },
      },
      daemon: () => 'ip route add 10.244.2.0/24 via 192.168.10.12 dev eth0',
    },
    { ...delegate(1500), ipMasq: true },
  ),
];

const clusterOf = (given: Case): Cluster =>
  cluster({
    network: network(given.network),
    pods: Array.from({ length: given.pods }, (_, n) =>
      pod(`pod-${n + 1}`, 'node-1', `10.244.1.${n + 2}`, {
        containers: [{ ...container('app'), ports: given.hostPorts?.[n] ?? [] }],
      }),
    ),
  });

/** The whole of a namespace, each answer behind its mark. */
const askAll = (netns: string): string =>
  [
    ...Object.entries(QUESTIONS).map(
      ([name, { command }]) => `echo '${MARK}${netns} ${name}'\nip netns exec ${netns} ${command}`,
    ),
    `echo '${MARK}${netns} sysctl'`,
    `ip netns exec ${netns} sysctl -a -r '^net[.](ipv4[.](ip_forward|conf)|ipv6[.]conf[.].*[.]accept_|bridge)' 2>/dev/null || true`,
  ].join('\n');

/** The kernel's defaults, whatever this machine has in their place, then what a node hands down. */
const resetSysctls = (netns: string, model: Netns): string => {
  const keys = ['all', 'default', 'lo'].flatMap((device) =>
    IPV4_CONF_NAMES.filter((name) => name !== 'mc_forwarding').map(
      (name) => `net.ipv4.conf.${device}.${name}`,
    ),
  );
  const lines = keys
    .filter((key) => sysctlKnown(model, key))
    .map((key) => `${key} = ${sysctlGet(model, key)}`);
  return `ip netns exec ${netns} sysctl -q -p - <<'SYSCTL'
net.ipv6.conf.all.disable_ipv6 = 1
net.ipv6.conf.default.disable_ipv6 = 1
net.ipv4.ip_forward = ${sysctlGet(model, 'net.ipv4.ip_forward')}
${lines.join('\n')}
SYSCTL`;
};

/** Boots the node, runs the daemon and adds the Pods with the real plugins. */
const build = (given: Case, model: Cluster, world: World): string => {
  const nodeNs = netnsOf(world, 'node-1/host');
  const conf: Readonly<Record<string, unknown>> = {
    ...given.conf,
    type: 'bridge',
    ipam: {
      type: 'host-local',
      dataDir: '/run/ipam',
      ranges: [[{ subnet: '10.244.1.0/24' }]],
      ...(given.routes && { routes: given.routes }),
    },
  };
  return [
    'set -e',
    'ip netns add wire; ip netns add node',
    resetSysctls('node', nodeNs),
    `ip -n node link set lo up
ip link add eth0 netns node address ${macOf(world, 'node-1/host', 'eth0')} type veth peer name port netns wire
ip -n wire link set port up
ip -n node addr add 192.168.10.11/24 brd 192.168.10.255 dev eth0
ip -n node link set eth0 up
ip -n node route add default via 192.168.10.1 dev eth0 proto static
ip netns exec node sysctl -qw net.bridge.bridge-nf-call-iptables=1`,
    `ip netns exec node bash -e <<'DAEMON'\n${given.daemon?.(world) ?? ':'}\nDAEMON`,
    ...model.pods.flatMap((one, n) => {
      const plugin = (name: string, ifname: string): string =>
        `ip netns exec node env CNI_COMMAND=ADD CNI_CONTAINERID=${sandboxId(one)} CNI_PATH=${PLUGINS} \\
  CNI_NETNS=/run/netns/${one.name} CNI_IFNAME=${ifname} ${PLUGINS}/${name}`;
      const cni = (name: string, ifname: string, input: object): string =>
        `${plugin(name, ifname)} >/run/result <<'CONF' || exit 1\n${JSON.stringify(input)}\nCONF`;
      const ports = given.hostPorts?.[n] ?? [];
      const portmap = {
        cniVersion: conf['cniVersion'],
        name: conf['name'],
        type: 'portmap',
        snat: true,
        runtimeConfig: {
          portMappings: ports.map(({ port, ...more }) => ({ ...more, containerPort: port })),
        },
      };
      return [
        `ip netns add ${one.name}`,
        resetSysctls(one.name, netnsOf(world, `node-1/default/${one.name}`)),
        cni('loopback', 'lo', { cniVersion: '0.4.0', name: 'lo', type: 'loopback' }),
        cni('bridge', 'eth0', conf),
        // Chained: what bridge said goes in with the configuration.
        ...(ports.length === 0
          ? []
          : [
              `( echo '${JSON.stringify(portmap).slice(0, -1)},"prevResult":'; cat /run/result; echo '}' ) |
  ${plugin('portmap', 'eth0')} >/dev/null || exit 1`,
            ]),
      ];
    }),
    ...['node', ...model.pods.map(({ name }) => name)].map(askAll),
  ].join('\n');
};

const answersOf = (output: string): ReadonlyMap<string, string[]> =>
  new Map(
    output
      .split(MARK)
      .slice(1)
      .map((part) => {
        const [name = '', ...lines] = part.split('\n');
        return [name, lines.filter((line) => line.trim() !== '')];
      }),
  );

const MAC = /(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/;

/**
 * What is drawn at random, in the order in which it turns up: names and MACs of the namespaces'
 * devices by the words that the model has for them.
 */
const translations = (
  answers: ReadonlyMap<string, string[]>,
  world: World,
  model: Cluster,
): ReadonlyMap<string, string> => {
  const words = new Map<string, string>();
  const node = netnsOf(world, 'node-1/host');
  for (const one of ['node', ...model.pods.map(({ name }) => name)]) {
    const netns = one === 'node' ? node : netnsOf(world, `node-1/default/${one}`);
    const lines = answers.get(`${one} ip addr`) ?? [];
    const real = lines.flatMap((line, n) => {
      const [, ifname] = /^\d+: ([^:@]+)/.exec(line) ?? [];
      const mac = MAC.exec(lines[n + 1] ?? '')?.[0];
      return ifname === undefined || mac === undefined ? [] : [{ ifname, mac }];
    });
    real.forEach(({ ifname, mac }, n) => {
      const ours = netns.devices[n];
      if (!ours) throw new Error(`${one} has one device more: ${ifname}`);
      if (/^veth[0-9a-f]{8}$/.test(ifname)) words.set(ifname, ours.ifname);
      if (mac !== '00:00:00:00:00:00') words.set(mac, ours.mac);
    });
    expect(real).toHaveLength(netns.devices.length);
  }
  return words;
};

/**
 * `ip addr` with a word for the MAC of a bridge that follows the lowest one of its ports: which
 * port that is depends on the draw.
 */
const withLowest = (lines: readonly string[]): string[] => {
  const macAfter = (n: number): string => MAC.exec(lines[n + 1] ?? '')?.[0] ?? '';
  const ports = new Map<string, string[]>();
  lines.forEach((line, n) => {
    const [, master] = / master (\S+)/.exec(line) ?? [];
    if (master !== undefined) ports.set(master, [...(ports.get(master) ?? []), macAfter(n)]);
  });
  return lines.map((line, n) => {
    const [, ifname = ''] = /^\d+: ([^:@]+)/.exec(lines[n - 1] ?? '') ?? [];
    const [lowest] = (ports.get(ifname) ?? []).sort();
    return lowest !== undefined && MAC.exec(line)?.[0] === lowest
      ? line.replace(lowest, 'the lowest of its ports')
      : line;
  });
};

const isGroup = (line: string): boolean => /^(?:33:33|01:00:5e)/.test(line);
/** Addresses of Pods are announced (arp_notify), so the bridge has learned them. */
const isLearned = (line: string): boolean =>
  /^[0-9a-f]{2}:/.test(line) && !line.includes('permanent');

/** A line without what reality draws or this machine does otherwise. */
const plain = (line: string): string =>
  line
    .trimEnd()
    .replace(/^\d+: /, '')
    .replace(/@\S+?:/, ':')
    .replace(/ qdisc \w+/, '')
    .replace(/ qlen \d+$/, '')
    .replace(/ link-netns(?:id)? \S+/, '')
    .replace(/\[\d+:\d+\]/, '[0:0]');

const printed = (name: string, lines: readonly string[] = []): readonly string[] => {
  if (name === 'iptables-save') return ofPlugins(lines);
  return name === 'ip addr' ? withLowest(lines) : lines;
};

const inOrder = (name: string, lines: readonly string[]): string[] =>
  name === 'bridge fdb' ? [...lines].sort() : [...lines];

const theirs = (lines: readonly string[], words: ReadonlyMap<string, string>): string[] =>
  lines
    .filter((line) => !line.startsWith('#') && !isGroup(line) && !isLearned(line))
    .map((line) =>
      plain(line).replace(
        /(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|veth[0-9a-f]{8}/g,
        (word) => words.get(word) ?? word,
      ),
    );

describe.skipIf(lacking.length > 0)(
  `the real plugins${lacking.length > 0 ? ` (needs ${lacking.join(', ')})` : ''}`,
  () => {
    it.each(CASES)('$title', async (given) => {
      const model = clusterOf(given);
      const world = compileWorld(model);
      const lab = await openPrivateNetwork();
      let output: string;
      try {
        output = await lab.root.run(build(given, model, world));
      } finally {
        await lab.close();
      }
      const answers = answersOf(output);
      const words = translations(answers, world, model);
      for (const one of ['node', ...model.pods.map(({ name }) => name)]) {
        const id = one === 'node' ? 'node-1/host' : `node-1/default/${one}`;
        const netns = netnsOf(world, id);
        for (const [name, { ours }] of Object.entries(QUESTIONS))
          expect(
            inOrder(name, theirs(printed(name, answers.get(`${one} ${name}`)), words)),
            `${one}: ${name}`,
          ).toEqual(
            inOrder(
              name,
              ours(world, netns)
                .map(plain)
                .filter((line) => line !== ''),
            ),
          );
        const real = new Map(
          theirs(answers.get(`${one} sysctl`) ?? [], words).map((line) => {
            const [key = '', value = ''] = line.split(' = ');
            return [key, value];
          }),
        );
        // Of IPv6, which is off here, only what the plugins write.
        const checked = [...real.keys()].filter((key) =>
          key.startsWith('net.ipv6') ? netns.sysctls.has(key) : sysctlKnown(netns, key),
        );
        expect(checked.length).toBeGreaterThan(60);
        expect([...netns.sysctls.keys()].filter((key) => !real.has(key))).toEqual([]);
        const different = checked.filter((key) => real.get(key) !== sysctlGet(netns, key));
        expect(
          different.map((key) => `${key}: ${real.get(key)} there, ${sysctlGet(netns, key)} here`),
          `${one}: sysctl`,
        ).toEqual([]);
      }
    });
  },
);
