import { describe, expect, it } from 'vitest';
import { type IpSets, ipsetAdd, ipsetCreate } from '../../src/kernel/netfilter/ipset.ts';
import { emptyRuleset, nfAppend } from '../../src/kernel/netfilter/ruleset.ts';
import { ipsetList, ipsetRestoreInput, ipsetSave } from '../../src/userland/ipset/print.ts';
import { parseRule } from '../../src/userland/iptables/parse.ts';
import { printRule } from '../../src/userland/iptables/print.ts';

const example = (): IpSets => {
  const sets: IpSets = new Map();
  const services = ipsetCreate(sets, { name: 'SERVICES', type: 'hash:ip,port' });
  for (const member of ['10.96.0.10,udp:53', '10.96.0.9,udp:1', '10.96.0.10,tcp:53'])
    ipsetAdd(services, member);
  const ports = ipsetCreate(sets, { name: 'PORTS', type: 'bitmap:port' });
  ipsetAdd(ports, '30080');
  const nets = ipsetCreate(sets, { name: 'NETS', type: 'hash:net', family: 'inet6' });
  for (const net of ['fd00::/64', 'fd00::/48', 'fd00::a']) ipsetAdd(nets, net);
  return sets;
};

describe('ipset list', () => {
  it('prints sets with their members and who asks them', () => {
    const ruleset = emptyRuleset();
    nfAppend(ruleset, 'nat', 'PREROUTING', parseRule('-m set --match-set PORTS dst -j RETURN'));
    expect(ipsetList(example(), ruleset).join('\n')).toBe(`Name: NETS
Type: hash:net
Revision: 7
Header: family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x00000000
Size in memory: 1456
References: 0
Number of entries: 3
Members:
fd00::/64
fd00::/48
fd00::a

Name: PORTS
Type: bitmap:port
Revision: 3
Header: range 0-65535
Size in memory: 8264
References: 1
Number of entries: 1
Members:
30080

Name: SERVICES
Type: hash:ip,port
Revision: 7
Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x00000000
Size in memory: 360
References: 0
Number of entries: 3
Members:
10.96.0.9,udp:1
10.96.0.10,tcp:53
10.96.0.10,udp:53`);
  });

  it('prints what ipset restore takes', () => {
    expect(ipsetRestoreInput(example()).slice(0, 5)).toEqual([
      'create NETS hash:net family inet6 hashsize 1024 maxelem 65536',
      'add NETS fd00::/64',
      'add NETS fd00::/48',
      'add NETS fd00::a',
      'create PORTS bitmap:port range 0-65535',
    ]);
    expect(ipsetSave(example())[0]).toContain('bucketsize 12 initval');
  });
});

describe('-m set', () => {
  it.each([
    '-m set --match-set A dst,dst -j ACCEPT',
    '-p tcp -m comment --comment hi -m set ! --match-set A dst,dst -m set --match-set B dst -j DROP',
    '-m conntrack --ctstate NEW -m set --match-set KUBE-IPVS-IPS dst -j REJECT --reject-with icmp-port-unreachable',
  ])('is printed as it was read: %s', (text) => {
    expect(printRule(parseRule(text))).toBe(text);
  });

  it('keeps options about counters as they are written', () => {
    const rule = parseRule('-m set --match-set A dst --return-nomatch -j DROP');
    expect(rule.matches).toEqual([
      { kind: 'unmodelled', text: '-m set --match-set A dst --return-nomatch' },
    ]);
  });

  it.each([
    ['--match-set A', '--match-set requires two args.'],
    ['--match-set A to', "You must spefify (the comma separated list of) 'src' or 'dst'."],
    ['--match-set A src,src,src,src,src,src,src', "Can't be more src/dst options than 6."],
    ['--match-set A src ! --match-set B src', '--match-set can be specified only once'],
  ])('refuses %s', (options, message) => {
    expect(() => parseRule(`-m set ${options} -j DROP`)).toThrow(message);
  });
});
