/** Ports that are allowed, in the published form. */
import { type ConnectionSet, NO_CONNECTIONS, PROTOCOLS } from '../../policy/connection-set.ts';
import { portSetText } from '../../policy/port-set.ts';
import type { AllowedPorts } from './matrix.ts';

export const NOTHING: readonly AllowedPorts[] = [];

export const allowedPortsOf = (set: ConnectionSet): AllowedPorts[] =>
  PROTOCOLS.flatMap((protocol) => {
    const ports = set[protocol];
    if (!ports || ports.length === 0) return [];
    const name = protocol.toUpperCase() as Uppercase<typeof protocol>;
    return [{ protocol: name, ports: portSetText(ports) }];
  });

/** The published form of sets: one array for equal ones. */
export interface AllowedTable {
  of(set: ConnectionSet): readonly AllowedPorts[];
  /** Back from what `of` gave. */
  setOf(allowed: readonly AllowedPorts[]): ConnectionSet;
}

export const createAllowedTable = (): AllowedTable => {
  const bySet = new Map<ConnectionSet, readonly AllowedPorts[]>();
  const byText = new Map<string, readonly AllowedPorts[]>([['[]', NOTHING]]);
  const sets = new Map<readonly AllowedPorts[], ConnectionSet>();
  return {
    of: (set) => {
      const known = bySet.get(set);
      if (known) return known;
      const allowed = allowedPortsOf(set);
      const text = JSON.stringify(allowed);
      const same = byText.get(text) ?? allowed;
      byText.set(text, same);
      if (!sets.has(same)) sets.set(same, set);
      bySet.set(set, same);
      return same;
    },
    setOf: (allowed) => sets.get(allowed) ?? NO_CONNECTIONS,
  };
};
