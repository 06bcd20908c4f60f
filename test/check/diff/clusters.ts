import type { Diff } from '../../../src/check/diff/diff.ts';
import { type DiffOptions, diffOf } from '../../../src/check/diff/diff-of.ts';
import { type PathQuestion, pathDiff, pathSide } from '../../../src/check/diff/path-diff.ts';
import { placedBefore } from '../../../src/cluster/top-controller.ts';
import { namesOf } from '../../../src/explain/telling.ts';
import { type OpenedScenario, openScenario } from '../../../src/scenario/open.ts';

/** @param set as `--set` */
export const opened = async (
  text: string,
  set: readonly string[] = [],
  before?: OpenedScenario,
): Promise<OpenedScenario> => {
  const result = await openScenario([{ file: 'x.yaml', text }], {
    set,
    placedBefore: before && placedBefore(before.cluster),
  });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.scenario;
};

export const diffTexts = async (
  base: string,
  head: string,
  options: DiffOptions = {},
): Promise<Diff> =>
  diffOf(
    { inputs: ['base.yaml'], cluster: (await opened(base)).cluster },
    { inputs: ['head.yaml'], cluster: (await opened(head)).cluster },
    options,
  );

export const pathOf = (base: OpenedScenario, head: OpenedScenario, question: PathQuestion) => {
  const answer = pathDiff(
    pathSide(base, namesOf(base.world)),
    pathSide(head, namesOf(head.world)),
    question,
  );
  if (!answer.ok) throw new Error(JSON.stringify(answer));
  return answer.diff;
};

export const deployment = (
  name: string,
  { image = 'x', port = 80, labels = {} as Record<string, string>, replicas = 1 } = {},
): string => `---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: shop }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: ${JSON.stringify({ app: name, ...labels })} }
    spec: { containers: [{ name: app, image: ${image}, ports: [{ name: http, containerPort: ${port} }] }] }
`;

export const namespace = (name: string, labels: Record<string, string>): string => `---
apiVersion: v1
kind: Namespace
metadata: { name: ${name}, labels: ${JSON.stringify(labels)} }
`;

/** @param spec below `spec`, as JSON or YAML flow */
export const networkPolicy = (name: string, spec: string): string => `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name}, namespace: shop }
spec: ${spec}
`;
