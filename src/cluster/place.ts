/** Places in the input. */

/**
 * Where in the input an object or a field stands. Its fields are read one by one, never spread: the
 * line may be one that is found when it is asked for.
 */
export interface Place {
  /** For what the command line says: the option with its value, and no line. */
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** `shop.yaml:12:9`; `--set network.plugin=bridge`. */
export const placeText = ({ file, line, column }: Place): string =>
  [file, line, column].filter((part) => part !== undefined).join(':');
