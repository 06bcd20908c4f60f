/** Ports of rules, in the three shapes that the kinds of policies have. */
import { type Field, fieldAt, placeBelow, portOf, portOrNameOf, textOf, warn } from '../field.ts';
import { protocolOf } from '../pod-spec.ts';
import { isWritten, reportUnknown } from './known-fields.ts';
import type { PolicyPort } from './policy.ts';

/** What a container port may be called (apimachinery v1.34, IsValidPortName). */
const isPortName = (name: string): boolean =>
  name.length <= 15 && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) && /[a-z]/.test(name);

const checkName = (field: Field, name: string): void => {
  if (!isPortName(name))
    warn(
      field,
      'bad-port-name',
      `is ${JSON.stringify(name)}; no port can be called that`,
      'A name has at most 15 lower-case letters, digits and dashes.',
    );
};

/** networking/v1, Kubernetes v1.34. */
export const readNetworkPolicyPort = (field: Field): PolicyPort[] => {
  reportUnknown(field, ['protocol', 'port', 'endPort'], {
    ports: 'Each item of ports has one port.',
    targetPort: 'It is called port, and is the port of the Pod.',
  });
  const protocol = protocolOf(fieldAt(field, 'protocol'));
  const portField = fieldAt(field, 'port');
  const endField = fieldAt(field, 'endPort');
  const place = placeBelow(field);
  if (protocol === undefined) return [];
  if (!isWritten(portField)) {
    if (!isWritten(endField)) return [{ protocol, place }];
    warn(endField, 'bad-range', 'stands without port, and the item matches nothing');
    return [];
  }
  const port = portOrNameOf(portField);
  if (port === undefined) return [];
  if (typeof portField.value === 'string' && typeof port === 'number')
    warn(
      portField,
      'bad-value',
      `is ${JSON.stringify(portField.value)}, which is a name to Kubernetes`,
      `Write ${port} without quotes.`,
    );
  if (typeof port === 'string') checkName(portField, port);
  if (!isWritten(endField)) return [{ protocol, port, place }];
  if (typeof port === 'string') {
    warn(endField, 'bad-range', `counts for nothing: port is the name ${JSON.stringify(port)}`);
    return [{ protocol, port, place }];
  }
  const endPort = portOf(endField);
  if (endPort === undefined) return [];
  if (endPort >= port) return [{ protocol, port, endPort, place }];
  warn(endField, 'bad-range', `is ${endPort}, below port ${port}, and the item matches nothing`);
  return [];
};

/** Start and end of a range. `wider`: one port alone is no range to the API. */
const readRange = (
  field: Field,
  protocol: PolicyPort['protocol'],
  item: Field,
  wider: boolean,
): PolicyPort[] => {
  const start = portOf(fieldAt(field, 'start'));
  const end = portOf(fieldAt(field, 'end'));
  if (start === undefined || end === undefined) {
    if (!isWritten(fieldAt(field, 'start')) || !isWritten(fieldAt(field, 'end')))
      warn(field, 'missing-field', 'needs start and end, and matches nothing');
    return [];
  }
  if (end < start) {
    warn(field, 'bad-range', `ends at ${end}, below its start ${start}, and matches nothing`);
    return [];
  }
  if (wider && end === start)
    warn(field, 'bad-range', `starts and ends at ${start}`, `Write number: ${start}.`);
  return [{ protocol, port: start, endPort: end, place: placeBelow(item) }];
};

const readName = (field: Field, item: Field): PolicyPort[] => {
  const name = textOf(field);
  if (name === undefined || name === '') return [];
  checkName(field, name);
  return [{ protocol: 'any', port: name, place: placeBelow(item) }];
};

/** Exactly one of the fields is to be set; of several each counts. */
const reportOneOf = (field: Field, keys: readonly string[]): void => {
  const written = keys.filter((key) => isWritten(fieldAt(field, key)));
  if (written.length === 0)
    warn(field, 'missing-field', `has none of ${keys.join(', ')}, and matches nothing`);
  if (written.length > 1)
    warn(
      field,
      'one-of',
      `has ${written.join(' and ')}; the API takes one of them`,
      'Write each as an item of its own.',
    );
};

/** AdminNetworkPolicyPort (policy.networking.k8s.io/v1alpha1, network-policy-api v0.2.0). */
export const readAdminPort = (field: Field): PolicyPort[] => {
  const keys = ['portNumber', 'namedPort', 'portRange'];
  const single = 'A single port is portNumber: {protocol: TCP, port: 80}.';
  reportUnknown(field, keys, { port: single, protocol: single, endPort: single });
  reportOneOf(field, keys);
  const [number, name, range] = keys.map((key) => fieldAt(field, key)) as [Field, Field, Field];
  const found: PolicyPort[] = [];
  if (isWritten(number)) {
    reportUnknown(number, ['protocol', 'port']);
    const protocol = protocolOf(fieldAt(number, 'protocol'));
    const portField = fieldAt(number, 'port');
    if (!isWritten(portField)) warn(number, 'missing-field', 'has no port, and matches nothing');
    const port = portOf(portField);
    if (protocol !== undefined && port !== undefined)
      found.push({ protocol, port, place: placeBelow(field) });
  }
  if (isWritten(name)) found.push(...readName(name, field));
  if (isWritten(range)) {
    reportUnknown(range, ['protocol', 'start', 'end']);
    const protocol = protocolOf(fieldAt(range, 'protocol'));
    if (protocol !== undefined) found.push(...readRange(range, protocol, field, false));
  }
  return found;
};

const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;

const readDestination = (
  of: Field,
  protocol: (typeof PROTOCOLS)[number],
  item: Field,
): PolicyPort[] => {
  reportUnknown(of, ['destinationPort']);
  const port = fieldAt(of, 'destinationPort');
  if (!isWritten(port)) {
    warn(of, 'missing-field', 'has no destinationPort; it counts as every port');
    return [{ protocol, place: placeBelow(item) }];
  }
  const number = fieldAt(port, 'number');
  const range = fieldAt(port, 'range');
  reportUnknown(port, ['number', 'range'], { port: 'It is called number.' });
  reportOneOf(port, ['number', 'range']);
  const single = portOf(number);
  const found: PolicyPort[] =
    single === undefined ? [] : [{ protocol, port: single, place: placeBelow(item) }];
  if (isWritten(range)) {
    reportUnknown(range, ['start', 'end']);
    found.push(...readRange(range, protocol, item, true));
  }
  return found;
};

/** ClusterNetworkPolicyProtocol (v1alpha2, network-policy-api v0.2.0; v1beta1 is the same). */
export const readClusterPort = (field: Field): PolicyPort[] => {
  const keys = [...PROTOCOLS, 'destinationNamedPort'];
  reportUnknown(field, keys, {
    TCP: 'It is called tcp.',
    UDP: 'It is called udp.',
    SCTP: 'It is called sctp.',
    portNumber: 'A single port is tcp: {destinationPort: {number: 80}}.',
    portRange: 'A range is tcp: {destinationPort: {range: {start: 80, end: 90}}}.',
    namedPort: 'It is called destinationNamedPort.',
  });
  reportOneOf(field, keys);
  const name = fieldAt(field, 'destinationNamedPort');
  return [
    ...PROTOCOLS.flatMap((protocol) => {
      const of = fieldAt(field, protocol);
      return isWritten(of) ? readDestination(of, protocol, field) : [];
    }),
    ...(isWritten(name) ? readName(name, field) : []),
  ];
};
