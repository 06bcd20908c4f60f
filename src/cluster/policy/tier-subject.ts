/** Whom policies of the tiers are about: Pods of namespaces that selectors choose. */
import { type Field, fieldAt, isObjectField, warn } from '../field.ts';
import { isWritten, reportUnknown } from './known-fields.ts';
import type { PodSelection } from './policy.ts';
import { NOTHING, readSelector } from './read-selector.ts';

const NOBODY: PodSelection = { namespaces: NOTHING, pods: [] };

/** Namespaces, or Pods of namespaces. */
export const readSubject = (field: Field): PodSelection => {
  const [namespaces, pods] = [fieldAt(field, 'namespaces'), fieldAt(field, 'pods')];
  reportUnknown(field, ['namespaces', 'pods'], {
    namespaceSelector: 'It is called namespaces, or stands below pods.',
    podSelector: 'It stands below pods.',
  });
  if (isWritten(namespaces) && isWritten(pods))
    warn(field, 'one-of', 'has namespaces and pods; the API takes one of them, and pods counts');
  if (isWritten(pods)) return readNamespacedPods(pods);
  if (isWritten(namespaces)) return { namespaces: readSelector(namespaces), pods: [] };
  warn(
    field,
    'missing-field',
    'has neither namespaces nor pods, and selects nothing',
    'Every Pod is namespaces: {}.',
  );
  return NOBODY;
};

/** Both selectors of `pods`; one that is missing is empty, and matches everything. */
export const readNamespacedPods = (field: Field): PodSelection => {
  const [namespaces, pods] = [fieldAt(field, 'namespaceSelector'), fieldAt(field, 'podSelector')];
  reportUnknown(field, ['namespaceSelector', 'podSelector'], {
    matchLabels: 'It stands below podSelector or namespaceSelector.',
    namespaces: 'It is called namespaceSelector here.',
  });
  if (!isObjectField(field)) return NOBODY;
  if (!isWritten(pods))
    warn(
      field,
      'missing-field',
      'has no podSelector; every Pod counts',
      'Every Pod is podSelector: {}.',
    );
  return { namespaces: readSelector(namespaces), pods: readSelector(pods) };
};
