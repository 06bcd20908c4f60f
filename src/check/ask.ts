/** One question put to an opened scenario: two ends as a person types them, and the trace. */

import type { Target } from '../cluster/cluster.ts';
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { resolveEndpoint } from '../cluster/endpoint.ts';
import { PluginError, pluginProblem } from '../compile/plugin-error.ts';
import { type ProbePlan, probeFor, type Unsupported } from '../compile/probe.ts';
import type { Assumption } from '../kernel/probe.ts';
import type { World } from '../kernel/world.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import { fork, type Wanted, type Way } from '../trace/forks.ts';
import type { Misuse, TraceFacts, TraceProbe, UnmodelledQuestion } from '../trace/trace.ts';
import { serviceView } from './service-view.ts';

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
  /**
   * `all` (default), `first`, or the name or address of one: which of the backends that chance may
   * pick are traced.
   */
  readonly backend?: string | undefined;
}

export type Answer =
  | {
      readonly ok: true;
      readonly facts: TraceFacts;
      /** After the packets: with what they left behind. */
      readonly world: World;
    }
  /** The question makes no sense here: bad usage. */
  | {
      readonly ok: false;
      /** What the scenario does not have, or cannot be built from. */
      readonly diagnostics: readonly Diagnostic[];
      /** Where the question contradicts itself. */
      readonly misuses: readonly Misuse[];
    };

/** Resolves both ends, sends the packet, and reports all that is wrong with the question at once. */
export function ask(scenario: OpenedScenario, question: Question): Answer {
  const { cluster } = scenario;
  const { namespace, port } = question;
  const from = resolveEndpoint(cluster, question.from, { namespace, side: 'from' });
  const to = resolveEndpoint(cluster, question.to, { namespace, side: 'to' });
  const diagnostics: Diagnostic[] = [];
  const misuses: Misuse[] = [];
  if ('diagnostic' in from) diagnostics.push(from.diagnostic);
  else if (from.target.port !== undefined)
    misuses.push({ code: 'source-port', from: question.from });
  if ('diagnostic' in to) diagnostics.push(to.diagnostic);
  else if (port !== undefined && to.target.port !== undefined && to.target.port !== port)
    misuses.push({ code: 'two-ports', to: question.to, port });
  if (misuses.length > 0 || 'diagnostic' in from || 'diagnostic' in to)
    return { ok: false, diagnostics, misuses };
  try {
    return answer(scenario, question, from.target, to.target);
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    return { ok: false, diagnostics: [pluginProblem(error, cluster)], misuses };
  }
}

function answer(scenario: OpenedScenario, question: Question, from: Target, to: Target): Answer {
  const { port, protocol, size, sourcePort: sport } = question;
  const plan = probeFor(scenario.cluster, scenario.world, from, to, {
    ...(port !== undefined && { port }),
    ...(protocol !== undefined && { protocol }),
    ...(size !== undefined && { size }),
    ...(sport !== undefined && { sport }),
    text: { from: question.from, to: question.to },
  });
  return carryOut(scenario, question, plan);
}

function carryOut(scenario: OpenedScenario, question: Question, plan: ProbePlan): Answer {
  const { size, detailed } = question;
  const probeTo = (to: TraceProbe['to'], port: number | undefined): TraceProbe => ({
    from: plan.from,
    to,
    protocol: plan.protocol,
    ...(port !== undefined && { port }),
    ...(plan.kind === 'probe' && { sourcePort: plan.probe.sport }),
    ...(size !== undefined && { size }),
  });
  const asked = probeTo(plan.to, plan.port);
  const { name, unfaulted: intended } = scenario;
  const assumptions = [...plan.assumptions, ...echoChosen(question, plan)];
  const unsent = { scenario: name, probe: asked, legs: [], assumptions } as const;
  switch (plan.kind) {
    case 'probe': {
      const services = serviceView(scenario.cluster);
      const meta = { scenario: name, probe: asked, assumptions, intended, detailed, services };
      const { world, probe, chosen, others = [] } = plan;
      const ways: Way[] = [
        { world, probe, meta, ...(chosen && { chosen }) },
        ...others.map((other) => ({
          world,
          probe: other.probe,
          meta: { ...meta, probe: probeTo(other.to, other.port) },
          chosen: other.chosen,
        })),
      ];
      const forked = fork(ways, wantedOf(question));
      if (forked.ok) return { ok: true, facts: forked.facts, world: forked.leaf.world };
      return { ok: false, diagnostics: [], misuses: [noBackend(question, forked.backends)] };
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
    case 'no-address':
      return {
        ok: true,
        world: scenario.world,
        facts: {
          ...unsent,
          disposition: 'dropped',
          symptom: 'name not found',
          cause: { code: 'SVC_NO_ENDPOINTS' },
        },
      };
    case 'unsupported': {
      const misuse = misuseOf(plan.why, plan);
      if (typeof misuse === 'object') return { ok: false, diagnostics: [], misuses: [misuse] };
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

const wantedOf = ({ backend = 'all' }: Question): Wanted =>
  backend === 'all' || backend === 'first' ? backend : { backend };

const noBackend = ({ to, backend = '' }: Question, backends: readonly string[]): Misuse =>
  backends.length === 0
    ? { code: 'backend-without-service', to }
    : { code: 'unknown-backend', to, backend, backends };

/** Nothing was asked for and no port is shown: the question is answered by a ping. */
function echoChosen({ protocol, port }: Question, plan: ProbePlan): Assumption[] {
  const chosen =
    plan.kind === 'probe' &&
    plan.protocol === 'icmp' &&
    protocol === undefined &&
    port === undefined;
  return chosen ? [{ code: 'port-chosen', subject: plan.to.name ?? plan.to.text }] : [];
}

/** What contradicts itself is bad usage; what the model lacks is an honest third answer. */
function misuseOf(
  why: Unsupported,
  { from, to, protocol }: ProbePlan,
): Misuse | UnmodelledQuestion {
  switch (why) {
    case 'no-such-source':
      return { code: 'unknown-source', from: from.text };
    case 'port-needed':
      return { code: 'port-needed', to: to.text, protocol };
    case 'port-for-echo':
      return { code: 'port-for-echo' };
    case 'sctp':
    case 'ipv6':
    case 'special-address':
    case 'balancer-proxy':
    case 'external-name':
    case 'range-too-small':
      return why;
    default:
      return why satisfies never;
  }
}
