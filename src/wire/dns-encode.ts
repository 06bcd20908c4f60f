/**
 * DNS messages to bytes. Names are written whole, as CoreDNS does where the message fits; compressed,
 * the owners of records that are the question's name are written as a pointer to it.
 */
import {
  DNS_RCODE,
  DNS_TYPE,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  isDnsName,
} from './dns.ts';
import { ipv4ToNumber } from './ip.ts';
import type { Opaque } from './packet.ts';
import { ipv6ToBytes } from './parse-ip.ts';

const CLASS_IN = 1;

const u16 = (value: number): number[] => [(value >>> 8) & 255, value & 255];
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
const ascii = (text: string): number[] => [...text].map((char) => char.charCodeAt(0));

const nameBytes = (name: string): number[] => {
  if (name === '') return [0];
  if (!isDnsName(name)) throw new RangeError(`${JSON.stringify(name)} is no name`);
  return [...name.split('.').flatMap((label) => [label.length, ...ascii(label)]), 0];
};

const MOST_TEXT = 255;

const dataBytes = (record: DnsRecord): number[] => {
  switch (record.type) {
    case 'A':
      return u32(ipv4ToNumber(record.address));
    case 'AAAA':
      return [...ipv6ToBytes(record.address)];
    case 'CNAME':
    case 'PTR':
      return nameBytes(record.target);
    case 'TXT':
      if (record.text.length > MOST_TEXT) throw new RangeError('a text of more than 255 bytes');
      return [record.text.length, ...ascii(record.text)];
    case 'SRV':
      return [
        ...u16(record.priority),
        ...u16(record.weight),
        ...u16(record.port),
        ...nameBytes(record.target),
      ];
    case 'SOA':
      return [
        ...nameBytes(record.mname),
        ...nameBytes(record.rname),
        ...[record.serial, record.refresh, record.retry, record.expire, record.minimum].flatMap(
          u32,
        ),
      ];
    default: {
      const never: never = record;
      throw new TypeError(`not a record: ${never}`);
    }
  }
};

const questionBytes = ({ name, type }: DnsQuestion): number[] => [
  ...nameBytes(name),
  ...u16(DNS_TYPE[type]),
  ...u16(CLASS_IN),
];

/** A pointer to the name of the question, which comes right behind the header. */
const QUESTION = [0xc0, 12];

const recordBytes = (record: DnsRecord, question: string | undefined): number[] => {
  const data = dataBytes(record);
  return [
    ...(record.name === question ? QUESTION : nameBytes(record.name)),
    ...u16(DNS_TYPE[record.type]),
    ...u16(CLASS_IN),
    ...u32(record.ttl),
    ...u16(data.length),
    ...data,
  ];
};

const flagsOf = (message: DnsMessage): number =>
  (message.response ? 0x8000 : 0) |
  (message.authoritative ? 0x0400 : 0) |
  (message.truncated ? 0x0200 : 0) |
  (message.recursionDesired ? 0x0100 : 0) |
  (message.recursionAvailable ? 0x0080 : 0) |
  DNS_RCODE[message.rcode];

/**
 * A message as it travels in UDP.
 * @throws {RangeError} for a name or an address that cannot be written
 */
export const encodeDns = (message: DnsMessage, compressed = false): Uint8Array => {
  const { answers, authority, additional } = message;
  const bytes = [
    ...u16(message.id),
    ...u16(flagsOf(message)),
    ...u16(1),
    ...u16(answers.length),
    ...u16(authority.length),
    ...u16(additional.length),
    ...questionBytes(message.question),
    ...[...answers, ...authority, ...additional].flatMap((record) =>
      recordBytes(record, compressed ? message.question.name : undefined),
    ),
  ];
  return Uint8Array.from(bytes);
};

/** What a message in UDP may be long without EDNS (RFC 1035 section 4.2.1). */
export const DNS_UDP_LENGTH = 512;

/**
 * A message as what a UDP header carries: its bytes, and what they say. Names are compressed only
 * where it would not fit otherwise (Truncate of github.com/miekg/dns).
 */
export const dnsPayload = (dns: DnsMessage): Opaque => {
  const whole = encodeDns(dns);
  const bytes = whole.length > DNS_UDP_LENGTH ? encodeDns(dns, true) : whole;
  return { type: 'data', length: bytes.length, bytes, dns };
};
