/** Reads Services; what is wrong with one is reported, and counts as not written. */
import { parseSloppyCidr, parseSloppyIp } from '../../wire/parse-ip.ts';
import type { LoadBalancerIngress } from '../cluster.ts';
import {
  booleanOf,
  type Field,
  fieldAt,
  integerOf,
  listOf,
  nameOf,
  portOf,
  portOrNameOf,
  spotOf,
  textMapOf,
  textOf,
  warn,
} from '../field.ts';
import { didYouMean, nearest } from '../nearest.ts';
import { namespaceOf } from '../pod-draft.ts';
import { protocolOf } from '../pod-spec.ts';
import { equalities } from '../selector.ts';
import { reportMisuse } from './misuse.ts';
import {
  FAMILY_POLICIES,
  type Family,
  type FamilyIp,
  type PortObject,
  type ServiceObject,
} from './service-object.ts';

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const;
const POLICIES = ['Cluster', 'Local'] as const;
const AFFINITIES = ['None', 'ClientIP'] as const;
const IP_MODES = ['VIP', 'Proxy'] as const;
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'] as const;

/** What kube-apiserver sets without a timeout (v1.34, core/v1 defaults). */
const AFFINITY_SECONDS = 10_800;
const LONGEST_AFFINITY = 86_400;

/** One of a few words; what is none of them is said, and counts as not written. */
const wordOf = <Word extends string>(field: Field, words: readonly Word[]): Word | undefined => {
  const text = textOf(field);
  const word = words.find((known) => known === text);
  if (text !== undefined && text !== '' && word === undefined)
    warn(
      field,
      'bad-value',
      `is ${JSON.stringify(text)}; Kubernetes wants ${words.join(', ')}`,
      didYouMean(nearest(text, words)),
    );
  return word;
};

const ipsOf = (fields: readonly Field[]): FamilyIp[] => {
  const found = new Map<string, FamilyIp>();
  for (const field of fields) {
    const text = textOf(field)?.trim();
    if (text === undefined || text === '' || text === 'None') continue;
    const parsed = parseSloppyIp(text);
    if (parsed) found.set(parsed.ip, parsed);
    else warn(field, 'bad-ip', `is ${JSON.stringify(text)}, which is no address; it is left out`);
  }
  return [...found.values()];
};

const rangesOf = (fields: readonly Field[]): string[] => {
  const found = new Set<string>();
  for (const field of fields) {
    // Trimmed, as kube-proxy does: old objects have blanks around them.
    const text = textOf(field)?.trim();
    if (text === undefined) continue;
    const parsed = parseSloppyCidr(text);
    if (parsed) found.add(parsed.cidr);
    else
      warn(
        field,
        'bad-cidr',
        `is ${JSON.stringify(text)}, which is no range such as 203.0.113.0/24; it is left out`,
      );
  }
  return [...found];
};

const readPort = (field: Field, at: number): PortObject[] => {
  const portField = fieldAt(field, 'port');
  if (portField.value === undefined) {
    warn(field, 'missing-field', 'has no port');
    return [];
  }
  const port = portOf(portField);
  const protocol = protocolOf(fieldAt(field, 'protocol'));
  if (port === undefined || protocol === undefined) return [];
  const name = textOf(fieldAt(field, 'name'));
  const target = fieldAt(field, 'targetPort');
  // 0 and an empty text count as not written (SetDefaults_Service).
  const targetPort =
    target.value === 0 || target.value === '' ? port : (portOrNameOf(target) ?? port);
  const nodePortField = fieldAt(field, 'nodePort');
  const nodePort = nodePortField.value === 0 ? undefined : portOf(nodePortField);
  return [
    {
      at,
      ...(name !== undefined && name !== '' && { name }),
      port,
      protocol,
      targetPort,
      ...(nodePort !== undefined && { nodePort }),
    },
  ];
};

/** What the API server refuses about ports, one by one and together. */
const checkPorts = (fields: readonly Field[], ports: readonly PortObject[]): void => {
  const names = new Map<string, number>();
  const numbers = new Map<string, number>();
  for (const { at, name, port, protocol } of ports) {
    const field = fields[at];
    if (!field) continue;
    if (name === undefined && fields.length > 1)
      warn(field, 'missing-field', 'has no name, which every one of several ports needs');
    const twin = name === undefined ? undefined : names.get(name);
    if (twin !== undefined)
      warn(
        fieldAt(field, 'name'),
        'duplicate-name',
        `is ${JSON.stringify(name)}, as is that of spec.ports[${twin}]`,
      );
    if (name !== undefined) names.set(name, twin ?? at);
    const key = `${port}/${protocol}`;
    const same = numbers.get(key);
    if (same !== undefined)
      warn(
        fieldAt(field, 'port'),
        'duplicate-port',
        `is ${key}, as is that of spec.ports[${same}]`,
      );
    numbers.set(key, same ?? at);
  }
};

