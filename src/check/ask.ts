/** One question put to an opened scenario: two ends as a person types them, and the trace. */

import type { Target } from '../cluster/cluster.ts';
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { dnsServiceOf } from '../cluster/dns/cluster-dns.ts';
import { resolveEndpoint } from '../cluster/endpoint.ts';
import { PluginError, pluginProblem } from '../compile/plugin-error.ts';
import { listenerBehind, type ProbePlan, probeFor, type Unsupported } from '../compile/probe.ts';
import type { Assumption } from '../kernel/probe.ts';
import type { World } from '../kernel/world.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import { fork, type Taken, type Turn, takeTurn, type Wanted, type Way } from '../trace/forks.ts';
import { joinConnection } from '../trace/resolution.ts';
import type {
  EndpointRef,
  Misuse,
  TraceFacts,
  TraceProbe,
  UnmodelledQuestion,
} from '../trace/trace.ts';
import { DNS_PORT } from '../wire/dns.ts';
import { policiesOf } from './policy/policy-view.ts';
import { resolveName } from './resolve-name.ts';
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
  /** False: a name is looked up in the records, without packets. Default: true. */
  readonly dns?: boolean | undefined;
  /** One of several probes, one after the other (`ask-repeatedly.ts`); `backend` is not looked at. */
  readonly turn?: (Turn & { readonly before: number }) | undefined;
}

/** A plan, whose target may be a name that is not resolved. */
type Plan = ProbePlan extends infer One
  ? One extends ProbePlan
    ? Omit<One, 'to'> & { readonly to: EndpointRef }
    : never
  : never;

export type Answer =
  | {
      readonly ok: true;
      readonly facts: TraceFacts;
      /** After the packets: with what they left behind. */
      readonly world: World;
      /** Of one of several probes, where a packet was sent. */
      readonly taken?: Taken;
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
    return to.target.kind === 'name'
      ? answerName(withDns(scenario), question, from.target, to.target)
      : answer(scenario, question, from.target, to.target);
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    return { ok: false, diagnostics: [pluginProblem(error, cluster)], misuses };
  }
}

/**
 * The scenario that a question about a name is put to: with a DNS Service, an assumed one where the
 * input has none. Any other question is put to the scenario as it is.
 */
export function readyFor(scenario: OpenedScenario, question: Question): OpenedScenario {
  const { to, namespace } = question;
  const found = resolveEndpoint(scenario.cluster, to, { namespace, side: 'to' });
  return 'target' in found && found.target.kind === 'name' ? withDns(scenario) : scenario;
}

const withDns = (scenario: OpenedScenario): OpenedScenario =>
  dnsServiceOf(scenario.cluster) ? scenario : (scenario.assumingDns?.() ?? scenario);

function answer(scenario: OpenedScenario, question: Question, from: Target, to: Target): Answer {
  return carryOut(scenario, question, planFor(scenario, question, from, to));
}

function planFor(
  { cluster, world }: OpenedScenario,
  { port, protocol, size, sourcePort: sport, turn, ...question }: Question,
  from: Target,
  to: Target,
): ProbePlan {
  return probeFor(cluster, world, from, to, {
    ...(port !== undefined && { port }),
    ...(protocol !== undefined && { protocol }),
    ...(size !== undefined && { size }),
    ...(sport !== undefined && { sport }),
    ...(turn && { before: turn.before }),
    text: { from: question.from, to: question.to },
  });
}

/** The name first, then the connection to what it stands for; of several addresses any. */
function answerName(
  scenario: OpenedScenario,
  question: Question,
  from: Target,
  to: Extract<Target, { kind: 'name' }>,
): Answer {
  const { cluster, world } = scenario;
  // Nobody who asks is there without a way to send at all.
  const sender = planFor(scenario, question, from, { kind: 'external', port: DNS_PORT });
  if (sender.kind !== 'probe') {
    const end: EndpointRef = { text: question.to, kind: 'name', name: to.name };
    return carryOut(scenario, question, { ...sender, to: end });
  }
  const { name, unfaulted: intended } = scenario;
  const { detailed, size, protocol, dns } = question;
  const port = to.port ?? question.port;
  const asked: TraceProbe = {
    from: sender.from,
    to: { text: question.to, kind: 'name', name: to.name },
    protocol: protocol ?? 'tcp',
    ...(port !== undefined && { port }),
    ...(size !== undefined && { size }),
  };
  const services = serviceView(cluster);
  const policies = policiesOf(scenario);
  const meta = {
    ...{ scenario: name, probe: asked, assumptions: [] },
    ...{ intended, detailed, services, policies },
  };
  const resolved = resolveName({
    cluster,
    world,
    asker: { from: sender.probe.from, meta },
    source: from,
    name: to.name,
    port,
    packets: dns !== false,
    before: question.turn?.before,
  });
  const { resolution, failure } = resolved;
  const [first, ...others] = resolved.targets;
  if (failure || first === undefined)
    return {
      ok: true,
      world: resolved.world,
      facts: {
        scenario: name,
        probe: asked,
        disposition: failure?.disposition ?? 'inconclusive',
        symptom: failure?.disposition === 'inconclusive' ? 'unknown' : 'name not found',
        ...(failure && { cause: failure.cause }),
        resolution,
        legs: [],
        assumptions: [...sender.assumptions.filter(isAboutInput), ...resolved.assumptions],
      },
    };
  const after = { ...scenario, world: resolved.world };
  const plans = others.map((target) => planFor(after, question, from, target));
  const plan = anyOf(planFor(after, question, from, first), plans);
  const answered = carryOut(after, question, plan);
  if (!answered.ok) return answered;
  const { facts } = answered;
  const assumptions = [...facts.assumptions, ...resolved.assumptions];
  return { ...answered, facts: joinConnection(resolution, { ...facts, assumptions }) };
}

