import { describe, expect, it } from 'vitest';
import type { EndpointSlice, Service, SliceEndpoint } from '../../../src/cluster/cluster.ts';
import { answerOf, createZone } from '../../../src/cluster/dns/zone.ts';
import type { DnsType } from '../../../src/wire/dns.ts';

const service = (name: string, more: Partial<Service> = {}): Service => ({
  namespace: 'shop',
  name,
  type: 'ClusterIP',
  headless: false,
  selector: {},
  clusterIPs: [{ ip: '10.96.0.20', family: 4, invented: false }],
  ports: [{ name: 'http', port: 80, protocol: 'tcp', targetPort: 8080 }],
  externalIPs: [],
  ingress: [],
  sourceRanges: [],
  externalTrafficPolicy: 'Cluster',
  internalTrafficPolicy: 'Cluster',
  publishNotReadyAddresses: false,
  slices: [],
  ...more,
});

const endpoint = (address: string, more: Partial<SliceEndpoint> = {}): SliceEndpoint => ({
  address,
  ready: true,
  serving: true,
  terminating: false,
  ...more,
});

const slice = (...endpoints: SliceEndpoint[]): EndpointSlice => ({
  name: 'db-1',
  family: 4,
  source: 'computed',
  ports: [{ name: 'sql', port: 5432, protocol: 'tcp' }],
  endpoints,
});

const zone = createZone({
  services: [
    service('web'),
    service('db', {
      headless: true,
      clusterIPs: [],
      slices: [
        slice(
          endpoint('10.244.1.5', { hostname: 'db-0' }),
          endpoint('10.244.2.5'),
          endpoint('10.244.2.6', { hostname: 'db-2', ready: false }),
        ),
      ],
    }),
    service('empty', { headless: true, clusterIPs: [] }),
    service('alias', {
      type: 'ExternalName',
      clusterIPs: [],
      externalName: 'web.shop.svc.cluster.local',
    }),
    service('out', { type: 'ExternalName', clusterIPs: [], externalName: 'db.example.com.' }),
    service('dead', {
      type: 'ExternalName',
      clusterIPs: [],
      externalName: 'no.shop.svc.cluster.local',
    }),
    service('loop', {
      type: 'ExternalName',
      clusterIPs: [],
      externalName: 'loop.shop.svc.cluster.local',
    }),
    service('literal', { type: 'ExternalName', clusterIPs: [], externalName: '192.0.2.1' }),
  ],
  namespaces: ['default', 'shop', 'bare'],
  dnsAddresses: ['10.96.0.10'],
});

/** `NOERROR 10.96.0.20`: the code, and what the answers say. */
const ask = (name: string, type: DnsType = 'A'): string => {
  const answer = answerOf(zone, { name, type });
  const said = answer.answers.map((one) => {
    switch (one.type) {
      case 'A':
      case 'AAAA':
        return one.address;
      case 'SRV':
        return `${one.weight} ${one.port} ${one.target}`;
      case 'TXT':
        return one.text;
      case 'SOA':
        return one.mname;
      default:
        return one.target;
    }
  });
  return [answer.kind === 'answer' ? answer.rcode : `forward ${answer.name}`, ...said].join(' ');
};

const LOCAL = 'cluster.local';

