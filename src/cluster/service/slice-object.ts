/** EndpointSlices and legacy Endpoints of the input. */
import { isIpv4, isUnicast } from '../../wire/ip.ts';
import { parseSloppyIp } from '../../wire/parse-ip.ts';
import type { EndpointSlice, ObjectRef, Place, SliceEndpoint } from '../cluster.ts';
import {
  booleanOf,
  type Field,
  fieldAt,
  listOf,
  nameOf,
  portOf,
  type Spot,
  spotOf,
  textOf,
  warn,
} from '../field.ts';
import { namespaceOf } from '../pod-draft.ts';
import { protocolOf } from '../pod-spec.ts';
import type { Family, FamilyIp } from './service-object.ts';

/** An endpoint that still names its Pod. */
export interface EndpointObject extends Omit<SliceEndpoint, 'pod'> {
  readonly target?: Omit<ObjectRef, 'kind'>;
}

/** Endpoints with ports of their own: one EndpointSlice, or part of an Endpoints object. */
export interface SliceObject {
  readonly namespace: string;
  readonly name: string;
  readonly service: string;
  readonly family: Family;
  readonly source: 'input' | 'endpoints';
  readonly ports: EndpointSlice['ports'];
  readonly endpoints: readonly EndpointObject[];
  readonly field: Spot;
  readonly place: Place;
}

const SERVICE_NAME = 'kubernetes.io/service-name';
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror';
/** Endpoints that a leader is elected with are no endpoints of anybody. */
const LEADER = 'control-plane.alpha.kubernetes.io/leader';

/** An address that endpoints can have; a warning for what is none. */
const addressOf = (field: Field): FamilyIp | undefined => {
  const text = textOf(field);
  const parsed = text === undefined ? undefined : parseSloppyIp(text);
  if (parsed && (parsed.family === 6 || isUnicast(parsed.ip))) return parsed;
  const problem =
    text === undefined
      ? 'is missing'
      : `is ${JSON.stringify(text)}, ${isIpv4(text) ? 'which no endpoint can have' : 'which is no address'}`;
  warn(field, 'bad-ip', `${problem}; the endpoint is left out`);
  return undefined;
};

const targetOf = (field: Field, namespace: string): EndpointObject['target'] => {
  if (textOf(fieldAt(field, 'kind')) !== 'Pod') return undefined;
  const name = textOf(fieldAt(field, 'name'));
  return name === undefined
    ? undefined
    : { namespace: textOf(fieldAt(field, 'namespace')) ?? namespace, name };
};

const readPorts = (field: Field): EndpointSlice['ports'] =>
  listOf(field).flatMap((item) => {
    const protocol = protocolOf(fieldAt(item, 'protocol'));
    if (protocol === undefined) return [];
    const name = textOf(fieldAt(item, 'name'));
    const port = portOf(fieldAt(item, 'port'));
    return [{ ...(name && { name }), ...(port !== undefined && { port }), protocol }];
  });

const namesIn = (field: Field): string[] =>
  listOf(field).flatMap((item) => textOf(fieldAt(item, 'name')) ?? []);

const readHints = (field: Field): SliceEndpoint['hints'] => {
  if (field.value === undefined || field.value === null) return undefined;
  const zones = namesIn(fieldAt(field, 'forZones'));
  const nodes = namesIn(fieldAt(field, 'forNodes'));
  return zones.length + nodes.length > 0 ? { zones, nodes } : undefined;
};

/** A condition that is not written has the value that kube-proxy takes it for. */
const readEndpoint = (field: Field, family: Family, namespace: string): EndpointObject[] => {
  const addressField = fieldAt(field, 'addresses', 0);
  const address = addressOf(addressField);
  if (!address) return [];
  if (address.family !== family) {
    warn(
      addressField,
      'bad-ip',
      `is ${address.ip} in a slice of IPv${family} addresses; the endpoint is left out`,
    );
    return [];
  }
  const conditions = fieldAt(field, 'conditions');
  const nodeName = textOf(fieldAt(field, 'nodeName'));
  const hostname = textOf(fieldAt(field, 'hostname'));
  const zone = textOf(fieldAt(field, 'zone'));
  const hints = readHints(fieldAt(field, 'hints'));
  const target = targetOf(fieldAt(field, 'targetRef'), namespace);
  return [
    {
      address: address.ip,
      ready: booleanOf(fieldAt(conditions, 'ready')) ?? true,
      serving: booleanOf(fieldAt(conditions, 'serving')) ?? true,
      terminating: booleanOf(fieldAt(conditions, 'terminating')) ?? false,
      ...(nodeName && { nodeName }),
      ...(hostname && { hostname }),
      ...(zone && { zone }),
      ...(hints && { hints }),
      ...(target && { target }),
    },
  ];
};

