import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { Question } from '../../src/check/ask.ts';
import { type Asked, askRepeatedly } from '../../src/check/ask-repeatedly.ts';
import { explainTrace } from '../../src/index.ts';
import { toTraceList } from '../../src/render/trace-json.ts';
import { type OpenedScenario, openBuiltIn } from '../../src/scenario/open.ts';
import { type RepeatedProbe, repeatedProbe, repeatSummary } from '../../src/trace/repeat.ts';
import { traceListSchema } from '../../src/trace/schema/trace.ts';
import { shapeViolations } from '../../src/trace/shape.ts';

const opened = async (name: string, mode = 'iptables'): Promise<OpenedScenario> => {
  const result = await openBuiltIn(name, { set: [`kubeProxy.mode=${mode}`] });
  if (!result.ok) throw new Error('does not open');
  return result.scenario;
};

const all = (scenario: OpenedScenario, question: Question, probes: number): Asked[] => {
  const asked = askRepeatedly(scenario, question, probes);
  if (!asked.ok) throw new Error('cannot be asked');
  return [asked.first, ...asked.rest];
};

const briefs = (asked: readonly Asked[]): RepeatedProbe[] =>
  asked.map(({ n, facts, taken }) => repeatedProbe(n, facts, taken));

const names = (probes: readonly RepeatedProbe[]): (string | undefined)[] =>
  probes.map(({ target }) => target?.name);

describe.each(['iptables', 'nftables', 'ipvs'])('several probes, kube-proxy in mode %s', (mode) => {
  it('take the ways in turn, each from the next port', async () => {
    const scenario = await opened('services/affinity', mode);
    const asked = all(scenario, { from: 'client', to: 'svc/free' }, 5);
    const probes = briefs(asked);
    expect(names(probes)).toEqual([
      'default/web-1',
      'default/web-2',
      'default/web-1',
      'default/web-2',
      'default/web-1',
    ]);
    expect(probes.map(({ sourcePort }) => sourcePort)).toEqual([
      40_000, 40_001, 40_002, 40_003, 40_004,
    ]);
    expect(repeatSummary(probes)).toMatchObject({
      probes: 5,
      fates: [{ disposition: 'delivered', probes: 5 }],
      targets: [
        { name: 'default/web-1', address: '10.244.1.3:8080', probes: 3 },
        { name: 'default/web-2', address: '10.244.2.2:8080', probes: 2 },
      ],
      affinity: 'none',
    });
    expect(asked.flatMap(({ facts }) => shapeViolations(facts))).toEqual([]);
  });

  it('go where the first went, where a client is held to it', async () => {
    const scenario = await opened('services/affinity', mode);
    const probes = briefs(all(scenario, { from: 'client', to: 'svc/sticky' }, 4));
    expect(new Set(names(probes))).toEqual(new Set(['default/web-1']));
    expect(probes.map(({ free }) => free)).toEqual([true, false, false, false]);
    expect(repeatSummary(probes).affinity).toBe('pinned');
  });

  it('are held by the node that picked, and not by another', async () => {
    const scenario = await opened('services/affinity', mode);
    const probes = briefs(all(scenario, { from: 'external', to: 'svc/sticky' }, 6));
    expect(new Set(probes.map(({ target }) => target?.node))).toEqual(
      new Set(['node-1', 'node-2']),
    );
    for (const node of ['node-1', 'node-2']) {
      const there = probes.filter(({ target }) => target?.node === node);
      expect(new Set(names(there)).size).toBe(1);
    }
    expect(repeatSummary(probes).affinity).toBe('pinned');
  });
});

describe('several probes', () => {
  it('without a choice have no affinity', async () => {
    const scenario = await opened('basics/two-nodes');
    const probes = briefs(all(scenario, { from: 'pod-a', to: 'pod-b', protocol: 'icmp' }, 2));
    expect(repeatSummary(probes)).toMatchObject({ targets: [], affinity: 'no-choice' });
    expect(probes.map(({ sourcePort }) => sourcePort)).toEqual([40_000, 40_001]);
  });

  it('show no affinity where there is but one', async () => {
    const scenario = await opened('services/affinity');
    const probes = briefs(all(scenario, { from: 'client', to: 'svc/sticky' }, 1));
    expect(repeatSummary(probes)).not.toHaveProperty('affinity');
  });

  it('look a name up each time, and choose among its addresses', async () => {
    const scenario = await opened('services/affinity');
    const asked = all(scenario, { from: 'client', to: 'free' }, 3);
    expect(asked.map(({ facts }) => facts.resolution?.outcome)).toEqual([
      'found',
      'found',
      'found',
    ]);
    const ports = asked.map(({ facts }) => {
      const [socket] = facts.resolution?.queries[0]?.legs[0]?.hops[0]?.steps.slice(1) ?? [];
      return socket?.detail;
    });
    expect(new Set(ports.map((detail) => JSON.stringify(detail))).size).toBe(3);
    expect(names(briefs(asked))).toEqual(['default/web-1', 'default/web-2', 'default/web-1']);
  });

  it('are no question about one backend', async () => {
    const scenario = await opened('services/affinity');
    const question = { from: 'client', to: 'svc/free', backend: 'web-1' };
    expect(askRepeatedly(scenario, question, 2)).toMatchObject({
      ok: false,
      misuses: [{ code: 'repeat-one-way', backend: 'web-1' }],
    });
  });

  it('are a list of the published schema', async () => {
    const scenario = await opened('services/affinity');
    const asked = all(scenario, { from: 'external', to: 'svc/sticky' }, 3);
    const traces = asked.map(({ facts }) => explainTrace(scenario, facts));
    const list = toTraceList(traces, repeatSummary(briefs(asked)));
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const validate = ajv.compile(traceListSchema());
    validate(JSON.parse(JSON.stringify(list)));
    expect(validate.errors).toBeNull();
  });

  it('are the same twice', async () => {
    const question = { from: 'external', to: 'svc/sticky' };
    const [one, other] = [await opened('services/affinity'), await opened('services/affinity')];
    expect(all(one, question, 5).map(({ facts }) => facts)).toEqual(
      all(other, question, 5).map(({ facts }) => facts),
    );
  });
});
