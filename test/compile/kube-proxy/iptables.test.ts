import { describe, expect, it } from 'vitest';
import type { ClusterNode, KubeProxyConfig, Service } from '../../../src/cluster/cluster.ts';
import { compileWorld } from '../../../src/compile/compile.ts';
import { findTable } from '../../../src/kernel/netfilter/ruleset.ts';
import { netnsOf } from '../../../src/kernel/netns.ts';
import { ipv4DevConf } from '../../../src/kernel/sysctl.ts';
import type { Netns } from '../../../src/kernel/world.ts';
import { iptablesSave, printRule } from '../../../src/userland/iptables/print.ts';
import { cluster, network, node } from '../cluster.ts';
import { rulesOf } from '../state.ts';
import { endpoint, proxyConfig, service, servicePort, slice, vip } from './services.ts';

const plain = network({ plugin: 'bridge', backend: 'cloud-routes' });

const compile = (
  services: readonly Service[],
  config: Partial<KubeProxyConfig> = {},
  on: Partial<ClusterNode> = {},
): Netns =>
  netnsOf(
    compileWorld(
      cluster({
        network: plain,
        nodes: [node('node-1', 0, on), node('node-2', 1)],
        pods: [],
        services,
        kubeProxy: proxyConfig(config),
      }),
    ),
    'node-1/host',
  );

const both = [endpoint('10.244.1.5', 'node-1'), endpoint('10.244.2.7', 'node-2')];

/** default/web of the specification's worked example. */
const web = (more: Partial<Service> = {}): Service =>
  service('web', {
    type: 'LoadBalancer',
    ports: [servicePort(80, { name: 'http', nodePort: 30080 })],
    ingress: [vip('198.51.100.7')],
    externalTrafficPolicy: 'Local',
    healthCheckNodePort: 31000,
    slices: [slice('web-1', both, { ports: [{ name: 'http', port: 8080, protocol: 'tcp' }] })],
    place: { file: 'web.yaml', line: 4 },
    ...more,
  });

const H = 'CDGGSHYLG3RE2FKL';
const NAME = '-m comment --comment "default/web:http"';
const LAST =
  '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain"';

const about = (text: string): string => `-m comment --comment "${text}"`;

