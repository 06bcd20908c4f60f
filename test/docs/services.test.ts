/**
 * Holds docs/services.md to the model: its trace, and the table of who the server sees, are made here
 * (`npx vitest run test/docs -u`).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ask, type Question } from '../../src/check/ask.ts';
import { renderTrace } from '../../src/index.ts';
import { type OpenedScenario, openBuiltIn, openScenario } from '../../src/scenario/open.ts';
import type { TraceFacts } from '../../src/trace/trace.ts';

const FILE = join(import.meta.dirname, '../../docs/services.md');
const page = readFileSync(FILE, 'utf8');

/** A page with the text between two of its comments replaced. */
const filled = (of: string, name: string, text: string): string =>
  of.replace(
    new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`),
    (_, start: string, end: string) => `${start}${text}\n${end}`,
  );

const [, input = ''] = /^```yaml\n([\s\S]*?)^```/m.exec(page) ?? [];

const opened = async (mode: string, policy: string): Promise<OpenedScenario> => {
  const text = input
    .replace('mode: iptables', `mode: ${mode}`)
    .replace('externalTrafficPolicy: Cluster', `externalTrafficPolicy: ${policy}`);
  const result = await openScenario([{ file: 'services.yaml', text }]);
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join('\n'));
  return result.scenario;
};

const factsOf = (scenario: OpenedScenario, question: Question): TraceFacts => {
  const answer = ask(scenario, question);
  if (!answer.ok) throw new Error(answer.diagnostics[0]?.message);
  return answer.facts;
};

const CALLERS: readonly (readonly [from: string, called: string])[] = [
  ['near', "a Pod of the endpoint's node"],
  ['far', 'a Pod of the other node'],
  ['web', 'the endpoint itself'],
  ['node/node-1', "node-1, the endpoint's node"],
  ['node/node-2', 'node-2, the other node'],
  ['external', 'a host outside'],
];

const ASKED: readonly (readonly [to: string, called: string])[] = [
  ['10.96.0.20:80', 'ClusterIP'],
  ['node/node-1:30080', 'NodePort of node-1'],
  ['node/node-2:30080', 'NodePort of node-2'],
  ['198.51.100.7:80', 'VIP'],
  ['198.51.100.50:80', 'external IP'],
];

/** What the server sees; where it sees nothing, or its answer is lost, what the caller sees. */
const seen = (scenario: OpenedScenario, from: string, to: string): string => {
  const { disposition, symptom, sourceSeen, probe, cause } = factsOf(scenario, { from, to });
  if (disposition === 'inconclusive') return `inconclusive: ${cause?.code}`;
  const source = sourceSeen && (sourceSeen.ip === probe.from.ip ? 'itself' : sourceSeen.ip);
  const shown = source ?? disposition;
  return disposition === 'delivered' ? shown : `${shown}, ${symptom}`;
};

const modes = await Promise.all([
  opened('iptables', 'Cluster'),
  opened('iptables', 'Local'),
  opened('ipvs', 'Local'),
]);

const sourceTable = (): string =>
  [
    '| who calls | what | Cluster | Local | Local, IPVS mode |',
    '|---|---|---|---|---|',
    ...CALLERS.flatMap(([from, caller]) =>
      ASKED.map(([to, target]) => {
        const cells = [caller, target, ...modes.map((scenario) => seen(scenario, from, to))];
        return `| ${cells.join(' | ')} |`;
      }),
    ),
  ].join('\n');

const shownTrace = async (): Promise<string> => {
  const result = await openBuiltIn('services/cluster-ip');
  if (!result.ok) throw new Error('there is no such scenario');
  const { scenario } = result;
  const facts = factsOf(scenario, { from: 'client', to: 'shop/svc/web', backend: 'web-2' });
  return `\`\`\`\n${renderTrace(scenario, facts, { depth: 'default' }).trimEnd()}\n\`\`\``;
};

describe('docs/services.md', () => {
  it('has a trace, and a table of who the server sees', async () => {
    const withTrace = filled(page, 'trace', await shownTrace());
    await expect(filled(withTrace, 'table', sourceTable())).toMatchFileSnapshot(FILE);
  });

  it.each(['Cluster', 'Local'])('%s is the same in nftables mode', async (policy) => {
    const [iptables, nftables] = await Promise.all([
      opened('iptables', policy),
      opened('nftables', policy),
    ]);
    for (const [from] of CALLERS)
      for (const [to] of ASKED)
        expect(`${from} ${to} ${seen(nftables, from, to)}`).toBe(
          `${from} ${to} ${seen(iptables, from, to)}`,
        );
  });
});
