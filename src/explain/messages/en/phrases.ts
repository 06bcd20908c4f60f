/** What sentences of every kind are made with. */
import type { DnsRecord } from '../../../wire/dns.ts';

export const list = (items: readonly string[]): string => {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
};

export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n} ${n === 1 ? one : many}`;

/** `10.244.1.1 (cni0 of node-1)`. */
export const named = (
  ip: string,
  { nameOf }: { nameOf(ip: string): string | undefined },
): string => {
  const name = nameOf(ip);
  return name === undefined ? ip : `${ip} (${name})`;
};

/** What a record of DNS says: `10.96.0.20`, `CNAME web.example`, `SRV 80 web.shop.svc.cluster.local`. */
export const recordText = (record: DnsRecord): string => {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.address;
    case 'CNAME':
    case 'PTR':
      return `${record.type} ${record.target}`;
    case 'TXT':
      return `TXT ${JSON.stringify(record.text)}`;
    case 'SRV':
      return `SRV ${record.port} ${record.target}`;
    case 'SOA':
      return `SOA ${record.mname}`;
    default:
      return record satisfies never;
  }
};
