/**
 * The rules of kube-proxy in IPVS mode, the same number for any number of Services: sets name what
 * they are about (kubernetes v1.34.0, pkg/proxy/ipvs/proxier.go: createAndLinkKubeChain,
 * writeIptablesRules).
 */
import type { IpSetDirs } from '../../kernel/netfilter/ipset.ts';
import type { Match, Rule, Ruleset, TableName, Target } from '../../kernel/netfilter/ruleset.ts';
import { nfInsert, nfNewChain } from '../../kernel/netfilter/ruleset.ts';
import type { Origin, OriginWhy } from '../../kernel/origin.ts';
import {
  ACCEPT,
  DROP,
  from,
  jump,
  marked,
  masquerade,
  ofProtocol,
  plainRule,
  RETURN,
  typed,
} from '../iptables-rule.ts';
import type { Author } from '../object-origin.ts';
import {
  PROXY_FIREWALL as FIREWALL,
  FORWARD,
  MARK_MASQ,
  POSTROUTING,
  REJECT,
  type RestoreInput,
  SERVICES,
  write,
  writeMasquerade,
} from './iptables-base.ts';
import { commentOf, type ProxySets, type SetName, setName } from './ipvs-sets.ts';
import type { Family } from './service-port.ts';

const NODE_PORT = 'KUBE-NODE-PORT';
const LOAD_BALANCER = 'KUBE-LOAD-BALANCER';
const SOURCE_RANGES = 'KUBE-SOURCE-RANGES-FIREWALL';
const IPVS_FILTER = 'KUBE-IPVS-FILTER';
const IPVS_OUT_FILTER = 'KUBE-IPVS-OUT-FILTER';

/** iptablesChains. */
const CHAINS: readonly (readonly [TableName, string])[] = [
  ['nat', SERVICES],
  ['nat', POSTROUTING],
  ['nat', NODE_PORT],
  ['nat', LOAD_BALANCER],
  ['nat', MARK_MASQ],
  ['filter', FORWARD],
  ['filter', NODE_PORT],
  ['filter', FIREWALL],
  ['filter', SOURCE_RANGES],
  ['filter', IPVS_FILTER],
  ['filter', IPVS_OUT_FILTER],
];

/** iptablesJumpChain: each is put before those that are there. */
const JUMPS: readonly (readonly [TableName, string, string, string])[] = [
  ['nat', 'OUTPUT', SERVICES, 'kubernetes service portals'],
  ['nat', 'PREROUTING', SERVICES, 'kubernetes service portals'],
  ['nat', 'POSTROUTING', POSTROUTING, 'kubernetes postrouting rules'],
  ['filter', 'FORWARD', FORWARD, 'kubernetes forwarding rules'],
  ['filter', 'INPUT', NODE_PORT, 'kubernetes health check rules'],
  ['filter', 'INPUT', FIREWALL, 'kube-proxy firewall rules'],
  ['filter', 'FORWARD', FIREWALL, 'kube-proxy firewall rules'],
  ['filter', 'INPUT', IPVS_FILTER, 'kubernetes ipvs access filter'],
  ['filter', 'OUTPUT', IPVS_OUT_FILTER, 'kubernetes ipvs access filter'],
];

/** createAndLinkKubeChain: the chains, empty, and the ways into them. */
export const linkIpvsChains = (netfilter: Ruleset, author: Author): void => {
  for (const [table, name] of CHAINS) nfNewChain(netfilter, table, name);
  const origin = author('proxy-chain');
  for (const [table, into, to, comment] of JUMPS)
    nfInsert(netfilter, table, into, plainRule(origin, [], jump(to), comment));
};

/** Every chain, empty: a run of iptables-restore names them all. */
export const emptyIpvsInput = (): RestoreInput => {
  const of = (table: TableName): Map<string, Rule[]> =>
    new Map(CHAINS.filter(([in_]) => in_ === table).map(([, name]) => [name, []]));
  return { filter: of('filter'), nat: of('nat') };
};

/** A service address that is closed to the node itself, since no source range holds the node. */
export interface NodeBlock {
  readonly ip: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly origin: Origin;
}

export interface IpvsRules {
  readonly sets: ProxySets;
  readonly masqueradeAll: boolean;
  readonly mark: number;
  /** Conditions of traffic that no Pod of this node sent; absent: nobody can tell. */
  readonly notLocal: readonly Match[] | undefined;
  readonly blocked: readonly NodeBlock[];
  readonly author: Author;
}

