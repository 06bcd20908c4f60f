/** Frames on a bridge that chains of nf_tables see, as br_netfilter lets them. */
import { matching, value } from '../../../src/compile/nft-rule.ts';
import { nftAddChain, nftAddRule, nftLoad } from '../../../src/kernel/netfilter/nft-edit.ts';
import {
  type NftBase,
  type NftStatement,
  nftTable,
} from '../../../src/kernel/netfilter/nft-table.ts';
import type { World } from '../../../src/kernel/world.ts';
import { type ClusterSpec, netnsOf } from '../../kernel/hand-made.ts';
import type { Case } from './case.ts';
import { build, NEIGHBOUR_IP, NODE, OTHER_IP, POD, ROUTES, tcp, udp } from './worlds.ts';

const HANDSHAKE = {
  disposition: 'delivered',
  symptom: 'connected',
  legs: ['syn', 'synack'],
} as const;
const SILENT = { disposition: 'dropped', symptom: 'timeout', legs: ['syn'] } as const;
const DROPPED = { ...SILENT, drop: ['NETFILTER_DROP'] } as const;
const REJECTED = {
  disposition: 'rejected',
  symptom: 'connection refused',
  legs: ['syn', 'icmp-error'],
} as const;

/** The bridge hands its frames to netfilter, and the bridge that does not. */
const ON: ClusterSpec = { ...ROUTES, bridgeNf: true };
const OFF: ClusterSpec = { ...ROUTES, bridgeNf: false };

const DROP: NftStatement = { kind: 'verdict', verdict: { kind: 'drop' } };

const device = (key: 'iifname' | 'oifname', name: string): NftStatement =>
  matching({ kind: 'meta', key }, value(name));

const filter = (hook: NftBase['hook']): NftBase => ({
  type: 'filter',
  hook,
  priority: 0,
  policy: 'accept',
});

/** The first node has a table with one base chain and one rule. */
const ruled =
  (spec: ClusterSpec, family: 'ip' | 'inet', base: NftBase, ...statements: NftStatement[]) =>
  (): World =>
    build(spec, [], (made) => {
      const table = nftTable(family, 'bridged');
      nftAddChain(table, { name: 'asked', base });
      nftAddRule(table, 'asked', { statements: [{ kind: 'counter' }, ...statements] });
      nftLoad(netnsOf(made, NODE).netfilter, table);
    });

const neighbour = tcp(POD, NEIGHBOUR_IP);
const SERVICE = '10.96.0.1';

const dnat = (ip: string): NftStatement => ({ kind: 'dnat', to: { ip, port: 5353 } });
const toService: readonly NftStatement[] = [
  matching({ kind: 'address', header: 'ip', field: 'daddr' }, value(SERVICE)),
  matching({ kind: 'meta', key: 'l4proto' }, value(17)),
];
const PREROUTING: NftBase = { ...filter('prerouting'), type: 'nat', priority: -100 };

export const NFT_TABLES: readonly Case[] = [
  {
    name: 'an inet chain sees what crosses the bridge',
    world: ruled(ON, 'inet', filter('forward'), DROP),
    probe: neighbour,
    ...DROPPED,
  },
  {
    name: 'an inet chain does not see what crosses a bridge that asks nobody',
    world: ruled(OFF, 'inet', filter('forward'), DROP),
    probe: neighbour,
    ...HANDSHAKE,
  },
  {
    name: 'an inet chain sees what is routed, whatever the bridge asks',
    world: ruled(OFF, 'inet', filter('forward'), DROP),
    probe: tcp(POD, OTHER_IP),
    ...DROPPED,
  },
  {
    name: 'an ip chain before the bridge has decided',
    world: ruled(ON, 'ip', filter('prerouting'), device('iifname', 'cni0'), DROP),
    probe: neighbour,
    ...DROPPED,
  },
  {
    name: 'a bridged frame came in by the bridge and leaves by it',
    world: ruled(
      ON,
      'inet',
      filter('forward'),
      device('iifname', 'cni0'),
      device('oifname', 'cni0'),
      DROP,
    ),
    probe: neighbour,
    ...DROPPED,
  },
  {
    name: 'a bridged frame has no port for an inet chain',
    world: ruled(ON, 'inet', filter('forward'), device('iifname', 'veth1'), DROP),
    probe: neighbour,
    ...HANDSHAKE,
  },
  {
    name: 'an inet chain of the bridge’s last hook',
    world: ruled(ON, 'inet', filter('postrouting'), device('oifname', 'cni0'), DROP),
    probe: neighbour,
    ...DROPPED,
  },
  {
    name: 'an inet chain refuses a bridged frame',
    world: ruled(ON, 'inet', filter('forward'), { kind: 'reject' }),
    probe: neighbour,
    ...REJECTED,
  },
  {
    name: 'an inet nat chain leads a bridged frame to another port of the bridge',
    world: ruled(ON, 'inet', PREROUTING, ...toService, dnat(NEIGHBOUR_IP)),
    probe: udp(POD, SERVICE, { dport: 80, size: 30 }),
    ...HANDSHAKE,
    legs: ['datagram', 'datagram'],
    via: ['eth0', 'veth1', 'cni0', 'veth2', 'eth0'],
  },
  {
    name: 'an ip nat chain leads a bridged frame to another node',
    world: ruled(ON, 'ip', PREROUTING, ...toService, dnat(OTHER_IP)),
    probe: udp(POD, SERVICE, { dport: 80, size: 30 }),
    ...HANDSHAKE,
    legs: ['datagram', 'datagram'],
  },
];
