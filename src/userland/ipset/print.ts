/** Sets as ipset 7.17 prints them. */
import type { IpSet, IpSets } from '../../kernel/netfilter/ipset.ts';
import type { Match, Ruleset } from '../../kernel/netfilter/ruleset.ts';
import { sortMembers } from './order.ts';

/**
 * What every new hash gets: the most members of a bucket, and a number that the kernel draws by
 * chance to hash with; here it is always this one.
 */
const BUCKET_SIZE = 12;
const INITVAL = '0x00000000';

/** Revision of the set's type in Linux 6.18. */
const REVISIONS: Readonly<Record<IpSet['type'], number>> = {
  'hash:ip': 6,
  'hash:ip,port': 7,
  'hash:ip,port,ip': 6,
  'hash:ip,port,net': 8,
  'hash:net': 7,
  'bitmap:port': 3,
};

const header = ({ type, family, hashsize, maxelem, range }: IpSet, created: boolean): string => {
  if (type === 'bitmap:port') return `range ${range[0]}-${range[1]}`;
  const own = created ? ` bucketsize ${BUCKET_SIZE} initval ${INITVAL}` : '';
  return `family ${family} hashsize ${hashsize} maxelem ${maxelem}${own}`;
};

/**
 * Members in the order of their addresses. A kernel lists those of a hash in the order of hash
 * values, which is another one in each set.
 */
const membersOf = ({ members }: IpSet): string[] =>
  sortMembers(members.keys()).map((member) =>
    members.get(member)?.nomatch ? `${member} nomatch` : member,
  );

const byName = (a: IpSet, b: IpSet): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** In the order of their names: a kernel lists sets as they were made, kube-proxy in any order. */
const inNameOrder = (sets: IpSets): IpSet[] => [...sets.values()].sort(byName);

const asksFor = (match: Match, name: string): boolean =>
  match.kind === 'set' && match.name === name;

/** How many conditions of rules name the set. */
const references = ({ tables }: Ruleset, name: string): number => {
  let count = 0;
  for (const { chains } of tables)
    for (const { rules } of chains)
      for (const { matches } of rules)
        count += matches.filter((match) => asksFor(match, name)).length;
  return count;
};

/** Bytes of an empty set, and of each member more while every member has a bucket of its own. */
const SIZES: Readonly<
  Record<IpSet['type'], Readonly<Record<IpSet['family'], readonly [number, number]>>>
> = {
  'hash:ip': { inet: [216, 40], inet6: [224, 64] },
  'hash:ip,port': { inet: [216, 48], inet6: [232, 72] },
  'hash:ip,port,ip': { inet: [208, 56], inet6: [232, 104] },
  'hash:ip,port,net': { inet: [464, 56], inet6: [1256, 104] },
  'hash:net': { inet: [456, 48], inet6: [1240, 72] },
  'bitmap:port': { inet: [8264, 0], inet6: [8264, 0] },
};

const sizeOf = ({ type, family, members }: IpSet): number => {
  const [empty, each] = SIZES[type][family];
  return empty + members.size * each;
};

const listed = (set: IpSet, rulesets: readonly Ruleset[]): string[] => [
  `Name: ${set.name}`,
  `Type: ${set.type}`,
  `Revision: ${REVISIONS[set.type]}`,
  `Header: ${header(set, true)}`,
  `Size in memory: ${sizeOf(set)}`,
  `References: ${rulesets.reduce((sum, one) => sum + references(one, set.name), 0)}`,
  `Number of entries: ${set.members.size}`,
  'Members:',
  ...membersOf(set),
];

/**
 * `ipset list`, one line a string; an empty line between sets.
 * @param rulesets whose rules may ask them
 */
export const ipsetList = (sets: IpSets, ...rulesets: readonly Ruleset[]): string[] =>
  inNameOrder(sets).flatMap((set, at) => [...(at === 0 ? [] : ['']), ...listed(set, rulesets)]);

/** Input of `ipset restore` that makes the sets: `ipset save` without what the kernel chooses. */
export const ipsetRestoreInput = (sets: IpSets): string[] =>
  inNameOrder(sets).flatMap((set) => [
    `create ${set.name} ${set.type} ${header(set, false)}`,
    ...membersOf(set).map((member) => `add ${set.name} ${member}`),
  ]);

/** `ipset save`. */
export const ipsetSave = (sets: IpSets): string[] =>
  inNameOrder(sets).flatMap((set) => [
    `create ${set.name} ${set.type} ${header(set, true)}`,
    ...membersOf(set).map((member) => `add ${set.name} ${member}`),
  ]);
