/** `k8snet matrix`: what policies allow, over all pairs. */
import { exposureOf } from '../check/matrix/exposure.ts';
import type { MatrixWarning } from '../check/matrix/matrix.ts';
import { narrow } from '../check/matrix/narrow.ts';
import { type OpenedMatrix, openMatrix } from '../check/matrix/open-matrix.ts';
import type { PathsFound } from '../check/matrix/paths.ts';
import type { Diagnostic } from '../cluster/diagnostic.ts';
import type { OpenedScenario } from '../scenario/open.ts';
import type { OpenedCluster } from '../scenario/open-cluster.ts';
import { EXIT, type Io } from './io.ts';
import type { MatrixCommandOptions } from './matrix-options.ts';
import { matrixOutput } from './matrix-output.ts';
import { progressLine } from './progress-line.ts';
import { report } from './report.ts';

/** @returns the exit code. */
export async function matrixCommand(
  paths: readonly string[],
  options: MatrixCommandOptions,
  io: Io,
): Promise<number> {
  const misuse = misuseOf(options);
  if (misuse) {
    await report([misuse], options, io);
    return EXIT.usage;
  }
  const input = { ...options, file: paths };
  const opened = await open(input, io);
  if (!opened) return EXIT.usage;
  const { cluster } = opened;
  const whole = openMatrix(cluster, options, options.exposure);
  const { from, to, port: ports, namespace } = options;
  const narrowed = narrow(whole, { from, to, ports, namespace });
  if (!narrowed.ok) {
    await report(narrowed.diagnostics, options, io);
    return EXIT.usage;
  }
  const { matrix } = narrowed;
  const exposure = options.exposure ? exposureOf(matrix, ports) : undefined;
  const found = 'world' in opened && options.path ? await packets(matrix, opened, io) : undefined;
  const warnings = [...matrix.warnings, ...(found?.warnings ?? [])];
  // What is data has them in it.
  if (options.output !== 'json' && options.output !== 'yaml')
    await report(warnings.map(asDiagnostic), options, io);
  const problem = await matrixOutput(
    {
      name: opened.name,
      matrix,
      warnings,
      ...(exposure && { exposure }),
      ...(found && { paths: found.paths }),
    },
    options,
    io,
  );
  if (!problem) return EXIT.ok;
  await report([problem], options, io);
  return EXIT.usage;
}

const asDiagnostic = (warning: MatrixWarning): Diagnostic => ({ severity: 'warning', ...warning });

/** What is told of packets and of exposure has no room in every form. */
function misuseOf({
  output,
  exposure,
  path,
  groupBy,
}: MatrixCommandOptions): Diagnostic | undefined {
  const isDrawn = output === 'csv' || output === 'dot' || output === 'svg';
  const extra = (exposure && '--exposure') || (path && '--path');
  if (isDrawn && extra)
    return {
      severity: 'error',
      code: 'bad-usage',
      message: `${extra} has no -o ${output}`,
      hint: 'It is told in table, json and yaml.',
    };
  if (path && groupBy === 'namespace')
    return {
      severity: 'error',
      code: 'bad-usage',
      message: '--path has no --group-by namespace',
      hint: 'Packets are sent between Pods of workloads; leave out one of the two.',
    };
  return undefined;
}

/** A World only where packets are sent, or commands are to be checked. */
async function open(
  options: MatrixCommandOptions & { readonly file: readonly string[] },
  io: Io,
): Promise<OpenedCluster | OpenedScenario | undefined> {
  if (options.path || (options.break ?? []).length > 0)
    return (await import('./open-scenario-input.ts')).openInput(options, io);
  return (await import('./open-cluster-input.ts')).openClusterInput(options, io);
}

async function packets(
  matrix: OpenedMatrix,
  scenario: OpenedScenario,
  io: Io,
): Promise<PathsFound> {
  const { pathsOf } = await import('../check/matrix/paths.ts');
  const line = progressLine(io);
  const found = pathsOf(matrix, scenario, {
    progress: (done, of) => line.say(() => `sending packets  ${done} of ${of}`),
  });
  line.clear();
  return found;
}
