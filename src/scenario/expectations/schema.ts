/** The schema of Expectations: what is expected of manifests that say nothing about it themselves. */
import { atPlace, type Report } from '../../cluster/diagnostic.ts';
import { formatPath, type KubeObject } from '../../cluster/kube-object.ts';
import { checkFields } from '../check-fields.ts';
import { expectation } from '../expectation-schema.ts';
import { fileSchema, name, text, texts, z } from '../zod.ts';

const peer = text(/^\S+$/, 'for example deploy/web, deploy/web:80/tcp, namespace/shop or external');
const peers = z.union([peer, z.array(peer)]);

const matrixExpectation = z.strictObject({
  name: z.string().min(1).optional().describe('What a report calls it; default: what it says.'),
  to: z
    .union([peer, z.array(peer).min(1)])
    .optional()
    .describe('Who is talked to, with ports: deploy/cart:7070/tcp. Either this or from.'),
  from: z
    .union([peer, z.array(peer).min(1)])
    .optional()
    .describe('Who talks. Either this or to.'),
  only: peers.optional().describe('These may, nobody else; []: nobody.'),
  allow: peers.optional().describe('Each of these may, whoever else does.'),
  deny: peers.optional().describe('None of these may.'),
});

const schema = z.strictObject({
  apiVersion: z.literal('k8snet/v1'),
  kind: z.literal('Expectations'),
  metadata: z.strictObject({
    name,
    namespace: name.optional().describe('Of names that have none. Default: default.'),
    labels: texts.optional(),
    annotations: texts.optional(),
  }),
  spec: z.strictObject({
    description: z.string().optional(),
    inputs: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Files and directories, from this file; where the command line names no other.'),
    set: z
      .array(z.string())
      .optional()
      .describe('As --set: fields of the Scenario, network.plugin=bridge.'),
    policy: z
      .enum(['enforced'])
      .optional()
      .describe('As --policy: somebody enforces NetworkPolicies on the nodes.'),
    expect: z.array(expectation).optional().describe('What is expected of traces.'),
    matrix: z
      .array(matrixExpectation)
      .optional()
      .describe('Who may talk to whom, as the policies have it.'),
  }),
});

export type ExpectationsDocument = z.infer<typeof schema>;

const SIDES = ['to', 'from'] as const;
const VERBS = ['only', 'allow', 'deny'] as const;

/** What fields say only together. */
const checkTogether = (
  { spec: { matrix = [] } }: ExpectationsDocument,
  object: KubeObject,
  report: Report,
): boolean => {
  let good = true;
  for (const [at, entry] of matrix.entries()) {
    const path = ['spec', 'matrix', at];
    const error = (message: string, hint: string): void => {
      good = false;
      report({
        severity: 'error',
        code: 'bad-value',
        message: `${formatPath(path)} ${message}`,
        path: formatPath(path),
        ...atPlace(object.place(path)),
        hint,
      });
    };
    const sides = SIDES.filter((side) => entry[side] !== undefined);
    if (sides.length !== 1)
      error(
        sides.length === 0 ? 'has neither to nor from' : 'has both to and from',
        'It is about one side: { to: "deploy/cart:7070/tcp", only: [deploy/frontend] }',
      );
    if (VERBS.every((verb) => entry[verb] === undefined))
      error('expects nothing', 'Say who may talk: only, allow or deny.');
  }
  return good;
};

/** Checks Expectations; every problem is reported, and undefined is returned if there is any. */
export const checkExpectations = (
  object: KubeObject,
  report: Report,
): ExpectationsDocument | undefined => {
  const document = checkFields(schema, 'Expectations', object, report);
  return document && checkTogether(document, object, report) ? document : undefined;
};

/** The JSON Schema of Expectations files. */
export const expectationsSchema = (): object => fileSchema('Expectations', schema);
