/** One question put to an opened scenario: two ends as a person types them, and the trace. */
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { resolveEndpoint } from '../cluster/endpoint.ts';
import { type ProbePlan, probeFor, type Unsupported } from '../compile/probe.ts';
import type { Assumption } from '../kernel/probe.ts';
import type { World } from '../kernel/world.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import type { TraceFacts, TraceProbe, UnmodelledQuestion } from '../trace/trace.ts';
import { traceProbe } from '../trace/trace-probe.ts';

export interface Question {
  readonly from: string;
  readonly to: string;
  /** Of names that have none; default `default`. */
  readonly namespace?: string | undefined;
  readonly port?: number | undefined;
  readonly protocol?: 'tcp' | 'udp' | 'icmp' | 'sctp' | undefined;
  /** Bytes of application data. */
  readonly size?: number | undefined;
  /** With the firewall rules that nearly decided, which take time to find. */
  readonly detailed?: boolean | undefined;
  /** Source port, or the id of an echo; default: the first from 40000 on that is free. */
  readonly sourcePort?: number | undefined;
}

export type Answer =
  | {
      readonly ok: true;
      readonly facts: TraceFacts;
      /** After the packets: with what they left behind. */
      readonly world: World;
    }
  /** The question makes no sense here: bad usage. */
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Resolves both ends, sends the packet, and reports all that is wrong with the question at once. */
export function ask(scenario: OpenedScenario, question: Question): Answer {
  const { cluster, world } = scenario;
  const { namespace } = question;
  const from = resolveEndpoint(cluster, question.from, { namespace, side: 'from' });
  const to = resolveEndpoint(cluster, question.to, { namespace, side: 'to' });
  const diagnostics: Diagnostic[] = [];
  if ('diagnostic' in from) diagnostics.push(from.diagnostic);
  else if (from.target.port !== undefined) diagnostics.push(portOfSource(question.from));
  if ('diagnostic' in to) diagnostics.push(to.diagnostic);
  else if (isTwice(to.target.port, question.port)) diagnostics.push(twoPorts(question));
  if (diagnostics.length > 0 || 'diagnostic' in from || 'diagnostic' in to) {
    return { ok: false, diagnostics };
  }
  const { port, protocol, size, sourcePort: sport } = question;
  const plan = probeFor(cluster, world, from.target, to.target, {
    ...(port !== undefined && { port }),
    ...(protocol !== undefined && { protocol }),
    ...(size !== undefined && { size }),
    ...(sport !== undefined && { sport }),
    text: { from: question.from, to: question.to },
  });
  return answer(scenario, question, plan);
}

function answer(scenario: OpenedScenario, question: Question, plan: ProbePlan): Answer {
  const { size, detailed } = question;
  const asked: TraceProbe = {
    from: plan.from,
    to: plan.to,
    protocol: plan.protocol,
    ...(plan.port !== undefined && { port: plan.port }),
    ...(plan.kind === 'probe' && { sourcePort: plan.probe.sport }),
    ...(size !== undefined && { size }),
  };
  const { name, unfaulted: intended } = scenario;
  const assumptions = [...plan.assumptions, ...echoChosen(question, plan)];
  const unsent = { scenario: name, probe: asked, legs: [], assumptions } as const;
  switch (plan.kind) {
    case 'probe': {
      const meta = { scenario: name, probe: asked, assumptions, intended, detailed };
      return { ok: true, ...traceProbe(plan.world, plan.probe, meta) };
    }
    case 'not-running':
      return {
        ok: true,
        world: scenario.world,
        facts: {
          ...unsent,
          disposition: 'dropped',
          symptom: 'timeout',
          cause: { code: plan.cause },
        },
      };
    case 'unsupported': {
      const misuse = misuseOf(plan.why, plan);
      if (typeof misuse === 'object') return { ok: false, diagnostics: [misuse] };
      return {
        ok: true,
        world: scenario.world,
        facts: {
          ...unsent,
          disposition: 'inconclusive',
          symptom: 'unknown',
          cause: { code: 'MODEL_UNSUPPORTED', unmodelled: misuse },
        },
      };
    }
    default:
      return plan satisfies never;
  }
}

/** Nothing was asked for and no port is shown: the question is answered by a ping. */
function echoChosen({ protocol, port }: Question, plan: ProbePlan): Assumption[] {
  const chosen = plan.protocol === 'icmp' && protocol === undefined && port === undefined;
  return chosen ? [{ code: 'port-chosen', subject: plan.to.name ?? plan.to.text }] : [];
}

/** What contradicts itself is bad usage; what the model lacks is an honest third answer. */
function misuseOf(
  why: Unsupported,
  { from, to, protocol }: ProbePlan,
): Diagnostic | UnmodelledQuestion {
  switch (why) {
    case 'no-such-source':
      return usage(
        'unknown-endpoint',
        `nothing in this cluster has the address ${from.text}`,
        'A trace starts at a Pod, a workload, a node or external.',
      );
    case 'port-needed':
      return usage(
        'port-needed',
        `${to.text} shows no ${protocol} port, and none was asked for`,
        'Give one with -p, or behind the target: TARGET:PORT.',
      );
    case 'port-for-echo':
      return usage(
        'port-for-echo',
        'an ICMP echo has no port',
        'Leave the port out, or ask with --proto tcp or udp.',
      );
    case 'sctp':
    case 'ipv6':
    case 'special-address':
    case 'service-address':
    case 'host-port':
    case 'node-port':
    case 'range-too-small':
      return why;
    default:
      return why satisfies never;
  }
}

function isTwice(one: number | undefined, other: number | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

function twoPorts({ to, port }: Question): Diagnostic {
  return usage(
    'two-ports',
    `${to} names a port, and port ${port} was asked for`,
    'Give one of them.',
  );
}

function portOfSource(typed: string): Diagnostic {
  return usage(
    'bad-endpoint',
    `${typed}: a source has no port to ask for`,
    'Name the container, or leave out what follows the colon.',
  );
}

function usage(code: string, message: string, hint: string): Diagnostic {
  return { severity: 'error', code, message, hint };
}
