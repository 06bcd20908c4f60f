/** Several probes of one question in words: a line each, and what affinity did. */
import type { RepeatedProbe } from '../trace/repeat.ts';
import type { Affinity } from '../trace/trace.ts';
import type { Catalogue } from './catalogue.ts';
import { portSuffix } from './step.ts';
import { namesOf, statusOf, type ToldWay } from './ways.ts';

export interface ToldProbe {
  readonly status: ToldWay['status'];
  readonly n: string;
  readonly port: string;
  /** Backend, address, and through whom; empty where there is one way only. */
  readonly target: string;
  readonly seen: string;
  readonly fate: string;
  readonly steps: string;
}

export interface ToldRepeat {
  readonly title: string;
  readonly about: string;
  readonly probes: readonly ToldProbe[];
  /** What affinity did, or that there is none. */
  readonly affinity: string;
}

/** @param probes in order, the first one told in full elsewhere */
export function tellRepeat(
  probes: readonly RepeatedProbe[],
  affinity: Affinity | undefined,
  words: Catalogue,
): ToldRepeat {
  const { repeat, wayFate } = words.story;
  const first = probes[0]?.steps ?? 0;
  return {
    title: repeat.title(probes.length),
    about: repeat.about,
    probes: probes.map(({ n, sourcePort, target, sourceSeen, disposition, cause, steps }) => ({
      status: statusOf(disposition),
      n: String(n),
      port: sourcePort === undefined ? '' : String(sourcePort),
      target: target ? namesOf(target, words).join(' ') : '',
      seen: sourceSeen ? `${sourceSeen.ip}${portSuffix(sourceSeen.port)}` : '',
      fate: wayFate(disposition, cause),
      steps: steps === first ? `${steps}` : `${steps} (${signed(steps - first)})`,
    })),
    affinity: repeat.affinity[affinity ?? 'unknown'],
  };
}

const signed = (n: number): string => (n > 0 ? `+${n}` : `${n}`);
