/** A small scenario as the documents of a scenario file. */

import type { EndpointSlice, KubeProxyConfig, Service } from '../cluster/cluster.ts';
import { parseEndpoint } from '../cluster/endpoint.ts';
import { isObject, type Json, type JsonObject } from '../cluster/kube-object.ts';
import { cidrOverlaps } from '../wire/ip.ts';
import type { Question } from './ask.ts';
import { policyDocument } from './policy-documents.ts';
import type { SmallEnd, SmallExpectation, SmallPod, SmallScenario } from './small-scenario.ts';

/** Names that a Scenario takes (its schema, `name`). */
const NAME = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/;

/** How an end is typed, so that it means the same whatever namespace is understood. */
export const endText = (end: SmallEnd): string => {
  const { kind, namespace = 'default', name = '', container } = end;
  switch (kind) {
    case 'pod': {
      const forms = namespace === 'default' ? [name] : [`${namespace}/${name}`];
      const suffix = container === undefined ? '' : `:${container}`;
      // A namespace that is called like a kind needs the long form.
      const form =
        forms.find((text) => means(`${text}${suffix}`, end)) ?? `${namespace}/pod/${name}`;
      return `${form}${suffix}`;
    }
    case 'node':
      return `node/${name}`;
    case 'external':
      return 'external';
    case 'ip':
      return end.ip ?? '';
    case 'service':
      return namespace === 'default' ? `svc/${name}` : `${namespace}/svc/${name}`;
    case 'name':
      return name;
    default:
      return kind satisfies never;
  }
};

const means = (text: string, { namespace = 'default', name }: SmallEnd): boolean => {
  const parsed = parseEndpoint(text);
  return (
    'form' in parsed &&
    parsed.form === 'object' &&
    parsed.kind === 'Pod' &&
    (parsed.namespace ?? 'default') === namespace &&
    parsed.name === name
  );
};

/** The question that a scenario expects an answer to. */
export const questionOf = ({
  from,
  to,
  protocol,
  port,
  size,
  backend,
}: SmallExpectation): Question => ({
  from: endText(from),
  to: endText(to),
  protocol: protocol as NonNullable<Question['protocol']>,
  ...(port !== undefined && { port }),
  ...(size !== undefined && { size }),
  ...(backend !== undefined && { backend }),
});

const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

/** Plain data without what is empty or absent. */
const filled = (value: object): JsonObject => {
  const json = plain(value);
  if (!isObject(json)) return {};
  return Object.fromEntries(
    Object.entries(json).filter(
      ([, item]) => !(typeof item === 'object' && item !== null && Object.keys(item).length === 0),
    ),
  );
};

const containerOf = ({ name, ports }: SmallPod['containers'][number]): JsonObject =>
  filled({
    name,
    ports: ports.map(({ name: called, port, protocol, hostPort, hostIP }) => ({
      ...(called !== undefined && { name: called }),
      containerPort: port,
      ...(protocol !== 'tcp' && { protocol: protocol.toUpperCase() }),
      ...(hostPort !== undefined && { hostPort }),
      ...(hostIP !== undefined && { hostIP }),
    })),
  });

/** Evidence that does not stand in the Pod itself is declared by the container that has it. */
const withEvidence = ({ containers, listeners }: SmallPod): SmallPod['containers'] =>
  containers.map((container) => {
    const missing = listeners.rows.filter(
      (row) =>
        row.container === container.name &&
        row.evidence !== 'annotation' &&
        !container.ports.some(
          ({ port, protocol }) => port === row.port && protocol === row.protocol,
        ),
    );
    const ports = [
      ...container.ports,
      ...missing.map(({ port, protocol }) => ({ port, protocol })),
    ];
    return { ...container, ports };
  });

/** Where what is not listed refuses, the list is exact: the annotation says that. */
const listenOf = ({ listeners: { rows, unlisted } }: SmallPod): string | undefined =>
  unlisted === 'refused'
    ? rows
        .map(({ ip, port, protocol }) => `${ip === '0.0.0.0' ? '' : `${ip}:`}${port}/${protocol}`)
        .join(', ')
    : undefined;

/** How it is called, and how it finds others. */
const dnsOf = ({ hostname, subdomain, dns }: SmallPod) => ({
  ...(hostname !== undefined && { hostname }),
  ...(subdomain !== undefined && { subdomain }),
  ...(dns && {
    ...(dns.policy !== 'ClusterFirst' && { dnsPolicy: dns.policy }),
    dnsConfig: filled({
      nameservers: dns.nameservers,
      searches: dns.searches,
      options: dns.options,
    }),
    hostAliases: dns.hostAliases,
  }),
});

