/**
 * A trace as the checks that a person runs on the real cluster: for each step the command that shows
 * what decides there, and what it prints where all is as the trace has it.
 */
import type { BookOwner } from '../kernel/world.ts';
import type { Leg, Step, TraceFacts } from '../trace/trace.ts';
import type { Ip } from '../wire/packet.ts';
import { eventOf } from './event-of.ts';
import { factsOf } from './resolution.ts';
import { shellWord } from './shell-word.ts';
import { type Story, type StoryOptions, tellStory } from './story.ts';
import { verdictOf } from './verdict.ts';

/** Where the script has an address from: the trace made many of them up. */
export type AddressSource =
  | { readonly kind: 'given' }
  | { readonly kind: 'made-up' }
  | { readonly kind: 'pod'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'node'; readonly name: string }
  /** The network address, or the first one, of the Pods' range of a node. */
  | { readonly kind: 'range'; readonly node: string; readonly part: 'network' | 'first' };

export interface RunbookAddress {
  /** Name of the shell variable. */
  readonly variable: string;
  readonly ip: Ip;
  readonly owner?: string;
  readonly source: AddressSource;
}

export interface RunbookCheck {
  /** `host`, or `namespace/pod`. */
  readonly netns: string;
  /** Numbers of the steps that it checks, in order. */
  readonly steps: readonly number[];
  /** `route: 10.244.2.0/24 via 10.244.2.0 dev flannel.1`. */
  readonly about: string;
  /** As a POSIX shell takes it; addresses are variables. */
  readonly command: string;
  /** The line that it prints. */
  readonly prints: string;
  /** The variable that keeps the link-layer address of the line for later checks. */
  readonly keeps?: string;
  /** The trace ends here. */
  readonly ends: boolean;
}

/** Policies that a step is about, as the API server has them. */
export interface RunbookObjects extends Pick<RunbookCheck, 'steps' | 'about' | 'command' | 'ends'> {
  /** A line each. */
  readonly prints: readonly string[];
}

/** Checks on one machine, in the order of the packet. */
export interface RunbookSection {
  readonly node: string;
  readonly checks: readonly RunbookCheck[];
}

export interface Runbook {
  readonly title: string;
  readonly addresses: readonly RunbookAddress[];
  /** What the API server is asked, before any node. */
  readonly objects: readonly RunbookObjects[];
  readonly sections: readonly RunbookSection[];
  /** The verdict of the trace that the lines are from. */
  readonly verdict: string;
}

export interface RunbookOptions extends StoryOptions {
  ownersOf(ip: Ip): readonly BookOwner[];
  isNode(name: string): boolean;
}

/** What is made up once, and called the same wherever it comes up. */
interface Names {
  /** The variable that holds an address. */
  address(ip: Ip): string;
  /** The address whose link-layer address was looked up last; given one, keeps it. */
  last(ip?: Ip): Ip | undefined;
  /** A line of a tool, with names in place of MACs and veths that are random on a real node. */
  general(line: string): string;
}

const MAC = /\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g;
const VETH = /\bveth[0-9a-f]{8}\b/g;
const VETH_NAME = /^veth[0-9a-f]{8}$/;

const createNames = (addresses: RunbookAddress[], options: RunbookOptions): Names => {
  const numbered = (prefix: string): ((text: string) => string) => {
    const known = new Map<string, string>();
    return (text) => {
      const name = known.get(text) ?? `${prefix}-${known.size + 1}`;
      known.set(text, name);
      return name;
    };
  };
  const [macName, vethName] = [numbered('MAC'), numbered('VETH')];
  let last: Ip | undefined;
  return {
    last: (ip) => {
      last = ip ?? last;
      return last;
    },
    address: (ip) => {
      const known = addresses.find((one) => one.ip === ip);
      if (known) return `"$${known.variable}"`;
      const [owner] = options.ownersOf(ip);
      const variable = `ip${addresses.length + 1}`;
      addresses.push({
        variable,
        ip,
        ...(owner && { owner: owner.name }),
        source: sourceOf(owner, options),
      });
      return `"$${variable}"`;
    },
    general: (line) => line.replaceAll(MAC, macName).replaceAll(VETH, vethName),
  };
};

const sourceOf = (owner: BookOwner | undefined, { isNode }: RunbookOptions): AddressSource => {
  if (owner === undefined || !owner.invented) return { kind: 'given' };
  const { host, netns, origin } = owner;
  const [namespace = '', name = ''] = netns.slice(host.length + 1).split('/');
  if (name !== '') return { kind: 'pod', namespace, name };
  if (!isNode(host)) return { kind: 'made-up' };
  switch (origin?.why) {
    case 'node-address':
      return { kind: 'node', name: host };
    case 'tunnel-address':
      return { kind: 'range', node: host, part: 'network' };
    case 'bridge-gateway':
      return { kind: 'range', node: host, part: 'first' };
    default:
      return { kind: 'made-up' };
  }
};

