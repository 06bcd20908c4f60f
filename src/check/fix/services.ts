/** What mends a Service: what its object says, what is behind it, and who writes its rules. */
import type { Cluster, Pod, Service } from '../../cluster/cluster.ts';
import { nearest } from '../../cluster/nearest.ts';
import { equalities, matches } from '../../cluster/selector.ts';
import type { AdviceCode, Check, Fix } from '../../trace/remedy.ts';
import { type Ailment, adviceOf, advise, checkAnywhere, checkAt, commandsAt } from './ailment.ts';
import { ruleFix } from './packets.ts';
import { scenarioPatch } from './patches.ts';

export const serviceOf = ({ about, facts, scenario }: Ailment): Service | undefined => {
  const { to } = facts.probe;
  const { namespace, name } =
    about.service ?? (to.kind === 'service' ? { namespace: to.namespace, name: to.name } : {});
  return scenario.cluster.services.find((one) => one.name === name && one.namespace === namespace);
};

/** `-n shop get svc web`. */
const get = ({ namespace, name }: Service, what = 'svc'): string =>
  `kubectl -n ${namespace} get ${what} ${name} -o wide`;

const slices = ({ namespace, name }: Service): string =>
  `kubectl -n ${namespace} get endpointslices -l kubernetes.io/service-name=${name} -o wide`;

const ALL = 'kubectl get svc -A -o wide';

const checkWith =
  (command: (service: Service) => string) =>
  (ailment: Ailment): Check => {
    const service = serviceOf(ailment);
    return checkAnywhere(service ? command(service) : ALL);
  };

export const serviceCheck = checkWith((service) => get(service));
export const endpointsCheck = checkWith(slices);

/** The Service as the input has it, with another `spec`. */
const patched = (
  service: Service | undefined,
  spec: Readonly<Record<string, unknown>>,
  code: AdviceCode,
  values: Parameters<typeof adviceOf>[1] = {},
): Fix => {
  if (!service) return advise(code, values);
  const { namespace, name } = service;
  return {
    kind: 'patch',
    object: { kind: 'Service', namespace, name },
    patch: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, ...(namespace !== 'default' && { namespace }) },
      spec,
    },
    advice: adviceOf(code, values),
  };
};

const textOf = ({ namespace, name }: Service): string => `${namespace}/${name}`;

export const unknownServiceFix = ({ facts, scenario }: Ailment): Fix => {
  const ip = facts.probe.to.ip ?? '';
  const owners = new Map(
    scenario.cluster.services.flatMap((service) =>
      service.clusterIPs.map((one) => [one.ip, textOf(service)] as const),
    ),
  );
  const [near] = nearest(ip, owners.keys(), 1);
  return advise(
    'use-known-service',
    near === undefined ? {} : { near, service: owners.get(near) },
    ALL,
  );
};

export const unknownServiceCheck = ({ facts }: Ailment): Check =>
  checkAnywhere(`${ALL} | grep ${facts.probe.to.ip ?? ''}`.trimEnd());

export const declaredPorts = ({ ports }: Service): string =>
  ports
    .map(
      ({ name, port, protocol }) => `${port}/${protocol}${name === undefined ? '' : ` (${name})`}`,
    )
    .join(', ');

export const portFix = (ailment: Ailment): Fix => {
  const service = serviceOf(ailment);
  return advise('use-declared-port', {
    ...(service && { service: textOf(service), ports: declaredPorts(service) }),
  });
};

export const exposeFix = (ailment: Ailment): Fix =>
  patched(serviceOf(ailment), { type: 'NodePort' }, 'expose-service');

const podsOf = ({ pods }: Cluster, { namespace }: Service): Pod[] =>
  pods.filter((pod) => pod.namespace === namespace);

/** Whether the Pods are called as the Service is: by a label, or by who made them. */
const isCalledAs = ({ name }: Service, { labels, owners, name: own }: Pod): boolean =>
  own === name ||
  owners.some((owner) => owner.name === name) ||
  Object.values(labels).includes(name);

const hasPortOf = ({ ports }: Service, { containers }: Pod): boolean =>
  ports.every(({ protocol, targetPort }) =>
    containers.some((one) =>
      one.ports.some(
        (port) =>
          port.protocol === protocol && (port.port === targetPort || port.name === targetPort),
      ),
    ),
  );

const onlyOne = <Item>(items: readonly Item[]): Item | undefined =>
  items.length === 1 ? items[0] : undefined;

/**
 * Labels of the Pods that the Service may be meant for, among those that have each key of its
 * selector, with another value: they are called as it is, or nearly as the selector says, or are the
 * only ones that have its ports, or the only ones at all. Undefined where it is anybody's guess.
 */
const selectorNear = (
  cluster: Cluster,
  service: Service,
): Readonly<Record<string, string>> | undefined => {
  const keys = Object.keys(service.selector);
  const candidates = podsOf(cluster, service).filter(({ labels }) =>
    keys.every((key) => labels[key] !== undefined),
  );
  const text = (labels: Readonly<Record<string, string>>): string =>
    keys.map((key) => labels[key] ?? '').join();
  const byText = new Map(candidates.map((pod) => [text(pod.labels), pod]));
  const [best] = nearest(text(service.selector), byText.keys(), 1);
  const kinds = [...byText.values()];
  const pod =
    onlyOne(kinds.filter((one) => isCalledAs(service, one))) ??
    (best === undefined ? undefined : byText.get(best)) ??
    onlyOne(kinds.filter((one) => hasPortOf(service, one))) ??
    onlyOne(kinds);
  return pod && Object.fromEntries(keys.map((key) => [key, pod.labels[key] ?? '']));
};