const podDocument = (pod: SmallPod): JsonObject => {
  const { namespace, name, node, ip, hostNetwork, phase, ready, owner } = pod;
  const listen = listenOf(pod);
  const containers = withEvidence(pod);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: filled({
      name,
      ...(namespace !== 'default' && { namespace }),
      labels: pod.labels,
      ...(listen !== undefined && { annotations: { 'k8snet/listen': listen } }),
      ownerReferences: owner ? [{ kind: owner.kind, name: owner.name, controller: true }] : [],
    }),
    spec: filled({
      ...(node !== undefined && { nodeName: node }),
      ...(hostNetwork && { hostNetwork }),
      ...dnsOf(pod),
      initContainers: containers
        .filter(({ sidecar }) => sidecar)
        .map((one) => ({ ...containerOf(one), restartPolicy: 'Always' })),
      containers: containers.filter(({ sidecar }) => !sidecar).map(containerOf),
    }),
    status: filled({
      phase,
      ...(ip !== undefined && !hostNetwork && { podIP: ip }),
      conditions: phase === 'Running' && !ready ? [{ type: 'Ready', status: 'False' }] : [],
    }),
  };
};

const metadataOf = (namespace: string, name: string, more: object = {}): JsonObject =>
  filled({ name, ...(namespace !== 'default' && { namespace }), ...more });

/** Without its selector: what it selects stands in its slices. */
const serviceDocument = (service: Service): JsonObject => {
  const { clusterIPs, ports, ingress, affinitySeconds, healthCheckNodePort } = service;
  const hasAddress = service.type !== 'ExternalName';
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(service.namespace, service.name),
    spec: filled({
      type: service.type,
      ...(service.externalName !== undefined && { externalName: service.externalName }),
      ...(service.headless && { clusterIP: 'None' }),
      clusterIPs: clusterIPs.map(({ ip }) => ip),
      ...(clusterIPs.length > 1 && { ipFamilyPolicy: 'PreferDualStack' }),
      ports: ports.map(({ name, port, protocol, targetPort, nodePort }) => ({
        ...(name !== undefined && { name }),
        port,
        targetPort,
        ...(protocol !== 'tcp' && { protocol: protocol.toUpperCase() }),
        ...(nodePort !== undefined && { nodePort }),
      })),
      externalIPs: service.externalIPs,
      loadBalancerSourceRanges: service.sourceRanges,
      ...(hasAddress &&
        service.externalTrafficPolicy === 'Local' && { externalTrafficPolicy: 'Local' }),
      ...(hasAddress &&
        service.internalTrafficPolicy === 'Local' && { internalTrafficPolicy: 'Local' }),
      ...(affinitySeconds !== undefined && {
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: affinitySeconds } },
      }),
      ...(healthCheckNodePort !== undefined && { healthCheckNodePort }),
      // All NodePorts that it has are written.
      ...(service.type === 'LoadBalancer' && { allocateLoadBalancerNodePorts: false }),
      ...(service.publishNotReadyAddresses && { publishNotReadyAddresses: true }),
    }),
    ...(ingress.length > 0 && {
      status: {
        loadBalancer: {
          ingress: ingress.map(({ ip, hostname, ipMode }) => ({
            ...(ip !== undefined && { ip }),
            ...(hostname !== undefined && { hostname }),
            ...(ipMode !== 'VIP' && { ipMode }),
          })),
        },
      },
    }),
  };
};

const sliceDocument = (
  { namespace, name }: Service,
  slice: EndpointSlice,
  pods: SmallScenario['pods'],
): JsonObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: metadataOf(namespace, slice.name, { labels: { 'kubernetes.io/service-name': name } }),
  addressType: `IPv${slice.family}`,
  ports: slice.ports.map(({ name: called, port, protocol }) => ({
    ...(called !== undefined && { name: called }),
    ...(port !== undefined && { port }),
    protocol: protocol.toUpperCase(),
  })),
  endpoints: slice.endpoints.map((endpoint) => {
    const { address, nodeName, hostname, zone, ready, serving, terminating, hints } = endpoint;
    const pod = endpoint.pod === undefined ? undefined : pods[endpoint.pod];
    return filled({
      addresses: [address],
      conditions: { ready, serving, ...(terminating && { terminating }) },
      ...(nodeName !== undefined && { nodeName }),
      ...(hostname !== undefined && { hostname }),
      ...(zone !== undefined && { zone }),
      ...(hints && {
        hints: filled({
          forZones: hints.zones.map((one) => ({ name: one })),
          forNodes: hints.nodes.map((one) => ({ name: one })),
        }),
      }),
      ...(pod && { targetRef: { kind: 'Pod', namespace: pod.namespace, name: pod.name } }),
    });
  }),
});

