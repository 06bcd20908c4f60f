/** Bytes to DNS messages, with compressed names (RFC 1035 section 4.1.4). */
import { DecodeError } from './decode-error.ts';
import {
  DNS_RCODE,
  DNS_TYPE,
  type DnsData,
  type DnsMessage,
  type DnsQuestion,
  type DnsRcode,
  type DnsRecord,
  type DnsType,
} from './dns.ts';
import { numberToIpv4 } from './ip.ts';
import { bytesToIpv6 } from './parse-ip.ts';

const CLASS_IN = 1;
const HEADER = 12;
const POINTER = 0xc0;
const OPCODE = 0x7800;
/** Z, AD and CD: a message that has one says more than a value holds. */
const OTHER_FLAGS = 0x0070;

const TYPE_OF: ReadonlyMap<number, DnsType> = new Map(
  Object.entries(DNS_TYPE).map(([type, number]) => [number, type as DnsType]),
);
const RCODE_OF: ReadonlyMap<number, DnsRcode> = new Map(
  Object.entries(DNS_RCODE).map(([rcode, number]) => [number, rcode as DnsRcode]),
);

interface Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
}

const fail = (what: string): never => {
  throw new DecodeError(what);
};

const need = ({ bytes, at }: Reader, length: number): void => {
  if (at + length > bytes.length) fail('DNS message that ends too early');
};

const readU16 = (reader: Reader): number => {
  need(reader, 2);
  const value = reader.view.getUint16(reader.at);
  reader.at += 2;
  return value;
};

const readU32 = (reader: Reader): number => {
  need(reader, 4);
  const value = reader.view.getUint32(reader.at);
  reader.at += 4;
  return value;
};

/** A name; pointers lead to earlier names only, so that none is followed for ever. */
const readName = (reader: Reader): string => {
  const { bytes } = reader;
  const labels: string[] = [];
  let at = reader.at;
  let end: number | undefined;
  let earliest = at;
  for (;;) {
    const length = bytes[at] ?? fail('DNS name that ends too early');
    if (length === 0) break;
    if (length >= POINTER) {
      const low = bytes[at + 1] ?? fail('DNS name that ends too early');
      const target = (length - POINTER) * 256 + low;
      end ??= at + 2;
      if (target >= earliest) fail('DNS name that points forward');
      earliest = target;
      at = target;
      continue;
    }
    if (length > 63) fail(`DNS label type ${length >>> 6}`);
    const label = bytes.subarray(at + 1, at + 1 + length);
    if (label.length < length) fail('DNS name that ends too early');
    labels.push(String.fromCharCode(...label));
    at += 1 + length;
  }
  reader.at = end ?? at + 1;
  return labels.join('.');
};

const typeOf = (number: number): DnsType => TYPE_OF.get(number) ?? fail(`DNS type ${number}`);

const readQuestion = (reader: Reader): DnsQuestion => {
  const name = readName(reader);
  const type = typeOf(readU16(reader));
  if (readU16(reader) !== CLASS_IN) fail('DNS class other than IN');
  return { name, type };
};

const readData = (reader: Reader, type: DnsType, length: number): DnsData => {
  switch (type) {
    case 'A':
      return { type, address: numberToIpv4(readU32(reader)) };
    case 'AAAA': {
      need(reader, 16);
      const address = bytesToIpv6(reader.bytes.subarray(reader.at, reader.at + 16));
      reader.at += 16;
      return { type, address };
    }
    case 'CNAME':
    case 'PTR':
      return { type, target: readName(reader) };
    case 'TXT': {
      const size = reader.bytes[reader.at] ?? fail('DNS text that ends too early');
      if (size + 1 !== length) fail('DNS text of several parts');
      need(reader, length);
      const text = String.fromCharCode(
        ...reader.bytes.subarray(reader.at + 1, reader.at + 1 + size),
      );
      reader.at += length;
      return { type, text };
    }
    case 'SRV':
      return {
        type,
        priority: readU16(reader),
        weight: readU16(reader),
        port: readU16(reader),
        target: readName(reader),
      };
    case 'SOA':
      return {
        type,
        mname: readName(reader),
        rname: readName(reader),
        serial: readU32(reader),
        refresh: readU32(reader),
        retry: readU32(reader),
        expire: readU32(reader),
        minimum: readU32(reader),
      };
    default: {
      const never: never = type;
      return never;
    }
  }
};

const readRecord = (reader: Reader): DnsRecord => {
  const { name, type } = readQuestion(reader);
  const ttl = readU32(reader);
  const length = readU16(reader);
  const end = reader.at + length;
  need(reader, length);
  const data = readData(reader, type, length);
  if (reader.at !== end) fail('DNS record of another length than it says');
  return { ...data, name, ttl };
};

const readRecords = (reader: Reader, count: number): DnsRecord[] => {
  const records: DnsRecord[] = [];
  for (let n = 0; n < count; n++) records.push(readRecord(reader));
  return records;
};

/**
 * A message as it came out of UDP.
 * @throws {DecodeError} for what `dns.ts` has no value for (other classes, types and opcodes, EDNS,
 *   several questions), and for bytes that are cut off or broken
 */
export const decodeDns = (bytes: Uint8Array): DnsMessage => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader: Reader = { bytes, view, at: 0 };
  need(reader, HEADER);
  const id = readU16(reader);
  const flags = readU16(reader);
  if ((flags & (OPCODE | OTHER_FLAGS)) !== 0) fail('DNS flags that are not modelled');
  if (readU16(reader) !== 1) fail('DNS message without exactly one question');
  const counts = [readU16(reader), readU16(reader), readU16(reader)] as const;
  const question = readQuestion(reader);
  const [answers, authority, additional] = [
    readRecords(reader, counts[0]),
    readRecords(reader, counts[1]),
    readRecords(reader, counts[2]),
  ];
  if (reader.at !== bytes.length) fail('bytes behind a DNS message');
  return {
    id,
    response: (flags & 0x8000) !== 0,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionDesired: (flags & 0x0100) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    rcode: RCODE_OF.get(flags & 15) ?? fail(`DNS response code ${flags & 15}`),
    question,
    answers,
    authority,
    additional,
  };
};
