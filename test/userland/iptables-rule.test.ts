import { describe, expect, it } from 'vitest';
import { parseRule, parseRules } from '../../src/userland/iptables/parse.ts';
import { printRule } from '../../src/userland/iptables/print.ts';

/** What is typed, and what iptables-save of iptables 1.8.9 prints for it. Absent: the same text. */
const printed: readonly (readonly [typed: string, saved?: string])[] = [
  ['-p tcp -m tcp -j ACCEPT'],
  [
    '-p tcp -m tcp --dport 80 ! --sport 1000:2000 -j ACCEPT',
    '-p tcp -m tcp ! --sport 1000:2000 --dport 80 -j ACCEPT',
  ],
  ['-p tcp --dport 80: -j ACCEPT', '-p tcp -m tcp --dport 80:65535 -j ACCEPT'],
  ['-p tcp --dport :80 -j ACCEPT', '-p tcp -m tcp --dport 0:80 -j ACCEPT'],
  ['-p 17 --dport 53 -j ACCEPT', '-p udp -m udp --dport 53 -j ACCEPT'],
  [
    '! -s 10.0.0.0/8 -d 10.1.2.3 ! -i eth0 -o eth+ ! -p tcp',
    '! -s 10.0.0.0/8 -d 10.1.2.3/32 ! -i eth0 -o eth+ ! -p tcp',
  ],
  ['-s 0/0 -d 0.0.0.0/0 -i + -p all -j C1', '-j C1'],
  ['-g C1'],
  ['-m comment --comment hello -m mark --mark 0x4000/0x4000 -j RETURN'],
  [
    '-m mark ! --mark 4 -m comment --comment hello_x-y -j RETURN',
    '-m mark ! --mark 0x4 -m comment --comment hello_x-y -j RETURN',
  ],
  ['-p tcp -m comment --comment c -m tcp --dport 80 -m comment --comment d -j DROP'],
  ['-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'],
  [
    '-m conntrack --ctstate ESTABLISHED,NEW,INVALID,UNTRACKED,DNAT,SNAT,RELATED -j ACCEPT',
    '-m conntrack --ctstate INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED,SNAT,DNAT -j ACCEPT',
  ],
  ['-m conntrack ! --ctstate NEW -j ACCEPT'],
  ['-m conntrack --ctstate NEW --ctproto 6'],
  ['-m state --state NEW,ESTABLISHED -j ACCEPT'],
  ['-m state ! --state NEW,ESTABLISHED -j ACCEPT'],
  ['-m addrtype --dst-type LOCAL -j ACCEPT'],
  ['-m addrtype ! --src-type LOCAL --dst-type UNICAST -j ACCEPT'],
  ['-m addrtype --dst-type LOCAL,BROADCAST -j ACCEPT'],
  ['-m addrtype --src-type LOCAL --limit-iface-out -j ACCEPT'],
  ['-p tcp -m multiport --dports 80,443,8000:8010 -j ACCEPT'],
  [
    '-p tcp -m multiport --destination-ports 80,443 -j ACCEPT',
    '-p tcp -m multiport --dports 80,443 -j ACCEPT',
  ],
  ['-p udp -m multiport ! --ports 80 -j ACCEPT'],
  ['-p tcp -m multiport --dports 5:6,7 -m multiport --sports 1'],
  [
    '-m physdev --physdev-is-bridged --physdev-in veth0 ! --physdev-out veth+ -j ACCEPT',
    '-m physdev --physdev-in veth0 ! --physdev-out veth+ --physdev-is-bridged -j ACCEPT',
  ],
  [
    '-m physdev ! --physdev-is-in --physdev-is-out ! --physdev-in b+ --physdev-out c',
    '-m physdev ! --physdev-is-in ! --physdev-in b+ --physdev-is-out --physdev-out c',
  ],
  ['-p icmp --icmp-type echo-request -j ACCEPT', '-p icmp -m icmp --icmp-type 8 -j ACCEPT'],
  ['-p icmp --icmp-type network-unreachable', '-p icmp -m icmp --icmp-type 3/0'],
  ['-p icmp --icmp-type 3/4 -j ACCEPT', '-p icmp -m icmp --icmp-type 3/4 -j ACCEPT'],
  ['-p icmp --icmp-type 255', '-p icmp -m icmp --icmp-type any'],
  ['-p icmp ! --icmp-type 8 -j ACCEPT', '-p icmp -m icmp ! --icmp-type 8 -j ACCEPT'],
  ['-p tcp --syn -j ACCEPT', '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT'],
  [
    '-p tcp --tcp-flags ALL NONE -j ACCEPT',
    '-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j ACCEPT',
  ],
  [
    '-p tcp --tcp-flags SYN,RST SYN --dport 80 -j ACCEPT',
    '-p tcp -m tcp --dport 80 --tcp-flags SYN,RST SYN -j ACCEPT',
  ],
  ['-p tcp --tcp-option 2 -j ACCEPT', '-p tcp -m tcp --tcp-option 2 -j ACCEPT'],
  ['-m length --length 100 -j ACCEPT'],
  ['-m length ! --length 100: -j ACCEPT', '-m length ! --length 100:65535 -j ACCEPT'],
  ['-j REJECT', '-j REJECT --reject-with icmp-port-unreachable'],
  ['-j REJECT --reject-with net-prohib', '-j REJECT --reject-with icmp-net-prohibited'],
  ['-p tcp -j REJECT --reject-with tcp-reset'],
  ['-j LOG'],
  ['-j NOTRACK'],
  ['-j CT --notrack'],
  [
    '-j LOG --log-prefix "abc:" --log-level debug --log-uid',
    '-j LOG --log-prefix "abc:" --log-level 7 --log-uid',
  ],
  ['-j LOG --log-prefix abc --log-level 4', '-j LOG --log-prefix abc'],
  ['-j MARK --set-mark 5', '-j MARK --set-xmark 0x5/0xffffffff'],
  ['-j MARK --set-mark 5/6', '-j MARK --set-xmark 0x5/0x7'],
  ['-j MARK --set-xmark 5/6', '-j MARK --set-xmark 0x5/0x6'],
  ['-j MARK --or-mark 0x4000', '-j MARK --set-xmark 0x4000/0x4000'],
  ['-j MARK --and-mark 0x4000', '-j MARK --set-xmark 0x0/0xffffbfff'],
  ['-j MARK --xor-mark 0x4000', '-j MARK --set-xmark 0x4000/0x0'],
  ['-j MASQUERADE'],
  ['-j MASQUERADE --random-fully'],
  ['-j MASQUERADE --random'],
  ['-p tcp -j MASQUERADE --to-ports 100-200'],
  ['-p tcp -j SNAT --to 1.2.3.4:99', '-p tcp -j SNAT --to-source 1.2.3.4:99'],
  ['-p tcp -j SNAT --to-source 1.2.3.4-1.2.3.6:99-100 --random-fully --persistent'],
  ['-p tcp -j DNAT --to-destination 1.2.3.4:99'],
  ['-p tcp -j DNAT --to-destination :99'],
  ['-j DNAT --to-destination 1.2.3.4'],
  ['-p tcp -j REDIRECT --to-ports 99'],
  [
    '-m statistic --mode random --probability 0.3333333333 -j ACCEPT',
    '-m statistic --mode random --probability 0.33333333349 -j ACCEPT',
  ],
  [
    '-m statistic --mode random ! --probability 0.3',
    '-m statistic --mode random ! --probability 0.29999999981',
  ],
  [
    '-m statistic --mode random --probability 1 -m comment --comment x',
    '-m statistic --mode random --probability 1.00000000000 -m comment --comment x',
  ],
  ['-m statistic --mode nth --every 3 --packet 1'],
  ['-m recent --set', '-m recent --set --name DEFAULT --mask 255.255.255.255 --rsource'],
  [
    '-m recent --name a-b --rcheck --seconds 10800 --reap',
    '-m recent --rcheck --seconds 10800 --reap --name a-b --mask 255.255.255.255 --rsource',
  ],
  [
    '-m recent --update --hitcount 3 --rdest --mask 255.255.255.0 --name q-x',
    '-m recent --update --hitcount 3 --name q-x --mask 255.255.255.0 --rdest',
  ],
  ['-m recent ! --remove', '-m recent ! --remove --name DEFAULT --mask 255.255.255.255 --rsource'],
  ['-m recent ! --rcheck --rttl --name DEFAULT --mask 255.255.255.255 --rsource'],
  [
    '-p tcp -m tcp --dport 30080 -m nfacct --nfacct-name localhost_nps_accepted_pkts -j ACCEPT',
    '-p tcp -m tcp --dport 30080 -m nfacct --nfacct-name  localhost_nps_accepted_pkts -j ACCEPT',
  ],
  [
    '-m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-X --mask 255.255.255.255 --rsource -j ACCEPT',
  ],
  ['-m limit --limit 5/min --limit-burst 3 -j LOG'],
  ['-f -j ACCEPT'],
  ['-s 10.0.0.0/255.0.255.0 -j ACCEPT'],
  ['-s 10/8 -d 10.1/255.255.0.0', '-s 10.0.0.0/8 -d 10.1.0.0/16'],
  ['-s 10.1.2.3/8', '-s 10.0.0.0/8'],
  ['-p esp -j ACCEPT'],
  ['-p 4', '-p ipencap'],
  ['-p 77'],
  ['-p sctp --dport 80 -j ACCEPT', '-p sctp -m sctp --dport 80 -j ACCEPT'],
  ['-p 0', ''],
  ['-m tcp -p tcp --dport 3', '-p tcp -m tcp --dport 3'],
  ['-p tcp -m tcp --dport 1 -m tcp --sport 2', '-p tcp -m tcp --sport 2 --dport 1'],
  [
    '-p tcp --sport 5 -m mark --mark 2 --dport 7',
    '-p tcp -m tcp --sport 5 --dport 7 -m mark --mark 0x2',
  ],
  ['-p tcp -m mark --mark 1 --dport 4', '-p tcp -m mark --mark 0x1 -m tcp --dport 4'],
  ['-m mark --mark 1 -m mark --mark 2', '-m mark --mark 0x1 -m mark --mark 0x2'],
  ['-p tcp -j ACCEPT -s 1.1.1.1', '-s 1.1.1.1/32 -p tcp -j ACCEPT'],
  ['-p tcp --dport http', '-p tcp -m tcp --dport 80'],
  [
    '-m comment --comment \'a "quoted" b\\c\' -j DROP',
    '-m comment --comment "a \\"quoted\\" b\\\\c" -j DROP',
  ],
  ['-m comment --comment "" -j DROP'],
  ['-m comment --comment "it\'s $" -j DROP', '-m comment --comment "it\\\'s $" -j DROP'],
  ['-m comment --comment "-j ACCEPT"', '-m comment --comment "-j ACCEPT"'],
  ['-m mac --mac-source 00:11:22:33:44:55'],
  ['-m pkttype --pkt-type broadcast -j LOG --log-prefix "x y"'],
  ['-j NFLOG --nflog-prefix hi'],
  [
    '-d 10.96.0.20/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-CDGGSHYLG3RE2FKL',
  ],
  [
    '-p tcp -m comment --comment "default/web:http" -m tcp -j DNAT --to-destination 10.244.1.5:8080',
  ],
  ['-m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES'],
  [
    '! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
  ],
  ['-m comment --comment "flanneld masq" -j FLANNEL-POSTRTG'],
  [
    '-s 10.244.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully',
  ],
  ['-m set --match-set cali40masq-ipam-pools src -m set ! --match-set x dst -j RETURN'],
];

