/** `bridge link set` (brlink_modify, iproute2 6.1, bridge/link.c), and the same words in `ip link`. */
import type { BridgePort } from '../../kernel/world.ts';
import { CommandError } from './command-error.ts';
import { abbreviated, type Draft, notUnderstood, type Words } from './words.ts';

export interface PortCommand {
  readonly kind: 'port-set';
  readonly dev: string;
  readonly port: Partial<BridgePort>;
}

const UNDERSTOOD = 'state, hairpin, learning, flood, isolated';

/** By number: BR_STATE_* of include/uapi/linux/if_bridge.h. */
const STATES: readonly BridgePort['state'][] = [
  'disabled',
  'listening',
  'learning',
  'forwarding',
  'blocking',
];

const stateOf = (word: string): BridgePort['state'] => {
  if (/^\d+$/.test(word)) {
    const state = STATES[Number(word)];
    if (state === undefined) throw new CommandError('RTNETLINK answers: Invalid argument');
    return state;
  }
  const state = STATES.find((name) => name === word.toLowerCase());
  if (state === undefined)
    throw new CommandError('Error: invalid STP port state', `states: ${STATES.join(', ')}`);
  return state;
};

const onOff = (word: string, option: string): boolean => {
  if (word !== 'on' && word !== 'off')
    throw new CommandError(
      `Error: argument of "${option}" must be one of "off", "on", not "${word}"`,
    );
  return word === 'on';
};

/** Takes one setting and its value. @throws {CommandError} for a word that is none */
export const takePortOption = (
  words: Words,
  word: string,
  port: Draft<Partial<BridgePort>>,
): void => {
  switch (word) {
    case 'state':
      port.state = stateOf(words.value(word));
      return;
    case 'hairpin':
    case 'learning':
    case 'flood':
    case 'isolated':
      port[word] = onOff(words.value(word), word);
      return;
    default:
      notUnderstood(word, UNDERSTOOD);
  }
};

/** The words behind `bridge link`. @throws {CommandError} */
export const parseBridgeLink = (words: Words): PortCommand => {
  const typed = words.take() ?? 'show';
  if (abbreviated(typed, ['set', 'change']) === undefined)
    notUnderstood(`bridge link ${typed}`, 'bridge link set');
  const port: Partial<BridgePort> = {};
  let dev: string | undefined;
  for (const word of words) {
    if (word === 'dev') dev = words.value(word);
    else takePortOption(words, word, port);
  }
  if (dev === undefined) throw new CommandError('Device is a required argument.');
  return { kind: 'port-set', dev, port };
};
