/** What mends a cause, and what shows it on a real node: data, without a word of any language. */

/** A namespace that commands are typed in. */
export interface RemedyPlace {
  readonly node: string;
  /** `host` or `namespace/pod`. */
  readonly netns: string;
}

/** What a person has to do or decide; a language has a sentence for each. */
export type AdviceCode =
  | 'see-why-not-running'
  | 'use-known-address'
  | 'use-one-address'
  | 'use-host-address'
  | 'use-routable-address'
  | 'other-source'
  | 'remake-pod'
  | 'remake-pods'
  | 'restart-agent'
  | 'mend-link'
  | 'add-route'
  | 'add-default-route'
  | 'mend-rules'
  | 'mend-neighbour'
  | 'mend-owner'
  | 'mend-firewall'
  | 'same-tunnel'
  | 'find-loop'
  | 'lower-mtu'
  | 'open-wire'
  | 'start-server'
  | 'free-port'
  | 'listen-on-all'
  | 'declare-port'
  | 'masquerade'
  | 'one-way'
  | 'same-translator'
  | 'use-known-service'
  | 'use-declared-port'
  | 'expose-service'
  | 'select-pods'
  | 'see-why-not-ready'
  | 'correct-target-port'
  | 'spread-policy'
  | 'allow-source'
  | 'run-proxy'
  | 'restart-proxy'
  | 'drop-endpoint'
  | 'same-family'
  | 'see-fidelity'
  | 'use-known-name'
  | 'state-name'
  | 'admit-peer'
  | 'allow-before'
  | 'state-networks';

export interface Advice {
  readonly code: AdviceCode;
  /** What the sentence fills in. */
  readonly values: Readonly<Record<string, string | number>>;
  /** A command that goes with it, for anybody with kubectl. */
  readonly run?: string;
}

/** An object of the input, as a strategic merge patch finds or makes it. */
export interface PatchedObject {
  readonly kind: string;
  /** Absent for a Scenario. */
  readonly namespace?: string;
  readonly name: string;
  /** The input has none: the patch is the whole object. */
  readonly create?: true;
}

export type Fix =
  /** State of a node or a Pod: as an operator types it there, in order. */
  | {
      readonly kind: 'commands';
      readonly on: RemedyPlace;
      readonly commands: readonly string[];
    }
  /** What the input says: a strategic merge patch that names its object. */
  | {
      readonly kind: 'patch';
      readonly object: PatchedObject;
      readonly patch: Readonly<Record<string, unknown>>;
      /** What it comes to on a real cluster. */
      readonly advice: Advice;
    }
  /** Nothing that could be tried here. */
  | { readonly kind: 'advice'; readonly advice: Advice };

/** Commands that show the same on the real cluster, and change nothing. */
export interface Check {
  /** Absent: wherever kubectl or the network is at hand. */
  readonly on?: RemedyPlace;
  readonly commands: readonly string[];
}

export interface Remedy {
  readonly fix: Fix;
  readonly check: Check;
}