const cases = printed.map(([typed, saved = typed]) => ({ typed, saved }));

describe('a rule as iptables reads and prints it', () => {
  it.each(cases)('$typed', ({ typed, saved }) => {
    expect(printRule(parseRule(typed))).toBe(saved);
  });

  it.each(cases)('what was printed reads back as the same rule: $typed', ({ typed }) => {
    const rule = parseRule(typed);
    expect(parseRule(printRule(rule))).toEqual(rule);
  });

  it('says in one -m what was said in two', () => {
    const rule = parseRule('-m physdev --physdev-is-in -m physdev --physdev-is-out');
    expect(printRule(rule)).toBe('-m physdev --physdev-is-in --physdev-is-out');
  });

  it('makes a rule for each address of a list', () => {
    expect(parseRules('-s 10.0.0.1,10.0.0.2 -j ACCEPT').map(printRule)).toEqual([
      '-s 10.0.0.1/32 -j ACCEPT',
      '-s 10.0.0.2/32 -j ACCEPT',
    ]);
  });

  it('takes words as a shell has split them', () => {
    const rule = parseRule(['-m', 'comment', '--comment', 'flanneld masq', '-j', 'RETURN']);
    expect(rule).toEqual({ matches: [], comment: 'flanneld masq', target: { kind: 'RETURN' } });
  });

  it('keeps what is not modelled apart from what is', () => {
    expect(
      parseRule('-p tcp -m statistic --mode nth --every 3 --packet 1 --dport 80').matches,
    ).toEqual([
      { kind: 'protocol', protocol: 'tcp', negate: false },
      { kind: 'unmodelled', text: '-m statistic --mode nth --every 3 --packet 1' },
      { kind: 'dport', from: 80, to: 80, negate: false },
    ]);
  });

  it('gives a rule its origin', () => {
    const origin = { by: 'fault', why: 'fault-command' } as const;
    expect(parseRule('-j DROP', origin).origin).toBe(origin);
  });
});

