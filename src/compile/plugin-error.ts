/** A network plugin could not do what its configuration says: the Pod would not start. */
import type { Cluster } from '../cluster/cluster.ts';
import { atPlace, type Diagnostic } from '../cluster/diagnostic.ts';

export class PluginError extends Error {
  override readonly name = 'PluginError';
}

/** What is wrong with the input that made it fail. */
export const pluginProblem = (
  { message }: PluginError,
  { network }: Pick<Cluster, 'network'>,
): Diagnostic => ({
  severity: 'error',
  code: 'plugin-fails',
  message,
  ...atPlace(network.place),
  hint: 'Look at network.config: the plugin does what it says.',
});
