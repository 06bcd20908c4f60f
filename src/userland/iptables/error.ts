/** Who says it, and so what stands before it. */
const BEFORE = {
  /** iptables, about how it was called. */
  tool: 'iptables v1.8.9 (nf_tables): ',
  /** iptables, of what the kernel answered. */
  errno: 'iptables: ',
  /** iptables, of a word that it has no place for. */
  argument: '',
  /** Not iptables: it would do it. */
  k8snet: 'k8snet does not understand ',
} as const;

/** What is printed when `iptables` does not do what it was told. */
export class IptablesError extends Error {
  override readonly name = 'IptablesError';
  readonly by: keyof typeof BEFORE;

  constructor(message: string, by: keyof typeof BEFORE = 'tool', options?: ErrorOptions) {
    super(message, options);
    this.by = by;
  }

  /** The line as it is printed. */
  get line(): string {
    return BEFORE[this.by] + this.message;
  }
}

/** A word that has no place in the command. */
export const badArgument = (word: string): IptablesError =>
  new IptablesError(`Bad argument \`${word}'`, 'argument');
