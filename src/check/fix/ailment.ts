/** A cause with all that a fix may look at, and the shapes that fixes and checks come in. */
import type { Netns } from '../../kernel/world.ts';
import type { OpenedScenario } from '../../scenario/open.ts';
import type { Advice, AdviceCode, Check, Fix, RemedyPlace } from '../../trace/remedy.ts';
import type { Situation } from '../../trace/situation.ts';

/** The cluster that was traced. */
export type Mendable = Pick<
  OpenedScenario,
  'name' | 'world' | 'unfaulted' | 'cluster' | 'writtenFaults'
>;

export interface Ailment extends Situation {
  readonly scenario: Mendable;
  /** The namespace to mend, as it is and as it would be without the scenario's faults. */
  readonly here?: Netns;
  readonly there?: Netns;
}

type Values = Advice['values'];

/** Values that are not known are left out. */
const known = (values: Readonly<Record<string, string | number | undefined>>): Values =>
  Object.fromEntries(
    Object.entries(values).filter(
      (entry): entry is [string, string | number] => entry[1] !== undefined,
    ),
  );

export const adviceOf = (
  code: AdviceCode,
  values: Readonly<Record<string, string | number | undefined>> = {},
  run?: string,
): Advice => ({ code, values: known(values), ...(run !== undefined && { run }) });

export const advise = (...args: Parameters<typeof adviceOf>): Fix => ({
  kind: 'advice',
  advice: adviceOf(...args),
});

export const placeOf = ({ about: { node, netns } }: Ailment): RemedyPlace | undefined =>
  node === undefined || netns === undefined ? undefined : { node, netns };

/** Commands at the place that is to be mended; the advice where nothing is known to type. */
export const commandsAt = (
  ailment: Ailment,
  commands: readonly (string | undefined)[],
  otherwise: Fix,
): Fix => {
  const on = placeOf(ailment);
  const typed = commands.filter((command) => command !== undefined);
  return on && typed.length > 0 ? { kind: 'commands', on, commands: typed } : otherwise;
};

/** A check at the place that is to be mended. */
export const checkAt = (ailment: Ailment, ...commands: readonly string[]): Check => {
  const on = placeOf(ailment);
  return { ...(on && { on }), commands };
};

/** A check for anybody who may use kubectl or the network. */
export const checkAnywhere = (command: string): Check => ({ commands: [command] });

/** What the node or namespace that is to be mended is called. */
export const nameOfPlace = ({ about: { node, netns } }: Ailment): string | undefined =>
  netns === 'host' ? node : netns;
