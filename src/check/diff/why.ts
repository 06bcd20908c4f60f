/** Why a connection has opened or closed: what decides on either side, and what of it was edited. */
import type { Cluster, Pod } from '../../cluster/cluster.ts';
import { atPlace } from '../../cluster/diagnostic.ts';
import type { Policy, PolicyDirection } from '../../cluster/policy/policy.ts';
import type { Labels } from '../../cluster/selector.ts';
import { addressText } from '../../policy/address-set.ts';
import { includes, type PortProtocol, PROTOCOLS } from '../../policy/connection-set.ts';
import type { PolicyEngine } from '../../policy/policy-engine.ts';
import type { Party, Verdict } from '../../policy/verdict.ts';
import type { AllowedPorts } from '../matrix/matrix.ts';
import { connectionSetOf } from './allowed-ports.ts';
import { blockOf } from './block.ts';
import type { BareChange, DiffPlace, SideName } from './change.ts';
import { labelsAsked, type PolicyEdit, policyEdits } from './policy-edits.ts';

export type ConnectionWhy = VerdictWhy | LabelsWhy | NamedPortWhy;

/** What the policies of one end say on one side, about a connection of those that have changed. */
export interface VerdictWhy {
  readonly kind: 'policies';
  readonly side: SideName;
  readonly direction: PolicyDirection;
  readonly decision: Verdict['decision'];
  /** `default-deny`: the policies isolate it together, and none of them admits. */
  readonly by: Verdict['by']['kind'];
  readonly protocol: AllowedPorts['protocol'];
  readonly port: number;
  readonly policies: readonly WhyPolicy[];
}

export interface WhyPolicy extends Partial<DiffPlace> {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** The rule that decides, from 0. The place is its own then. */
  readonly rule?: number;
  /** What has happened to the policy between BASE and HEAD. */
  readonly edit?: PolicyEdit;
}

/** Labels that policies ask for, and that are different. */
export interface LabelsWhy {
  readonly kind: 'namespace-labels' | 'pod-labels';
  /** The namespace; the peer's id. */
  readonly of: string;
  readonly labels: readonly {
    readonly key: string;
    readonly base?: string;
    readonly head?: string;
  }[];
}

/** A name of a port that stands for another number. */
export interface NamedPortWhy {
  readonly kind: 'named-port';
  /** The peer's id. */
  readonly of: string;
  readonly name: string;
  readonly base: number;
  readonly head: number;
}

export interface WhySide {
  readonly cluster: Pick<Cluster, 'pods' | 'policies' | 'namespaceLabels'>;
  readonly engine: Pick<PolicyEngine, 'classOf' | 'between' | 'judge'>;
  /** Indexes into the cluster's Pods, by a peer's id on HEAD. */
  podsOf(id: string): readonly number[];
}

interface Sample {
  readonly protocol: PortProtocol;
  readonly port: number;
}

/** Of many ports that have changed one that people know is told. */
const WELL_KNOWN: readonly Sample[] = [
  { protocol: 'tcp', port: 80 },
  { protocol: 'tcp', port: 443 },
  { protocol: 'udp', port: 53 },
];

/** One of the ports; one that a container of the destination declares, where there is such. */
const sampleOf = (
  allowed: readonly AllowedPorts[],
  destination: Pick<Pod, 'containers'> | undefined,
): Sample | undefined => {
  const set = connectionSetOf(allowed);
  const declared = (destination?.containers ?? []).flatMap(({ ports }) => ports);
  const wanted = [...declared, ...WELL_KNOWN].find(({ protocol, port }) =>
    includes(set, protocol, port),
  );
  if (wanted) return { protocol: wanted.protocol, port: wanted.port };
  for (const protocol of PROTOCOLS) {
    const port = set[protocol]?.[0]?.from;
    if (port !== undefined) return { protocol, port };
  }
  return undefined;
};

/** One Pod of each end; undefined: the end is no Pod. */
interface Ends {
  readonly src: number | undefined;
  readonly dst: number | undefined;
}

/** A namespace may have many Pods; so many kinds of them are tried. */
const MOST_KINDS = 64;

