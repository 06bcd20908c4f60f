/**
 * Messages of the Domain Name System (RFC 1035, RFC 2782 for SRV, RFC 3596 for AAAA), as values.
 *
 * Names are text without the dot at their end (`web.shop.svc.cluster.local`; the root is empty),
 * in the case in which they were written. `sameName` compares them as resolvers do.
 */
export const DNS_PORT = 53;

/** Types of records that are modelled, with their numbers (IANA). */
export const DNS_TYPE = { A: 1, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33 } as const;

export type DnsType = keyof typeof DNS_TYPE;

/** Response codes (RFC 1035 section 4.1.1), spelled as dig prints them. */
export const DNS_RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
} as const;

export type DnsRcode = keyof typeof DNS_RCODE;

export interface DnsQuestion {
  readonly name: string;
  readonly type: DnsType;
}

/** IPv4 addresses are canonical; names are as they were written. */
export type DnsData =
  | { readonly type: 'A'; readonly address: string }
  /** Canonical text (RFC 5952). */
  | { readonly type: 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME'; readonly target: string }
  | { readonly type: 'PTR'; readonly target: string }
  | { readonly type: 'TXT'; readonly text: string }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | {
      readonly type: 'SOA';
      readonly mname: string;
      readonly rname: string;
      readonly serial: number;
      readonly refresh: number;
      readonly retry: number;
      readonly expire: number;
      readonly minimum: number;
    };

/** A record of class IN; `ttl` in seconds. */
export type DnsRecord = DnsData & { readonly name: string; readonly ttl: number };

export interface DnsMessage {
  readonly id: number;
  readonly response: boolean;
  /** AA, TC, RD, RA. */
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly rcode: DnsRcode;
  readonly question: DnsQuestion;
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

/** Names are compared without regard to the case of ASCII letters (RFC 4343). */
export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Whether a name is a domain, or lies below it. */
export const isBelow = (name: string, domain: string): boolean => {
  const [below, above] = [name.toLowerCase(), domain.toLowerCase()];
  return below === above || below.endsWith(`.${above}`);
};

const MAX_LABEL = 63;
/** 255 bytes on the wire are 253 characters of text. */
const MAX_NAME = 253;

/** Whether a text can be asked for at all: labels of 1 to 63 bytes, 255 bytes in all. */
export const isDnsName = (name: string): boolean =>
  name.length <= MAX_NAME &&
  /^[\x21-\x7e]+$/.test(name) &&
  name.split('.').every((label) => label.length > 0 && label.length <= MAX_LABEL);

/** The question of a resolver: one name, recursion desired. */
export const dnsQuery = (id: number, question: DnsQuestion): DnsMessage => ({
  id,
  response: false,
  authoritative: false,
  truncated: false,
  recursionDesired: true,
  recursionAvailable: false,
  rcode: 'NOERROR',
  question,
  answers: [],
  authority: [],
  additional: [],
});
