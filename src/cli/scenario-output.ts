/** `k8snet trace -o scenario`: the smallest scenario that gives the same trace, proved by tracing it. */
import { ask, type Question } from '../check/ask.ts';
import { judge } from '../check/judge.ts';
import { NEUTRALS } from '../check/neutral-address.ts';
import { redact } from '../check/redact.ts';
import { questionOf, scenarioDocuments } from '../check/scenario-documents.ts';
import { REACHES, type SmallScenario, smallScenario } from '../check/small-scenario.ts';
import type { Diagnostic } from '../cluster/diagnostic.ts';
import { namesOf } from '../explain/telling.ts';
import { traceMinimal } from '../render/trace-minimal.ts';
import { yamlText } from '../render/yaml.ts';
import { type OpenedScenario, openScenario } from '../scenario/open.ts';
import { minimalOf } from '../trace/minimal.ts';
import type { TraceFacts } from '../trace/trace.ts';
import type { Ip } from '../wire/packet.ts';
import { words } from './tell.ts';

type Output =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

/**
 * The text of the scenario file. The least that the trace touched is tried first, then more, until
 * tracing it gives the same minimal form, byte for byte, and its own expectation holds.
 */
export async function scenarioOutput(
  facts: TraceFacts,
  scenario: OpenedScenario,
  question: Question,
  { redacted = false }: { readonly redacted?: boolean | undefined },
): Promise<Output> {
  const wanted = minimal(facts, namesOf(scenario.world));
  for (const reach of REACHES) {
    const small = smallScenario(scenario, facts, question, reach);
    const text = fileText(small);
    if (!(await gives(text, question, wanted))) continue;
    if (!redacted) return { ok: true, text };
    const neutral = await neutralText(small, facts, scenario);
    if (neutral !== undefined) return { ok: true, text: neutral };
  }
  const { failed, hint } = words.scenario;
  const diagnostic = {
    severity: 'error',
    code: 'no-scenario',
    message: failed(redacted),
    ...(redacted && { hint }),
  } as const;
  return { ok: false, diagnostic };
}

async function neutralText(
  small: SmallScenario,
  facts: TraceFacts,
  scenario: OpenedScenario,
): Promise<string | undefined> {
  const nameOf = namesOf(scenario.world);
  for (const neutral of NEUTRALS) {
    const found = await redact(small, scenario, neutral);
    if (!found) continue;
    const text = fileText(found.small);
    const wanted = minimal(found.rename(facts), (ip) => found.nameOf(ip, nameOf(ip)));
    if (await gives(text, questionOf(found.small.expect), wanted)) return text;
  }
  return undefined;
}

function fileText(small: SmallScenario): string {
  const { from, to } = questionOf(small.expect);
  const { disposition } = small.expect;
  const description = words.scenario.description(from, to, words.verdicts[disposition]);
  return scenarioDocuments(small, description).map(yamlText).join('---\n');
}

/** The minimal form, and how the ways fare that it does not tell; their order is that of their names. */
function minimal(facts: TraceFacts, nameOf: (ip: Ip) => string | undefined): string {
  const { told: _, ...rest } = facts;
  const others = (facts.alternatives ?? []).map(
    ({ disposition, cause }) => `${disposition} ${cause}`,
  );
  return traceMinimal(minimalOf(rest, nameOf), rest) + others.sort().join('\n');
}

/** Whether the file opens, gives this trace, and holds what it expects itself. */
async function gives(text: string, question: Question, wanted: string): Promise<boolean> {
  const opened = await openScenario([{ file: 'scenario.yaml', text }]);
  if (!opened.ok) return false;
  const { scenario } = opened;
  const answer = ask(scenario, question);
  if (!answer.ok || minimal(answer.facts, namesOf(scenario.world)) !== wanted) return false;
  return judge(scenario).every((one) => one.kind === 'traced' && one.differences.length === 0);
}
