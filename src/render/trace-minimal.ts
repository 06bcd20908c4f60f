/**
 * The minimal form of a trace: verdict, places and packet edits, names in place of addresses.
 * Stable text to commit and to compare; it is data, so no language and no layout touch it.
 */
import type { Minimal } from '../trace/minimal.ts';
import type { TraceFacts } from '../trace/trace.ts';
import { harmless } from './harmless.ts';

export function traceMinimal({ ways, names, legs }: Minimal, whole: TraceFacts): string {
  const { from, to, protocol, port } = whole.probe;
  const target = port === undefined ? protocol : `${protocol}/${port}`;
  const name = port === undefined ? to.text : to.text.replace(new RegExp(`:${port}$`), '');
  const lines = [`${from.text} > ${name} ${target}: ${whole.disposition}, ${whole.symptom}`];
  if (whole.cause !== undefined) lines.push(`cause: ${whole.cause.code}`);
  for (const { choice, name: chosen, node, disposition, cause } of ways) {
    const through = node === undefined || choice === 'node' ? '' : ` through ${node}`;
    const why = cause === undefined ? '' : `, ${cause}`;
    lines.push(`${choice} ${chosen}${through}: ${disposition}${why}`);
  }
  lines.push(...names.map((text) => `name: ${text}`));
  for (const { direction, packet, disposition, hops } of legs) {
    const way = direction === 'request' ? 'there' : 'back';
    const places = hops.map(({ place }) => place).join(' > ');
    lines.push(`${way}: ${packet}, ${disposition}: ${places}`);
    for (const { place, edits } of hops)
      lines.push(...edits.map(({ text }) => `  ${place}: ${text}`));
  }
  return `${lines.map(harmless).join('\n')}\n`;
}
