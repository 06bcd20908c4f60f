/** `k8snet trace -o runbook`: the checks of a path on the real cluster, as a shell script. */
import { ask, type Question } from '../check/ask.ts';
import { whyOf } from '../check/fix/remedy.ts';
import { withoutFaults } from '../check/with-before.ts';
import { ASCII } from '../explain/quote.ts';
import { tellRunbook } from '../explain/runbook.ts';
import { tellingOf } from '../explain/telling.ts';
import { runbookScript } from '../render/runbook-sh.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import type { TraceFacts } from '../trace/trace.ts';
import { rows } from '../userland/print/rows.ts';
import { words } from './tell.ts';

/**
 * The script. Its lines are those of the cluster without faults where it has any: that is how the
 * real one should look.
 */
export function runbookOutput(
  facts: TraceFacts,
  scenario: OpenedScenario,
  question: Question,
): string {
  const healthy = withoutFaults(scenario);
  const answer = healthy && ask(healthy, question);
  return healthy && answer?.ok ? scriptOf(answer.facts, healthy) : scriptOf(facts, scenario);
}

function scriptOf(facts: TraceFacts, scenario: OpenedScenario): string {
  const { world, cluster } = scenario;
  const nodes = new Set(cluster.nodes.map(({ name }) => name));
  const runbook = tellRunbook(facts, {
    ...tellingOf(scenario, rows, words, ASCII, (failed) => whyOf(scenario, failed)),
    withFacts: false,
    ownersOf: (ip) => world.book.owners(ip),
    isNode: (name) => nodes.has(name),
  });
  return runbookScript(runbook, words);
}
