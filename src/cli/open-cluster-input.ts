/** The input of commands that send no packet: a cluster alone, without the kernel's model. */
import { type OpenedCluster, openBuiltInCluster, openCluster } from '../scenario/open-cluster.ts';
import type { Io } from './io.ts';
import { type InputOptions, openAs } from './open-input.ts';

/**
 * Opens what the options name, and says on standard error what is wrong or odd.
 * @returns undefined when the input is bad.
 */
export const openClusterInput = (
  options: InputOptions,
  io: Io,
): Promise<OpenedCluster | undefined> =>
  openAs({ inputs: openCluster, builtIn: openBuiltInCluster }, options, io);
