/** `ip link add|set|del` (iplink_parse, iproute2 6.1, ip/iplink.c). */
import type { LinkChange, LinkSpec, VethSpec } from '../../kernel/netlink.ts';
import type { BridgePort } from '../../kernel/world.ts';
import type { Mac } from '../../wire/packet.ts';
import { CommandError } from './command-error.ts';
import { takePortOption } from './port.ts';
import {
  abbreviated,
  address,
  type Draft,
  lladdr,
  notUnderstood,
  numberIn,
  onOff,
  type Words,
  wrong,
} from './words.ts';

export type LinkCommand =
  | {
      readonly kind: 'link-set';
      readonly dev: string;
      readonly change: LinkChange;
      readonly port?: Partial<BridgePort>;
    }
  | { readonly kind: 'link-add'; readonly spec: LinkSpec }
  | {
      readonly kind: 'veth-add';
      readonly ifname: string;
      readonly peer: string;
      readonly spec: VethSpec;
    }
  | { readonly kind: 'link-del'; readonly dev: string };

/** Commands in the order in which do_iplink tries abbreviations. */
const COMMANDS = [
  'add',
  'set',
  'change',
  'replace',
  'delete',
  'afstats',
  'property',
  'show',
  'lst',
  'list',
  'xstats',
  'help',
] as const;

const SET_UNDERSTOOD =
  'up, down, mtu, address, master, nomaster, promisc, and type bridge_slave with its settings';

const MIN_MTU = 68;
const MAX_MTU = 65535;

/** dev_validate_mtu (net/core/dev.c) for devices of Ethernet. */
const mtuOf = (word: string): number => {
  const mtu = numberIn(word, 'mtu');
  if (mtu < MIN_MTU)
    throw new CommandError('Error: mtu less than device minimum.', `at least ${MIN_MTU}`);
  if (mtu > MAX_MTU)
    throw new CommandError('Error: mtu greater than device maximum.', `at most ${MAX_MTU}`);
  return mtu;
};

/** is_valid_ether_addr (include/linux/etherdevice.h): neither zero nor a group. */
const unicastMac = (word: string): Mac => {
  const mac = lladdr(word);
  if (/^(?:00:){5}00$/.test(mac) || Number.parseInt(mac.slice(0, 2), 16) % 2 === 1)
    throw new CommandError(
      'RTNETLINK answers: Cannot assign requested address',
      `${mac} is no address of one device`,
    );
  return mac;
};

const MAX_IFNAME = 15;

/** A name for a new device (dev_valid_name, net/core/dev.c). */
const newName = (word: string): string => {
  if (word.length > MAX_IFNAME || !/^[^\s/:]+$/.test(word) || word === '.' || word === '..')
    wrong(word, '"name" not a valid ifname', `at most ${MAX_IFNAME} characters, no blank, / or :`);
  return word;
};

const takeChange = (words: Words, word: string, change: Draft<LinkChange>): boolean => {
  switch (word) {
    case 'up':
      change.up = true;
      return true;
    case 'down':
      change.up = false;
      return true;
    case 'mtu':
      change.mtu = mtuOf(words.value(word));
      return true;
    case 'master':
      change.master = words.value(word);
      return true;
    case 'nomaster':
      change.master = null;
      return true;
    case 'promisc':
      change.promisc = onOff(words.value(word), word);
      return true;
    default:
      if (word.length < 4 || !abbreviated(word, ['address'])) return false;
      change.mac = unicastMac(words.value('address'));
      return true;
  }
};

const parsePortType = (words: Words): Partial<BridgePort> => {
  const type = words.value('type');
  if (type !== 'bridge_slave') notUnderstood(`type ${type}`, 'type bridge_slave');
  const port: Draft<Partial<BridgePort>> = {};
  for (const word of words) takePortOption(words, word, port);
  return port;
};

const parseSet = (words: Words): LinkCommand => {
  const change: Draft<LinkChange> = {};
  let port: Partial<BridgePort> | undefined;
  let dev: string | undefined;
  for (const word of words) {
    if (takeChange(words, word, change)) continue;
    if (word === 'type') {
      port = parsePortType(words);
      continue;
    }
    if (dev !== undefined) notUnderstood(word, SET_UNDERSTOOD);
    dev = word === 'dev' ? words.value(word) : word;
  }
  if (dev === undefined)
    throw new CommandError('Not enough information: "dev" argument is required.');
  if (port === undefined && Object.keys(change).length === 0)
    throw new CommandError(`"ip link set ${dev}" changes nothing`, `understood: ${SET_UNDERSTOOD}`);
  return { kind: 'link-set', dev, change, ...(port && { port }) };
};

const parseDel = (words: Words): LinkCommand => {
  const first = words.value('dev');
  const dev = first === 'dev' ? words.value('dev') : first;
  const extra = words.take();
  if (extra !== undefined) notUnderstood(extra, 'ip link del NAME');
  return { kind: 'link-del', dev };
};

interface Start {
  ifname?: string;
  mac?: Mac;
  mtu?: number;
  ifindex?: number;
}

