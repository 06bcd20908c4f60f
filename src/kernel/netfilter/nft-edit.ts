/**
 * How tables of nf_tables come about: chains, sets, rules and elements are added to a table, and the
 * table is loaded whole, as one transaction of `nft -f`.
 */
import { forgetIndex } from './nft-set.ts';
import {
  findNftChain,
  findNftSet,
  type NftChain,
  type NftElement,
  type NftRule,
  type NftSet,
  type NftStatement,
  type NftTable,
  type NftVerdict,
  nftPlaces,
} from './nft-table.ts';
import { edited, NetfilterError, type Ruleset, registerBase } from './ruleset.ts';

const NOT_THERE = 'No such file or directory';
const THERE = 'File exists';

/**
 * `add chain`.
 * @throws {NetfilterError} when the table has a chain of that name
 */
export const nftAddChain = (table: NftTable, chain: Omit<NftChain, 'rules'>): NftChain => {
  const { chains } = nftPlaces(table);
  if (chains.has(chain.name)) throw new NetfilterError(THERE);
  const made: NftChain = { ...chain, rules: [] };
  table.chains.push(made);
  chains.set(made.name, made);
  return made;
};

/**
 * `add set`, `add map`.
 * @param elements that it has from the start, each with another key
 * @throws {NetfilterError} when the table has a set or map of that name
 */
export const nftAddSet = (
  table: NftTable,
  set: Omit<NftSet, 'elements'>,
  elements: readonly NftElement[] = [],
): NftSet => {
  const { sets } = nftPlaces(table);
  if (sets.has(set.name)) throw new NetfilterError(THERE);
  const made: NftSet = { ...set, elements: [...elements] };
  table.sets.push(made);
  sets.set(made.name, made);
  return made;
};

/** What nft gives a set without a size that a rule adds to. */
const DYNAMIC_SIZE = 65535;

const verdictsOf = (statement: NftStatement): readonly NftVerdict[] => {
  if (statement.kind === 'verdict') return [statement.verdict];
  if (statement.kind !== 'vmap' || typeof statement.map === 'string') return [];
  return statement.map.flatMap(({ verdict }) => verdict ?? []);
};

const setNamed = (statement: NftStatement): string | undefined => {
  switch (statement.kind) {
    case 'match':
      return statement.right.kind === 'named-set' ? statement.right.name : undefined;
    case 'vmap':
      return typeof statement.map === 'string' ? statement.map : undefined;
    case 'set-element':
      return statement.set;
    default:
      return undefined;
  }
};

const checkVerdict = (table: NftTable, verdict: NftVerdict | undefined): void => {
  if (verdict && 'chain' in verdict && !findNftChain(table, verdict.chain))
    throw new NetfilterError(NOT_THERE);
};

/**
 * `add rule`.
 * @throws {NetfilterError} when the chain, a chain that it leads to, or a set is not in the table
 */
export const nftAddRule = (table: NftTable, chain: string, rule: NftRule): void => {
  const known = findNftChain(table, chain);
  if (!known) throw new NetfilterError(NOT_THERE);
  for (const statement of rule.statements) {
    for (const verdict of verdictsOf(statement)) checkVerdict(table, verdict);
    const name = setNamed(statement);
    const set = name === undefined ? undefined : findNftSet(table, name);
    if (name !== undefined && !set) throw new NetfilterError(NOT_THERE);
    if (set && statement.kind === 'set-element') set.size ??= DYNAMIC_SIZE;
  }
  known.rules.push(rule);
};

// Where the elements of a set are, by their keys.
const places = new WeakMap<readonly NftElement[], Map<string, number>>();

/**
 * `add element`; in place of the one with that key, as if that had been deleted.
 * @throws {NetfilterError} when there is no such set, or no such chain for a verdict
 */
export const nftAddElement = (table: NftTable, set: string, element: NftElement): void => {
  const known = findNftSet(table, set);
  if (!known) throw new NetfilterError(NOT_THERE);
  checkVerdict(table, element.verdict);
  const { elements } = known;
  const keys =
    places.get(elements) ??
    new Map(elements.map(({ key }, at) => [JSON.stringify(key), at] as const));
  places.set(elements, keys);
  const key = JSON.stringify(element.key);
  const at = keys.get(key) ?? elements.length;
  keys.set(key, at);
  elements[at] = element;
  forgetIndex(elements);
};

/**
 * Loads a table that is complete, as `nft -f` does with a file of it.
 * @throws {NetfilterError} when there is a table of that family and name
 */
export const nftLoad = (ruleset: Ruleset, table: NftTable): void => {
  const { nft = [] } = ruleset;
  if (nft.some(({ family, name }) => family === table.family && name === table.name))
    throw new NetfilterError(THERE);
  for (const { base } of table.chains) if (base) base.registered = registerBase(ruleset);
  ruleset.nft = [...nft, table];
  edited(ruleset);
};
