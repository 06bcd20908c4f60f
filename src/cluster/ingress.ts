/** Ingress objects, as far as a network of Pods is concerned: to which Services they send. */
import type { IngressBackend } from './cluster.ts';
import { type Field, fieldAt, listOf, nameOf, portOrNameOf, warn } from './field.ts';
import { namespaceOf } from './pod-draft.ts';

/** The fields of networking.k8s.io/v1, else those of the older versions. */
const readBackend = (
  backend: Field,
  namespace: string,
  ingress: string,
): IngressBackend | undefined => {
  const current = fieldAt(backend, 'service');
  const isOld = current.value === undefined;
  const service = nameOf(isOld ? fieldAt(backend, 'serviceName') : fieldAt(current, 'name'));
  if (!service) return undefined;
  const port = isOld
    ? portOrNameOf(fieldAt(backend, 'servicePort'))
    : (portOrNameOf(fieldAt(current, 'port', 'number')) ??
      portOrNameOf(fieldAt(current, 'port', 'name')));
  if (port === undefined) {
    warn(isOld ? backend : current, 'missing-field', 'names no port of the Service');
    return undefined;
  }
  return { namespace, ingress, service, port, place: backend.object.place(backend.path) };
};

/** Every backend of a `kind: Ingress`: that of each path, and the default one. */
export const readIngress = (object: Field): IngressBackend[] => {
  const metadata = fieldAt(object, 'metadata');
  const name = nameOf(fieldAt(metadata, 'name'));
  if (!name) {
    warn(object, 'missing-name', 'has no metadata.name and is left out');
    return [];
  }
  const spec = fieldAt(object, 'spec');
  const paths = listOf(fieldAt(spec, 'rules')).flatMap((rule) =>
    listOf(fieldAt(rule, 'http', 'paths')).map((path) => fieldAt(path, 'backend')),
  );
  // `backend` was the name of `defaultBackend` before networking.k8s.io/v1.
  return [fieldAt(spec, 'defaultBackend'), fieldAt(spec, 'backend'), ...paths].flatMap(
    (backend) => readBackend(backend, namespaceOf(metadata), name) ?? [],
  );
};
