/** The order in which `ipset -sorted` puts members: by their parts as numbers. */
import { ipv4ToNumber } from '../../wire/ip.ts';

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 };

const GROUPS = 8;

const groupsOf = (ip: string): readonly number[] => {
  const [head = '', tail] = ip.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const none = Array.from({ length: GROUPS - before.length - after.length }, () => '0');
  return [...before, ...none, ...after].map((group) => Number.parseInt(group, 16));
};

/** A part of a member as numbers: an address with its length (longer nets first), `tcp:80`, a port. */
const partKey = (part: string): readonly number[] => {
  const [protocol = '', port] = part.split(':');
  const known = PROTOCOLS[protocol];
  if (known !== undefined) return [known, Number(port)];
  if (/^\d+$/.test(part)) return [Number(part)];
  const [ip = '', prefix] = part.split('/');
  const address = ip.includes(':') ? groupsOf(ip) : [ipv4ToNumber(ip)];
  return [...address, prefix === undefined ? Number.NEGATIVE_INFINITY : -Number(prefix)];
};

const keyOf = (member: string): readonly number[] => member.split(',').flatMap(partKey);

const compare = (a: readonly number[], b: readonly number[]): number => {
  for (const [at, one] of a.entries()) {
    const other = b[at] ?? 0;
    if (one !== other) return one < other ? -1 : 1;
  }
  return 0;
};

/** Members of one set in that order. */
export const sortMembers = (members: Iterable<string>): string[] =>
  [...members]
    .map((member) => ({ member, key: keyOf(member) }))
    .sort((a, b) => compare(a.key, b.key))
    .map(({ member }) => member);
