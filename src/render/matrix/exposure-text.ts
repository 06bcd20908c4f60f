/** What is reachable from everywhere, and what lets everybody in, for people. */
import type { Exposure, ExposureReason } from '../../check/matrix/matrix.ts';
import { harmless } from '../harmless.ts';
import { portsText } from '../ports-text.ts';
import { wrap } from '../width.ts';
import { type MatrixForm, namesFor, type ShownMatrix } from './form.ts';

const reasonText = (reason: ExposureReason, { words }: MatrixForm): string => {
  if (reason.kind === 'not-isolated') return words.exposure.notIsolated;
  const { policy, rule, file, line } = reason;
  const name = [policy.namespace, policy.name].filter((part) => part !== undefined).join('/');
  const place =
    file === undefined ? '' : ` (${[file, line].filter((part) => part !== undefined).join(':')})`;
  return harmless(`${words.exposure.rule(`${policy.kind} ${name}`, rule + 1)}${place}`);
};

/** Peers that are exposed alike are told once. */
const grouped = (exposure: readonly Exposure[]): { peers: string[]; items: Exposure[] }[] => {
  const byPeer = new Map<string, Exposure[]>();
  for (const item of exposure) byPeer.set(item.peer, [...(byPeer.get(item.peer) ?? []), item]);
  const groups = new Map<string, { peers: string[]; items: Exposure[] }>();
  for (const [peer, items] of byPeer) {
    const key = JSON.stringify(items.map(({ peer: _, ...rest }) => rest));
    const group = groups.get(key);
    if (group) group.peers.push(peer);
    else groups.set(key, { peers: [peer], items });
  }
  return [...groups.values()];
};

const indent = (text: string, width: number, by: number): string[] =>
  wrap(text, width - by).map((line) => ' '.repeat(by) + line);

export const exposureLines = (
  exposure: readonly Exposure[],
  matrix: ShownMatrix,
  form: MatrixForm,
): string[] => {
  const { style, width, words } = form;
  const numbers = new Map(matrix.peers.map(({ id }, at) => [id, at]));
  const named = namesFor(matrix, form);
  const names = (ids: readonly string[]): string =>
    named.of(ids.map((id) => numbers.get(id) ?? -1));
  const exposed = new Set(exposure.map(({ peer }) => peer));
  const safe = matrix.peers.filter(({ id, pods }) => pods !== undefined && !exposed.has(id));
  if (exposure.length === 0) return [style.good(words.exposure.nobody)];
  const lines = [style.title(words.exposure.head)];
  for (const { peers, items } of grouped(exposure)) {
    lines.push(...indent(names(peers), width, 2).map(style.place));
    for (const { from, allowed, because } of items) {
      lines.push(...indent(`${portsText(allowed, words)}  ${words.exposure.from[from]}`, width, 4));
      for (const reason of because)
        lines.push(...indent(reasonText(reason, form), width, 6).map(style.faint));
    }
  }
  if (safe.length > 0)
    lines.push(
      ...indent(`${words.exposure.notReached} ${names(safe.map(({ id }) => id))}`, width, 2),
    );
  return lines;
};