/** One Pod of each class. */
const kindsOf = ({ engine }: WhySide, pods: readonly number[]): number[] => {
  const found = new Map<number | undefined, number>();
  for (const pod of pods) {
    const kind = engine.classOf(pod);
    if (!found.has(kind)) found.set(kind, pod);
    if (found.size >= MOST_KINDS) break;
  }
  return [...found.values()];
};

const allows = ({ engine }: WhySide, { src, dst }: Ends, { protocol, port }: Sample): boolean => {
  if (src === undefined || dst === undefined) return true;
  const [from, to] = [engine.classOf(src), engine.classOf(dst)];
  return (
    from !== undefined && to !== undefined && includes(engine.between(from, to), protocol, port)
  );
};

/** Ends between which a side allows the sample, where there are such. */
const endsOf = (side: WhySide, { src, dst }: BareChange, sample: Sample | undefined): Ends => {
  const kinds = (id: string): (number | undefined)[] => {
    const pods = kindsOf(side, side.podsOf(id));
    return pods.length > 0 ? pods : [undefined];
  };
  const [from, to] = [kinds(src), kinds(dst)];
  if (sample)
    for (const a of from)
      for (const b of to)
        if (a !== b && allows(side, { src: a, dst: b }, sample)) return { src: a, dst: b };
  return { src: from[0], dst: to[0] };
};

/** The Pods of the same name on the other side, else the first ones of the same peers. */
const counterparts = (to: WhySide, { src, dst }: BareChange, ends: Ends, of: WhySide): Ends => {
  const sameAs = (id: string, pod: number | undefined): number | undefined => {
    const pods = to.podsOf(id);
    const name = pod === undefined ? undefined : of.cluster.pods[pod]?.name;
    return pods.find((index) => to.cluster.pods[index]?.name === name) ?? pods[0];
  };
  return { src: sameAs(src, ends.src), dst: sameAs(dst, ends.dst) };
};

const partyOf = (pod: number | undefined, id: string): Party | undefined => {
  if (pod !== undefined) return { kind: 'pod', pod };
  const block = blockOf(id);
  return block && { kind: 'address', ip: addressText(block.family, block.from) };
};

const judgeOn = (
  { engine }: WhySide,
  { src, dst }: BareChange,
  ends: Ends,
  direction: PolicyDirection,
  { protocol, port }: Sample,
): Verdict | undefined => {
  const [subject, peer] =
    direction === 'egress'
      ? [ends.src, partyOf(ends.dst, dst)]
      : [ends.dst, partyOf(ends.src, src)];
  return subject === undefined || peer === undefined
    ? undefined
    : engine.judge({ direction, subject, peer, protocol, port });
};

