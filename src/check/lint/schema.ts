/** The JSON Schema (draft 2020-12) of what `k8snet lint -o json` prints, held to the types. */
import type { ObjectRef } from '../../cluster/cluster.ts';
import {
  closed,
  count,
  described,
  list,
  object,
  only,
  opt,
  text,
  whole,
} from '../../trace/schema/typed-schema.ts';
import type { Finding, LintReport, LintSummary } from './report.ts';
import type { Severity } from './rule.ts';

const reference = object<ObjectRef>({ kind: text, namespace: opt(text), name: text });

const finding = object<Finding>({
  code: described(text, 'Kebab-case and stable: a section of docs/lint.md.'),
  severity: closed<Severity>()('error', 'warning', 'info'),
  message: text,
  fix: opt(described(text, 'What to do about it.')),
  file: opt(text),
  line: opt(described(whole, 'From 1.')),
  column: opt(described(whole, 'From 1, in UTF-16 code units.')),
  path: opt(described(text, 'The field, from the root of its object.')),
  objects: described(list(reference), 'What it is about, the most concerned first.'),
  documentation: described(text, 'Page and anchor in the package: docs/lint.md#CODE.'),
  suppressed: opt(described(text, 'Why it is not to be told: the reason of an annotation.')),
});

const summary = object<LintSummary>({
  errors: count,
  warnings: count,
  infos: count,
  suppressed: described(count, 'They count for nothing else.'),
});

const report = object<LintReport>({
  apiVersion: only('k8snet/v1'),
  kind: only('Lint'),
  findings: list(finding),
  summary,
});

export const lintSchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'k8snet Lint',
  ...report.json,
});
