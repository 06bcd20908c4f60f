/** The options of `k8snet trace`. */
import type { InputOptions } from './open-input.ts';

export interface TraceOptions extends InputOptions {
  readonly namespace: string;
  readonly port?: number;
  readonly proto?: 'tcp' | 'udp' | 'icmp' | 'sctp';
  readonly size?: number;
  /** `all`, `first`, or a name or an address. */
  readonly backend: string;
  readonly minimal?: boolean;
  /** False: a name is looked up without packets. */
  readonly dns?: boolean;
  /** The second probe. */
  readonly warm?: boolean;
  /** So many probes, one after the other. */
  readonly repeat?: number;
  /** Neutral names and addresses in a scenario. */
  readonly redact?: boolean;
  /** How often -v was given. */
  readonly verbose: number;
  readonly output: 'text' | 'table' | 'json' | 'yaml' | 'runbook' | 'scenario';
}