const isAsked = (keys: ReadonlySet<string>, was: Labels, is: Labels) =>
  [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((key) => keys.has(key) && was[key] !== is[key])
    .sort()
    .map((key) => ({
      key,
      ...(was[key] !== undefined && { base: was[key] }),
      ...(is[key] !== undefined && { head: is[key] }),
    }));

const portsByName = ({ containers }: Pod): Map<string, number> =>
  new Map(
    containers.flatMap(({ ports }) =>
      ports.flatMap(({ name, port, protocol }) =>
        name === undefined ? [] : [[`${name} ${protocol}`, port] as const],
      ),
    ),
  );

const DIRECTIONS: readonly PolicyDirection[] = ['egress', 'ingress'];

/** @param sides with their engines, which judge one connection of each change */
export const whyOf = (
  sides: Readonly<Record<SideName, WhySide>>,
): ((change: BareChange) => ConnectionWhy[]) => {
  const { base, head } = sides;
  const editOf = policyEdits({ base: base.cluster.policies, head: head.cluster.policies });
  const keys = labelsAsked([...base.cluster.policies, ...head.cluster.policies]);

  const whyPolicy = (side: SideName, policy: Policy, rule?: number, at?: Policy['place']) => {
    const edit = editOf(side, policy);
    return {
      kind: policy.kind,
      ...(policy.namespace !== undefined && { namespace: policy.namespace }),
      name: policy.name,
      ...(rule !== undefined && { rule }),
      ...(edit && { edit }),
      ...atPlace(at ?? policy.place),
    };
  };
  const policiesOf = (
    side: SideName,
    direction: PolicyDirection,
    { by }: Verdict,
  ): readonly WhyPolicy[] => {
    switch (by.kind) {
      case 'rule': {
        const place = by.policy[direction]?.[by.rule]?.place;
        return [whyPolicy(side, by.policy, by.rule, place)];
      }
      case 'default-deny':
        return by.policies.map((policy) => whyPolicy(side, policy));
      case 'exempt':
      case 'not-isolated':
        return [];
      default:
        return by satisfies never;
    }
  };
  const told = (
    side: SideName,
    direction: PolicyDirection,
    verdict: Verdict,
    { protocol, port }: Sample,
  ): VerdictWhy => ({
    kind: 'policies',
    side,
    direction,
    decision: verdict.decision,
    by: verdict.by.kind,
    protocol: protocol.toUpperCase() as AllowedPorts['protocol'],
    port,
    policies: policiesOf(side, direction, verdict),
  });

  /** Of a connection that one side allows and the other does not. */
  const verdicts = (change: BareChange, allowing: SideName, sample: Sample): VerdictWhy[] => {
    const denying = allowing === 'base' ? 'head' : 'base';
    const ends = endsOf(sides[allowing], change, sample);
    const others = counterparts(sides[denying], change, ends, sides[allowing]);
    return DIRECTIONS.flatMap((direction): VerdictWhy[] => {
      const no = judgeOn(sides[denying], change, others, direction, sample);
      if (!no || no.decision === 'allow') return [];
      const yes = judgeOn(sides[allowing], change, ends, direction, sample);
      const rows = {
        [denying]: told(denying, direction, no, sample),
        ...(yes && { [allowing]: told(allowing, direction, yes, sample) }),
      };
      return [rows['base'], rows['head']].flatMap((row) => row ?? []);
    });
  };

  const differences = (change: BareChange): ConnectionWhy[] => {
    const found: ConnectionWhy[] = [];
    const namespaces = new Set<string>();
    for (const id of [change.src, change.dst]) {
      const was = base.cluster.pods[base.podsOf(id)[0] ?? -1];
      const is = head.cluster.pods[head.podsOf(id)[0] ?? -1];
      if (!was || !is) continue;
      const labels = isAsked(keys, was.labels, is.labels);
      if (labels.length > 0) found.push({ kind: 'pod-labels', of: id, labels });
      if (namespaces.has(is.namespace)) continue;
      namespaces.add(is.namespace);
      const ofNamespace = isAsked(
        keys,
        base.cluster.namespaceLabels.get(was.namespace) ?? {},
        head.cluster.namespaceLabels.get(is.namespace) ?? {},
      );
      if (ofNamespace.length > 0)
        found.push({ kind: 'namespace-labels', of: is.namespace, labels: ofNamespace });
    }
    const was = base.cluster.pods[base.podsOf(change.dst)[0] ?? -1];
    const is = head.cluster.pods[head.podsOf(change.dst)[0] ?? -1];
    if (was && is) {
      const before = portsByName(was);
      for (const [key, port] of portsByName(is)) {
        const old = before.get(key);
        const [name = ''] = key.split(' ');
        if (old !== undefined && old !== port)
          found.push({ kind: 'named-port', of: change.dst, name, base: old, head: port });
      }
    }
    return found;
  };

  return (change) => {
    // A connection comes or goes with its peer: that is why.
    if (change.change === 'added' || change.change === 'removed') return [];
    const firstOf = (side: WhySide) => side.cluster.pods[side.podsOf(change.dst)[0] ?? -1];
    const opened = sampleOf(change.opened, firstOf(head));
    const closed = sampleOf(change.closed, firstOf(base));
    return [
      ...(opened ? verdicts(change, 'head', opened) : []),
      ...(closed ? verdicts(change, 'base', closed) : []),
      ...differences(change),
    ];
  };
};
