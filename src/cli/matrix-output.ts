/** A matrix in the form that was asked for. */
import { connectionsOf, peersOf } from '../check/matrix/all-pairs.ts';
import type { Matrix } from '../check/matrix/matrix.ts';
import type { OpenedMatrix } from '../check/matrix/open-matrix.ts';
import type { Roles } from '../check/matrix/roles.ts';
import type { Diagnostic } from '../cluster/diagnostic.ts';
import type { MatrixForm, ShownMatrix } from '../render/matrix/form.ts';
import { glyphsFor, styleFor, wantsColor, widthOf } from './appearance.ts';
import type { Io } from './io.ts';
import type { MatrixCommandOptions } from './matrix-options.ts';
import { writePieces } from './write-pieces.ts';

export interface MatrixResult extends Pick<Matrix, 'warnings' | 'exposure' | 'paths'> {
  readonly name: string;
  readonly matrix: OpenedMatrix;
}

/** A grid may be wider than text: the eye follows its columns. */
const WIDEST = 240;
/** More rows or columns than this make no picture. */
const MOST_IN_PICTURE = 250;

/** @returns what keeps the form from being made */
export async function matrixOutput(
  result: MatrixResult,
  options: MatrixCommandOptions,
  io: Io,
): Promise<Diagnostic | undefined> {
  const { matrix, name } = result;
  const connections = connectionsOf(matrix);
  switch (options.output) {
    case 'json': {
      const { matrixJson } = await import('../render/matrix/matrix-json.ts');
      await writePieces(io.stdout, matrixJson(frameOf(result), connections));
      return undefined;
    }
    case 'csv': {
      const { matrixCsv } = await import('../render/matrix/matrix-csv.ts');
      await writePieces(io.stdout, matrixCsv(connections));
      return undefined;
    }
    case 'yaml': {
      const { yamlText } = await import('../render/yaml.ts');
      const { peers, ...rest } = frameOf(result);
      const { apiVersion, kind, ...behind } = rest;
      io.stdout.write(
        yamlText({ apiVersion, kind, peers, connections: [...connections], ...behind }),
      );
      return undefined;
    }
    case 'dot': {
      const { matrixDot } = await import('../render/matrix/matrix-dot.ts');
      const { matrixWords } = await import('../explain/messages/en/matrix.ts');
      io.stdout.write(
        matrixDot({ peers: peersOf(matrix), connections: [...connections] }, matrixWords),
      );
      return undefined;
    }
    case 'svg':
    case 'table': {
      const { rolesOf } = await import('../check/matrix/roles.ts');
      const roles = rolesOf(matrix);
      const form = await formOf(options, io);
      if (!roles || (options.output === 'svg' && roles.roles.length > MOST_IN_PICTURE))
        return tooMany(matrix, form);
      const shown = shownOf(result, roles, options);
      if (options.output === 'svg') {
        const { matrixSvg } = await import('../render/matrix/matrix-svg.ts');
        io.stdout.write(matrixSvg(shown, form, form.words.title(name)));
      } else {
        const { matrixTable } = await import('../render/matrix/matrix-table.ts');
        io.stdout.write(matrixTable(shown, form));
      }
      return undefined;
    }
    default:
      return options.output satisfies never;
  }
}

const frameOf = ({
  matrix,
  exposure,
  paths,
  warnings,
}: MatrixResult): Omit<Matrix, 'connections'> => ({
  apiVersion: 'k8snet/v1',
  kind: 'Matrix',
  peers: peersOf(matrix),
  ...(exposure && { exposure }),
  ...(paths && { paths }),
  warnings,
});

const shownOf = (
  { matrix, exposure, paths }: MatrixResult,
  roles: Roles,
  { groupBy }: MatrixCommandOptions,
): ShownMatrix => ({
  peers: matrix.peers,
  groupBy,
  policies: matrix.cluster.policies.length,
  roles,
  ...(exposure && { exposure }),
  ...(paths && { paths }),
});

const tooMany = ({ peers }: OpenedMatrix, { words }: MatrixForm): Diagnostic => ({
  severity: 'error',
  code: 'too-many-peers',
  message: words.tooManyForPicture.message(peers.length),
  hint: words.tooManyForPicture.hint,
});

async function formOf(options: MatrixCommandOptions, io: Io): Promise<MatrixForm> {
  const { matrixWords } = await import('../explain/messages/en/matrix.ts');
  return {
    width: widthOf(io.env, io.stdout, WIDEST),
    style: await styleFor(wantsColor(options.color, io.env, io.stdout)),
    glyphs: glyphsFor(io.env),
    words: matrixWords,
  };
}
