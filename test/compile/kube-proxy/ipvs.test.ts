import { describe, expect, it } from 'vitest';
import type { ClusterNode, KubeProxyConfig, Service } from '../../../src/cluster/cluster.ts';
import { compileWorld } from '../../../src/compile/compile.ts';
import { netnsOf } from '../../../src/kernel/netns.ts';
import { sysctlGet } from '../../../src/kernel/sysctl.ts';
import type { Netns } from '../../../src/kernel/world.ts';
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
        kubeProxy: proxyConfig({ mode: 'ipvs', ...config }),
      }),
    ),
    'node-1/host',
  );

const both = [endpoint('10.244.1.5', 'node-1'), endpoint('10.244.2.7', 'node-2')];

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

const serversOf = (host: Netns, key: string): string[] | undefined =>
  host.ipvs.get(key)?.servers.map(({ ip, port }) => `${ip}:${port}`);

const members = (host: Netns, name: string): string[] => [
  ...(host.ipsets.get(name)?.members.keys() ?? []),
];

const nodeIp = (host: Netns): string =>
  host.devices.find(({ ifname }) => ifname === 'eth0')?.addresses[0]?.ip ?? '';

const about = (text: string): string => `-m comment --comment "${text}"`;

const CLUSTER_IP = '10.96.0.20';

