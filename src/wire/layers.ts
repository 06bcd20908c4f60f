/** A frame as the trace shows it: one flat list of headers with exact lengths. */
import { ipv4Length, l4Length } from './length.ts';
import type { Ethernet, Icmp, Ipv4, Layer, Opaque, Tcp, Udp } from './packet.ts';

/**
 * The name of what an IPv4 header carries: `tcp`, `udp`, `icmp`, or the protocol number in decimal
 * for data nobody looks into.
 */
export const protocolName = (packet: Ipv4): string =>
  packet.payload.type === 'data' ? String(packet.protocol ?? 0) : packet.payload.type;

const pushData = (layers: Layer[], data: Opaque): void => {
  const { length, dns } = data;
  if (dns === undefined) {
    if (length > 0) layers.push({ type: 'data', length });
    return;
  }
  const { id, response, rcode, answers, question } = dns;
  layers.push({
    type: 'dns',
    id,
    response,
    name: question.name,
    question: question.type,
    ...(response && { rcode, answers: answers.length }),
    length,
  });
};

const pushTcp = (layers: Layer[], tcp: Tcp): void => {
  const mss = tcp.options.find((option) => option.kind === 'mss')?.mss;
  layers.push({
    type: 'tcp',
    sport: tcp.sport,
    dport: tcp.dport,
    flags: [...tcp.flags],
    ...(mss !== undefined && { mss }),
    length: l4Length(tcp),
  });
  pushData(layers, tcp.payload);
};

const pushUdp = (layers: Layer[], udp: Udp): void => {
  layers.push({ type: 'udp', sport: udp.sport, dport: udp.dport, length: l4Length(udp) });
  if (udp.payload.type === 'vxlan') {
    layers.push({ type: 'vxlan', vni: udp.payload.vni });
    pushFrame(layers, udp.payload.payload);
  } else {
    pushData(layers, udp.payload);
  }
};

const pushIcmp = (layers: Layer[], icmp: Icmp): void => {
  layers.push({
    type: 'icmp',
    kind: icmp.kind,
    code: icmp.code,
    ...(icmp.id !== undefined && { id: icmp.id }),
    ...(icmp.seq !== undefined && { seq: icmp.seq }),
    ...(icmp.mtu !== undefined && { mtu: icmp.mtu }),
    length: l4Length(icmp),
    ...(icmp.original && { original: ipv4Layers(icmp.original) }),
  });
  pushData(layers, icmp.payload);
};

const pushIpv4 = (layers: Layer[], packet: Ipv4): void => {
  layers.push({
    type: 'ipv4',
    src: packet.src,
    dst: packet.dst,
    ttl: packet.ttl,
    protocol: protocolName(packet),
    df: packet.df,
    length: ipv4Length(packet),
  });
  const { payload } = packet;
  switch (payload.type) {
    case 'tcp':
      pushTcp(layers, payload);
      break;
    case 'udp':
      pushUdp(layers, payload);
      break;
    case 'icmp':
      pushIcmp(layers, payload);
      break;
    case 'data':
      pushData(layers, payload);
      break;
    default: {
      const never: never = payload;
      throw new TypeError(`not a payload: ${never}`);
    }
  }
};

const pushFrame = (layers: Layer[], frame: Ethernet): void => {
  layers.push({ type: 'ethernet', src: frame.src, dst: frame.dst });
  const { payload } = frame;
  if (payload.type === 'arp') {
    const { op, sha, spa, tha, tpa } = payload;
    layers.push({ type: 'arp', op, sha, spa, tha, tpa });
  } else {
    pushIpv4(layers, payload);
  }
};

/**
 * The headers of a packet that is not in a frame, e.g. one that netfilter sees. `length` of ipv4
 * is the total length; of tcp, udp and icmp it is header and contents, in bytes. A `data` layer
 * appears where there is at least one byte of it.
 */
export const ipv4Layers = (packet: Ipv4): Layer[] => {
  const layers: Layer[] = [];
  pushIpv4(layers, packet);
  return layers;
};

/** The headers of a frame, outermost first; those in a VXLAN follow it. Lengths as `ipv4Layers`. */
export const layersOf = (frame: Ethernet): Layer[] => {
  const layers: Layer[] = [];
  pushFrame(layers, frame);
  return layers;
};
