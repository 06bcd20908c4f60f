/** Neutral names of the DNS: label by label, so that what a search list joins stays joined. */
import { isBelow } from '../wire/dns.ts';
import { isIpv4 } from '../wire/ip.ts';
import type { AddressMap } from './neutral-address.ts';
import type { Names } from './neutral-name.ts';

const PROTOCOLS = ['_tcp', '_udp', '_sctp'];

const reversed = (ip: string): string => ip.split('.').reverse().join('.');

/** `11.1.244.10.in-addr.arpa`: the address of a reverse name. */
const addressAsked = (name: string): { readonly ip: string; readonly rest: string } | undefined => {
  const [, written = '', rest = ''] = /^((?:\d+\.){3}\d+)(\..*)$/.exec(name) ?? [];
  const ip = reversed(written);
  return isBelow(name, 'in-addr.arpa') && isIpv4(ip) ? { ip, rest } : undefined;
};

export const neutralDnsName = (name: string, names: Names, addresses: AddressMap): string => {
  const asked = addressAsked(name);
  if (asked) return `${reversed(addresses.ip(asked.ip))}${asked.rest}`;
  return name
    .split('.')
    .map((label) => {
      const ip = label.replaceAll('-', '.');
      // `10-244-1-11.shop.pod.cluster.local`.
      if (!label.includes('.') && isIpv4(ip)) return addresses.ip(ip).replaceAll('.', '-');
      if (label === '' || PROTOCOLS.includes(label)) return label;
      return label.startsWith('_') ? `_${names.port(label.slice(1))}` : names.label(label);
    })
    .join('.');
};
