/** Devices: set up, plugged in, and made anew just as the plugin makes them. */
import type { FibEntry } from '../../kernel/fib.ts';
import { routeDevices } from '../../kernel/fib.ts';
import { fibLookup } from '../../kernel/fib-lookup.ts';
import { type Bridge, findDev, portsOf, type Vxlan } from '../../kernel/netdev.ts';
import { netnsOf } from '../../kernel/netns.ts';
import type { Netdev, Netns } from '../../kernel/world.ts';
import type { Fix } from '../../trace/remedy.ts';
import { rows } from '../../userland/print/rows.ts';
import { type Ailment, advise, commandsAt, nameOfPlace } from './ailment.ts';
import { neighReplace } from './routes.ts';

/** Up again, with what the kernel took along and does not bring back. */
export const linkUp = (ailment: Ailment): Fix => {
  const { device, missing } = ailment.about;
  const { address, route, neighbour } = missing ?? {};
  const commands =
    device === undefined
      ? []
      : [
          `ip link set ${device} up`,
          address && `ip addr add ${address} dev ${device}`,
          route && `ip route replace ${rows.route(route)}`,
          neighbour && neighReplace(neighbour),
        ];
  return commandsAt(ailment, commands, advise('mend-link', { place: nameOfPlace(ailment) }));
};

/** Into the bridge, with the settings that a port loses with its bridge. */
const plugIn = ({ ifname, port }: Netdev, bridge: string): string[] => [
  `ip link set ${ifname} master ${bridge}`,
  ...(port?.hairpin ? [`bridge link set dev ${ifname} hairpin on`] : []),
];

export const plugInFix = (ailment: Ailment): Fix => {
  const { device, bridge } = ailment.about;
  const port = device === undefined ? undefined : ailment.there && findDev(ailment.there, device);
  const commands =
    device === undefined || bridge === undefined
      ? []
      : port
        ? plugIn(port, bridge)
        : [`ip link set ${device} master ${bridge}`];
  return commandsAt(ailment, commands, remakePod(ailment));
};

export const portFix = (ailment: Ailment): Fix => {
  const { device } = ailment.about;
  return commandsAt(
    ailment,
    [device && `bridge link set dev ${device} state 3`],
    advise('mend-link', { place: nameOfPlace(ailment) }),
  );
};

/** The plugin makes a Pod's devices anew with the Pod, and a node's with its first Pod. */
export const remakePod = ({ about: { node, netns } }: Ailment): Fix => {
  if (netns === undefined || netns === 'host') return advise('remake-pods', { node });
  const [namespace = '', pod = ''] = netns.split('/');
  return advise('remake-pod', {}, `kubectl delete pod -n ${namespace} ${pod}`);
};

/** flanneld makes its device, routes and tables when it starts. */
const restartAgent = ({ about: { node } }: Ailment): Fix =>
  advise(
    'restart-agent',
    { node },
    node === undefined
      ? undefined
      : `kubectl delete pod -n kube-flannel -l app=flannel --field-selector spec.nodeName=${node}`,
  );

const addressCommands = ({ ifname, addresses }: Netdev): string[] =>
  addresses.map(
    ({ ip, prefix, broadcast }) =>
      `ip addr add ${ip}/${prefix}${broadcast === undefined ? '' : ` brd ${broadcast}`} dev ${ifname}`,
  );

/** The kernel brings back the routes of the addresses; these it does not. */
const lostRoutes = (there: Netns, { ifname }: Netdev): FibEntry[] =>
  there.routes.filter(
    (row) =>
      routeDevices(row).includes(ifname) && row.protocol !== 'kernel' && row.type === 'unicast',
  );

const routeCommands = (routes: readonly FibEntry[]): string[] =>
  routes.map((route) => `ip route replace ${rows.route(route)}`);

const remakeBridge = (here: Netns, there: Netns, bridge: Bridge): string[] => {
  const { ifname, mac, mtu, mtuSet } = bridge;
  const ports = portsOf(there, ifname).filter((port) => findDev(here, port.ifname));
  return [
    `ip link add ${ifname} address ${mac} type bridge`,
    ...ports.flatMap((port) => plugIn(port, ifname)),
    ...addressCommands(bridge),
    `ip link set ${ifname}${mtuSet ? ` mtu ${mtu}` : ''} up`,
    ...routeCommands(lostRoutes(there, bridge)),
  ];
};

/** Whoever made a bridge or a tunnel makes it again; everything else is made with its Pod. */
export const linkMissingFix = (ailment: Ailment): Fix => {
  const { here, there, about } = ailment;
  const gone = there && about.device !== undefined ? findDev(there, about.device) : undefined;
  const remade = here && there && gone?.kind === 'bridge' ? remakeBridge(here, there, gone) : [];
  return commandsAt(ailment, remade, remakePod(ailment));
};

