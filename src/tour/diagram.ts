/** The places of a packet's way as a drawing, with the place where the packet is now marked. */
import type { Hop, Leg, Step } from '../trace/trace.ts';
import type { TourMessages } from './messages/tour-messages.ts';

export interface DiagramOptions {
  /** Columns to fit into. */
  readonly width: number;
  readonly unicode: boolean;
  readonly messages: TourMessages;
  /** Index of the hop to mark; absent: none. */
  readonly marked?: number;
}

const BOX = {
  unicode: { tl: '╭', tr: '╮', bl: '╰', br: '╯', h: '─', v: '│', wire: '║', mark: '▶', dot: '·' },
  ascii: { tl: '+', tr: '+', bl: '+', br: '+', h: '-', v: '|', wire: '#', mark: '>', dot: '-' },
} as const;

/**
 * Draws one leg: a box a machine, a line a namespace with the devices that the packet passes in
 * it, and between the lines what joins them.
 */
export function diagram(leg: Leg, options: DiagramOptions): string[] {
  const { width, unicode, messages, marked } = options;
  const box = unicode ? BOX.unicode : BOX.ascii;
  const inner = width - 4;
  const lines: string[] = [];
  const row = (text: string) =>
    lines.push(`${box.v} ${text.slice(0, inner).padEnd(inner)} ${box.v}`);
  leg.hops.forEach((hop, index) => {
    const before = leg.hops[index - 1];
    const after = leg.hops[index + 1];
    if (before?.node !== hop.node) {
      if (before !== undefined) lines.push(`${' '.repeat(8)}${box.wire} ${messages.wire}`);
      const title = `${box.tl}${box.h} ${hop.node} `;
      lines.push(`${title}${box.h.repeat(Math.max(0, width - title.length - 1))}${box.tr}`);
    } else {
      row(`      ${box.v} ${messages.vethPair}`);
    }
    const mark = index === marked ? box.mark : ' ';
    const devices = devicesOf(hop).join(` ${box.dot} `);
    row(`${mark} ${hop.netns.padEnd(20)} ${devices}`);
    if (after?.node !== hop.node) {
      lines.push(`${box.bl}${box.h.repeat(Math.max(0, width - 2))}${box.br}`);
    }
  });
  return lines;
}

function devicesOf(hop: Hop): string[] {
  const named = hop.steps.filter((step) => isDevice(step)).map((step) => step.device ?? '');
  return [...new Set(named)];
}

function isDevice({ kind, device }: Step): boolean {
  return device !== undefined && (kind === 'transmit' || kind === 'receive' || kind === 'bridge');
}
