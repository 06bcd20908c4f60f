/** What the sentences need from outside, for tests without a cluster. */
import { whyOf } from '../../src/check/fix/remedy.ts';
import { en } from '../../src/explain/messages/en.ts';
import { ASCII, type Quote, UNICODE } from '../../src/explain/quote.ts';
import { type Story, type StoryOptions, tellStory } from '../../src/explain/story.ts';
import { PLAIN } from '../../src/render/style.ts';
import { type TraceTextOptions, traceText } from '../../src/render/trace-text.ts';
import { openBuiltIn } from '../../src/scenario/open.ts';
import { type Depth, prune } from '../../src/trace/prune.ts';
import type { TraceFacts } from '../../src/trace/trace.ts';
import { printMatch, printRule } from '../../src/userland/iptables/print.ts';
import { printConntrack } from '../../src/userland/print/conntrack.ts';
import { printFdb } from '../../src/userland/print/fdb.ts';
import { printNeigh } from '../../src/userland/print/neigh.ts';
import { printRoute } from '../../src/userland/print/route.ts';
import { printRule as printFibRule } from '../../src/userland/print/rule.ts';

export const quote: Quote = {
  route: (row) => printRoute(row),
  routeMatch: (row) => printRoute(row, { shown: row.table }),
  fibRule: (row) => printFibRule(row),
  neigh: printNeigh,
  fdb: (row) => printFdb(row),
  rule: printRule,
  match: printMatch,
  conntrack: printConntrack,
};

const names: Readonly<Record<string, string>> = {
  '10.244.1.1': 'cni0 of node-1',
  '10.244.1.2': 'default/pod-a',
  '10.244.2.0': 'flannel.1 of node-2',
  '10.244.2.2': 'default/pod-b',
  '192.168.10.11': 'node-1',
  '192.168.10.12': 'node-2',
};

export const nameOf = (ip: string): string | undefined => names[ip];

const cluster = await openBuiltIn(undefined);
if (!cluster.ok) throw new Error('the built-in scenario does not open');

export const telling: StoryOptions = {
  words: en,
  quote,
  glyphs: UNICODE,
  nameOf,
  network: 'flannel vxlan',
  whyOf: (facts) => whyOf(cluster.scenario, facts),
  machine: (name) => (name === 'gw' ? 'router' : name === 'external' ? 'outside' : 'node'),
  inhabitants: (_, netns) => {
    if (netns === 'host') return { members: [] };
    return { holder: 'pause', members: netns === 'default/shop' ? ['app', 'cache'] : ['app'] };
  },
};

export const told = (facts: TraceFacts, depth: Depth = 'default'): Story =>
  tellStory(prune(facts, depth), facts, telling);

/** As a terminal without colour shows it. */
export const shown = (
  facts: TraceFacts,
  { ascii = false, ...options }: Partial<TraceTextOptions> & { ascii?: boolean } = {},
): string => {
  const depth = options.depth ?? 'default';
  const glyphs = ascii ? ASCII : UNICODE;
  const story = tellStory(prune(facts, depth), facts, { ...telling, glyphs });
  return traceText(story, { depth, width: 80, style: PLAIN, glyphs, words: en, ...options });
};
