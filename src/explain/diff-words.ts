/** The words of a diff that is shown to people. */
import type { PolicyDirection } from '../cluster/policy/policy.ts';
import type { StepKind } from '../trace/trace.ts';

export type ConnectionKind = 'opened' | 'closed' | 'changed' | 'added' | 'removed';

export interface DiffCounts extends Readonly<Record<ConnectionKind | 'unchanged', number>> {
  readonly peersAdded: number;
  readonly peersRemoved: number;
  readonly pathsChanged: number;
  readonly pathsUnchanged: number;
}

export interface DiffWords {
  readonly base: string;
  readonly head: string;
  /** `2 opened`, as a part of the summary. */
  readonly counts: (counts: DiffCounts) => readonly string[];
  readonly noDifference: (counts: DiffCounts) => string;
  /** Heads of the groups of connections, and what each group is about. */
  readonly heads: { readonly [K in ConnectionKind]: string };
  readonly aside: { readonly [K in ConnectionKind]: string };
  readonly peersHead: string;
  readonly peerAdded: string;
  readonly peerRemoved: string;
  readonly renamed: (base: string, head: string) => string;
  readonly isolated: (direction: PolicyDirection, isolated: boolean) => string;
  readonly anyAddress: (family: 4 | 6) => string;
  readonly several: (count: number, what: 'peers' | 'blocks') => string;
  readonly more: (count: number) => string;
  readonly allPorts: string;
  readonly nothing: string;
  readonly columns: {
    readonly from: string;
    readonly to: string;
    readonly ports: string;
    readonly why: string;
  };
  readonly why: {
    readonly admits: (policy: string, rule: number) => string;
    readonly denies: (policy: string, rule: number) => string;
    readonly unknown: (policy: string, rule: number) => string;
    readonly isolates: (policies: readonly string[], connection: string) => string;
    readonly notIsolated: (direction: PolicyDirection) => string;
    readonly exempt: string;
    readonly edits: { readonly added: string; readonly removed: string; readonly edited: string };
    readonly namespaceLabels: (namespace: string, labels: string) => string;
    readonly podLabels: (peer: string, labels: string) => string;
    readonly namedPort: (peer: string, name: string, base: number, head: number) => string;
  };
  readonly paths: {
    readonly head: string;
    readonly expectedAt: (place: string) => string;
    readonly same: (paths: number) => string;
    readonly onlyOn: (side: string) => string;
    readonly what: { readonly [K in PathWhat]: string };
    readonly none: string;
    readonly lines: (count: number) => string;
    /** Lines of a packet that only one side has. */
    readonly more: (count: number) => string;
  };
  /** At the end of a text that had to be cut. */
  readonly leftOut: (rows: number) => string;
}

export type PathWhat =
  | 'question'
  | 'disposition'
  | 'symptom'
  | 'cause'
  | 'port'
  | 'name'
  | 'way'
  | 'leg'
  | 'hop'
  | StepKind;