describe('a node without Services', () => {
  const host = compile([]);

  it('has the jumps of kube-proxy before those of kubelet, which was first', () => {
    const jumps = (table: 'filter' | 'nat', chain: string) =>
      rulesOf(host, table, chain).map((rule) => rule.replace(/-m comment --comment "[^"]*" /, ''));
    const NEW = '-m conntrack --ctstate NEW';
    expect(jumps('filter', 'INPUT')).toEqual([
      `${NEW} -j KUBE-PROXY-FIREWALL`,
      '-j KUBE-NODEPORTS',
      `${NEW} -j KUBE-EXTERNAL-SERVICES`,
      '-j KUBE-FIREWALL',
    ]);
    expect(jumps('filter', 'FORWARD')).toEqual([
      `${NEW} -j KUBE-PROXY-FIREWALL`,
      '-j KUBE-FORWARD',
      `${NEW} -j KUBE-SERVICES`,
      `${NEW} -j KUBE-EXTERNAL-SERVICES`,
    ]);
    expect(jumps('filter', 'OUTPUT')).toEqual([
      `${NEW} -j KUBE-PROXY-FIREWALL`,
      `${NEW} -j KUBE-SERVICES`,
      '-j KUBE-FIREWALL',
    ]);
    expect(jumps('nat', 'PREROUTING')).toEqual(['-j KUBE-SERVICES']);
    expect(jumps('nat', 'OUTPUT')).toEqual(['-j KUBE-SERVICES']);
    expect(jumps('nat', 'POSTROUTING')).toEqual(['-j KUBE-POSTROUTING']);
  });

  it('has the chains that are always there', () => {
    expect(rulesOf(host, 'filter', 'KUBE-FORWARD')).toEqual([
      '-m conntrack --ctstate INVALID -m nfacct --nfacct-name  ct_state_invalid_dropped_pkts -j DROP',
      `${about('kubernetes forwarding rules')} -m mark --mark 0x4000/0x4000 -j ACCEPT`,
      `${about('kubernetes forwarding conntrack rule')} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    ]);
    expect(rulesOf(host, 'filter', 'KUBE-FIREWALL')).toEqual([
      `! -s 127.0.0.0/8 -d 127.0.0.0/8 ${about('block incoming localnet connections')} -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`,
    ]);
    expect(rulesOf(host, 'nat', 'KUBE-POSTROUTING')).toEqual([
      '-m mark ! --mark 0x4000/0x4000 -j RETURN',
      '-j MARK --set-xmark 0x4000/0x0',
      `${about('kubernetes service traffic requiring SNAT')} -j MASQUERADE --random-fully`,
    ]);
    expect(rulesOf(host, 'nat', 'KUBE-MARK-MASQ')).toEqual(['-j MARK --set-xmark 0x4000/0x4000']);
    expect(rulesOf(host, 'nat', 'KUBE-SERVICES')).toEqual([
      `${LAST} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`,
    ]);
    expect(iptablesSave(host.netfilter).filter((line) => /CANARY|HINT/.test(line))).toEqual([
      ':KUBE-IPTABLES-HINT - [0:0]',
      ':KUBE-KUBELET-CANARY - [0:0]',
      ':KUBE-PROXY-CANARY - [0:0]',
      ':KUBE-KUBELET-CANARY - [0:0]',
      ':KUBE-PROXY-CANARY - [0:0]',
      ':KUBE-KUBELET-CANARY - [0:0]',
      ':KUBE-PROXY-CANARY - [0:0]',
    ]);
  });

  it('lets localhost call NodePorts, unless it is told not to', () => {
    expect(ipv4DevConf(host, 'eth0', 'route_localnet')).toBe(1);
    const off = compile([], { localhostNodePorts: false });
    expect(ipv4DevConf(off, 'eth0', 'route_localnet')).toBe(0);
    expect(rulesOf(off, 'nat', 'KUBE-SERVICES')).toEqual([
      `! -d 127.0.0.0/8 ${LAST} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`,
    ]);
  });

  it('takes another bit for its mark', () => {
    const other = compile([], { masqueradeBit: 31 });
    expect(rulesOf(other, 'nat', 'KUBE-MARK-MASQ')).toEqual([
      '-j MARK --set-xmark 0x80000000/0x80000000',
    ]);
  });

  it('drops nothing as INVALID where conntrack is liberal', () => {
    const told = compile([], { tcpBeLiberal: true });
    const found = compile([], {}, { sysctl: { 'net.netfilter.nf_conntrack_tcp_be_liberal': '1' } });
    for (const host of [told, found])
      expect(rulesOf(host, 'filter', 'KUBE-FORWARD').join()).not.toContain('INVALID');
  });

  it('has kubelet’s chains alone without kube-proxy', () => {
    const none = iptablesSave(compile([web()], { mode: 'none' }).netfilter);
    expect(none.filter((line) => line.startsWith('-A'))).toEqual([
      '-A INPUT -j KUBE-FIREWALL',
      '-A OUTPUT -j KUBE-FIREWALL',
      expect.stringContaining('-A KUBE-FIREWALL'),
    ]);
  });
});

describe('where NodePorts answer', () => {
  const entries = (nodePortAddresses: string[], localhostNodePorts = true) =>
    rulesOf(compile([], { nodePortAddresses, localhostNodePorts }), 'nat', 'KUBE-SERVICES');
  const at = (ip: string) => `-d ${ip}/32 ${LAST} -j KUBE-NODEPORTS`;

  it('is every address that lies in the ranges', () => {
    expect(entries(['127.0.0.0/8', '192.168.0.0/16'])).toEqual([
      at('127.0.0.1'),
      at('192.168.10.11'),
    ]);
    expect(entries(['127.0.0.0/8', '192.168.0.0/16'], false)).toEqual([at('192.168.10.11')]);
    expect(entries(['172.16.0.0/12'])).toEqual([]);
  });

  it('is the node’s own address: primary', () => {
    expect(entries(['primary'])).toEqual([at('192.168.10.11')]);
  });

  it('is everywhere when all addresses, or none of the family, are named', () => {
    const everywhere = [`${LAST} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`];
    expect(entries(['10.0.0.0/8', '0.0.0.0/0'])).toEqual(everywhere);
    expect(entries(['fd00::/8'])).toEqual(everywhere);
  });

  it('opens no way for localhost where the ranges leave it out', () => {
    const host = compile([], { nodePortAddresses: ['192.168.10.0/24'] });
    expect(ipv4DevConf(host, 'eth0', 'route_localnet')).toBe(0);
  });
});

describe('the worked example', () => {
  const host = compile([web()]);
  const nat = (chain: string) => rulesOf(host, 'nat', chain);

  it('leads the ClusterIP, the VIP and the node port to their chains', () => {
    expect(nat('KUBE-SERVICES').slice(0, -1)).toEqual([
      `-d 10.96.0.20/32 -p tcp ${about('default/web:http cluster IP')} -m tcp --dport 80 -j KUBE-SVC-${H}`,
      `-d 198.51.100.7/32 -p tcp ${about('default/web:http loadbalancer IP')} -m tcp --dport 80 -j KUBE-EXT-${H}`,
    ]);
    expect(nat('KUBE-NODEPORTS')).toEqual([
      `-d 127.0.0.0/8 -p tcp ${NAME} -m tcp --dport 30080 -m nfacct --nfacct-name  localhost_nps_accepted_pkts -j KUBE-EXT-${H}`,
      `-p tcp ${NAME} -m tcp --dport 30080 -j KUBE-EXT-${H}`,
    ]);
    expect(rulesOf(host, 'filter', 'KUBE-NODEPORTS')).toEqual([
      `-p tcp ${about('default/web:http health check node port')} -m tcp --dport 31000 -j ACCEPT`,
    ]);
  });

  it('spreads over both endpoints, and over its own', () => {
    const one = `${about('default/web:http -> 10.244.1.5:8080')}`;
    const two = `${about('default/web:http -> 10.244.2.7:8080')}`;
    expect(nat(`KUBE-SVC-${H}`)).toEqual([
      `! -s 10.244.0.0/16 -d 10.96.0.20/32 -p tcp ${about('default/web:http cluster IP')} -m tcp --dport 80 -j KUBE-MARK-MASQ`,
      `${one} -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-AFGSLHOD2HFNCBX4`,
      `${two} -j KUBE-SEP-2RIJ5GIYXEFH6G4D`,
    ]);
    expect(nat(`KUBE-SVL-${H}`)).toEqual([`${one} -j KUBE-SEP-AFGSLHOD2HFNCBX4`]);
  });

  it('knows who calls from outside', () => {
    const what = 'default/web:http external destinations';
    expect(nat(`KUBE-EXT-${H}`)).toEqual([
      `-s 10.244.0.0/16 ${about(`pod traffic for ${what}`)} -j KUBE-SVC-${H}`,
      `${about(`masquerade LOCAL traffic for ${what}`)} -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ`,
      `${about(`route LOCAL traffic for ${what}`)} -m addrtype --src-type LOCAL -j KUBE-SVC-${H}`,
      `-j KUBE-SVL-${H}`,
    ]);
  });

  it('translates, and masquerades what an endpoint sends to itself', () => {
    expect(nat('KUBE-SEP-AFGSLHOD2HFNCBX4')).toEqual([
      `-s 10.244.1.5/32 ${NAME} -j KUBE-MARK-MASQ`,
      `-p tcp ${NAME} -m tcp -j DNAT --to-destination 10.244.1.5:8080`,
    ]);
  });

  it('says for which Service each rule is, and where that stands', () => {
    const table = findTable(host.netfilter, 'nat');
    const rule = table?.chains.find(({ name }) => name === 'KUBE-SERVICES')?.rules[0];
    expect(rule?.origin).toEqual({
      by: 'kube-proxy',
      why: 'service-cluster-ip',
      object: { kind: 'Service', namespace: 'default', name: 'web', field: 'spec.clusterIP' },
      at: { file: 'web.yaml', line: 4 },
    });
  });
});

/** All rules of a Service, by chain, without those of KUBE-SERVICES' end. */
const lines = (host: Netns): string[] =>
  (['filter', 'nat'] as const).flatMap((table) =>
    (findTable(host.netfilter, table)?.chains ?? []).flatMap(({ name, base, rules }) =>
      base || /FORWARD|POSTROUTING|FIREWALL$|MARK-MASQ/.test(name)
        ? []
        : rules.map((rule) => `${table} ${name} ${printRule(rule)}`),
    ),
  );

const own = (host: Netns): string[] =>
  lines(host)
    .filter((line) => !line.includes('must be the last'))
    .map((line) => line.replaceAll(H, 'H').replace(/-m comment --comment ("[^"]*"|\S+) ?/, ''));

describe('a Service that nobody serves', () => {
  it('is refused, at each of its addresses', () => {
    const none = web({ slices: [], externalIPs: ['203.0.113.9'] });
    const reject = '-j REJECT --reject-with icmp-port-unreachable';
    expect(own(compile([none]))).toEqual([
      `filter KUBE-EXTERNAL-SERVICES -d 203.0.113.9/32 -p tcp -m tcp --dport 80 ${reject}`,
      `filter KUBE-EXTERNAL-SERVICES -d 198.51.100.7/32 -p tcp -m tcp --dport 80 ${reject}`,
      `filter KUBE-EXTERNAL-SERVICES -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 30080 ${reject}`,
      'filter KUBE-NODEPORTS -p tcp -m tcp --dport 31000 -j ACCEPT',
      `filter KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m tcp --dport 80 ${reject}`,
    ]);
  });

  it('is dropped from outside where only other nodes serve it under eTP Local', () => {
    const away = web({
      slices: [
        slice('web-1', [endpoint('10.244.2.7', 'node-2')], {
          ports: [{ name: 'http', port: 8080, protocol: 'tcp' }],
        }),
      ],
    });
    const found = own(compile([away]));
    expect(found).toContain(
      'filter KUBE-EXTERNAL-SERVICES -d 198.51.100.7/32 -p tcp -m tcp --dport 80 -j DROP',
    );
    expect(found).toContain(
      'filter KUBE-EXTERNAL-SERVICES -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 30080 -j DROP',
    );
    expect(found.filter((line) => line.includes('KUBE-EXT-H ')).at(-1)).toBe(
      'nat KUBE-EXT-H -m addrtype --src-type LOCAL -j KUBE-SVC-H',
    );
    expect(found.join('\n')).not.toContain('KUBE-SVL');
  });

  it('is dropped inside where only other nodes serve it under iTP Local', () => {
    const away = service('web', {
      internalTrafficPolicy: 'Local',
      slices: [slice('web-1', [endpoint('10.244.2.7', 'node-2')])],
    });
    expect(own(compile([away]))).toEqual([
      'filter KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m tcp --dport 80 -j DROP',
    ]);
  });
});

describe('source ranges', () => {
  it('stand before the VIP, and never before the node port', () => {
    const ranged = web({
      externalTrafficPolicy: 'Cluster',
      sourceRanges: ['203.0.113.0/25', '192.168.10.0/24'],
    });
    const found = own(compile([ranged]));
    expect(found.filter((line) => / KUBE-FW-H | KUBE-NODEPORTS .*30080/.test(line))).toEqual([
      'nat KUBE-NODEPORTS -d 127.0.0.0/8 -p tcp -m tcp --dport 30080 -m nfacct --nfacct-name  localhost_nps_accepted_pkts -j KUBE-EXT-H',
      'nat KUBE-NODEPORTS -p tcp -m tcp --dport 30080 -j KUBE-EXT-H',
      'nat KUBE-FW-H -s 203.0.113.0/25 -j KUBE-EXT-H',
      'nat KUBE-FW-H -s 192.168.10.0/24 -j KUBE-EXT-H',
      'nat KUBE-FW-H -s 198.51.100.7/32 -j KUBE-EXT-H',
      'nat KUBE-FW-H ',
    ]);
    expect(rulesOf(compile([ranged]), 'filter', 'KUBE-PROXY-FIREWALL')).toEqual([
      `-d 198.51.100.7/32 -p tcp ${about(`default/web:http traffic not accepted by KUBE-FW-${H}`)} -m tcp --dport 80 -j DROP`,
    ]);
  });
});

describe('traffic that is not local', () => {
  const marked = (config: Partial<KubeProxyConfig>) =>
    own(compile([service('web', { slices: [slice('web-1', both)] })], config)).filter((line) =>
      /KUBE-SVC-\S+ .*KUBE-MARK-MASQ/.test(line),
    );
  const rule = (match: string) => [
    expect.stringMatching(
      new RegExp(`^nat KUBE-SVC-\\S+ ${match}-p tcp -m tcp --dport 80 -j KUBE-MARK-MASQ$`),
    ),
  ];

  it('is told from local traffic as detectLocalMode says', () => {
    expect(marked({})).toEqual(rule('! -s 10.244.0.0/16 -d 10.96.0.20/32 '));
    expect(marked({ detectLocalMode: 'NodeCIDR' })).toEqual(
      rule('! -s 10.244.1.0/24 -d 10.96.0.20/32 '),
    );
    const detectLocal = { bridgeInterface: 'cni0', interfaceNamePrefix: 'veth' };
    expect(marked({ detectLocalMode: 'BridgeInterface', detectLocal })).toEqual(
      rule('-d 10.96.0.20/32 ! -i cni0 '),
    );
    expect(marked({ detectLocalMode: 'InterfaceNamePrefix', detectLocal })).toEqual(
      rule('-d 10.96.0.20/32 ! -i veth\\+ '),
    );
  });

  it('is not told from it where nothing is configured', () => {
    expect(marked({ clusterCIDR: [] })).toEqual([]);
    expect(marked({ detectLocalMode: 'none' })).toEqual([]);
  });

  it('does not matter with masqueradeAll', () => {
    expect(marked({ masqueradeAll: true })).toEqual(rule('-d 10.96.0.20/32 '));
  });
});

describe('many endpoints', () => {
  const of = (count: number) =>
    slice(
      'web-1',
      Array.from({ length: count }, (_, at) => endpoint(`10.244.${at >> 8}.${at & 255}`, 'node-2')),
    );

  it('leave the comments of their rules out above a thousand', () => {
    const comments = (count: number) =>
      lines(compile([service('web', { slices: [of(count)] })])).filter(
        (line) => /KUBE-SEP/.test(line) && line.includes('--comment'),
      ).length;
    expect(comments(1000)).toBe(3000);
    expect(comments(1001)).toBe(0);
  });

  it('have equal parts', () => {
    const [, first, second, third] = rulesOf(
      compile([service('web', { slices: [of(3)] })]),
      'nat',
      'KUBE-SVC-LOLE4ISW44XBNF3G',
    );
    expect(first).toContain('--probability 0.33333333349 ');
    expect(second).toContain('--probability 0.50000000000 ');
    expect(third).not.toContain('--probability');
  });
});

describe('IPv6', () => {
  it('has rules of its own, for what has an address of the family', () => {
    const dual = web({
      clusterIPs: [
        { ip: '10.96.0.20', family: 4, invented: false },
        { ip: 'fd00:10::20', family: 6, invented: false },
      ],
      slices: [
        slice('web-6', [endpoint('fd00::5', 'node-1')], {
          family: 6,
          ports: [{ name: 'http', port: 8080, protocol: 'tcp' }],
        }),
      ],
    });
    const host = compile([
      dual,
      service('gone', { clusterIPs: [{ ip: 'fd00:10::21', family: 6, invented: false }] }),
    ]);
    const text = iptablesSave(host.netfilter6).join('\n');
    expect(text).toContain(
      `-A KUBE-SERVICES -d fd00:10::20/128 -p tcp ${about('default/web:http cluster IP')} -m tcp --dport 80 -j KUBE-SVC-${H}`,
    );
    expect(text).toContain('-j DNAT --to-destination [fd00::5]:8080');
    expect(text).toContain('-j REJECT --reject-with icmp6-port-unreachable');
    expect(text).toContain(`! -d ::1/128 ${LAST} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`);
    expect(text).not.toContain('127.0.0.0/8');
  });
});
