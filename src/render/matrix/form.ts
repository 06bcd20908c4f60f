/** What every text form of a matrix is laid out with. */
import type { AllowedPorts, GroupBy, Matrix, MatrixPeer } from '../../check/matrix/matrix.ts';
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

/** Whether a role is one peer, which is no peer of itself. */
export const isItself = (
  { roles: { roles }, groupBy }: ShownMatrix,
  from: number,
  to: number,
): boolean => from === to && roles[from]?.peers.length === 1 && groupBy !== 'namespace';

/** Whether no peer of a role is Pods: nothing is told between two such roles. */
export const isOutside = ({ roles: { roles }, peers }: ShownMatrix, role: number): boolean =>
  (roles[role]?.peers ?? []).every((at) => peers[at]?.pods === undefined);

/** What is allowed from a role to each other one. */
export const cellsOf = (
  { roles }: ShownMatrix,
  from: number,
): ReadonlyMap<number, readonly AllowedPorts[]> =>
  new Map(roles.row(from).map(({ role, allowed }) => [role, allowed]));

export const NOTHING: readonly AllowedPorts[] = [];

export interface ShownMatrix {
  readonly peers: readonly MatrixPeer[];
  readonly groupBy: GroupBy;
  /** How many there are in the input. */
  readonly policies: number;
  readonly roles: Roles;
  readonly exposure?: Matrix['exposure'];
  readonly paths?: Matrix['paths'];
}

/** More names than this are counted. */
const MOST_NAMES = 20;
/** So many of a namespace are told by its name. */
const FEW_OF_NAMESPACE = 3;

/** How peers are named: a whole namespace of them as `shop/*`, and very many by their number. */
export interface Names {
  of(members: readonly number[]): string;
}

export const namesFor = (
  { peers }: Pick<ShownMatrix, 'peers'>,
  { words }: Pick<MatrixForm, 'words'>,
): Names => {
  const sizes = new Map<string, number>();
  const count = (sums: Map<string, number>, { namespace }: Pick<MatrixPeer, 'namespace'>): void => {
    if (namespace !== undefined) sums.set(namespace, (sums.get(namespace) ?? 0) + 1);
  };
  for (const peer of peers) count(sizes, peer);
  return {
    of: (members) => {
      const here = new Map<string, number>();
      for (const at of members) count(here, peers[at] ?? {});
      const names = new Set<string>();
      for (const at of members) {
        const { id, namespace = '' } = peers[at] ?? { id: '' };
        const all = here.get(namespace) ?? 0;
        const isWhole = all >= FEW_OF_NAMESPACE && all === sizes.get(namespace);
        names.add(harmless(isWhole ? `${namespace}/*` : id));
      }
      const shown = [...names].slice(0, MOST_NAMES);
      if (names.size > shown.length) shown.push(words.more(names.size - shown.length));
      return shown.join(', ');
    },
  };
};
