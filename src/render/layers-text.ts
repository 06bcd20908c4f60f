/** Packet headers as lines of text, outermost first, each layer one step further in. */
import type { Glyphs } from '../explain/quote.ts';
import type { Layer, Unknown } from '../wire/packet.ts';

/** One line a header; VXLAN's inner headers are indented under it. */
export function layerLines(layers: readonly Layer[], glyphs: Glyphs): string[] {
  let depth = 0;
  return layers.map((layer) => {
    const line = `${'  '.repeat(depth)}${layerText(layer, glyphs)}`;
    if (layer.type === 'vxlan') depth += 1;
    return line;
  });
}

const port = (value: number | Unknown): string =>
  typeof value === 'number'
    ? String(value)
    : `(${value.unknown} ${value.range[0]}-${value.range[1]})`;

function layerText(layer: Layer, { to }: Glyphs): string {
  switch (layer.type) {
    case 'ethernet':
      return `Ethernet ${layer.src} ${to} ${layer.dst}`;
    case 'arp':
      return layer.op === 'request'
        ? `ARP who has ${layer.tpa}? tell ${layer.spa} (${layer.sha})`
        : `ARP ${layer.spa} is at ${layer.sha}`;
    case 'ipv4':
      return `IPv4 ${layer.src} ${to} ${layer.dst}  ttl ${layer.ttl}  ${layer.protocol}${layer.df ? '  DF' : ''}  length ${layer.length}`;
    case 'tcp':
      return `TCP ${port(layer.sport)} ${to} ${port(layer.dport)}  ${layer.flags.join(',')}${layer.mss === undefined ? '' : `  mss ${layer.mss}`}  length ${layer.length}`;
    case 'udp':
      return `UDP ${port(layer.sport)} ${to} ${port(layer.dport)}  length ${layer.length}`;
    case 'icmp':
      return `ICMP ${layer.kind} code ${layer.code}${layer.mtu === undefined ? '' : `  mtu ${layer.mtu}`}  length ${layer.length}`;
    case 'vxlan':
      return `VXLAN vni ${layer.vni}`;
    case 'dns':
      return layer.response
        ? `DNS answer ${layer.id}  ${layer.question} ${layer.name}  ${layer.rcode}  answers ${layer.answers}  length ${layer.length}`
        : `DNS query ${layer.id}  ${layer.question} ${layer.name}  length ${layer.length}`;
    case 'data':
      return `data ${layer.length} bytes`;
    default:
      return layer satisfies never;
  }
}
