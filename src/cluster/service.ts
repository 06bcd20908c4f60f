/** Services and NetworkPolicies, as far as this version needs them: what they select. */
import { isIpv4 } from '../wire/ip.ts';
import type { Ip } from '../wire/packet.ts';
import type { PolicyFacts, ServiceFacts } from './cluster.ts';
import {
  type Field,
  fieldAt,
  listOf,
  nameOf,
  portOf,
  portOrNameOf,
  textMapOf,
  textOf,
  warn,
} from './field.ts';
import { namespaceOf } from './pod-draft.ts';
import { protocolOf } from './pod-spec.ts';
import { equalities, type Labels, matches, readLabelSelector, type Selector } from './selector.ts';

export interface Service {
  readonly namespace: string;
  /** Empty: selects nothing (its endpoints are written by somebody else). */
  readonly selector: Selector;
  readonly facts: ServiceFacts;
  readonly clusterIP?: Ip;
  readonly field: Field;
}

/** A `kind: Service`; undefined, with a warning, without a name. A missing targetPort is the port. */
export const readService = (object: Field): Service | undefined => {
  const metadata = fieldAt(object, 'metadata');
  const name = nameOf(fieldAt(metadata, 'name'));
  if (!name) {
    warn(object, 'missing-name', 'has no metadata.name and is left out');
    return undefined;
  }
  const spec = fieldAt(object, 'spec');
  const namespace = namespaceOf(metadata);
  const selector = textMapOf(fieldAt(spec, 'selector'));
  const ports = listOf(fieldAt(spec, 'ports')).flatMap((field) => {
    const port = portOf(fieldAt(field, 'port'));
    const protocol = protocolOf(fieldAt(field, 'protocol'));
    if (port === undefined || protocol === undefined) return [];
    const portName = textOf(fieldAt(field, 'name'));
    const targetPort = portOrNameOf(fieldAt(field, 'targetPort')) ?? port;
    return [{ ...(portName !== undefined && { name: portName }), port, protocol, targetPort }];
  });
  const clusterIP = textOf(fieldAt(spec, 'clusterIP'));
  return {
    namespace,
    selector: equalities(selector),
    facts: { namespace, name, selector, ports, place: object.object.place([]) },
    ...(clusterIP !== undefined && isIpv4(clusterIP) && { clusterIP }),
    field: object,
  };
};

export interface Policy {
  readonly namespace: string;
  readonly name: string;
  readonly selector: Selector;
}

/** A `kind: NetworkPolicy`; undefined, with a warning, without a name. */
export const readPolicy = (object: Field): Policy | undefined => {
  const metadata = fieldAt(object, 'metadata');
  const name = nameOf(fieldAt(metadata, 'name'));
  if (!name) {
    warn(object, 'missing-name', 'has no metadata.name and is left out');
    return undefined;
  }
  return {
    namespace: namespaceOf(metadata),
    name,
    selector: readLabelSelector(fieldAt(object, 'spec', 'podSelector')),
  };
};

/** @param pods those of its namespace, with their indexes in the cluster */
export const policyFacts = (
  { namespace, name, selector }: Policy,
  pods: readonly { readonly index: number; readonly labels: Labels }[],
): PolicyFacts => ({
  namespace,
  name,
  pods: pods.flatMap(({ index, labels }) => (matches(selector, labels) ? [index] : [])),
});
