/** Changes of a diff in words, equal ones joined: what every form for people shows. */
import type { ConnectionChangeKind } from '../../check/diff/change.ts';
import type { ConnectionChange, Diff } from '../../check/diff/diff.ts';
import type { ConnectionWhy, VerdictWhy, WhyPolicy } from '../../check/diff/why.ts';
import type { DiffWords } from '../../explain/diff-words.ts';
import { portsText } from '../ports-text.ts';

/** One reason: a side and a direction where it is about policies, and the text. */
export interface ToldReason {
  readonly side: string;
  readonly direction: string;
  readonly text: string;
  /** `file:line` */
  readonly at?: string;
}

export interface ToldChange {
  /** Ids; several where the same has become of all of them. */
  readonly srcs: readonly string[];
  readonly dsts: readonly string[];
  /** Ports; empty: none. */
  readonly opened: string;
  readonly closed: string;
  readonly reasons: readonly ToldReason[];
}

/** A peer as people call it: a block without its prefix. */
export const peerText = (id: string, words: DiffWords): string => {
  switch (id) {
    case 'ipblock:0.0.0.0-255.255.255.255':
      return words.anyAddress(4);
    case 'ipblock:::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff':
      return words.anyAddress(6);
    default:
      return id.replace(/^ipblock:/, '');
  }
};

export const placeText = ({ file, line }: Partial<WhyPolicy>): string | undefined =>
  file === undefined ? undefined : [file, line].filter((part) => part !== undefined).join(':');

const policyText = ({ kind, namespace, name, edit }: WhyPolicy, words: DiffWords): string => {
  const title = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  return edit === undefined ? title : `${title} (${words.why.edits[edit]})`;
};

const verdictText = (why: VerdictWhy, words: DiffWords): string => {
  const { why: said } = words;
  const [first] = why.policies;
  switch (why.by) {
    case 'not-isolated':
      return said.notIsolated(why.direction);
    case 'exempt':
      return said.exempt;
    case 'default-deny':
      return said.isolates(
        why.policies.map((policy) => policyText(policy, words)),
        `${why.protocol} ${why.port}`,
      );
    case 'rule': {
      if (!first) return '';
      const say =
        why.decision === 'allow'
          ? said.admits
          : why.decision === 'deny'
            ? said.denies
            : said.unknown;
      return say(policyText(first, words), (first.rule ?? 0) + 1);
    }
    default:
      return why.by satisfies never;
  }
};

const reasonOf = (why: ConnectionWhy, words: DiffWords): ToldReason => {
  switch (why.kind) {
    case 'policies': {
      const at = why.policies[0] && placeText(why.policies[0]);
      return {
        side: words[why.side],
        direction: why.direction,
        text: verdictText(why, words),
        ...(at !== undefined && { at }),
      };
    }
    case 'namespace-labels':
    case 'pod-labels': {
      const labels = why.labels
        .map(
          ({ key, base = words.nothing, head = words.nothing }) =>
            `${key}: ${base} ${words.base}, ${head} ${words.head}`,
        )
        .join('; ');
      const said =
        why.kind === 'pod-labels'
          ? words.why.podLabels(why.of, labels)
          : words.why.namespaceLabels(why.of, labels);
      return { side: '', direction: '', text: said };
    }
    case 'named-port':
      return {
        side: '',
        direction: '',
        text: words.why.namedPort(why.of, why.name, why.base, why.head),
      };
    default:
      return why satisfies never;
  }
};

interface Draft extends ToldChange {
  readonly srcs: string[];
  readonly dsts: string[];
}

/** Joins what has the same key, where it is in order of its first member. */
const joined = (drafts: readonly Draft[], keyOf: (draft: Draft) => string): Draft[] => {
  const found = new Map<string, Draft>();
  for (const draft of drafts) {
    const key = keyOf(draft);
    const known = found.get(key);
    if (!known) {
      found.set(key, { ...draft, srcs: [...draft.srcs], dsts: [...draft.dsts] });
      continue;
    }
    for (const src of draft.srcs) if (!known.srcs.includes(src)) known.srcs.push(src);
    for (const dst of draft.dsts) if (!known.dsts.includes(dst)) known.dsts.push(dst);
  }
  return [...found.values()];
};

/** Changes of one kind: those that become of several sources or several destinations, once. */
export const toldChanges = (
  { connections }: Pick<Diff, 'connections'>,
  kind: ConnectionChangeKind,
  words: DiffWords,
): readonly ToldChange[] => {
  const ports = { all: words.allPorts, nothing: '' };
  const drafts = connections
    .filter(({ change }) => change === kind)
    .map(
      ({ src, dst, opened, closed, why }: ConnectionChange): Draft => ({
        srcs: [src],
        dsts: [dst],
        opened: portsText(opened, ports),
        closed: portsText(closed, ports),
        reasons: why.map((one) => reasonOf(one, words)),
      }),
    );
  const what = ({ opened, closed, reasons }: Draft): string =>
    JSON.stringify([opened, closed, reasons]);
  const byTarget = joined(drafts, (draft) => `${draft.dsts.join()} ${what(draft)}`);
  return joined(byTarget, (draft) => `${draft.srcs.join()} ${what(draft)}`);
};

/** What has become of the isolation of several peers alike, told once. */
export interface ToldIsolation {
  readonly ids: readonly string[];
  readonly text: string;
}

export const toldIsolation = (
  { isolation }: Diff['peers'],
  words: DiffWords,
): readonly ToldIsolation[] => {
  const found = new Map<string, string[]>();
  for (const { id, direction, isolated } of isolation) {
    const text = words.isolated(direction, isolated);
    const ids = found.get(text);
    if (ids) ids.push(id);
    else found.set(text, [id]);
  }
  return [...found].map(([text, ids]) => ({ text, ids }));
};
