import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../src/check/ask.ts';
import { listBuiltIn } from '../../src/scenario/find-built-in.ts';
import { openBuiltIn } from '../../src/scenario/open.ts';
import { STEP_KINDS } from '../../src/trace/codes.ts';
import { traceSchema } from '../../src/trace/schema/trace.ts';
import type { TraceFacts } from '../../src/trace/trace.ts';
import { traceBroken } from '../explain/broken.ts';

const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false });
const validate = ajv.compile(traceSchema());

const ADVICE = { kind: 'advice', advice: { code: 'one-way', values: {} } };
const CHECK = { commands: [] };

/** The JSON of a trace, with sentences that are not looked into. */
const printed = ({ cause, ...facts }: TraceFacts): Record<string, unknown> =>
  JSON.parse(
    JSON.stringify({
      apiVersion: 'k8snet/v1',
      kind: 'Trace',
      ...facts,
      ...(cause && {
        cause: { ...cause, message: '', fix: '', check: '', remedy: { fix: ADVICE, check: CHECK } },
      }),
      assumptions: facts.assumptions.map(({ code }) => code),
    }),
  );

const traces = async (): Promise<[string, TraceFacts][]> => {
  const found: [string, TraceFacts][] = [];
  for (const { name } of await listBuiltIn()) {
    const result = await openBuiltIn(name);
    if (!result.ok) continue;
    for (const { n, from, to, port, protocol, size } of result.scenario.expectations) {
      const answer = ask(result.scenario, { from, to, port, protocol, size, detailed: true });
      if (answer.ok) found.push([`${name} ${n}`, answer.facts]);
    }
  }
  return found;
};

describe('the schema of a Trace', () => {
  let all: [string, TraceFacts][] = [];
  beforeAll(async () => {
    all = await traces();
  }, 60_000);

  it('is a schema', () => {
    expect(ajv.validateSchema(traceSchema())).toBe(true);
  });

  it('holds for every trace of every built-in scenario', () => {
    expect(all.length).toBeGreaterThan(40);
    for (const [name, facts] of all) {
      const valid = validate(printed(facts));
      expect([name, valid ? [] : validate.errors?.slice(0, 3)]).toEqual([name, []]);
    }
  }, 30_000);

  it.each([
    ['ip route replace 10.244.2.0/24 dev eth0', 'ip neigh del 10.244.2.0 dev flannel.1'],
    ['ip addr del 10.244.1.1/24 dev cni0'],
    ['ip rule add to 10.244.2.0/24 prohibit pref 100'],
    ['ip rule del pref 32766'],
    ['ip neigh replace 10.244.2.0 lladdr 02:00:00:00:00:99 dev flannel.1 nud permanent'],
    ['bridge fdb del 0e:c3:4d:b6:68:45 dev flannel.1 dst 192.168.10.12 self'],
    ['bridge link set dev vethc4f48094 state 0'],
    [
      'iptables -P FORWARD DROP',
      'iptables -I FLANNEL-FWD -i cni0 -p udp -j ACCEPT',
      'iptables -D FLANNEL-FWD 2',
      'iptables -D FLANNEL-FWD 2',
    ],
    [
      'iptables -t nat -I POSTROUTING -p tcp -j MASQUERADE',
      'iptables -t nat -I POSTROUTING -p tcp --dport 1 -j RETURN',
    ],
  ])('holds for what is told of %s', async (...commands) => {
    const { facts } = await traceBroken(commands.map((command) => `node/node-1: ${command}`));
    expect(JSON.stringify(facts)).toMatch(/"(about|nearMiss)":/);
    const valid = validate(printed(facts));
    expect(valid ? [] : validate.errors?.slice(0, 3)).toEqual([]);
  });

  it('meets every kind of step in them', () => {
    const kinds = new Set(
      all.flatMap(([, { legs }]) =>
        legs.flatMap(({ hops }) => hops.flatMap(({ steps }) => steps.map(({ kind }) => kind))),
      ),
    );
    expect(STEP_KINDS.filter((kind) => !kinds.has(kind))).toEqual([]);
  });

  it.each<[string, (trace: Record<string, unknown>) => void]>([
    ['a field too many', (trace) => Object.assign(trace, { extra: 1 })],
    ['a field missing', (trace) => delete trace['symptom']],
    [
      'a kind that does not exist',
      (trace) => JSON.stringify(trace) && setFirst(trace, 'kind', 'teleport'),
    ],
    ['an action that does not exist', (trace) => setFirst(trace, 'action', 'jump')],
    [
      'a detail too many',
      (trace) => Object.assign(firstStep(trace)['detail'] as object, { extra: 1 }),
    ],
    ['a disposition that does not exist', (trace) => Object.assign(trace, { disposition: 'lost' })],
  ])('refuses %s', async (_, spoil) => {
    const result = await openBuiltIn(undefined);
    if (!result.ok) throw new Error('does not open');
    const answer = ask(result.scenario, { from: 'pod-a', to: 'pod-b' });
    if (!answer.ok) throw new Error('no trace');
    const trace = printed(answer.facts);
    expect(validate(trace)).toBe(true);
    spoil(trace);
    expect(validate(trace)).toBe(false);
  });
});

const firstStep = (trace: Record<string, unknown>): Record<string, unknown> => {
  const legs = trace['legs'] as { hops: { steps: Record<string, unknown>[] }[] }[];
  const step = legs[0]?.hops[0]?.steps[0];
  if (!step) throw new Error('no step');
  return step;
};

const setFirst = (trace: Record<string, unknown>, field: string, value: string): void => {
  firstStep(trace)[field] = value;
};
