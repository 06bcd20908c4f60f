/** Ports as they are typed: `80`, `80,443`, `8000-9000`, `53/udp`, `80/any`. */
import type { ConnectionSet, PortRange } from '../policy/policy-engine.ts';

const LAST = 65_535;

const rangeOf = (text: string): PortRange | undefined => {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  return first !== undefined && from >= 1 && from <= to && to <= LAST ? { from, to } : undefined;
};

/** In order, and those that touch as one. */
const joined = (ranges: readonly PortRange[]): PortRange[] => {
  const result: PortRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && range.from <= last.to + 1)
      result[result.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    else result.push(range);
  }
  return result;
};

/** Without a protocol they are of TCP. Undefined: these are no ports. */
export const portsOf = (text: string): ConnectionSet | undefined => {
  const [list = '', protocol = 'tcp', ...more] = text.trim().toLowerCase().split('/');
  const ranges = list.split(',').map((part) => rangeOf(part.trim()));
  if (more.length > 0 || ranges.some((range) => range === undefined)) return undefined;
  const ports = joined(ranges.flatMap((range) => range ?? []));
  switch (protocol) {
    case 'tcp':
    case 'udp':
    case 'sctp':
      return { [protocol]: ports };
    case 'any':
      return { tcp: ports, udp: ports, sctp: ports };
    default:
      return undefined;
  }
};
