/** The outside as commands see it: streams and environment. main.ts fills it from the process. */

export interface Sink {
  write(text: string): void;
  /** Resolves once it takes more without keeping it in memory; absent: it always does. */
  drained?(): Promise<void>;
  /** Nobody reads any more. */
  readonly closed?: boolean;
  readonly isTTY: boolean;
  /** Width of the terminal; absent where there is none. */
  readonly columns?: number | undefined;
}

export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Whether somebody types there; absent: nobody does. */
  readonly stdin?: { readonly isTTY: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls on Ctrl-C, instead of ending there; what it gives back ends that. Absent: nobody types. */
  readonly onInterrupt?: (listener: () => void) => () => void;
  /** Large inputs may be read with more than one thread. */
  readonly threads?: boolean;
}

/** What a command ends with; anything else is a bug. */
export const EXIT = {
  ok: 0,
  /** A definite failure: the packet does not get through, an expectation does not hold. */
  failed: 1,
  /** Bad usage or bad input. */
  usage: 2,
  /** Ambiguous or inconclusive. */
  unsure: 3,
  interrupted: 130,
  /** EX_SOFTWARE of sysexits.h. */
  bug: 70,
  /** EX_IOERR: the result could not be written. */
  io: 74,
} as const;
