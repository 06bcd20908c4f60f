/** What a question comes to: the probes that answer it, or why there is none. */
import type { Pod, Service } from '../cluster/cluster.ts';
import type { Assumption, Probe } from '../kernel/probe.ts';
import type { World } from '../kernel/world.ts';
import type { ProbeEnd, Unanswerable } from './endpoint.ts';
import type { Asked, Evidence, PortChoice } from './port-choice.ts';
import type { Aim } from './service-target.ts';

export interface ProbeOptions extends Asked {
  /** Bytes of application data. */
  readonly size?: number;
  /** Source port, or the id of an echo; default 40000, or the next one that nobody listens on. */
  readonly sport?: number;
  /** How many free ports probes before this one have, where no source port is given. Default 0. */
  readonly before?: number;
  /** The endpoints as a person typed them. */
  readonly text?: { readonly from?: string; readonly to?: string };
}

/** Why a question has no probe although both endpoints exist. */
export type Unsupported =
  | Unanswerable
  | Extract<PortChoice, { kind: 'problem' }>['why']
  /** Another name stands for the Service. */
  | 'external-name'
  /** The node's range has no room for a gateway. */
  | 'range-too-small';

interface Answer {
  readonly from: ProbeEnd;
  readonly to: ProbeEnd;
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'sctp';
  readonly port?: number;
  readonly assumptions: readonly Assumption[];
}

export type ProbePlan =
  | (Answer & {
      readonly kind: 'probe';
      readonly probe: Probe;
      /** The World to trace in: the one given, or one that knows the target's assumed listener. */
      readonly world: World;
      /** Why this port, where nobody asked for one. */
      readonly portChosen?: Evidence;
      /** What the client chose, where it could. */
      readonly chosen?: Aim['chosen'];
      /** What else it could have chosen. */
      readonly others?: readonly OtherProbe[];
    })
  /** No packet: the name of a Service has no address. */
  | (Answer & { readonly kind: 'no-address'; readonly service: Service })
  | (Answer & {
      readonly kind: 'not-running';
      readonly cause: 'SRC_NOT_RUNNING' | 'DST_NOT_RUNNING';
      readonly pod: Pod;
    })
  | (Answer & { readonly kind: 'unsupported'; readonly why: Unsupported });

/** The same question put to another address. */
export interface OtherProbe {
  readonly probe: Probe;
  readonly to: ProbeEnd;
  readonly port?: number;
  readonly chosen: NonNullable<Aim['chosen']>;
}

export const nameOf = (end: Omit<ProbeEnd, 'text'>): string => {
  switch (end.kind) {
    case 'pod': {
      const name = end.namespace === 'default' ? `${end.name}` : `${end.namespace}/${end.name}`;
      return end.container === undefined ? name : `${name}:${end.container}`;
    }
    case 'node':
      return `node/${end.name}`;
    case 'service':
      return end.namespace === 'default' ? `svc/${end.name}` : `${end.namespace}/svc/${end.name}`;
    case 'ip':
      return end.ip ?? '';
    case 'external':
      return 'external';
    default: {
      const never: never = end.kind;
      return never;
    }
  }
};

export const withText = (end: Omit<ProbeEnd, 'text'>, text: string | undefined): ProbeEnd => ({
  text: text ?? nameOf(end),
  ...end,
});