describe('the zone of a cluster', () => {
  it.each([
    ['a Service by its ClusterIP', `web.shop.svc.${LOCAL}`, 'A', 'NOERROR 10.96.0.20'],
    ['in any case', `Web.SHOP.svc.${LOCAL.toUpperCase()}`, 'A', 'NOERROR 10.96.0.20'],
    ['no AAAA where there is no IPv6', `web.shop.svc.${LOCAL}`, 'AAAA', 'NOERROR'],
    ['no such Service', `web.default.svc.${LOCAL}`, 'A', 'NXDOMAIN'],
    ['no such namespace', `web.shpo.svc.${LOCAL}`, 'A', 'NXDOMAIN'],
    ['a namespace', `bare.svc.${LOCAL}`, 'A', 'NOERROR'],
    ['svc itself', `svc.${LOCAL}`, 'A', 'NOERROR'],
    ['neither svc nor pod', `web.${LOCAL}`, 'A', 'NXDOMAIN'],
    ['too many labels', `a.b.c.web.shop.svc.${LOCAL}`, 'A', 'NXDOMAIN'],
    [
      'a headless Service by its ready endpoints',
      `db.shop.svc.${LOCAL}`,
      'A',
      'NOERROR 10.244.1.5 10.244.2.5',
    ],
    ['a headless Service of nobody', `empty.shop.svc.${LOCAL}`, 'A', 'NXDOMAIN'],
    ['an endpoint by its host name', `db-0.db.shop.svc.${LOCAL}`, 'A', 'NOERROR 10.244.1.5'],
    ['an endpoint by its address', `10-244-2-5.db.shop.svc.${LOCAL}`, 'A', 'NOERROR 10.244.2.5'],
    ['an endpoint that is not ready', `db-2.db.shop.svc.${LOCAL}`, 'A', 'NXDOMAIN'],
    ['a Pod by any address', `10-244-1-99.shop.pod.${LOCAL}`, 'A', 'NOERROR 10.244.1.99'],
    ['a Pod by its name', `db-0.shop.pod.${LOCAL}`, 'A', 'NXDOMAIN'],
    [
      'a CNAME in the zone',
      `alias.shop.svc.${LOCAL}`,
      'A',
      `NOERROR web.shop.svc.${LOCAL} 10.96.0.20`,
    ],
    [
      'a CNAME out of the zone',
      `out.shop.svc.${LOCAL}`,
      'A',
      'forward db.example.com db.example.com',
    ],
    ['a CNAME to nobody', `dead.shop.svc.${LOCAL}`, 'A', 'NOERROR'],
    ['a CNAME to itself', `loop.shop.svc.${LOCAL}`, 'A', 'NOERROR'],
    ['an ExternalName that is an address', `literal.shop.svc.${LOCAL}`, 'A', 'NXDOMAIN'],
    [
      'a port of a Service',
      `_http._tcp.web.shop.svc.${LOCAL}`,
      'SRV',
      `NOERROR 100 80 web.shop.svc.${LOCAL}`,
    ],
    ['a port of another protocol', `_http._udp.web.shop.svc.${LOCAL}`, 'SRV', 'NXDOMAIN'],
    [
      'a port of a headless Service',
      `_sql._tcp.db.shop.svc.${LOCAL}`,
      'SRV',
      `NOERROR 50 5432 db-0.db.shop.svc.${LOCAL} 50 5432 10-244-2-5.db.shop.svc.${LOCAL}`,
    ],
    ['who has a ClusterIP', '20.0.96.10.in-addr.arpa', 'PTR', `NOERROR web.shop.svc.${LOCAL}`],
    [
      'who has an endpoint’s address',
      '5.1.244.10.in-addr.arpa',
      'PTR',
      `NOERROR db-0.db.shop.svc.${LOCAL}`,
    ],
    [
      'whose address nobody has',
      '9.1.244.10.in-addr.arpa',
      'PTR',
      'forward 9.1.244.10.in-addr.arpa',
    ],
    ['a name outside', 'example.com', 'A', 'forward example.com'],
    ['the name server itself', `ns.dns.${LOCAL}`, 'A', 'NOERROR 10.96.0.10'],
    ['the version of the specification', `dns-version.${LOCAL}`, 'TXT', 'NOERROR 1.1.0'],
  ] as const)('knows %s', (_, name, type, expected) => {
    expect(ask(name, type)).toBe(expected);
  });

  it('says for how long there is nothing', () => {
    const answer = answerOf(zone, { name: `no.shop.svc.${LOCAL}`, type: 'A' });
    expect(answer.kind === 'answer' && answer.authority).toMatchObject([{ type: 'SOA', ttl: 30 }]);
  });
});
