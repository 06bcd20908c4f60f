/** What the sentences about a traced cluster need: names and namespaces, found in its World. */
import type { Network } from '../cluster/cluster.ts';
import type { World } from '../kernel/world.ts';
import type { Ip } from '../wire/packet.ts';
import type { Catalogue } from './catalogue.ts';
import type { Machine } from './gist.ts';
import type { Glyphs, Quote } from './quote.ts';
import type { StoryOptions } from './story.ts';

/** A scenario as far as its traces are told: `OpenedScenario` has it all. */
export interface Told {
  readonly world: World;
  readonly cluster: {
    readonly network: Pick<Network, 'plugin' | 'backend'>;
    readonly nodes: readonly { readonly name: string }[];
    readonly policies: readonly unknown[];
    readonly policyEngine: 'none' | 'nftables';
  };
}

/** Finds out why a trace of the scenario failed, and what mends that. */
export type Diagnose = StoryOptions['whyOf'];

/** What people call an address: its first owner in the book, or the Service that it belongs to. */
export function namesOf({ book }: World): (ip: Ip) => string | undefined {
  return (ip) => book.owners(ip)[0]?.name ?? book.serviceName(ip);
}

/** Who is no node has an address outside, or leads there: a node may have any name. */
function machinesOf({ book }: World, nodes: readonly { readonly name: string }[]) {
  const outside = book.ranges.find(({ kind }) => kind === 'external')?.host;
  const names = new Set(nodes.map(({ name }) => name));
  return (name: string): Machine => {
    if (names.has(name)) return 'node';
    return name === outside ? 'outside' : 'router';
  };
}

/** Everything that `tellStory` asks for, about traces of one scenario. */
export function tellingOf(
  { world, cluster: { network, nodes, policies, policyEngine } }: Told,
  quote: Quote,
  words: Catalogue,
  glyphs: Glyphs,
  whyOf: Diagnose,
): StoryOptions {
  return {
    words,
    quote,
    glyphs,
    nameOf: namesOf(world),
    whyOf,
    machine: machinesOf(world, nodes),
    network: [
      `${network.plugin} ${network.backend}`,
      ...(policies.length > 0 ? [words.story.enforced(policyEngine !== 'none')] : []),
    ].join(', '),
    inhabitants: (node, netns) => {
      const found = world.host(node).netns.get(netns);
      return {
        ...(found?.holder && { holder: found.holder.name }),
        members: (found?.members ?? []).map(({ name }) => name),
      };
    },
  };
}