/** Legs that are not told again: they go the way of the first two. */
const FOLLOWING: readonly Leg['packet'][] = ['ack', 'data'];

const isIn = (legs: readonly Leg[], step: number | undefined): boolean =>
  legs.some(({ hops }) => hops.some(({ steps }) => steps.some(({ n }) => n === step)));

/** What is checked: the connection, or else the query for a name without which there is none. */
const checkedOf = (facts: TraceFacts): TraceFacts => {
  if (facts.legs.length > 0) return facts;
  const query = facts.resolution?.queries.find(({ legs }) => isIn(legs, facts.cause?.step));
  return query ? factsOf(facts, query) : facts;
};

/**
 * The checks of a trace, visit by visit. The router and the outside have none: nobody reaches them
 * with kubectl. Where no packet was sent, there is nothing to check on the way.
 */
export function tellRunbook(facts: TraceFacts, options: RunbookOptions): Runbook {
  const checked = checkedOf(facts);
  const legs = checked.legs.filter(({ packet }) => !FOLLOWING.includes(packet));
  const story = tellStory(checked, checked, options);
  const addresses: RunbookAddress[] = [];
  const names = createNames(addresses, options);
  const objects: RunbookObjects[] = [];
  const visits: { node: string; checks: Map<string, RunbookCheck> }[] = [];
  for (const leg of legs) {
    for (const hop of leg.hops) {
      if (!options.isNode(hop.node)) continue;
      const last = visits.at(-1);
      const visit = last?.node === hop.node ? last : { node: hop.node, checks: new Map() };
      if (visit !== last) visits.push(visit);
      for (const step of hop.steps) {
        const asked = policiesAt(step);
        if (asked)
          objects.push({
            ...asked,
            about: names.general(aboutStep(story, step.n)),
            steps: [step.n],
            ends: facts.cause?.step === step.n,
          });
        const said = checkOf(step, leg, names, options);
        if (said === undefined) continue;
        const key = `${hop.netns} ${said.command}`;
        const before = visit.checks.get(key);
        const ends = facts.cause?.step === step.n;
        visit.checks.set(key, {
          ...said,
          netns: hop.netns,
          prints: before?.prints ?? names.general(said.prints),
          about: before?.about ?? names.general(aboutStep(story, step.n)),
          steps: [...(before?.steps ?? []), step.n],
          ends: ends || before?.ends === true,
        });
      }
    }
  }
  return {
    title: `${facts.probe.from.text} > ${facts.probe.to.text}`,
    addresses,
    objects,
    sections: visits.flatMap(({ node, checks }) =>
      checks.size > 0 ? [{ node, checks: [...checks.values()] }] : [],
    ),
    verdict: options.words.verdicts[verdictOf(facts)],
  };
}

const GROUPS: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networking.k8s.io',
};
const TIERS_GROUP = 'policy.networking.k8s.io';

/** `kubectl get` of the policies that a step names, and what it prints with `-o name`. */
const policiesAt = (step: Step): Pick<RunbookObjects, 'command' | 'prints'> | undefined => {
  const event = eventOf(step);
  if (event.kind !== 'policy' || event.detail.policies.length === 0) return undefined;
  const { policies } = event.detail;
  const kinds = [...new Set(policies.map(({ kind }) => kind))].map((kind) => {
    const some = policies.filter((policy) => policy.kind === kind);
    const resource = `${kind.toLowerCase()}.${GROUPS[kind] ?? TIERS_GROUP}`;
    const namespace = some[0]?.namespace;
    const where = namespace === undefined ? '' : ` -n ${shellWord(namespace)}`;
    const names = some.map(({ name }) => shellWord(name)).join(' ');
    return {
      command: `kubectl get${where} ${resource} ${names} -o name`,
      prints: some.map(({ name }) => `${resource}/${name}`),
    };
  });
  return {
    command: kinds.map(({ command }) => command).join(' && '),
    prints: kinds.flatMap(({ prints }) => prints),
  };
};

const aboutStep = ({ legs }: Story, n: number): string => {
  for (const { hops } of legs) {
    for (const { steps } of hops) {
      const step = steps.find((one) => one.n === n);
      if (step) return `${step.label}: ${step.text}`;
    }
  }
  return '';
};

type Said = Pick<RunbookCheck, 'command' | 'prints' | 'keeps'>;

