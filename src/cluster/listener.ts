/** Who listens where, as far as the input says (design: the order of evidence). */
import { isIpv4 } from '../wire/ip.ts';
import type { Container, Listener, Listeners } from './cluster.ts';
import { warn } from './field.ts';
import type { PodDraft } from './pod-draft.ts';
import type { ServiceObject } from './service/service-object.ts';

const ANY = '0.0.0.0';
const ENTRY = /^(?:(?<ip>[^:\s]+):)?(?<port>\d{1,5})\/(?<protocol>tcp|udp)$/i;

/** Sidecars are started first, so they are the first to bind. */
const inOrderOfStart = (containers: readonly Container[]): Container[] => [
  ...containers.filter(({ sidecar }) => sidecar),
  ...containers.filter(({ sidecar }) => !sidecar),
];

const ownerOf = (
  containers: readonly Container[],
  protocol: string,
  port: number,
): Container | undefined =>
  inOrderOfStart(containers).find(({ ports }) =>
    ports.some((declared) => declared.port === port && declared.protocol === protocol),
  );

/** `8080/tcp, 127.0.0.1:9000/tcp`: exact, so an empty text means that nothing listens. */
const readAnnotation = (draft: PodDraft, listen: NonNullable<PodDraft['listen']>): Listeners => {
  const [first] = draft.spec.containers;
  const rows = listen.text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .flatMap((part): Listener[] => {
      const { ip = ANY, port: digits = '', protocol: name = '' } = ENTRY.exec(part)?.groups ?? {};
      const port = Number(digits);
      if (!isIpv4(ip) || port < 1 || port > 65535) {
        warn(
          listen.field,
          'bad-listen',
          `has ${JSON.stringify(part)}, which is left out`,
          'Write [address:]port/tcp or /udp, for example "8080/tcp, 127.0.0.1:9000/tcp".',
        );
        return [];
      }
      const protocol = name.toLowerCase() === 'udp' ? 'udp' : 'tcp';
      const container = ownerOf(draft.spec.containers, protocol, port) ?? first;
      return container
        ? [
            {
              container: container.name,
              protocol,
              ip,
              port,
              evidence: 'annotation',
              place: listen.place,
            },
          ]
        : [];
    });
  return { rows, unlisted: 'refused' };
};

/** Two containers share one port space: the second to bind fails. */
const declaredRows = (draft: PodDraft): Listener[] => {
  const rows: Listener[] = [];
  for (const container of inOrderOfStart(draft.spec.containers)) {
    for (const { port, protocol } of container.ports) {
      if (protocol === 'sctp') continue;
      const holder = rows.find((row) => row.port === port && row.protocol === protocol);
      if (holder && holder.container !== container.name)
        warn(
          draft.field,
          'port-clash',
          `has two containers on port ${port}/${protocol}, which they share: ${holder.container} holds it, ${container.name} cannot bind it`,
        );
      if (holder) continue;
      rows.push({
        container: container.name,
        protocol,
        ip: ANY,
        port,
        evidence: 'containerPort',
        ...(container.place && { place: container.place }),
      });
    }
  }
  return rows;
};

const has = (rows: readonly Listener[], protocol: string, port: number): boolean =>
  rows.some((row) => row.port === port && row.protocol === protocol);

/**
 * The listeners of one Pod. The annotation is exact; otherwise declared ports, then probe ports,
 * then numeric targetPorts of the Services that select the Pod, each of them assumed to listen.
 * A Pod that shows no port at all is assumed to listen on whatever it is asked for.
 * @param services those that select the Pod, in the order of their names
 */
export const listenersOf = (draft: PodDraft, services: readonly ServiceObject[]): Listeners => {
  if (draft.listen) return readAnnotation(draft, draft.listen);
  const rows = declaredRows(draft);
  for (const { container, port, place } of draft.spec.probes) {
    if (!has(rows, 'tcp', port))
      rows.push({ container, protocol: 'tcp', ip: ANY, port, evidence: 'probe', place });
  }
  const [first] = draft.spec.containers;
  for (const service of services) {
    if (!first) continue;
    for (const { protocol, targetPort } of service.ports) {
      if (protocol === 'sctp' || typeof targetPort !== 'number') continue;
      if (has(rows, protocol, targetPort)) continue;
      rows.push({
        container: first.name,
        protocol,
        ip: ANY,
        port: targetPort,
        evidence: 'service',
        place: service.place,
      });
    }
  }
  const shows = rows.length > 0 || draft.spec.containers.some(({ ports }) => ports.length > 0);
  return { rows, unlisted: shows ? 'unknown' : 'assumed-open' };
};