describe('a node in IPVS mode', () => {
  const host = compile([web()]);

  it('has a device that is down and holds every service address', () => {
    const device = host.devices.find(({ ifname }) => ifname === 'kube-ipvs0');
    expect(device).toMatchObject({ kind: 'dummy', up: false });
    expect(device?.addresses.map(({ ip, prefix }) => `${ip}/${prefix}`)).toEqual([
      `${CLUSTER_IP}/32`,
      '198.51.100.7/32',
    ]);
    expect(members(host, 'KUBE-IPVS-IPS')).toEqual([CLUSTER_IP, '198.51.100.7']);
    expect(
      host.routes.some(({ dst, type }) => dst === `${CLUSTER_IP}/32` && type === 'local'),
    ).toBe(true);
  });

  it('has a virtual server for each address and port', () => {
    expect([...host.ipvs.keys()]).toEqual([
      `tcp ${CLUSTER_IP}:80`,
      'tcp 198.51.100.7:80',
      `tcp ${nodeIp(host)}:30080`,
    ]);
    expect(serversOf(host, `tcp ${CLUSTER_IP}:80`)).toEqual(['10.244.1.5:8080', '10.244.2.7:8080']);
    expect(serversOf(host, 'tcp 198.51.100.7:80')).toEqual(['10.244.1.5:8080']);
    expect(serversOf(host, `tcp ${nodeIp(host)}:30080`)).toEqual(['10.244.1.5:8080']);
    expect(host.ipvs.get(`tcp ${CLUSTER_IP}:80`)).toMatchObject({
      scheduler: 'rr',
      origin: { by: 'kube-proxy', why: 'service-cluster-ip', at: { file: 'web.yaml', line: 4 } },
    });
  });

  it('falls back on all endpoints where a Local policy finds none', () => {
    const elsewhere = [endpoint('10.244.2.7', 'node-2')];
    const ports = [{ name: 'http', port: 8080, protocol: 'tcp' as const }];
    const far = compile([web({ slices: [slice('web-1', elsewhere, { ports })] })]);
    expect(serversOf(far, 'tcp 198.51.100.7:80')).toEqual(['10.244.2.7:8080']);
  });

  it('fills its sets', () => {
    expect(members(host, 'KUBE-LOOP-BACK')).toEqual(['10.244.1.5,tcp:8080,10.244.1.5']);
    expect(members(host, 'KUBE-CLUSTER-IP')).toEqual([`${CLUSTER_IP},tcp:80`]);
    expect(members(host, 'KUBE-LOAD-BALANCER')).toEqual(['198.51.100.7,tcp:80']);
    expect(members(host, 'KUBE-LOAD-BALANCER-LOCAL')).toEqual(['198.51.100.7,tcp:80']);
    expect(members(host, 'KUBE-NODE-PORT-TCP')).toEqual(['30080']);
    expect(members(host, 'KUBE-NODE-PORT-LOCAL-TCP')).toEqual(['30080']);
    expect(members(host, 'KUBE-HEALTH-CHECK-NODE-PORT')).toEqual(['31000']);
    expect(host.ipsets.size).toBe(34);
    expect(host.ipsets.has('KUBE-6-LOAD-BALANCER-SOURCE-CID')).toBe(true);
  });

  it('has the rules of section 11, in order', () => {
    expect(rulesOf(host, 'nat', 'KUBE-SERVICES')).toEqual([
      '-s 127.0.0.0/8 -j RETURN',
      `${about('Kubernetes service lb portal')} -m set --match-set KUBE-LOAD-BALANCER dst,dst -j KUBE-LOAD-BALANCER`,
      `! -s 10.244.0.0/16 ${about('Kubernetes service cluster ip + port for masquerade purpose')} -m set --match-set KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ`,
      '-m addrtype --dst-type LOCAL -j KUBE-NODE-PORT',
      '-m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT',
      '-m set --match-set KUBE-LOAD-BALANCER dst,dst -j ACCEPT',
    ]);
    expect(rulesOf(host, 'nat', 'KUBE-LOAD-BALANCER')).toEqual([
      `${about('Kubernetes service load balancer ip + port with externalTrafficPolicy=local')} -m set --match-set KUBE-LOAD-BALANCER-LOCAL dst,dst -j RETURN`,
      '-j KUBE-MARK-MASQ',
    ]);
    expect(rulesOf(host, 'nat', 'KUBE-NODE-PORT')).toEqual([
      `-p tcp ${about('Kubernetes nodeport TCP port with externalTrafficPolicy=local')} -m set --match-set KUBE-NODE-PORT-LOCAL-TCP dst -j RETURN`,
      `-p tcp ${about('Kubernetes nodeport TCP port for masquerade purpose')} -m set --match-set KUBE-NODE-PORT-TCP dst -j KUBE-MARK-MASQ`,
    ]);
    expect(rulesOf(host, 'nat', 'KUBE-POSTROUTING')).toEqual([
      `${about('Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose')} -m set --match-set KUBE-LOOP-BACK dst,dst,src -j MASQUERADE`,
      '-m mark ! --mark 0x4000/0x4000 -j RETURN',
      '-j MARK --set-xmark 0x4000/0x0',
      `${about('kubernetes service traffic requiring SNAT')} -j MASQUERADE --random-fully`,
    ]);
    expect(rulesOf(host, 'filter', 'KUBE-IPVS-FILTER')).toEqual([
      '-m set --match-set KUBE-LOAD-BALANCER dst,dst -j RETURN',
      '-m set --match-set KUBE-CLUSTER-IP dst,dst -j RETURN',
      '-m set --match-set KUBE-EXTERNAL-IP dst,dst -j RETURN',
      '-m set --match-set KUBE-EXTERNAL-IP-LOCAL dst,dst -j RETURN',
      '-m set --match-set KUBE-HEALTH-CHECK-NODE-PORT dst -j RETURN',
      '-m conntrack --ctstate NEW -m set --match-set KUBE-IPVS-IPS dst -j REJECT --reject-with icmp-port-unreachable',
    ]);
  });

  it('jumps as the last written jump comes first', () => {
    const jumps = (table: 'filter' | 'nat', chain: string): string[] =>
      rulesOf(host, table, chain).map((rule) => rule.replace(/^.*-j /, ''));
    expect(jumps('filter', 'INPUT')).toEqual([
      'KUBE-IPVS-FILTER',
      'KUBE-PROXY-FIREWALL',
      'KUBE-NODE-PORT',
      'KUBE-FIREWALL',
    ]);
    expect(jumps('filter', 'FORWARD').slice(0, 2)).toEqual(['KUBE-PROXY-FIREWALL', 'KUBE-FORWARD']);
    expect(jumps('filter', 'OUTPUT')).toEqual(['KUBE-IPVS-OUT-FILTER', 'KUBE-FIREWALL']);
    expect(jumps('nat', 'PREROUTING')).toEqual(['KUBE-SERVICES']);
  });

  it('holds VIPs against source ranges', () => {
    const ranged = compile([web({ sourceRanges: ['203.0.113.0/24', '192.0.2.9/32'] })]);
    expect(members(ranged, 'KUBE-LOAD-BALANCER-SOURCE-CIDR')).toEqual([
      '198.51.100.7,tcp:80,203.0.113.0/24',
      '198.51.100.7,tcp:80,192.0.2.9',
    ]);
    expect(rulesOf(ranged, 'filter', 'KUBE-SOURCE-RANGES-FIREWALL')).toEqual([
      `${about('Kubernetes service load balancer ip + port + source cidr for packet filter purpose')} -m set --match-set KUBE-LOAD-BALANCER-SOURCE-CIDR dst,dst,src -j RETURN`,
      '-j DROP',
    ]);
    expect(rulesOf(ranged, 'filter', 'KUBE-IPVS-OUT-FILTER')).toEqual([
      '-s 198.51.100.7/32 -m ipvs --vproto 6 --vaddr 198.51.100.7 --vport 80 -j DROP',
    ]);
    const node = compile([web({ sourceRanges: [`${nodeIp(host)}/32`] })]);
    expect(members(node, 'KUBE-LOAD-BALANCER-SOURCE-IP')).toEqual([
      '198.51.100.7,tcp:80,198.51.100.7',
    ]);
  });

  it('follows its configuration', () => {
    const strict = compile([web({ affinitySeconds: 600 })], {
      masqueradeAll: true,
      ipvs: { scheduler: 'wrr', strictARP: true, excludeCIDRs: [] },
    });
    expect(strict.ipvs.get(`tcp ${CLUSTER_IP}:80`)).toMatchObject({
      scheduler: 'wrr',
      persistent: 600,
    });
    expect(sysctlGet(strict, 'net.ipv4.conf.all.arp_ignore')).toBe('1');
    expect(sysctlGet(strict, 'net.ipv4.vs.conntrack')).toBe('1');
    expect(rulesOf(strict, 'nat', 'KUBE-SERVICES')[2]).not.toContain('-s 10.244.0.0/16');
    const blind = compile([web()], { detectLocalMode: 'none' });
    expect(rulesOf(blind, 'nat', 'KUBE-SERVICES')[2]).toContain('KUBE-CLUSTER-IP src,dst');
  });

  it('treats external IPs as what comes from another machine', () => {
    const open = compile([
      web({
        type: 'ClusterIP',
        ingress: [],
        ports: [servicePort(80, { name: 'http' })],
        externalIPs: ['192.0.2.50'],
        externalTrafficPolicy: 'Cluster',
      }),
    ]);
    const comment = about(
      'Kubernetes service external ip + port for masquerade and filter purpose',
    );
    const set = '-m set --match-set KUBE-EXTERNAL-IP dst,dst';
    expect(rulesOf(open, 'nat', 'KUBE-SERVICES').slice(2, 5)).toEqual([
      `${comment} ${set} -j KUBE-MARK-MASQ`,
      `${comment} ${set} -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j ACCEPT`,
      `${comment} ${set} -m addrtype --dst-type LOCAL -j ACCEPT`,
    ]);
  });
});