const DST: IpSetDirs = ['dst'];
const DST_DST: IpSetDirs = ['dst', 'dst'];
const DST_DST_SRC: IpSetDirs = ['dst', 'dst', 'src'];

const inSet = (name: SetName, dirs: IpSetDirs, family: Family): Match => ({
  kind: 'set',
  name: setName(name, family),
  dirs,
  negate: false,
});

interface SetRule {
  readonly set: SetName;
  readonly table: 'nat' | 'filter';
  readonly chain: string;
  readonly target: Target;
  readonly dirs: IpSetDirs;
  readonly why: OriginWhy;
  readonly protocol?: 'tcp' | 'udp' | 'sctp';
}

const TO_MARK = jump(MARK_MASQ);

const nodePortRules = (protocol: 'tcp' | 'udp' | 'sctp'): SetRule[] => {
  const kind = ({ tcp: 'TCP', udp: 'UDP', sctp: 'SCTP-HASH' } as const)[protocol];
  const dirs = protocol === 'sctp' ? DST_DST : DST;
  const row = { table: 'nat', chain: NODE_PORT, dirs, protocol } as const;
  return [
    { ...row, set: `KUBE-NODE-PORT-LOCAL-${kind}`, target: RETURN, why: 'service-external-policy' },
    { ...row, set: `KUBE-NODE-PORT-${kind}`, target: TO_MARK, why: 'service-external-masquerade' },
  ];
};

/** ipsetWithIptablesChain: rules that are there while their set has members. */
const SET_RULES: readonly SetRule[] = [
  {
    set: 'KUBE-LOOP-BACK',
    table: 'nat',
    chain: POSTROUTING,
    target: masquerade(false),
    dirs: DST_DST_SRC,
    why: 'endpoint-hairpin',
  },
  {
    set: 'KUBE-LOAD-BALANCER',
    table: 'nat',
    chain: SERVICES,
    target: jump(LOAD_BALANCER),
    dirs: DST_DST,
    why: 'service-load-balancer',
  },
  {
    set: 'KUBE-LOAD-BALANCER-LOCAL',
    table: 'nat',
    chain: LOAD_BALANCER,
    target: RETURN,
    dirs: DST_DST,
    why: 'service-external-policy',
  },
  ...nodePortRules('tcp'),
  ...nodePortRules('udp'),
  ...nodePortRules('sctp'),
  {
    set: 'KUBE-LOAD-BALANCER-FW',
    table: 'filter',
    chain: FIREWALL,
    target: jump(SOURCE_RANGES),
    dirs: DST_DST,
    why: 'service-firewall',
  },
  {
    set: 'KUBE-LOAD-BALANCER-SOURCE-CIDR',
    table: 'filter',
    chain: SOURCE_RANGES,
    target: RETURN,
    dirs: DST_DST_SRC,
    why: 'service-source-range',
  },
  {
    set: 'KUBE-LOAD-BALANCER-SOURCE-IP',
    table: 'filter',
    chain: SOURCE_RANGES,
    target: RETURN,
    dirs: DST_DST_SRC,
    why: 'service-source-range',
  },
];

const writeSetRules = (out: RestoreInput, { sets, author }: IpvsRules): void => {
  for (const { set, table, chain, target, dirs, why, protocol } of SET_RULES) {
    if (sets.isEmpty(set)) continue;
    const matches = [...(protocol ? [ofProtocol(protocol)] : []), inSet(set, dirs, sets.family)];
    write(out[table], chain, plainRule(author(why), matches, target, commentOf(set)));
  }
};

const writeClusterIps = ({ nat }: RestoreInput, rules: IpvsRules): void => {
  const { sets, masqueradeAll, notLocal, author } = rules;
  if (sets.isEmpty('KUBE-CLUSTER-IP')) return;
  const dirs: IpSetDirs = masqueradeAll || notLocal ? DST_DST : ['src', 'dst'];
  const matches = [
    ...(masqueradeAll ? [] : (notLocal ?? [])),
    inSet('KUBE-CLUSTER-IP', dirs, sets.family),
  ];
  const origin = author('service-cluster-masquerade');
  write(nat, SERVICES, plainRule(origin, matches, TO_MARK, commentOf('KUBE-CLUSTER-IP')));
};

const NOT_BRIDGED: Match = { kind: 'physdev', which: 'is-in', negate: true };
const NOT_FROM_NODE: Match = { kind: 'addrtype', which: 'src', type: 'LOCAL', negate: true };
const TO_NODE = typed('dst', 'LOCAL');

