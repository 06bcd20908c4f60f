/** English words of a matrix. */
import type { MatrixWords } from '../../matrix-words.ts';
import { count } from './phrases.ts';

const GROUPS = {
  workload: ['workload', 'workloads'],
  pod: ['Pod', 'Pods'],
  namespace: ['namespace', 'namespaces'],
} as const;

export const matrixWords: MatrixWords = {
  all: 'all',
  nothing: 'nothing',
  everything: 'everything',
  everythingElse: 'everything else',
  from: 'from',
  to: 'to',
  fromHead: 'From',
  toHead: 'To',
  counts: ({ groupBy, inside, blocks, pairs, connected }) =>
    [
      [
        count(inside, GROUPS[groupBy][0], GROUPS[groupBy][1]),
        ...(blocks > 0
          ? [count(blocks, 'block of addresses outside', 'blocks of addresses outside')]
          : []),
      ].join(', '),
      `something is allowed in ${connected} of ${count(pairs, 'pair', 'pairs')}`,
    ].join('; '),
  legend: { none: 'nothing', all: 'every port of every protocol', self: 'itself' },
  portsAreTcp: 'Ports are of TCP where no protocol stands behind them.',
  rowsToColumns: 'Rows send, columns are sent to; a number is the peer of that row.',
  picture: 'Rows send, columns are sent to.',
  title: (cluster) => `Who may talk to whom: ${cluster}`,
  tooManyForPicture: {
    message: (peers) => `a picture of ${peers} different peers is not readable`,
    hint: 'Ask for fewer: --group-by namespace, --from, --to; or take -o json or -o csv.',
  },
  columns: 'Columns',
  more: (more) => `and ${more} more`,
  open: (direction) => `No policy isolates for ${direction}:`,
  allIsolated: 'Policies isolate all of them, for ingress and for egress.',
  noPolicies: 'The input has no policy: everything is allowed.',
  exposure: {
    head: 'Reachable from everywhere',
    nobody: 'Nothing is reachable from everywhere.',
    notReached: 'Not reachable from everywhere:',
    from: {
      outside: 'from any address outside',
      'every-namespace': 'from any Pod of any namespace',
    },
    notIsolated: 'no policy isolates it for ingress',
    rule: (policy, rule) => `${policy}, ingress rule ${rule}`,
  },
  paths: {
    head: 'Paths',
    asAllowed: (ok, of) => `${ok} of ${count(of, 'probe', 'probes')} fare as the policies say.`,
    cutOff: 'Allowed, but not connected',
    leak: 'Not allowed, but connected',
    unsure: 'Nobody can tell',
  },
};