/**
 * A `kind: EndpointSlice` (discovery.k8s.io/v1). Undefined for one of names (FQDN), which nobody
 * reads, and, with a warning, for one that belongs to no Service.
 */
export const readSlice = (object: Field): SliceObject | undefined => {
  const metadata = fieldAt(object, 'metadata');
  const namespace = namespaceOf(metadata);
  const typeField = fieldAt(object, 'addressType');
  const type = textOf(typeField);
  if (type === 'FQDN') return undefined;
  if (type !== 'IPv4' && type !== 'IPv6') {
    warn(
      typeField,
      'bad-value',
      `${type === undefined ? 'is missing' : `is ${JSON.stringify(type)}`}; the slice is left out`,
      'IPv4, IPv6 or FQDN.',
    );
    return undefined;
  }
  const service = textOf(fieldAt(metadata, 'labels', SERVICE_NAME));
  if (!service) {
    warn(
      object,
      'no-service',
      `has no label ${SERVICE_NAME}, so kube-proxy does not see it; it is left out`,
    );
    return undefined;
  }
  const family = type === 'IPv4' ? 4 : 6;
  return {
    namespace,
    name: nameOf(fieldAt(metadata, 'name')) ?? service,
    service,
    family,
    source: 'input',
    ports: readPorts(fieldAt(object, 'ports')),
    endpoints: listOf(fieldAt(object, 'endpoints')).flatMap((field) =>
      readEndpoint(field, family, namespace),
    ),
    field: spotOf(object),
    place: object.object.place([]),
  };
};

/** maxEndpointsPerSubset of the EndpointSliceMirroring controller. */
const MOST_MIRRORED = 1000;

const keyOf = (family: Family, ports: EndpointSlice['ports']): string =>
  [family, ...ports.map(({ name, port, protocol }) => `${name} ${port} ${protocol}`).sort()].join();

/**
 * A `kind: Endpoints` as slices (EndpointSliceMirroring controller of Kubernetes v1.34,
 * pkg/controller/endpointslicemirroring): one for each family and set of ports; nothing for those
 * that say so, or that elect a leader.
 */
export const readEndpoints = (object: Field): SliceObject[] => {
  const metadata = fieldAt(object, 'metadata');
  const namespace = namespaceOf(metadata);
  const name = nameOf(fieldAt(metadata, 'name'));
  if (!name) {
    warn(object, 'missing-name', 'has no metadata.name and is left out');
    return [];
  }
  if (fieldAt(metadata, 'labels', SKIP_MIRROR).value === 'true') return [];
  if (fieldAt(metadata, 'annotations', LEADER).value !== undefined) return [];
  const groups = new Map<string, SliceObject & { readonly endpoints: EndpointObject[] }>();
  for (const subset of listOf(fieldAt(object, 'subsets'))) {
    const ports = readPorts(fieldAt(subset, 'ports'));
    const fields = [
      ...listOf(fieldAt(subset, 'addresses')).map((field) => ({ field, ready: true })),
      ...listOf(fieldAt(subset, 'notReadyAddresses')).map((field) => ({ field, ready: false })),
    ];
    for (const { field, ready } of fields.slice(0, MOST_MIRRORED)) {
      const address = addressOf(fieldAt(field, 'ip'));
      if (!address) continue;
      const { family } = address;
      const key = keyOf(family, ports);
      const group = groups.get(key) ?? {
        namespace,
        name: groups.size === 0 ? name : `${name}-${groups.size + 1}`,
        service: name,
        family,
        source: 'endpoints',
        ports,
        endpoints: [],
        field: spotOf(object),
        place: object.object.place([]),
      };
      groups.set(key, group);
      const nodeName = textOf(fieldAt(field, 'nodeName'));
      const hostname = textOf(fieldAt(field, 'hostname'));
      const target = targetOf(fieldAt(field, 'targetRef'), namespace);
      group.endpoints.push({
        address: address.ip,
        ready,
        // Only readiness is mirrored.
        serving: true,
        terminating: false,
        ...(nodeName && { nodeName }),
        ...(hostname && { hostname }),
        ...(target && { target }),
      });
    }
  }
  return [...groups.values()];
};
