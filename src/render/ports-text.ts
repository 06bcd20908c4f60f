/** Ports that are allowed, in as few words as they need. */
import type { AllowedPorts } from '../check/matrix/matrix.ts';

const PROTOCOLS = 3;
const ALL_PORTS = '1-65535';

export const isEverything = (allowed: readonly AllowedPorts[]): boolean =>
  allowed.length === PROTOCOLS && allowed.every(({ ports }) => ports === ALL_PORTS);

/** `TCP 80-90,443; UDP`, where a protocol alone means all of its ports. */
export const portsText = (
  allowed: readonly AllowedPorts[],
  { all, nothing }: { readonly all: string; readonly nothing: string },
): string => {
  if (allowed.length === 0) return nothing;
  if (isEverything(allowed)) return all;
  return allowed
    .map(({ protocol, ports }) => (ports === ALL_PORTS ? protocol : `${protocol} ${ports}`))
    .join('; ');
};

/** The same for a cell of a few columns: TCP is not named. `80-90,443`, `53/udp`, `tcp`. */
export const shortText = (
  allowed: readonly AllowedPorts[],
  marks: { readonly all: string; readonly none: string },
): string => {
  if (allowed.length === 0) return marks.none;
  if (isEverything(allowed)) return marks.all;
  return allowed
    .map(({ protocol, ports }) => {
      const name = protocol.toLowerCase();
      if (ports === ALL_PORTS) return name;
      return protocol === 'TCP' ? ports : `${ports}/${name}`;
    })
    .join(' ');
};