/** Nothing is behind it: the selector finds no Pod, or the Pods that it finds are not ready. */
export const noEndpointsFix = (ailment: Ailment): Fix => {
  const service = serviceOf(ailment);
  if (!service || Object.keys(service.selector).length === 0) return advise('select-pods');
  const { cluster } = ailment.scenario;
  const selector = equalities(service.selector);
  const found = podsOf(cluster, service).filter(({ labels }) => matches(selector, labels));
  const [pod] = found;
  if (pod)
    return advise(
      'see-why-not-ready',
      { count: found.length, pod: pod.name },
      `kubectl -n ${pod.namespace} describe pod ${pod.name}`,
    );
  const near = selectorNear(cluster, service);
  return near
    ? patched(service, { selector: near }, 'select-pods')
    : advise('select-pods', {}, `kubectl -n ${service.namespace} get pods --show-labels`);
};

/** The port that the Pods have, in place of a name that they do not. */
export const targetPortFix = (ailment: Ailment): Fix => {
  const service = serviceOf(ailment);
  if (!service) return advise('correct-target-port');
  const { cluster } = ailment.scenario;
  const selector = equalities(service.selector);
  const offered = podsOf(cluster, service)
    .filter(({ labels }) => matches(selector, labels))
    .flatMap(({ containers }) => containers.flatMap(({ ports }) => ports));
  const one = service.ports.find(({ targetPort }) => typeof targetPort === 'string');
  const names = offered.flatMap(({ name }) => name ?? []);
  const [near = names[0]] = nearest(String(one?.targetPort), names, 1);
  const target = near ?? offered[0]?.port;
  if (!one || target === undefined) return advise('correct-target-port', { name: one?.targetPort });
  const protocol = one.protocol.toUpperCase();
  return patched(
    service,
    { ports: [{ port: one.port, ...(protocol !== 'TCP' && { protocol }), targetPort: target }] },
    'correct-target-port',
    { name: one.targetPort, near: target },
  );
};

/** Which of the two policies it is that keeps to the node: the one that is Local. */
export const policyFix = (ailment: Ailment): Fix => {
  const service = serviceOf(ailment);
  const isInternal =
    service?.internalTrafficPolicy === 'Local' &&
    service.clusterIPs.some(({ ip }) => ip === ailment.facts.probe.to.ip);
  const field = isInternal ? 'internalTrafficPolicy' : 'externalTrafficPolicy';
  return patched(service, { [field]: 'Cluster' }, 'spread-policy', { field });
};

/** The Service for which the request was translated, whatever the question calls its target. */
const translatedFor = ({ facts, scenario }: Ailment): Service | undefined => {
  const { dnat, legs } = facts;
  for (const { steps } of dnat && legs[0] ? legs[0].hops : []) {
    const object = steps.find(({ n }) => n === dnat?.step)?.origin?.object;
    if (object?.kind !== 'Service') continue;
    const { namespace, name } = object;
    return scenario.cluster.services.find(
      (one) => one.name === name && one.namespace === namespace,
    );
  }
  return undefined;
};

/**
 * The endpoint saw the caller itself, so that its answer goes past the node which translated: IPVS
 * sends a call for a Service whose policy is Local to another node where there is no endpoint.
 */
export const keptSourceFix = (ailment: Ailment): Fix | undefined => {
  const service = translatedFor(ailment);
  const field = 'externalTrafficPolicy';
  return service?.[field] === 'Local'
    ? patched(service, { [field]: 'Cluster' }, 'spread-policy', { field })
    : undefined;
};

export const sourceRangeFix = (ailment: Ailment): Fix => {
  const service = serviceOf(ailment);
  const source = ailment.packet.findLast((layer) => layer.type === 'ipv4')?.src;
  if (!service || source === undefined) return advise('allow-source', { source });
  return patched(
    service,
    { loadBalancerSourceRanges: [...service.sourceRanges, `${source}/32`] },
    'allow-source',
    { source },
  );
};

const RESTART = 'kubectl -n kube-system rollout restart daemonset kube-proxy';

/** Nobody writes the rules, or somebody deleted them. */
export const proxyFix = (ailment: Ailment): Fix =>
  ailment.scenario.cluster.kubeProxy.mode === 'none'
    ? scenarioPatch(ailment, { kubeProxy: { mode: 'iptables' } }, 'run-proxy', {})
    : advise('restart-proxy', { node: ailment.about.node }, RESTART);

/** A rule that somebody else wrote goes; of kube-proxy's own, it has to write them again. */
export const staleRuleFix = (ailment: Ailment): Fix =>
  ailment.cause.origin?.by === 'fault'
    ? ruleFix(ailment)
    : advise('restart-proxy', { node: ailment.about.node }, RESTART);

export const rulesCheck = (ailment: Ailment): Check => {
  const service = serviceOf(ailment);
  const name = service ? textOf(service) : 'KUBE-';
  return checkAt(ailment, `iptables-save -t nat | grep ${name}`);
};

/** The slice that names an address which nobody has. */
export const staleEndpointFix = (ailment: Ailment): Fix => {
  const service = serviceOf(ailment);
  const ip = ailment.facts.dnat?.ip;
  const slice = service?.slices.find(({ endpoints }) =>
    endpoints.some(({ address }) => address === ip),
  );
  return advise(
    'drop-endpoint',
    { ip, slice: slice?.name },
    service && slice && `kubectl -n ${service.namespace} edit endpointslice ${slice.name}`,
  );
};

export const hairpinFix = (ailment: Ailment): Fix => {
  const { device } = ailment.about;
  return commandsAt(
    ailment,
    [device && `bridge link set dev ${device} hairpin on`],
    advise('remake-pod'),
  );
};