describe('a rule that iptables refuses', () => {
  it.each([
    ['-s foo', "host/network `foo' not found"],
    ['-s 10.1', "host/network `10.1' not found"],
    ['-p tcp --dport 99999', "invalid port/service `99999' specified"],
    ['-p tcp --dport foo', "invalid port/service `foo' specified"],
    ['-p foo', 'unknown protocol "foo" specified'],
    ['-m foo', "Couldn't load match `foo':No such file or directory"],
    [
      '-m statistic --mode random --probability 1.5',
      'statistic: bad value for option "--probability", or out of range (0-1).',
    ],
    ['-m statistic --mode random', '--probability must be specified when using random mode'],
    ['-m statistic --mode foo', 'Bad mode "foo"'],
    ['-m recent', "recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'"],
    ['-m recent --set --update', 'recent: option "--set" cannot be used together with "--update".'],
    ['-m recent --rcheck --reap', 'recent: option "--reap" also requires "--seconds".'],
    ['-m mark --mark zz', 'mark: bad integer value for option "--mark", or out of range.'],
    ['-m conntrack --ctstate FOO', 'Bad ctstate "FOO"'],
    ['-j REJECT --reject-with foo', 'unknown reject type "foo"'],
    ['--foo', 'unknown option "--foo"'],
    ['--dport 80', 'unknown option "--dport"'],
    ['-j', 'option "-j" requires an argument'],
    ['-j ACCEPT extra', "Bad argument `extra'"],
    ['-s 1.1.1.1 -s 2.2.2.2', 'multiple -s flags not allowed'],
    ['! -s 1.1.1.1,2.2.2.2', '! not allowed with multiple source or destination IP addresses'],
    ['-m comment', 'comment: option "--comment" must be specified'],
    ['-p tcp --syn -p udp', 'multiple -p flags not allowed'],
    ['-j DNAT', 'DNAT: option "--to-destination" must be specified'],
    ['-j LOG --log-level loud', "log-level `loud' unknown"],
    ['stray', "Bad argument `stray'"],
  ])('%s: %s', (typed, message) => {
    expect(() => parseRule(typed)).toThrow(message);
  });
});