/** The shell variable of the link-layer address that goes with an address. */
const lladdrOf = (address: string): string => address.replace('$ip', '$mac');

/** Only what reads, and what a real cluster can answer without a packet under way. */
function checkOf(
  step: Step,
  leg: Leg,
  names: Names,
  { quote, words: { runbook } }: RunbookOptions,
): Said | undefined {
  const event = eventOf(step);
  const { device } = step;
  switch (event.kind) {
    case 'route': {
      const { dst, src, iif, mark, row, purpose } = event.detail;
      if (purpose === 'reverse-path') return undefined;
      const from =
        src !== undefined && iif !== undefined
          ? ` from ${names.address(src)} iif ${shellWord(iif)}`
          : '';
      const marked = mark ? ` mark 0x${mark.toString(16)}` : '';
      return {
        command: `ip route get fibmatch ${names.address(dst)}${from}${marked}`,
        prints: row === undefined ? runbook.error : quote.routeMatch(row),
      };
    }
    case 'neighbour': {
      const { ip, row } = event.detail;
      names.last(ip);
      const address = names.address(ip);
      return {
        command: `ip neigh show to ${address}`,
        keeps: lladdrOf(address).replaceAll(/["$]/g, ''),
        prints: row === undefined ? runbook.nothing : quote.neigh(row),
      };
    }
    case 'bridge': {
      if (device === undefined) return undefined;
      const { mac, row } = event.detail;
      if (event.action === 'local')
        return { command: `cat /sys/class/net/${shellWord(device)}/address`, prints: mac };
      const known = names.last();
      if (known === undefined) return undefined;
      return {
        command: `bridge fdb show br ${shellWord(device)} | grep -F ${lladdrOf(names.address(known))}`,
        prints: row === undefined ? runbook.nothing : quote.fdb(row, device),
      };
    }
    case 'encapsulate': {
      const known = names.last();
      if (known === undefined) return undefined;
      return {
        command: `bridge fdb show | grep -F ${lladdrOf(names.address(known))}`,
        prints: quote.fdb(event.detail.row),
      };
    }
    case 'decapsulate':
      if (device === undefined) return undefined;
      return {
        command: `ip -d link show dev ${shellWord(device)} | grep vxlan`,
        prints: runbook.lineWith(`vxlan id ${event.detail.vni}`),
      };
    case 'transmit': {
      // The node's ends of the Pods' veth pairs have names of chance.
      if (device === undefined || VETH_NAME.test(device) || device === 'lo') return undefined;
      return {
        command: `ip -o link show dev ${shellWord(device)}`,
        prints: runbook.lineWith('UP,LOWER_UP'),
      };
    }
    case 'rule':
    case 'nat': {
      // What enforces policies there writes rules of its own: the API server is asked for them.
      if (step.origin?.by === 'policy') return undefined;
      const { table, chain, number, rule } = event.detail;
      if (table === undefined || chain === undefined) return undefined;
      const name = shellWord(chain);
      if (table.includes(' '))
        return {
          command: `nft list chain ${table} ${name}`,
          prints: runbook.lineWith(rule ? quote.rule(rule) : 'policy drop'),
        };
      if (number === undefined || rule === undefined)
        return {
          command: `iptables -t ${table} -S ${name} | head -n 1`,
          prints: `-P ${chain} DROP`,
        };
      return {
        command: `iptables -t ${table} -S ${name} ${number}`,
        prints: `-A ${chain} ${quote.rule(rule)}`,
      };
    }
    case 'forward':
      return { command: 'sysctl net.ipv4.ip_forward', prints: 'net.ipv4.ip_forward = 1' };
    case 'deliver': {
      const { port, protocol, ip } = event.detail;
      if (event.action === 'echo')
        return {
          command: 'sysctl net.ipv4.icmp_echo_ignore_all',
          prints: 'net.ipv4.icmp_echo_ignore_all = 0',
        };
      if (leg.direction === 'reply' || port === undefined) return undefined;
      return {
        command: `ss -Hln${protocol === 'udp' ? 'u' : 't'} 'sport = :${port}'`,
        prints:
          event.action === 'socket'
            ? runbook.listens(`0.0.0.0:${port}`, `${ip}:${port}`)
            : runbook.nothing,
      };
    }
    case 'size':
      if (event.action !== 'too-big') return undefined;
      return {
        command: `ip -o link show dev ${shellWord(event.detail.device)}`,
        prints: runbook.lineWith(`mtu ${event.detail.mtu}`),
      };
    case 'resolve':
    case 'socket':
    case 'receive':
    case 'hook':
    case 'conntrack':
    case 'policy':
    case 'wire':
    case 'drop':
      return undefined;
    default:
      return event satisfies never;
  }
}