const readIngress = (field: Field): LoadBalancerIngress[] => {
  const [parsed] = ipsOf([fieldAt(field, 'ip')]);
  const hostname = textOf(fieldAt(field, 'hostname'));
  if (!parsed && !hostname) return [];
  return [
    {
      ...(parsed && { ip: parsed.ip }),
      ...(hostname && { hostname }),
      ipMode: wordOf(fieldAt(field, 'ipMode'), IP_MODES) ?? 'VIP',
      assumed: false,
    },
  ];
};

const readFamilies = (field: Field): Family[] =>
  listOf(field).flatMap((item): Family[] => {
    const word = wordOf(item, ['IPv4', 'IPv6'] as const);
    return word === undefined ? [] : [word === 'IPv4' ? 4 : 6];
  });

const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode';
const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints';

/** The older annotation wins (hintsEnabled of k8s.io/endpointslice v0.34). */
const readTopologyAuto = (metadata: Field): boolean => {
  const older = textOf(fieldAt(metadata, 'annotations', TOPOLOGY_HINTS));
  const mode = older ?? textOf(fieldAt(metadata, 'annotations', TOPOLOGY_MODE));
  return mode === 'Auto' || mode === 'auto';
};

const readAffinity = (spec: Field): number | undefined => {
  if (wordOf(fieldAt(spec, 'sessionAffinity'), AFFINITIES) !== 'ClientIP') return undefined;
  const seconds = fieldAt(spec, 'sessionAffinityConfig', 'clientIP', 'timeoutSeconds');
  return integerOf(seconds, 1, LONGEST_AFFINITY) ?? AFFINITY_SECONDS;
};

/**
 * A `kind: Service` (core/v1 of Kubernetes v1.34, with the API server's defaults); undefined, with
 * a warning, without a name.
 */
export const readService = (object: Field): ServiceObject | undefined => {
  const metadata = fieldAt(object, 'metadata');
  const name = nameOf(fieldAt(metadata, 'name'));
  if (!name) {
    warn(object, 'missing-name', 'has no metadata.name and is left out');
    return undefined;
  }
  const spec = fieldAt(object, 'spec');
  const type = wordOf(fieldAt(spec, 'type'), TYPES) ?? 'ClusterIP';
  const selector = textMapOf(fieldAt(spec, 'selector'));
  const portFields = listOf(fieldAt(spec, 'ports'));
  const ports = portFields.flatMap(readPort);
  checkPorts(portFields, ports);
  const clusterIpFields = [fieldAt(spec, 'clusterIP'), ...listOf(fieldAt(spec, 'clusterIPs'))];
  const headless = type !== 'ExternalName' && clusterIpFields.some(({ value }) => value === 'None');
  const hasAddress = type !== 'ExternalName' && !headless;
  const ipFamilyPolicy = wordOf(fieldAt(spec, 'ipFamilyPolicy'), FAMILY_POLICIES);
  const externalIPs = ipsOf(listOf(fieldAt(spec, 'externalIPs'))).map(({ ip }) => ip);
  const accessible = type === 'NodePort' || type === 'LoadBalancer' || externalIPs.length > 0;
  const external = wordOf(fieldAt(spec, 'externalTrafficPolicy'), POLICIES) ?? 'Cluster';
  const affinitySeconds = readAffinity(spec);
  const externalName = textOf(fieldAt(spec, 'externalName'));
  const trafficDistribution = wordOf(fieldAt(spec, 'trafficDistribution'), DISTRIBUTIONS);
  const [requested] = ipsOf([fieldAt(spec, 'loadBalancerIP')]);
  const healthField = fieldAt(spec, 'healthCheckNodePort');
  const healthCheckNodePort = healthField.value === 0 ? undefined : portOf(healthField);
  const service: ServiceObject = {
    namespace: namespaceOf(metadata),
    name,
    type,
    headless,
    selector,
    requirements: type === 'ExternalName' ? [] : equalities(selector),
    ...(externalName !== undefined && { externalName }),
    clusterIPs: hasAddress ? ipsOf(clusterIpFields) : [],
    ipFamilies: readFamilies(fieldAt(spec, 'ipFamilies')),
    ...(ipFamilyPolicy && { ipFamilyPolicy }),
    ports,
    externalIPs,
    ingress: listOf(fieldAt(object, 'status', 'loadBalancer', 'ingress')).flatMap(readIngress),
    sourceRanges: rangesOf(listOf(fieldAt(spec, 'loadBalancerSourceRanges'))),
    externalTrafficPolicy: accessible ? external : 'Cluster',
    internalTrafficPolicy: wordOf(fieldAt(spec, 'internalTrafficPolicy'), POLICIES) ?? 'Cluster',
    ...(affinitySeconds !== undefined && { affinitySeconds }),
    ...(requested && { requestedVip: requested.ip }),
    allocateNodePorts: booleanOf(fieldAt(spec, 'allocateLoadBalancerNodePorts')) ?? true,
    ...(healthCheckNodePort !== undefined && { healthCheckNodePort }),
    publishNotReadyAddresses: booleanOf(fieldAt(spec, 'publishNotReadyAddresses')) ?? false,
    ...(trafficDistribution && { trafficDistribution }),
    topologyAuto: readTopologyAuto(metadata),
    field: spotOf(object),
    place: object.object.place([]),
  };
  reportMisuse(spec, service);
  return service;
};
