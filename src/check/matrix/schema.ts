/** The JSON Schema (draft 2020-12) of a Matrix; the compiler holds it to the types. */
import { CAUSE_CODES, DISPOSITIONS, SYMPTOMS } from '../../trace/codes.ts';
import {
  anyOf,
  closed,
  count,
  described,
  enumOf,
  flag,
  list,
  object,
  only,
  opt,
  raw,
  text,
  whole,
} from '../../trace/schema/typed-schema.ts';
import type {
  AllowedPorts,
  Exposure,
  ExposureReason,
  Matrix,
  MatrixConnection,
  MatrixPath,
  MatrixPeer,
  MatrixWarning,
} from './matrix.ts';

const peerId = described(
  text,
  'ns/name[Kind], namespace:NAME, ipblock:FIRST-LAST or {ingress-controller}.',
);

const place = { file: opt(text), line: opt(whole), column: opt(whole) };

const peer = object<MatrixPeer>({
  id: peerId,
  namespace: opt(text),
  name: opt(text),
  kind: opt(text),
  pods: opt(described(list(text), 'Names, in the order of the Pods.')),
  isolated: opt(
    described(
      object<NonNullable<MatrixPeer['isolated']>>({ ingress: flag, egress: flag }),
      'Whether NetworkPolicies isolate every Pod of it.',
    ),
  ),
});

const allowed = list(
  object<AllowedPorts>({
    protocol: closed<AllowedPorts['protocol']>()('TCP', 'UDP', 'SCTP'),
    ports: described(
      raw<string>({
        type: 'string',
        pattern: '^[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*$',
      }),
      '80-90,443; 1-65535 means all.',
    ),
  }),
);

const connection = object<MatrixConnection>({ src: peerId, dst: peerId, allowed });

const policy = object<Extract<ExposureReason, { kind: 'rule' }>['policy']>({
  kind: text,
  namespace: opt(text),
  name: text,
});

const exposure = object<Exposure>({
  peer: peerId,
  from: closed<Exposure['from']>()('outside', 'every-namespace'),
  allowed,
  because: list(
    anyOf(
      object<Extract<ExposureReason, { kind: 'not-isolated' }>>({ kind: only('not-isolated') }),
      object<Extract<ExposureReason, { kind: 'rule' }>>({
        kind: only('rule'),
        policy,
        rule: described(count, 'From 0, of the ingress rules.'),
        ...place,
      }),
    ),
  ),
});

const path = object<MatrixPath>({
  src: peerId,
  dst: peerId,
  from: described(text, 'namespace/name of the Pod.'),
  to: text,
  protocol: closed<MatrixPath['protocol']>()('TCP', 'UDP'),
  port: whole,
  allowed: described(flag, 'What policies say.'),
  disposition: described(enumOf(DISPOSITIONS), 'What becomes of the packet.'),
  symptom: enumOf(SYMPTOMS),
  cause: opt(enumOf(CAUSE_CODES)),
});

const warning = object<MatrixWarning>({
  code: described(text, 'Kebab-case and stable.'),
  message: text,
  ...place,
});

const matrix = object<Matrix>({
  apiVersion: only('k8snet/v1'),
  kind: only('Matrix'),
  peers: list(peer),
  connections: described(
    list(connection),
    'By source, then by destination, in the order of the peers. What is not here is not allowed.',
  ),
  exposure: opt(described(list(exposure), 'Only with --exposure.')),
  paths: opt(described(list(path), 'Only with --path.')),
  warnings: list(warning),
});

/** The JSON Schema of a Matrix. */
export const matrixSchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'k8snet Matrix',
  ...matrix.json,
});
