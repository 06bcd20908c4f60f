/** Namespaces and their labels, those too that are only used. */
import { type Field, fieldAt, nameOf, textMapOf, warn } from './field.ts';
import { compareText } from './order.ts';
import type { Labels } from './selector.ts';

/** Every namespace has it with its own name (Kubernetes from v1.22 on). */
export const NAME_LABEL = 'kubernetes.io/metadata.name';

export interface NamespaceObject {
  readonly name: string;
  readonly labels: Labels;
}

/** A `kind: Namespace`; undefined without a name. */
export const readNamespace = (object: Field): NamespaceObject | undefined => {
  const metadata = fieldAt(object, 'metadata');
  const name = nameOf(fieldAt(metadata, 'name'));
  if (!name) return undefined;
  const field = fieldAt(metadata, 'labels');
  const labels = textMapOf(field);
  const own = labels[NAME_LABEL];
  if (own !== undefined && own !== name)
    warn(
      fieldAt(field, NAME_LABEL),
      'bad-value',
      `is ${JSON.stringify(own)}; Kubernetes sets it to ${JSON.stringify(name)}`,
    );
  return { name, labels };
};

/** The labels of every namespace, by name; of one that is only used, its name alone. */
export const labelsOfNamespaces = (
  objects: readonly NamespaceObject[],
  used: Iterable<string>,
): ReadonlyMap<string, Labels> => {
  const labels = new Map(objects.map((object) => [object.name, object.labels]));
  const names = [...new Set([...labels.keys(), ...used])].sort(compareText);
  return new Map(names.map((name) => [name, { ...labels.get(name), [NAME_LABEL]: name }]));
};
