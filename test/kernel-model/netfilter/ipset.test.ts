import { describe, expect, it } from 'vitest';
import {
  cloneIpSets,
  type IpSetDirs,
  IpSetError,
  type IpSetSpec,
  ipsetAdd,
  ipsetAsked,
  ipsetCreate,
  ipsetTest,
} from '../../../src/kernel/netfilter/ipset.ts';
import type { Ipv4 } from '../../../src/wire/packet.ts';
import { icmp, tcp, udp } from './bench-router.ts';

const set = (
  type: IpSetSpec['type'],
  members: readonly string[],
  more: Partial<IpSetSpec> = {},
) => {
  const made = ipsetCreate(new Map(), { name: 'S', type, ...more });
  for (const member of members) {
    const [text = '', nomatch] = member.split(' ');
    ipsetAdd(made, text, nomatch ? { nomatch: true } : {});
  }
  return made;
};

const web = tcp('10.0.0.2', 40000, '10.96.0.20', 80, 'syn');
const name = udp('10.0.0.2', 40000, '10.96.0.10', 53);

const asks = (
  type: IpSetSpec['type'],
  members: readonly string[],
  dirs: IpSetDirs,
  packet: Ipv4 = web,
) => ipsetTest(set(type, members), dirs, packet);

describe('ipsets', () => {
  it('holds addresses', () => {
    expect(asks('hash:ip', ['10.96.0.20'], ['dst'])).toBe(true);
    expect(asks('hash:ip', ['10.96.0.20'], ['src'])).toBe(false);
  });

  it('holds an address with a port of one protocol', () => {
    expect(asks('hash:ip,port', ['10.96.0.20,tcp:80'], ['dst', 'dst'])).toBe(true);
    expect(asks('hash:ip,port', ['10.96.0.20,udp:80'], ['dst', 'dst'])).toBe(false);
    expect(asks('hash:ip,port', ['10.0.0.2,tcp:80'], ['src', 'dst'])).toBe(true);
    expect(asks('hash:ip,port', ['10.96.0.10,udp:53'], ['dst', 'dst'], name)).toBe(true);
  });

  it('answers no where fewer ends are named than the set has parts', () => {
    expect(asks('hash:ip,port', ['10.96.0.20,tcp:80'], ['dst'])).toBe(false);
    expect(asks('hash:ip', ['10.96.0.20'], ['dst', 'src', 'src'])).toBe(true);
  });

  it('holds a second address', () => {
    const members = ['10.96.0.20,tcp:80,10.0.0.2'];
    expect(asks('hash:ip,port,ip', members, ['dst', 'dst', 'src'])).toBe(true);
    expect(asks('hash:ip,port,ip', members, ['dst', 'dst', 'dst'])).toBe(false);
  });

  it('takes the longest net that holds the address, and exceptions from it', () => {
    const members = [
      '10.96.0.20,tcp:80,10.0.0.0/8',
      '10.96.0.20,tcp:80,10.0.0.0/24 nomatch',
      '10.96.0.20,tcp:80,10.0.0.3',
    ];
    const from = (src: string) =>
      asks(
        'hash:ip,port,net',
        members,
        ['dst', 'dst', 'src'],
        tcp(src, 1, '10.96.0.20', 80, 'syn'),
      );
    expect(from('10.9.9.9')).toBe(true);
    expect(from('10.0.0.2')).toBe(false);
    expect(from('10.0.0.3')).toBe(true);
    expect(from('192.0.2.1')).toBe(false);
    expect(asks('hash:net', ['10.96.0.0/12'], ['dst'])).toBe(true);
  });

  it('holds ports of TCP and UDP alike', () => {
    expect(asks('bitmap:port', ['80'], ['dst'])).toBe(true);
    expect(asks('bitmap:port', ['53'], ['dst'], name)).toBe(true);
    expect(asks('bitmap:port', ['80'], ['src'])).toBe(false);
    const echo = icmp('10.0.0.2', '10.96.0.20', 'echo-request');
    expect(asks('bitmap:port', ['80'], ['dst'], echo)).toBe(false);
    expect(asks('hash:ip,port', ['10.96.0.20,tcp:80'], ['dst', 'dst'], echo)).toBe(false);
  });

  it('does not know of a port that only a running kernel knows', () => {
    const { payload } = web;
    if (payload.type !== 'tcp') throw new Error('no TCP');
    const unknown: Ipv4 = {
      ...web,
      payload: { ...payload, sport: { unknown: 'random-port', range: [1024, 65535] } },
    };
    expect(asks('bitmap:port', ['30080'], ['src'], unknown)).toBe('unknown');
    expect(asks('bitmap:port', ['80'], ['src'], unknown)).toBe(false);
    expect(asks('bitmap:port', [], ['src'], unknown)).toBe(false);
  });

  it('holds no IPv4 packet where it is a set of the other family', () => {
    const six = set('hash:ip,port', ['fd00::1,tcp:80'], { family: 'inet6' });
    expect(ipsetTest(six, ['dst', 'dst'], web)).toBe(false);
  });

  it('says what it is asked for', () => {
    expect(ipsetAsked(set('hash:ip,port,ip', []), ['dst', 'dst', 'src'], web)).toBe(
      '10.96.0.20,tcp:80,10.0.0.2',
    );
    expect(ipsetAsked(set('bitmap:port', []), ['dst'], name)).toBe('53');
  });

  it.each([
    ['hash:ip,port', '10.96.0.20'],
    ['hash:ip,port', '10.96.0.20,tcp:x'],
    ['hash:ip', '10.96.0.0/12'],
    ['hash:net', '10.96.0.0/0'],
    ['bitmap:port', '70000'],
    ['hash:ip', 'fd00::1'],
  ] as const)('refuses in %s the member %s', (type, member) => {
    expect(() => set(type, [member])).toThrow(IpSetError);
  });

  it('refuses a second set of one name', () => {
    const sets = new Map();
    ipsetCreate(sets, { name: 'S', type: 'hash:ip' });
    expect(() => ipsetCreate(sets, { name: 'S', type: 'hash:net' })).toThrow(
      'set with the same name already exists',
    );
  });

  it('copies sets so that an edit of one is not seen in the other', () => {
    const sets = new Map();
    const first = ipsetCreate(sets, { name: 'S', type: 'hash:net' });
    const copy = cloneIpSets(sets).get('S');
    ipsetAdd(first, '10.0.0.0/8');
    expect(copy?.members.size).toBe(0);
    expect(copy?.prefixes).toEqual([]);
  });
});