/** The plan of a client that may choose between several addresses. */
function anyOf(plan: ProbePlan, others: readonly ProbePlan[]): ProbePlan {
  if (plan.kind !== 'probe' || others.length === 0) return plan;
  return {
    ...plan,
    chosen: chosenOf(plan),
    others: others.flatMap((one) =>
      one.kind === 'probe' && one.port !== undefined
        ? [{ to: one.to, port: one.port, probe: one.probe, chosen: chosenOf(one) }]
        : [],
    ),
  };
}

/** `shop/db-0`, or the address where nobody is known by it. */
const chosenOf = ({ to: { name }, probe }: Extract<ProbePlan, { kind: 'probe' }>) =>
  ({ choice: 'backend', name: name ?? probe.dst }) as const;

/** What is assumed about the stand-in for the target is not assumed about the name. */
const isAboutInput = ({ code }: Assumption): boolean => code !== 'external-answers';

function carryOut(scenario: OpenedScenario, question: Question, plan: Plan): Answer {
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
      const policies = policiesOf(scenario);
      const meta = {
        ...{ scenario: name, probe: asked, assumptions },
        ...{ intended, detailed, services, policies },
      };
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
      if (question.turn) {
        const taken = takeTurn(ways, question.turn);
        const facts = withListener(scenario, taken.facts);
        return { ok: true, facts, world: taken.leaf.world, taken };
      }
      const forked = fork(ways, wantedOf(question));
      if (forked.ok)
        return {
          ok: true,
          facts: withListener(scenario, forked.facts),
          world: forked.leaf.world,
        };
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

/** What is assumed about the listener of the backend that is told, as of a Pod that was asked. */
function withListener({ cluster, world }: OpenedScenario, facts: TraceFacts): TraceFacts {
  const { dnat, probe, assumptions } = facts;
  const { protocol, to } = probe;
  if (protocol !== 'tcp' && protocol !== 'udp') return facts;
  const { ip, port } = dnat ?? (to.kind === 'service' ? { ip: to.ip, port: probe.port } : {});
  if (ip === undefined || typeof port !== 'number') return facts;
  const known = new Set(assumptions.map(({ code, subject }) => `${code} ${subject}`));
  const more = listenerBehind(cluster, world, { ip, port, protocol }).filter(
    ({ code, subject }) => !known.has(`${code} ${subject}`),
  );
  return more.length === 0 ? facts : { ...facts, assumptions: [...assumptions, ...more] };
}

const wantedOf = ({ backend = 'all' }: Question): Wanted =>
  backend === 'all' || backend === 'first' ? backend : { backend };

const noBackend = ({ to, backend = '' }: Question, backends: readonly string[]): Misuse =>
  backends.length === 0
    ? { code: 'backend-without-service', to }
    : { code: 'unknown-backend', to, backend, backends };

/** Nothing was asked for and no port is shown: the question is answered by a ping. */
function echoChosen({ protocol, port }: Question, plan: Plan): Assumption[] {
  const chosen =
    plan.kind === 'probe' &&
    plan.protocol === 'icmp' &&
    protocol === undefined &&
    port === undefined;
  return chosen ? [{ code: 'port-chosen', subject: plan.to.name ?? plan.to.text }] : [];
}

/** What contradicts itself is bad usage; what the model lacks is an honest third answer. */
function misuseOf(why: Unsupported, { from, to, protocol }: Plan): Misuse | UnmodelledQuestion {
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
