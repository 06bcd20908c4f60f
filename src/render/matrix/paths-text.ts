/** Where packets fare otherwise than policies say, for people. */
import type { MatrixPath } from '../../check/matrix/matrix.ts';
import { harmless } from '../harmless.ts';
import { wrap } from '../width.ts';
import { type MatrixForm, type Names, namesFor, type ShownMatrix } from './form.ts';

const isConnected = ({ disposition }: MatrixPath): boolean => disposition === 'delivered';

const isUnsure = ({ disposition }: MatrixPath): boolean =>
  disposition === 'inconclusive' || disposition === 'ambiguous';

/** One pair of peers at one port; Pods of it may fare otherwise than others. */
const pairOf = ({ src, dst, protocol, port }: MatrixPath): string =>
  [src, dst, protocol, port].join('\n');

const fateOf = ({ disposition, symptom, cause }: MatrixPath): string =>
  [disposition, ...(symptom === 'connected' ? [] : [symptom]), ...(cause ? [cause] : [])].join(
    ', ',
  );

interface Told {
  readonly target: string;
  readonly fate: string;
  /** Ids of sources of which every Pod that was tried fares so. */
  readonly sources: Set<string>;
  /** Names of single Pods, where others of their workload fare otherwise. */
  readonly pods: Set<string>;
}

const add = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

/** What comes to one port of one peer and fares alike is told together. */
const toldOf = (paths: readonly MatrixPath[], all: ReadonlyMap<string, number>): Told[] => {
  const alike = new Map<string, number>();
  for (const path of paths) add(alike, `${pairOf(path)}\n${fateOf(path)}`);
  const found = new Map<string, Told>();
  for (const path of paths) {
    const fate = fateOf(path);
    const isWhole = alike.get(`${pairOf(path)}\n${fate}`) === all.get(pairOf(path));
    const to = isWhole ? path.dst : path.to;
    const target = `${to} ${path.protocol} ${path.port}`;
    const key = `${target}\n${fate}`;
    const told = found.get(key) ?? { target, fate, sources: new Set(), pods: new Set() };
    found.set(key, told);
    if (isWhole) told.sources.add(path.src);
    else told.pods.add(path.from);
  }
  return [...found.values()];
};

const lines = (text: string, indent: number, width: number): string[] =>
  wrap(text, width - indent).map((line) => ' '.repeat(indent) + line);

export const pathLines = (
  paths: readonly MatrixPath[],
  matrix: ShownMatrix,
  form: MatrixForm,
): string[] => {
  const { style, width, words } = form;
  const numbers = new Map(matrix.peers.map(({ id }, at) => [id, at]));
  const names: Names = namesFor(matrix, form);
  const all = new Map<string, number>();
  for (const path of paths) add(all, pairOf(path));

  const blockOf = (some: readonly MatrixPath[], head: string): string[] =>
    some.length === 0
      ? []
      : [
          style.bad(`${head} (${some.length})`),
          ...toldOf(some, all).flatMap(({ target, fate, sources, pods }) => {
            const from = [
              ...(sources.size > 0
                ? [names.of([...sources].map((id) => numbers.get(id) ?? -1))]
                : []),
              ...[...pods].map(harmless),
            ];
            return [
              ...lines(harmless(target), 2, width).map(style.place),
              ...lines(`${words.from} ${from.join(', ')}`, 4, width),
              // Of what is connected there is no more to tell.
              ...(fate === 'delivered' ? [] : lines(fate, 4, width).map(style.faint)),
            ];
          }),
        ];

  const sure = paths.filter((path) => !isUnsure(path));
  const lost = sure.filter((path) => path.allowed && !isConnected(path));
  const leaks = sure.filter((path) => !path.allowed && isConnected(path));
  return [
    style.title(words.paths.head),
    words.paths.asAllowed(sure.length - lost.length - leaks.length, paths.length),
    ...blockOf(lost, words.paths.cutOff),
    ...blockOf(leaks, words.paths.leak),
    ...blockOf(paths.filter(isUnsure), words.paths.unsure),
  ];
};
