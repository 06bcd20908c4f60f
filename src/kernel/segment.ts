/** A shared wire: who on it has a MAC or answers for an address, and what it loses. */
import type { Ip, Mac } from '../wire/packet.ts';
import type { Attachment, NetnsId, Segment, WireCut } from './world.ts';

interface SegmentIndex {
  readonly byMac: ReadonlyMap<Mac, readonly Attachment[]>;
  readonly byIp: ReadonlyMap<Ip, readonly Attachment[]>;
  readonly byDevice: ReadonlyMap<string, Attachment>;
  readonly proxies: readonly Attachment[];
}

const NOBODY: readonly Attachment[] = [];
const indexes = new WeakMap<readonly Attachment[], SegmentIndex>();

const deviceKey = (netns: NetnsId, ifname: string): string => `${netns} ${ifname}`;

const put = (index: Map<string, Attachment[]>, key: string, attachment: Attachment): void => {
  const same = index.get(key);
  if (same) same.push(attachment);
  else index.set(key, [attachment]);
};

const indexOf = ({ attachments }: Segment): SegmentIndex => {
  const known = indexes.get(attachments);
  if (known) return known;
  const byMac = new Map<Mac, Attachment[]>();
  const byIp = new Map<Ip, Attachment[]>();
  const byDevice = new Map<string, Attachment>();
  for (const attachment of attachments) {
    put(byMac, attachment.mac, attachment);
    for (const ip of attachment.ips) put(byIp, ip, attachment);
    byDevice.set(deviceKey(attachment.netns, attachment.ifname), attachment);
  }
  const proxies = attachments.filter((attachment) => attachment.proxies);
  const index = { byMac, byIp, byDevice, proxies };
  indexes.set(attachments, index);
  return index;
};

/** Whoever has the MAC: nobody, one, or several when it was given twice. */
export const attachmentsByMac = (segment: Segment, mac: Mac): readonly Attachment[] =>
  indexOf(segment).byMac.get(mac) ?? NOBODY;

/** Whoever may answer an ARP request for the address on this wire: its owners, then proxies. */
export const attachmentsByIp = (segment: Segment, ip: Ip): readonly Attachment[] => {
  const { byIp, proxies } = indexOf(segment);
  const owners = byIp.get(ip) ?? NOBODY;
  return proxies.length === 0
    ? owners
    : [...owners, ...proxies.filter((proxy) => !owners.includes(proxy))];
};

/** The attachment of one device; undefined when it is not plugged in here. */
export const attachmentOf = (
  segment: Segment,
  netns: NetnsId,
  ifname: string,
): Attachment | undefined => indexOf(segment).byDevice.get(deviceKey(netns, ifname));

/** What a cut can tell packets apart by. Frames without IP (ARP) have neither. */
export interface CutFlow {
  readonly protocol?: 'tcp' | 'udp' | 'icmp';
  /** Destination port. */
  readonly port?: number;
}

/**
 * The first cut that loses a frame on its way from one host to another. Cuts have a direction: a
 * wire that is cut both ways has two.
 */
export const cutBetween = (
  segment: Segment,
  from: string,
  to: string,
  flow: CutFlow,
): WireCut | undefined =>
  segment.cuts.find(
    (cut) =>
      cut.from === from &&
      cut.to === to &&
      (cut.drop === 'all' ||
        (cut.drop.protocol === flow.protocol &&
          (cut.drop.port === undefined || cut.drop.port === flow.port))),
  );