/** What is not kube-proxy's default, or does not follow from the Scenario. */
const kubeProxyOf = (config: KubeProxyConfig, podCIDR: string): JsonObject => {
  const { mode, clusterCIDR, detectLocal, masqueradeAll, masqueradeBit, ipvs } = config;
  const masquerade = {
    ...(masqueradeAll && { masqueradeAll }),
    ...(masqueradeBit !== 14 && { masqueradeBit }),
  };
  const isDefault = clusterCIDR.length === 1 && clusterCIDR[0] === podCIDR;
  return filled({
    ...(mode !== 'iptables' && { mode }),
    ...(!isDefault && { clusterCIDR: clusterCIDR.join(',') }),
    ...(config.detectLocalMode !== 'ClusterCIDR' && { detectLocalMode: config.detectLocalMode }),
    detectLocal: Object.fromEntries(Object.entries(detectLocal).filter(([, name]) => name !== '')),
    nodePortAddresses: config.nodePortAddresses,
    iptables: {
      ...(mode !== 'nftables' && masquerade),
      ...(!config.localhostNodePorts && { localhostNodePorts: false }),
    },
    nftables: mode === 'nftables' ? masquerade : {},
    ipvs: {
      ...(ipvs.scheduler !== 'rr' && { scheduler: ipvs.scheduler }),
      ...(ipvs.strictARP && { strictARP: true }),
      ...(ipvs.excludeCIDRs.length > 0 && { excludeCIDRs: ipvs.excludeCIDRs }),
    },
    conntrack: config.tcpBeLiberal ? { tcpBeLiberal: true } : {},
  });
};

/** A Scenario's ranges must not overlap; those that came of addresses may. */
const rangesOf = ({ network, underlay }: SmallScenario) => {
  const { podCIDR, serviceCIDR } = network;
  const free = [podCIDR, underlay.cidr].every((cidr) => !cidrOverlaps(cidr, serviceCIDR));
  return { podCIDR, ...(free && { serviceCIDR }) };
};

/** The documents: one Scenario, then the Pods. `description` is a sentence for people. */
export const scenarioDocuments = (small: SmallScenario, description: string): JsonObject[] => {
  const { name, network, underlay, nodes, pods, services, faults, expect } = small;
  const isNamed = nodes.every((node) => NAME.test(node.name));
  return [
    {
      apiVersion: 'k8snet/v1',
      kind: 'Scenario',
      metadata: { name: NAME.test(name) ? name : 'trace' },
      spec: filled({
        description,
        network: filled({
          plugin: network.plugin,
          backend: network.backend,
          ...rangesOf(small),
          config: network.config,
        }),
        underlay: { cidr: underlay.cidr, mtu: underlay.mtu },
        kubeProxy: kubeProxyOf(small.kubeProxy, network.podCIDR),
        ...(small.policyEngine !== 'none' && { policyEngine: small.policyEngine }),
        nodes: isNamed
          ? nodes.map(({ name: node, labels, ip, podCIDR, sysctl }) =>
              filled({ name: node, labels, addresses: [ip], podCIDR, sysctl }),
            )
          : [],
        faults,
        expect: [expectationOf(expect)],
      }),
    },
    ...[...new Set([...small.namespaces, ...small.namespaceLabels.keys()])].map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: filled({ name, labels: small.namespaceLabels.get(name) ?? {} }),
    })),
    ...small.policies.map(policyDocument),
    ...nodes.filter(({ ready }) => !isNamed || !ready).map(nodeDocument),
    ...services.flatMap((service) => [
      serviceDocument(service),
      ...service.slices.map((slice) => sliceDocument(service, slice, pods)),
    ]),
    ...pods.map(podDocument),
  ];
};

/** For nodes that are called otherwise, or are otherwise, than a Scenario may say. */
const nodeDocument = ({
  name,
  labels,
  ip,
  podCIDR,
  ready,
}: SmallScenario['nodes'][number]): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: filled({ name, labels }),
  spec: { podCIDR },
  status: {
    addresses: [{ type: 'InternalIP', address: ip }],
    ...(!ready && { conditions: [{ type: 'Ready', status: 'False' }] }),
  },
});

const expectationOf = (expect: SmallExpectation): JsonObject => {
  const { disposition, cause, symptom, sourceSeen, dnat, resolved } = expect;
  return filled({
    ...questionOf(expect),
    disposition,
    ...(cause !== undefined && { cause }),
    symptom,
    ...(sourceSeen !== undefined && { sourceSeen }),
    ...(dnat && { dnat: dnat.port === undefined ? dnat.ip : `${dnat.ip}:${dnat.port}` }),
    ...(resolved !== undefined && { resolved }),
  });
};
