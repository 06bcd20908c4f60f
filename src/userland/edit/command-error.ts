/** Why a command was not carried out. */

/** A command that was not understood, or that the kernel would refuse. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** What to type instead, or what is understood. */
  readonly hint: string | undefined;

  /** @param message what the real tool prints, where it would refuse too */
  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
