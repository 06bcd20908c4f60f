/** A matrix as a graph for Graphviz: a box a peer, a cluster a namespace, an arrow a connection. */
import type { Matrix, MatrixPeer } from '../../check/matrix/matrix.ts';
import { harmless } from '../harmless.ts';
import { portsText } from '../ports-text.ts';

/** A double-quoted ID of the DOT language; nothing in it is an escape of a label. */
const quoted = (text: string): string =>
  `"${harmless(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

const labelOf = ({ id, name, kind }: MatrixPeer): string =>
  name === undefined || kind === undefined ? id : `${name}[${kind}]`;

const node = (peer: MatrixPeer, indent: string): string => {
  const { id } = peer;
  const shape = id.startsWith('ipblock:') ? ', shape=ellipse' : '';
  return `${indent}${quoted(id)} [label=${quoted(labelOf(peer))}${shape}];`;
};

export const matrixDot = (
  { peers, connections }: Pick<Matrix, 'peers' | 'connections'>,
  words: { readonly all: string; readonly nothing: string },
): string => {
  const namespaces = new Map<string, MatrixPeer[]>();
  const others: MatrixPeer[] = [];
  for (const peer of peers) {
    // A peer that is a namespace stands for itself.
    const list =
      peer.namespace === undefined || peer.name === undefined
        ? others
        : (namespaces.get(peer.namespace) ?? []);
    list.push(peer);
    if (list !== others) namespaces.set(peer.namespace ?? '', list);
  }
  const lines = [
    'digraph matrix {',
    '  rankdir=LR;',
    '  node [shape=box, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
  ];
  for (const [at, [namespace, members]] of [...namespaces].entries())
    lines.push(
      `  subgraph cluster_${at} {`,
      `    label=${quoted(namespace)};`,
      '    style=rounded;',
      ...members.map((peer) => node(peer, '    ')),
      '  }',
    );
  lines.push(...others.map((peer) => node(peer, '  ')));
  for (const { src, dst, allowed } of connections)
    lines.push(`  ${quoted(src)} -> ${quoted(dst)} [label=${quoted(portsText(allowed, words))}];`);
  return `${lines.join('\n')}\n}\n`;
};
