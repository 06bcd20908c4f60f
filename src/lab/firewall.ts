/** Loads the firewall of a namespace into a real kernel: sets, then rules, in order of registration. */
import type { NftBase, NftTable } from '../kernel/netfilter/nft-table.ts';
import type { Ruleset } from '../kernel/netfilter/ruleset.ts';
import type { Netns } from '../kernel/world.ts';
import { ipsetRestoreInput } from '../userland/ipset/print.ts';
import { iptablesRestoreInput } from '../userland/iptables/print.ts';
import { nftListRuleset } from '../userland/nft/print.ts';
import type { Job } from './agent.ts';

type Command = Omit<Job, 'ns'>;

const restore = (lines: readonly string[], ...options: readonly string[]): Command => ({
  argv: ['iptables-restore', ...options],
  input: `${lines.join('\n')}\n`,
});

const nft = (lines: readonly string[]): Command => ({
  argv: ['nft', '-f', '-'],
  input: `${lines.join('\n')}\n`,
});

interface BaseChain {
  readonly registered: number;
  readonly command: Command;
}

const nftBases = (table: NftTable): BaseChain[] =>
  table.chains.flatMap((chain) => {
    const base: NftBase | undefined = chain.base;
    if (!base) return [];
    const alone = { ...table, sets: [], chains: [{ ...chain, rules: [] }] };
    return [{ registered: base.registered ?? 0, command: nft(nftListRuleset([alone])) }];
  });

const iptablesBases = ({ tables }: Ruleset): BaseChain[] =>
  tables.flatMap(({ name, chains }) =>
    chains.flatMap((chain) =>
      chain.base
        ? [
            {
              registered: chain.base.registered,
              command: restore(
                [`*${name}`, `:${chain.name} ${chain.base.policy} [0:0]`, 'COMMIT'],
                '--noflush',
              ),
            },
          ]
        : [],
    ),
  );

/** Base chains one by one as they were registered, by whichever tool; then what is in the tables. */
const bothKinds = (ruleset: Ruleset, tables: readonly NftTable[]): Command[] => [
  ...[...tables.flatMap(nftBases), ...iptablesBases(ruleset)]
    .sort((a, b) => a.registered - b.registered)
    .map(({ command }) => command),
  restore(iptablesRestoreInput(ruleset), '--noflush'),
  nft(nftListRuleset(tables)),
];

const rules = (ruleset: Ruleset): Command[] => {
  const { tables, nft: made } = ruleset;
  if (made && tables.length > 0) return bothKinds(ruleset, made);
  if (made) return [nft(nftListRuleset(made))];
  return tables.length > 0 ? [restore(iptablesRestoreInput(ruleset))] : [];
};

/** The commands that load it, in the order in which they must run. */
export const firewallCommands = ({ ipsets, netfilter }: Netns): readonly Command[] => [
  ...(ipsets.size === 0
    ? []
    : [{ argv: ['ipset', 'restore'], input: `${ipsetRestoreInput(ipsets).join('\n')}\n` }]),
  ...rules(netfilter),
];

/** What `nft -f` reads to empty the sets that rules add to. */
export const emptyDynamicSets = ({ nft: tables = [] }: Ruleset): string =>
  tables
    .flatMap((table) =>
      table.sets
        .filter(({ flags }) => flags.includes('dynamic'))
        .map(({ name }) => `flush set ${table.family} ${table.name} ${name}\n`),
    )
    .join('');
