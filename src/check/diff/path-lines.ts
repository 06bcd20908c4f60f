/** A trace as lines that can be compared with those of the same question in another cluster. */
import { type MinimalLeg, minimalOf, type NameOf } from '../../trace/minimal.ts';
import type { StepKind, TraceFacts } from '../../trace/trace.ts';

export interface PathLine {
  readonly kind: 'name' | 'way' | 'leg' | 'hop' | 'step';
  /** Of a step. */
  readonly step?: StepKind;
  /** Of a leg: `syn`, `synack`, … */
  readonly packet?: string;
  /** Of a hop and a step: `node-1`, `shop/web-1`. */
  readonly place?: string;
  readonly text: string;
  /** What it is the same as: without what is made up or changes with what has nothing to do with it. */
  readonly key: string;
}

/** Names that the compiler derives from a Pod or its address. */
const VETH = /\bveth[0-9a-f]{8}\b/g;
const ENDPOINT_CHAIN = /\b(KUBE-SEP-)[A-Z2-7]{16}\b|\b(endpoint-)[A-Z2-7]{8}-/g;
/** Where in its chain a rule stands depends on rules for others. */
const POSITION = / \d+$/;

const stepKey = (kind: StepKind, text: string): string =>
  (kind === 'rule' ? text.replace(POSITION, '') : text)
    .replace(VETH, 'veth')
    .replace(ENDPOINT_CHAIN, '$1$2');

const legLines = (
  { direction, packet, disposition, hops }: MinimalLeg,
  lasting: MinimalLeg | undefined,
): PathLine[] => {
  const way = direction === 'request' ? 'there' : 'back';
  const text = `${way}: ${packet}, ${disposition}`;
  return [
    { kind: 'leg', packet, text, key: text },
    ...hops.flatMap(({ place, edits }, at): PathLine[] => {
      const same = lasting?.hops[at];
      const where = same?.place ?? place;
      return [
        { kind: 'hop', packet, place, text: place, key: where },
        ...edits.map(({ kind, text: edit }, index): PathLine => {
          const known = same?.edits[index]?.text ?? edit;
          return {
            kind: 'step',
            step: kind,
            packet,
            place,
            text: edit,
            key: `${where} ${stepKey(kind, known)}`,
          };
        }),
      ];
    }),
  ];
};

/**
 * @param nameOf what people call an address
 * @param lasting names of Pods that stay, by the names they have (`lastingNames`)
 */
export const pathLines = (
  facts: TraceFacts,
  nameOf: NameOf,
  lasting: ReadonlyMap<string, string>,
): PathLine[] => {
  const stays = (name: string): string => lasting.get(name) ?? name;
  const shown = minimalOf(facts, nameOf);
  const compared = minimalOf(facts, (ip) => {
    const name = nameOf(ip);
    return name === undefined ? undefined : stays(name);
  });
  const legs = compared.legs.map((leg) => ({
    ...leg,
    hops: leg.hops.map((hop) => ({ ...hop, place: stays(hop.place) })),
  }));
  return [
    ...shown.names.map(
      (text, at): PathLine => ({ kind: 'name', text, key: compared.names[at] ?? text }),
    ),
    ...shown.ways.map(({ choice, name, disposition, cause }): PathLine => {
      const fate = [disposition, ...(cause === undefined ? [] : [cause])].join(', ');
      return {
        kind: 'way',
        text: `${choice} ${name}: ${fate}`,
        key: `${choice} ${stays(name)}: ${fate}`,
      };
    }),
    ...shown.legs.flatMap((leg, at) => legLines(leg, legs[at])),
  ];
};
