/** What `iptables` prints when it does not do what it was told. */
export class IptablesError extends Error {
  override readonly name = 'IptablesError';
}
