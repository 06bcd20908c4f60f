/** What every text form of a matrix is laid out with. */
import type { Matrix, MatrixPeer } from '../../check/matrix/matrix.ts';
import type { Roles } from '../../check/matrix/roles.ts';
import type { MatrixWords } from '../../explain/matrix-words.ts';
import type { Glyphs } from '../../explain/quote.ts';
import { harmless } from '../harmless.ts';
import type { Style } from '../style.ts';

export interface MatrixForm {
  readonly width: number;
  readonly style: Style;
  readonly glyphs: Glyphs;
  readonly words: MatrixWords;
}

export interface ShownMatrix {
  readonly peers: readonly MatrixPeer[];
  readonly roles: Roles;
  readonly exposure?: Matrix['exposure'];
  readonly paths?: Matrix['paths'];
}

/** More names than this are counted. */
const MOST_NAMES = 20;
/** So many of a namespace are told by its name. */
const FEW_OF_NAMESPACE = 3;

/** Namespaces with the numbers of their peers. */
const byNamespace = (
  peers: readonly MatrixPeer[],
  members: readonly number[],
): ReadonlyMap<string, number[]> => {
  const found = new Map<string, number[]>();
  for (const at of members) {
    const { namespace } = peers[at] ?? {};
    if (namespace === undefined) continue;
    const list = found.get(namespace);
    if (list) list.push(at);
    else found.set(namespace, [at]);
  }
  return found;
};

/** Names of peers in order; a whole namespace of them as `shop/*`. */
export const namesOf = (
  { peers }: Pick<ShownMatrix, 'peers'>,
  members: readonly number[],
  { words }: Pick<MatrixForm, 'words'>,
): string => {
  const every = byNamespace(
    peers,
    peers.map((_, at) => at),
  );
  const here = byNamespace(peers, members);
  const names: string[] = [];
  const told = new Set<string>();
  for (const at of members) {
    const { id, namespace } = peers[at] ?? { id: '' };
    const all = namespace === undefined ? undefined : here.get(namespace);
    const isWhole =
      all !== undefined &&
      all.length >= FEW_OF_NAMESPACE &&
      all.length === every.get(namespace ?? '')?.length;
    if (!isWhole) names.push(harmless(id));
    else if (!told.has(namespace ?? '')) names.push(harmless(`${namespace}/*`));
    if (isWhole) told.add(namespace ?? '');
  }
  const shown = names.slice(0, MOST_NAMES);
  if (names.length > shown.length) shown.push(words.more(names.length - shown.length));
  return shown.join(', ');
};
