import { describe, expect, it } from 'vitest';
import type { ContainerPort } from '../../../src/cluster/cluster.ts';
import { hostPortChain } from '../../../src/compile/cni/portmap.ts';
import { compileWorld } from '../../../src/compile/compile.ts';
import { sandboxId } from '../../../src/compile/derived-name.ts';
import { netnsOf } from '../../../src/kernel/netns.ts';
import { ipv4DevConf } from '../../../src/kernel/sysctl.ts';
import type { Netns } from '../../../src/kernel/world.ts';
import { cluster, container, pod } from '../cluster.ts';
import { rules, rulesOf } from '../state.ts';

const web = (ports: ContainerPort[]) =>
  pod('web', 'node-1', '10.244.1.5', { containers: [container('app', { ports })] });

const compile = (...ports: ContainerPort[]): Netns =>
  netnsOf(compileWorld(cluster({ pods: [web(ports)] })), 'node-1/host');

const id = sandboxId(web([]));
const CHAIN = hostPortChain('cbr0', id);

describe('portmap', () => {
  it('leads a host port to the Pod, behind kube-proxy', () => {
    const host = compile({ port: 80, protocol: 'tcp', hostPort: 8080 });
    const nat = (chain: string) => rulesOf(host, 'nat', chain);
    const enter = '-m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT';
    for (const chain of ['PREROUTING', 'OUTPUT']) expect(nat(chain).slice(1)).toEqual([enter]);
    expect(nat('CNI-HOSTPORT-DNAT')).toEqual([
      `-p tcp -m comment --comment "dnat name: \\"cbr0\\" id: \\"${id}\\"" -m multiport --dports 8080 -j ${CHAIN}`,
    ]);
    expect(nat(CHAIN)).toEqual([
      '-s 10.244.1.0/24 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK',
      '-s 127.0.0.1/32 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK',
      '-p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.244.1.5:80',
    ]);
    expect(nat('CNI-HOSTPORT-SETMARK')).toEqual([
      '-m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000',
    ]);
    expect(nat('CNI-HOSTPORT-MASQ')).toEqual(['-m mark --mark 0x2000/0x2000 -j MASQUERADE']);
    expect(nat('POSTROUTING')[0]).toBe(
      '-m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ',
    );
    expect(CHAIN).toMatch(/^CNI-DN-[0-9a-f]{21}$/);
    expect(ipv4DevConf(host, 'cni0', 'route_localnet')).toBe(1);
  });

  it('asks for the address that hostIP names, unless that is every one', () => {
    const host = compile(
      { port: 80, protocol: 'tcp', hostPort: 8080, hostIP: '192.168.10.11' },
      { port: 53, protocol: 'udp', hostPort: 53, hostIP: '0.0.0.0' },
    );
    expect(rulesOf(host, 'nat', CHAIN).filter((rule) => rule.includes('DNAT'))).toEqual([
      '-d 192.168.10.11/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.244.1.5:80',
      '-p udp -m udp --dport 53 -j DNAT --to-destination 10.244.1.5:53',
    ]);
  });

  it('takes fifteen ports in one rule', () => {
    const ports = Array.from({ length: 16 }, (_, at) => ({
      port: 80,
      protocol: 'tcp' as const,
      hostPort: 9000 + at,
    }));
    const found = rulesOf(compile(...ports), 'nat', 'CNI-HOSTPORT-DNAT');
    expect(found.map((rule) => /--dports (\S+)/.exec(rule)?.[1]?.split(',').length)).toEqual([
      15, 1,
    ]);
  });

  it('writes nothing for a Pod without host ports', () => {
    expect(rules(compile({ port: 80, protocol: 'tcp' })).join()).not.toContain('HOSTPORT');
  });
});
