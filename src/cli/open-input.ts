/** The input that every command shares: which files, and how they are changed. */
import { skippedText } from '../render/diagnostics-text.ts';
import { readBuiltIn } from '../scenario/find-built-in.ts';
import type { Input, Opened, OpenedCluster, OpenOptions } from '../scenario/open-cluster.ts';
import type { Io } from './io.ts';
import { progressLine } from './progress-line.ts';
import { report, stderrStyle } from './report.ts';

export interface InputOptions {
  readonly file?: readonly string[];
  /** A built-in one. */
  readonly scenario?: string;
  readonly recursive?: boolean;
  readonly set?: readonly string[];
  readonly break?: readonly string[];
  readonly namespace?: string;
  readonly listen?: 'evidence' | 'declared';
  /** `enforced`: whatever the input says about who enforces policies. */
  readonly policy?: 'as-is' | 'enforced';
  readonly color?: boolean;
  /** Where another state of the cluster has its Pods. */
  readonly placedBefore?: OpenOptions['placedBefore'];
  /** The input is wanted again, with patches. */
  readonly withFix?: boolean;
}

/** What a command line sets in the Scenario; `--set` has the last word. */
export const changesOf = ({
  policy,
  set = [],
}: Pick<InputOptions, 'policy' | 'set'>): readonly string[] =>
  policy === 'enforced' ? ['policyEngine=nftables', ...set] : set;

/** How inputs are opened: as a cluster alone, or with its World. */
export interface Opener<Scenario> {
  readonly inputs: (inputs: readonly Input[], options: OpenOptions) => Promise<Opened<Scenario>>;
  readonly builtIn: (name: string | undefined, options: OpenOptions) => Promise<Opened<Scenario>>;
}

/**
 * Opens what the options name as one cluster, else K8SNET_SCENARIO, else the built-in scenario, and
 * says on standard error what is wrong or odd.
 *
 * @returns undefined when the input is bad.
 */
export async function openAs<Scenario extends Pick<OpenedCluster, 'skipped'>>(
  opener: Opener<Scenario>,
  options: InputOptions,
  io: Io,
): Promise<Scenario | undefined> {
  const result = await openQuietly(opener, options, io);
  await report(result.diagnostics, options, io);
  if (!result.ok) return undefined;
  const { skipped } = result.scenario;
  if (skipped.size > 0) {
    io.stderr.write(skippedText(skipped, await stderrStyle(options, io)));
  }
  return result.scenario;
}

/** The same without a word about what is wrong with the input. */
export async function openQuietly<Scenario>(
  opener: Opener<Scenario>,
  options: InputOptions,
  io: Io,
): Promise<Opened<Scenario>> {
  const line = progressLine(io);
  const result = await open(opener, options, io, line.show);
  line.clear();
  return result;
}

async function open<Scenario>(
  opener: Opener<Scenario>,
  options: InputOptions,
  io: Io,
  progress: OpenOptions['progress'],
): Promise<Opened<Scenario>> {
  const { file = [], scenario } = options;
  const standing = io.env['K8SNET_SCENARIO'];
  const openOptions: OpenOptions = {
    set: changesOf(options),
    break: options.break,
    namespace: options.namespace,
    listen: options.listen,
    recursive: options.recursive,
    threads: io.threads,
    progress,
    keep: options.withFix,
    placedBefore: options.placedBefore,
  };
  if (file.length === 0) {
    if (scenario !== undefined) return opener.builtIn(scenario, openOptions);
    return standing
      ? opener.inputs([standing], openOptions)
      : opener.builtIn(undefined, openOptions);
  }
  if (scenario === undefined) return opener.inputs(file, openOptions);
  const source = await readBuiltIn(scenario);
  return 'diagnostic' in source
    ? { ok: false, diagnostics: [source.diagnostic] }
    : opener.inputs([...file, source], openOptions);
}
