/** What a Pod's spec, its own or a template's, says about networking and placement. */
import type { Container, ContainerPort, Place, PodDns } from './cluster.ts';
import { readPodDns } from './dns/pod-dns.ts';
import {
  booleanOf,
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
import { readRequirements } from './requirement.ts';
import { equalities, type Selector } from './selector.ts';
import { either } from './share.ts';

export interface Toleration {
  readonly key?: string;
  readonly operator: 'Exists' | 'Equal';
  readonly value?: string;
  readonly effect?: string;
}

/** One alternative of required node affinity: labels and, by name, the node itself. */
export interface NodeTerm {
  readonly labels: Selector;
  readonly fields: Selector;
}

/** A port that a probe asks for, and that its container does not declare. */
export interface ProbePort {
  readonly container: string;
  readonly port: number;
  readonly place: Place;
}

export interface PodSpec {
  readonly hostNetwork: boolean;
  readonly nodeName?: string | undefined;
  readonly nodeSelector: Selector;
  /** Alternatives; absent: any node. */
  readonly nodeTerms?: readonly NodeTerm[] | undefined;
  readonly tolerations: readonly Toleration[];
  /** Containers that run: ordinary ones, then sidecars; never empty. */
  readonly containers: readonly Container[];
  /** Names of init containers, which have ended before the others start. */
  readonly initContainers: readonly string[];
  readonly probes: readonly ProbePort[];
  /** What it says about its resolver that is not usual. */
  readonly dns?: PodDns | undefined;
}

type Protocol = ContainerPort['protocol'];

/** TCP unless it says otherwise, as Kubernetes defaults it. */
export const protocolOf = (field: Field): Protocol | undefined => {
  const text = textOf(field) ?? 'TCP';
  const protocol = (['tcp', 'udp', 'sctp'] as const).find((known) => known === text.toLowerCase());
  if (!protocol) warn(field, 'unknown-protocol', `is ${JSON.stringify(text)}`, 'TCP, UDP or SCTP.');
  return protocol;
};

const readPort = (field: Field): ContainerPort[] => {
  const portField = fieldAt(field, 'containerPort');
  if (portField.value === undefined) {
    warn(field, 'missing-field', 'has no containerPort');
    return [];
  }
  const port = portOf(portField);
  const protocol = protocolOf(fieldAt(field, 'protocol'));
  if (port === undefined || protocol === undefined) return [];
  const name = textOf(fieldAt(field, 'name'));
  const hostPort = portOf(fieldAt(field, 'hostPort'));
  const hostIP = textOf(fieldAt(field, 'hostIP'));
  return [
    {
      port,
      protocol,
      ...(name !== undefined && { name }),
      ...(hostPort !== undefined && { hostPort }),
      ...(hostIP !== undefined && { hostIP }),
    },
  ];
};

const readContainer = (
  field: Field,
  sidecar: boolean,
  index: number,
  text: (text: string) => string,
  like: Container | undefined,
): Container => {
  const name = textOf(fieldAt(field, 'name'));
  if (name === undefined) warn(field, 'missing-field', 'has no name');
  return {
    name: text(name ?? `container-${index + 1}`),
    sidecar,
    ports: either(like?.ports, listOf(fieldAt(field, 'ports')).flatMap(readPort)),
    place: field.object.place(field.path),
  };
};

const NO_PROBES: readonly ProbePort[] = [];
const PROBES = ['startupProbe', 'readinessProbe', 'livenessProbe'];
const HANDLERS = ['httpGet', 'tcpSocket', 'grpc'];

const isDeclared = ({ ports }: Container, wanted: number): boolean =>
  ports.some(({ port, protocol }) => port === wanted && protocol === 'tcp');

const readProbes = (field: Field, container: Container): ProbePort[] =>
  PROBES.flatMap((probe) => {
    const probeField = fieldAt(field, probe);
    if (probeField.value === undefined) return [];
    return HANDLERS.flatMap((handler) => {
      const portField = fieldAt(probeField, handler, 'port');
      if (portField.value === undefined) return [];
      const wanted = portOrNameOf(portField);
      const port =
        typeof wanted === 'string'
          ? container.ports.find(({ name }) => name === wanted)?.port
          : wanted;
      if (typeof wanted === 'string' && port === undefined)
        warn(
          portField,
          'unknown-port-name',
          `names ${JSON.stringify(wanted)}, which no port of the container is called`,
        );
      // A declared port says as much, and each place takes memory.
      if (port === undefined || isDeclared(container, port)) return [];
      return [{ container: container.name, port, place: field.object.place(portField.path) }];
    });
  });

const readToleration = (field: Field): Toleration => {
  const key = textOf(fieldAt(field, 'key'));
  const value = textOf(fieldAt(field, 'value'));
  const effect = textOf(fieldAt(field, 'effect'));
  const operator = textOf(fieldAt(field, 'operator')) === 'Exists' ? 'Exists' : 'Equal';
  return {
    operator,
    ...(key !== undefined && key !== '' && { key }),
    ...(value !== undefined && { value }),
    ...(effect !== undefined && effect !== '' && { effect }),
  };
};

const readNodeTerms = (spec: Field): readonly NodeTerm[] | undefined => {
  const required = fieldAt(
    spec,
    'affinity',
    'nodeAffinity',
    'requiredDuringSchedulingIgnoredDuringExecution',
  );
  if (required.value === undefined || required.value === null) return undefined;
  return listOf(fieldAt(required, 'nodeSelectorTerms')).map((term) => ({
    labels: readRequirements(fieldAt(term, 'matchExpressions')),
    fields: readRequirements(fieldAt(term, 'matchFields')),
  }));
};

/** Two containers cannot be told apart by one name. */
const warnTwins = (fields: readonly Field[], containers: readonly Container[]): void => {
  const seen = new Set<string>();
  containers.forEach(({ name }, at) => {
    const field = fields[at];
    if (seen.has(name) && field)
      warn(field, 'duplicate-name', `is the second container called ${JSON.stringify(name)}`);
    seen.add(name);
  });
};

/**
 * A PodSpec (k8s.io/api core/v1). Init containers whose restartPolicy is Always are sidecars and
 * run beside the others; the rest of them have ended.
 * @param text gives a text that is held already, if it is
 * @param like of a Pod that is much like this one
 */
export const readPodSpec = (
  spec: Field,
  text: (text: string) => string = (own) => own,
  like?: PodSpec,
): PodSpec => {
  const ordinary = listOf(fieldAt(spec, 'containers'));
  const init = listOf(fieldAt(spec, 'initContainers'));
  const isSidecar = (field: Field): boolean => textOf(fieldAt(field, 'restartPolicy')) === 'Always';
  const sidecars = init.filter(isSidecar);
  const fields = [...ordinary, ...sidecars];
  const containers = fields.map((field, at) =>
    readContainer(field, at >= ordinary.length, at, text, like?.containers[at]),
  );
  warnTwins(fields, containers);
  if (ordinary.length === 0) warn(spec, 'no-containers', 'has no containers');
  const probes = fields.flatMap((field, at) => {
    const container = containers[at];
    return container ? readProbes(field, container) : [];
  });
  const nodeName = nameOf(fieldAt(spec, 'nodeName')) || undefined;
  return {
    hostNetwork: booleanOf(fieldAt(spec, 'hostNetwork')) ?? false,
    nodeName: nodeName === undefined ? undefined : text(nodeName),
    nodeSelector: either(like?.nodeSelector, equalities(textMapOf(fieldAt(spec, 'nodeSelector')))),
    nodeTerms: either(like?.nodeTerms, readNodeTerms(spec)),
    tolerations: either(
      like?.tolerations,
      listOf(fieldAt(spec, 'tolerations')).map(readToleration),
    ),
    containers:
      containers.length > 0
        ? containers
        : [{ name: 'container-1', sidecar: false, ports: [], place: spec.object.place(spec.path) }],
    initContainers: either(
      like?.initContainers,
      init
        .filter((field) => !isSidecar(field))
        .flatMap((field) => textOf(fieldAt(field, 'name')) ?? []),
    ),
    probes: probes.length > 0 ? probes : NO_PROBES,
    dns: either(like?.dns, readPodDns(spec)),
  };
};
