/** DNS messages that we encode, read by somebody else's decoder: tshark reads the same out of them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DNS_PORT, DNS_RCODE, DNS_TYPE, type DnsMessage, dnsQuery } from '../../src/wire/dns.ts';
import { encodeDns } from '../../src/wire/dns-encode.ts';
import { encodeEthernet } from '../../src/wire/encode.ts';
import { dnsMessage } from '../wire/dns-arbitrary.ts';
import { writePcap } from '../wire/pcap.ts';
import { missing } from './requirements.ts';

const lacking = missing(['tshark']).filter((what) => what !== 'root');

const FIELDS = [
  'dns.id',
  'dns.flags.response',
  'dns.flags.authoritative',
  'dns.flags.rcode',
  'dns.qry.name',
  'dns.qry.type',
  'dns.resp.name',
  'dns.resp.type',
  'dns.resp.ttl',
  'dns.a',
  'dns.aaaa',
  'dns.cname',
  'dns.srv.port',
  'dns.srv.target',
  'dns.ptr.domain_name',
  '_ws.malformed',
] as const;

type Decoded = Readonly<Record<(typeof FIELDS)[number], string>>;

const frameOf = (bytes: Uint8Array, response: boolean): Uint8Array =>
  encodeEthernet({
    type: 'ethernet',
    src: '02:00:00:00:00:01',
    dst: '02:00:00:00:00:02',
    payload: {
      type: 'ipv4',
      src: '10.0.0.1',
      dst: '10.0.0.2',
      ttl: 64,
      tos: 0,
      df: true,
      id: 0,
      payload: {
        type: 'udp',
        sport: response ? DNS_PORT : 40000,
        dport: response ? 40000 : DNS_PORT,
        payload: { type: 'data', length: bytes.length, bytes },
      },
    },
  });

/** What tshark reads, a row a message; several values of a field are joined by commas. */
const decoded = (messages: readonly DnsMessage[], compressed: boolean): Decoded[] => {
  const folder = mkdtempSync(join(tmpdir(), 'k8snet-dns-'));
  try {
    const file = join(folder, 'dns.pcap');
    const frames = messages.map((one) => frameOf(encodeDns(one, compressed), one.response));
    writeFileSync(file, writePcap(frames));
    const options = FIELDS.flatMap((field) => ['-e', field]);
    const text = execFileSync('tshark', ['-n', '-r', file, '-T', 'fields', ...options], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 * 2 ** 20,
    });
    const rows = text.split('\n').slice(0, -1);
    expect(rows).toHaveLength(messages.length);
    return rows.map((row) => {
      const values = row.split('\t');
      return Object.fromEntries(FIELDS.map((field, at) => [field, values[at] ?? ''])) as Decoded;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const NAME = 'web.shop.svc.cluster.local';

const answer = (
  name: string,
  type: DnsMessage['question']['type'],
  answers: DnsMessage['answers'],
): DnsMessage => ({
  ...dnsQuery(7, { name, type }),
  response: true,
  authoritative: true,
  recursionAvailable: true,
  answers,
});

const SOA: DnsMessage['authority'][number] = {
  type: 'SOA',
  name: 'cluster.local',
  ttl: 30,
  mname: 'ns.dns.cluster.local',
  rname: 'hostmaster.cluster.local',
  serial: 1,
  refresh: 7200,
  retry: 1800,
  expire: 86_400,
  minimum: 30,
};

/** A message, and what has to be read out of it. */
const CASES: readonly (readonly [what: string, message: DnsMessage, read: Partial<Decoded>])[] = [
  [
    'a query',
    dnsQuery(4711, { name: NAME, type: 'A' }),
    {
      'dns.id': '0x1267',
      'dns.flags.response': '0',
      'dns.qry.name': NAME,
      'dns.qry.type': '1',
      'dns.a': '',
    },
  ],
  [
    'two addresses',
    answer(NAME, 'A', [
      { type: 'A', name: NAME, ttl: 30, address: '10.244.1.2' },
      { type: 'A', name: NAME, ttl: 30, address: '10.244.2.2' },
    ]),
    {
      'dns.flags.response': '1',
      'dns.flags.authoritative': '1',
      'dns.resp.name': `${NAME},${NAME}`,
      'dns.resp.ttl': '30,30',
      'dns.a': '10.244.1.2,10.244.2.2',
    },
  ],
  [
    'an IPv6 address',
    answer(NAME, 'AAAA', [{ type: 'AAAA', name: NAME, ttl: 30, address: 'fd00:10:96::20' }]),
    { 'dns.qry.type': '28', 'dns.aaaa': 'fd00:10:96::20' },
  ],
  [
    'a port with its server',
    answer(`_http._tcp.${NAME}`, 'SRV', [
      {
        type: 'SRV',
        name: `_http._tcp.${NAME}`,
        ttl: 30,
        priority: 0,
        weight: 100,
        port: 8080,
        target: NAME,
      },
    ]),
    { 'dns.qry.type': '33', 'dns.srv.port': '8080', 'dns.srv.target': NAME },
  ],
  [
    'the name of an address',
    answer('20.0.96.10.in-addr.arpa', 'PTR', [
      { type: 'PTR', name: '20.0.96.10.in-addr.arpa', ttl: 30, target: NAME },
    ]),
    { 'dns.qry.type': '12', 'dns.ptr.domain_name': NAME },
  ],
  [
    'another name, and its address',
    answer('billing.default.svc.cluster.local', 'A', [
      { type: 'CNAME', name: 'billing.default.svc.cluster.local', ttl: 30, target: NAME },
      { type: 'A', name: NAME, ttl: 30, address: '10.96.0.20' },
    ]),
    { 'dns.resp.type': '5,1', 'dns.cname': NAME, 'dns.a': '10.96.0.20' },
  ],
  [
    'a name that does not exist',
    { ...answer('nope.cluster.local', 'A', []), rcode: 'NXDOMAIN', authority: [SOA] },
    { 'dns.flags.rcode': '3', 'dns.resp.name': 'cluster.local', 'dns.resp.type': '6' },
  ],
];

describe.skipIf(lacking.length > 0)(`tshark${lacking.length ? ` (lacks ${lacking})` : ''}`, () => {
  describe.each([
    ['as they are', false],
    ['compressed', true],
  ])('names %s', (_, compressed) => {
    it('reads what was written', () => {
      const rows = decoded(
        CASES.map(([, message]) => message),
        compressed,
      );
      for (const [at, [what, , read]] of CASES.entries())
        expect({ what, ...rows[at] }).toMatchObject({ what, ...read, '_ws.malformed': '' });
    });

    it('finds nothing wrong with random messages, and the same heads', () => {
      const messages = fc.sample(dnsMessage, { numRuns: 500, seed: 53 });
      const rows = decoded(messages, compressed);
      for (const [at, { id, response, rcode, question }] of messages.entries())
        expect(rows[at]).toMatchObject({
          'dns.id': `0x${id.toString(16).padStart(4, '0')}`,
          'dns.flags.response': response ? '1' : '0',
          'dns.flags.rcode': response ? String(DNS_RCODE[rcode]) : '',
          'dns.qry.type': String(DNS_TYPE[question.type]),
          '_ws.malformed': '',
        });
    });
  });
});