/** The words before `type`, or after `peer`: name, address, mtu, index. */
const parseStart = (words: Words, start: Start, last: boolean): void => {
  for (const word of words) {
    if (word === 'type' && !last) return;
    if (word === 'mtu') start.mtu = mtuOf(words.value(word));
    else if (word === 'index') start.ifindex = numberIn(words.value(word), word, 1, 0x7fffffff);
    else if (word.length >= 4 && abbreviated(word, ['address']))
      start.mac = unicastMac(words.value('address'));
    else if (
      start.ifname === undefined &&
      !['up', 'down', 'netns', 'master', 'type'].includes(word)
    )
      start.ifname = newName(word === 'name' || word === 'dev' ? words.value(word) : word);
    else notUnderstood(word, 'NAME, address, mtu, index, and type bridge, dummy, vxlan or veth');
  }
  if (!last) throw new CommandError('Not enough information: "type" argument is required');
};

/** The kernel would pick a MAC at random, and the same words would make another device each time. */
const needMac = (mac: Mac | undefined, where: string): Mac => {
  if (mac === undefined)
    throw new CommandError(
      `${where} has no address`,
      'the kernel would pick one at random; give it: address 02:00:00:00:00:01',
    );
  return mac;
};

const parseBridge = (words: Words, spec: Extract<LinkSpec, { kind: 'bridge' }>): LinkSpec => {
  const draft: Draft<typeof spec> = spec;
  for (const word of words) {
    if (word === 'ageing_time')
      draft.ageingSeconds = numberIn(words.value(word), word, 0, 0x7fffffff) / 100;
    else if (word === 'stp_state' || word === 'vlan_filtering' || word === 'forward_delay') {
      if (words.value(word) !== '0') wrong(word, 'it is not modelled', `${word} 0`);
    } else notUnderstood(word, 'ageing_time');
  }
  return draft;
};

const MAX_VNI = 0xffffff;

const parseVxlan = (
  words: Words,
  spec: Omit<Extract<LinkSpec, { kind: 'vxlan' }>, 'vni'>,
): LinkSpec => {
  const draft: Draft<typeof spec> = spec;
  let vni: number | undefined;
  for (const word of words) {
    if (word === 'id' || word === 'vni') vni = numberIn(words.value(word), 'id', 0, MAX_VNI);
    else if (word === 'local') draft.local = address(words.value(word));
    else if (word === 'dev') draft.lower = words.value(word);
    else if (word === 'dstport') draft.dstport = numberIn(words.value(word), word, 1, 0xffff);
    else if (word === 'learning') draft.learning = true;
    else if (word === 'nolearning') draft.learning = false;
    else if (word === 'ttl' || word === 'hoplimit') {
      const ttl = words.value(word);
      draft.ttl = ttl === 'auto' ? 0 : numberIn(ttl, word, 0, 255);
    } else notUnderstood(word, 'id, local, dev, dstport, nolearning, learning, ttl');
  }
  if (vni === undefined)
    throw new CommandError(
      'Error: Required attributes not provided to perform the operation.',
      'a vxlan has an id: type vxlan id 1',
    );
  return { ...draft, vni };
};

const parseVeth = (words: Words, ifname: string, start: Start): LinkCommand => {
  const mac = needMac(start.mac, ifname);
  const word = words.take();
  if (word !== 'peer') notUnderstood(word ?? 'type veth', 'type veth peer name NAME address MAC');
  const other: Start = {};
  parseStart(words, other, true);
  if (other.ifname === undefined)
    throw new CommandError('a veth pair has two names', 'type veth peer name NAME address MAC');
  if (start.ifindex !== undefined || other.ifindex !== undefined)
    notUnderstood('index', 'veth: name, address, mtu');
  return {
    kind: 'veth-add',
    ifname,
    peer: other.ifname,
    spec: {
      mac,
      peerMac: needMac(other.mac, other.ifname),
      ...(start.mtu !== undefined && { mtu: start.mtu }),
      ...(other.mtu !== undefined && { peerMtu: other.mtu }),
    },
  };
};

const parseAdd = (words: Words): LinkCommand => {
  const start: Start = {};
  parseStart(words, start, false);
  const type = words.value('type');
  const { ifname } = start;
  if (ifname === undefined)
    throw new CommandError(
      'Not enough information: "name" argument is required.',
      'the kernel would make one up; give it',
    );
  if (type === 'veth') return parseVeth(words, ifname, start);
  const common = {
    ifname,
    mac: needMac(start.mac, ifname),
    ...(start.mtu !== undefined && { mtu: start.mtu }),
    ...(start.ifindex !== undefined && { ifindex: start.ifindex }),
  };
  switch (type) {
    case 'bridge':
      return {
        kind: 'link-add',
        spec: parseBridge(words, { ...common, kind: 'bridge', macSet: true }),
      };
    case 'dummy':
      for (const word of words) notUnderstood(word, 'type dummy without options');
      return { kind: 'link-add', spec: { ...common, kind: 'dummy' } };
    case 'vxlan':
      return { kind: 'link-add', spec: parseVxlan(words, { ...common, kind: 'vxlan' }) };
    default:
      return notUnderstood(`type ${type}`, 'type bridge, dummy, vxlan, veth');
  }
};

/** The words behind `ip link`. @throws {CommandError} */
export const parseIpLink = (words: Words): LinkCommand => {
  const typed = words.take() ?? 'list';
  switch (abbreviated(typed, COMMANDS)) {
    case 'add':
      return parseAdd(words);
    case 'set':
    case 'change':
      return parseSet(words);
    case 'delete':
      return parseDel(words);
    default:
      return notUnderstood(`ip link ${typed}`, 'ip link set|add|del');
  }
};
