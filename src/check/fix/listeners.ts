/** Servers: who listens, who should, and how the input says so. */
import type { Container, Listener, Pod } from '../../cluster/cluster.ts';
import type { Check, Fix } from '../../trace/remedy.ts';
import { type Ailment, adviceOf, advise, checkAt } from './ailment.ts';
import { podPatch } from './patches.ts';

const ANY = '0.0.0.0';

/** The Pod that was asked, with the port and protocol. */
interface Asked {
  readonly pod: Pod;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
}

const askedOf = ({ detail, facts, hop, scenario }: Ailment): Asked | undefined => {
  const { to, port: wanted, protocol: asked } = facts.probe;
  const port = detail.port ?? wanted;
  const protocol = detail.protocol ?? asked;
  const named = to.kind === 'pod' ? `${to.namespace}/${to.name}` : hop?.netns;
  const pod = scenario.cluster.pods.find(({ namespace, name }) => `${namespace}/${name}` === named);
  if (!pod || port === undefined || (protocol !== 'tcp' && protocol !== 'udp')) return undefined;
  return { pod, port, protocol };
};

const entry = ({ ip, port, protocol }: Pick<Listener, 'ip' | 'port' | 'protocol'>): string =>
  `${ip === ANY ? '' : `${ip}:`}${port}/${protocol}`;

/** `8080/tcp, 53/udp`: what the input shows. */
const shownBy = (pod: Pod): string | undefined => {
  const shown = pod.listeners.rows.map(entry);
  return shown.length === 0 ? undefined : shown.join(', ');
};

/** The container that was asked for, else the first that is no sidecar. */
const serverOf = ({ pod }: Asked, container: string | undefined): Container | undefined =>
  pod.containers.find(({ name }) => name === container) ??
  pod.containers.find(({ sidecar }) => !sidecar) ??
  pod.containers[0];

const portOf = ({ port, protocol }: Asked) => ({
  containerPort: port,
  ...(protocol !== 'tcp' && { protocol: protocol.toUpperCase() }),
});

/** An exact annotation gets one more entry, or another in place of one; otherwise a port is declared. */
const declared = (asked: Asked, container: string | undefined) => {
  const { pod, port, protocol } = asked;
  const { rows } = pod.listeners;
  if (
    pod.listeners.unlisted === 'refused' &&
    rows.every(({ evidence }) => evidence === 'annotation')
  ) {
    const others = rows.filter((row) => row.port !== port || row.protocol !== protocol);
    const all = [...others, { ip: ANY, port, protocol }].map(entry).join(', ');
    return { metadata: { annotations: { 'k8snet/listen': all } } };
  }
  const server = serverOf(asked, container);
  if (!server) return undefined;
  const list = server.sidecar ? 'initContainers' : 'containers';
  return { spec: { [list]: [{ name: server.name, ports: [portOf(asked)] }] } };
};

const listenerFix = (
  ailment: Ailment,
  code: 'start-server' | 'listen-on-all' | 'declare-port',
): Fix => {
  const { detail, facts, scenario } = ailment;
  const { otherListener: other } = detail;
  const values = {
    port: detail.port ?? facts.probe.port,
    protocol: detail.protocol ?? facts.probe.protocol,
    process: other?.process,
  };
  const asked = askedOf(ailment);
  const shown = asked && shownBy(asked.pod);
  const body = asked && declared(asked, facts.probe.to.container);
  const patch = asked && body && podPatch(scenario.cluster, asked.pod, body);
  return patch
    ? { ...patch, advice: adviceOf(code, { ...values, shown }) }
    : advise(code, { ...values, shown });
};

/** Where another container of the Pod has the port, no declaration gives it to two. */
export const noListenerFix = (ailment: Ailment): Fix => {
  const { otherListener: other, port } = ailment.detail;
  if (other) return advise('free-port', { port, process: other.process });
  return listenerFix(ailment, 'start-server');
};

export const wrongAddressFix = (ailment: Ailment): Fix => listenerFix(ailment, 'listen-on-all');

export const declareFix = (ailment: Ailment): Fix => listenerFix(ailment, 'declare-port');

/** The listening sockets of a protocol. */
export const listenersCheck = (ailment: Ailment): Check => {
  const { detail, facts } = ailment;
  const kind = (detail.protocol ?? facts.probe.protocol) === 'udp' ? 'u' : 't';
  return checkAt(ailment, `ss -ln${kind}p`);
};