/** Up to this many peers, all of them are brought back; else those that this conversation needs. */
const FEW_PEERS = 8;

/** The routes through the tunnel. */
const peerRoutes = ({ facts, scenario }: Ailment, there: Netns, tunnel: Vxlan): FibEntry[] => {
  const all = lostRoutes(there, tunnel);
  const { unfaulted } = scenario;
  if (all.length <= FEW_PEERS || !unfaulted) return all;
  const needed = [facts.probe.to.ip, facts.probe.from.ip].flatMap(
    (dst) => (dst !== undefined && fibLookup(unfaulted, there, { dst }).row) || [],
  );
  return all.filter((route) => needed.includes(route));
};

const addVxlan = ({ ifname, mac, mtu, vni, lower, local, dstport, learning, ttl }: Vxlan): string =>
  [
    `ip link add ${ifname} address ${mac} mtu ${mtu} type vxlan id ${vni}`,
    ...(lower === undefined ? [] : [`dev ${lower}`]),
    ...(local === undefined ? [] : [`local ${local}`]),
    `dstport ${dstport}`,
    learning ? 'learning' : 'nolearning',
    ...(ttl === 0 ? [] : [`ttl ${ttl}`]),
  ].join(' ');

const remakeTunnel = (ailment: Ailment, there: Netns, tunnel: Vxlan): string[] => {
  const { here } = ailment;
  const { ifname } = tunnel;
  const routes = peerRoutes(ailment, there, tunnel);
  const peers = there.neighbours.filter(
    ({ ip, dev }) => dev === ifname && routes.some(({ via }) => via === ip),
  );
  const remotes = tunnel.fdb.filter(({ mac }) => peers.some(({ lladdr }) => lladdr === mac));
  return [
    ...(here && findDev(here, ifname) ? [`ip link del ${ifname}`] : []),
    addVxlan(tunnel),
    ...addressCommands(tunnel),
    `ip link set ${ifname} up`,
    ...peers.flatMap((peer) => neighReplace(peer) ?? []),
    ...remotes.map((row) => `bridge fdb append ${rows.fdb(row)}`),
    ...routeCommands(routes),
  ];
};

/** The tunnel device made anew, with the ways to its peers. */
export const tunnelFix = (ailment: Ailment): Fix => {
  const { there, about } = ailment;
  const tunnels = there?.devices.filter((device) => device.kind === 'vxlan') ?? [];
  const tunnel = tunnels.find(({ ifname }) => ifname === about.device) ?? tunnels[0];
  const commands = there && tunnel ? remakeTunnel(ailment, there, tunnel) : [];
  return commandsAt(ailment, commands, restartAgent(ailment));
};

/** A row of the tunnel's own tables. */
export const tunnelRowFix = (ailment: Ailment): Fix => {
  const { cause, about } = ailment;
  const { neighbour, fdb } = about.missing ?? {};
  const verb = cause.code === 'VTEP_FDB_WRONG' ? 'replace' : 'append';
  return commandsAt(
    ailment,
    [neighbour && neighReplace(neighbour), fdb && `bridge fdb ${verb} ${rows.fdb(fdb)}`],
    restartAgent(ailment),
  );
};

/** Two tunnels that do not fit: the one that a fault has changed is made anew. */
export const tunnelMismatchFix = (ailment: Ailment): Fix => {
  const { here, there, about } = ailment;
  const isRight =
    here && there && about.device !== undefined && isSameTunnel(here, there, about.device);
  const fix = tunnelFix(isRight ? atSender(ailment) : ailment);
  return fix.kind === 'commands' ? fix : advise('same-tunnel');
};

const isSameTunnel = (here: Netns, there: Netns, ifname: string): boolean => {
  const [is, was] = [findDev(here, ifname), findDev(there, ifname)];
  return (
    is?.kind === 'vxlan' &&
    was?.kind === 'vxlan' &&
    is.vni === was.vni &&
    is.dstport === was.dstport
  );
};

/** The same, at the machine that has sent the outer packet. */
const atSender = (ailment: Ailment): Ailment => {
  const { packet, scenario } = ailment;
  const outer = packet.find((layer) => layer.type === 'ipv4');
  const [sender] = outer ? scenario.world.book.owners(outer.src) : [];
  if (!sender || !scenario.unfaulted) return ailment;
  const about = { node: sender.host, netns: 'host' };
  const id = `${sender.host}/host`;
  return {
    ...ailment,
    about,
    here: netnsOf(scenario.world, id),
    there: netnsOf(scenario.unfaulted, id),
  };
};