const writeExternalIps = ({ nat }: RestoreInput, { sets, author }: IpvsRules): void => {
  for (const name of ['KUBE-EXTERNAL-IP', 'KUBE-EXTERNAL-IP-LOCAL'] as const) {
    if (sets.isEmpty(name)) continue;
    const set = inSet(name, DST_DST, sets.family);
    const comment = commentOf(name);
    const origin = author('service-external-ip');
    if (name === 'KUBE-EXTERNAL-IP')
      write(
        nat,
        SERVICES,
        plainRule(author('service-external-masquerade'), [set], TO_MARK, comment),
      );
    write(
      nat,
      SERVICES,
      plainRule(origin, [set, NOT_BRIDGED, NOT_FROM_NODE], ACCEPT, comment),
      plainRule(origin, [set, TO_NODE], ACCEPT, comment),
    );
  }
};

const writeNat = (out: RestoreInput, rules: IpvsRules): void => {
  const { nat } = out;
  const { sets, author, mark } = rules;
  const loopback = sets.family === 4 ? '127.0.0.0/8' : '::1/128';
  write(nat, SERVICES, plainRule(author('proxy-chain'), [from(loopback)], RETURN));
  writeSetRules(out, rules);
  writeClusterIps(out, rules);
  writeExternalIps(out, rules);
  write(nat, SERVICES, plainRule(author('node-port-entry'), [TO_NODE], jump(NODE_PORT)));
  write(nat, LOAD_BALANCER, plainRule(author('service-external-masquerade'), [], TO_MARK));
  for (const name of ['KUBE-CLUSTER-IP', 'KUBE-LOAD-BALANCER'] as const)
    if (!sets.isEmpty(name)) {
      const origin = author('service-cluster-ip');
      write(nat, SERVICES, plainRule(origin, [inSet(name, DST_DST, sets.family)], ACCEPT));
    }
  writeMasquerade(out, mark, author);
};

const PROTOCOL_NUMBER = { tcp: 6, udp: 17, sctp: 132 } as const;

const blockRule = ({ ip, port, protocol, origin }: NodeBlock, family: Family): Rule =>
  plainRule(
    origin,
    [
      from(`${ip}/${family === 4 ? 32 : 128}`),
      {
        kind: 'unmodelled',
        text: `-m ipvs --vproto ${PROTOCOL_NUMBER[protocol]} --vaddr ${ip} --vport ${port}`,
      },
    ],
    DROP,
  );

const writeFilter = ({ filter }: RestoreInput, rules: IpvsRules): void => {
  const { sets, author, mark, blocked } = rules;
  const { family } = sets;
  write(filter, SOURCE_RANGES, plainRule(author('service-firewall'), [], DROP));
  for (const block of blocked) write(filter, IPVS_OUT_FILTER, blockRule(block, family));
  const forward = author('proxy-forward');
  const answers: Match = { kind: 'ctstate', states: ['RELATED', 'ESTABLISHED'], negate: false };
  write(
    filter,
    FORWARD,
    plainRule(forward, [marked(mark)], ACCEPT, 'kubernetes forwarding rules'),
    plainRule(forward, [answers], ACCEPT, 'kubernetes forwarding conntrack rule'),
  );
  const health = 'KUBE-HEALTH-CHECK-NODE-PORT';
  const origin = author('service-health-check');
  write(
    filter,
    NODE_PORT,
    plainRule(origin, [inSet(health, DST, family)], ACCEPT, commentOf(health)),
  );
  const spared = author('proxy-chain');
  for (const name of [
    'KUBE-LOAD-BALANCER',
    'KUBE-CLUSTER-IP',
    'KUBE-EXTERNAL-IP',
    'KUBE-EXTERNAL-IP-LOCAL',
  ] as const)
    write(filter, IPVS_FILTER, plainRule(spared, [inSet(name, DST_DST, family)], RETURN));
  write(filter, IPVS_FILTER, plainRule(spared, [inSet(health, DST, family)], RETURN));
  write(
    filter,
    IPVS_FILTER,
    plainRule(
      author('service-address'),
      [{ kind: 'ctstate', states: ['NEW'], negate: false }, inSet('KUBE-IPVS-IPS', DST, family)],
      REJECT[family],
    ),
  );
};

/** writeIptablesRules. */
export const ipvsRules = (rules: IpvsRules): RestoreInput => {
  const out = emptyIpvsInput();
  writeNat(out, rules);
  writeFilter(out, rules);
  return out;
};
