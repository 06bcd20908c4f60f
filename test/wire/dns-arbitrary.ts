/** Random DNS messages for properties. */
import fc from 'fast-check';
import {
  DNS_RCODE,
  DNS_TYPE,
  type DnsData,
  type DnsMessage,
  type DnsRcode,
  type DnsRecord,
  type DnsType,
} from '../../src/wire/dns.ts';
import { bytesToIpv6 } from '../../src/wire/parse-ip.ts';

const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const name = fc
  .array(fc.stringMatching(/^[a-z0-9_-]{1,12}$/), { maxLength: 5 })
  .map((labels) => labels.join('.'));

const only = <const Type extends DnsType>(type: Type): fc.Arbitrary<Type> => fc.constant(type);

const data: fc.Arbitrary<DnsData> = fc.oneof(
  fc.record({ type: only('A'), address: fc.ipV4() }),
  fc.record({
    type: only('AAAA'),
    address: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytesToIpv6),
  }),
  fc.record({ type: only('CNAME'), target: name }),
  fc.record({ type: only('PTR'), target: name }),
  fc.record({ type: only('TXT'), text: fc.stringMatching(/^[ -~]{0,60}$/) }),
  fc.record({ type: only('SRV'), priority: uint16, weight: uint16, port: uint16, target: name }),
  fc.record({
    type: only('SOA'),
    mname: name,
    rname: name,
    serial: uint32,
    refresh: uint32,
    retry: uint32,
    expire: uint32,
    minimum: uint32,
  }),
);

const record: fc.Arbitrary<DnsRecord> = fc
  .tuple(data, name, uint32)
  .map(([value, owner, ttl]) => ({ ...value, name: owner, ttl }));

const records = fc.array(record, { maxLength: 3 });

export const dnsMessage: fc.Arbitrary<DnsMessage> = fc.record({
  id: uint16,
  response: fc.boolean(),
  authoritative: fc.boolean(),
  truncated: fc.boolean(),
  recursionDesired: fc.boolean(),
  recursionAvailable: fc.boolean(),
  rcode: fc.constantFrom(...(Object.keys(DNS_RCODE) as DnsRcode[])),
  question: fc.record({
    name,
    type: fc.constantFrom(...(Object.keys(DNS_TYPE) as DnsType[])),
  }),
  answers: records,
  authority: records,
  additional: records,
});
