import { describe, expect, it } from 'vitest';
import { compileWorld } from '../../src/compile/compile.ts';
import { netnsOf } from '../../src/kernel/netns.ts';
import { EXEC_FORMS, exec } from '../../src/userland/exec/exec.ts';
import { cluster } from '../compile/cluster.ts';
import { endpoint, service, slice } from '../compile/kube-proxy/services.ts';

const world = compileWorld(
  cluster({
    services: [service('web', { slices: [slice('web-1', [endpoint('10.244.2.2', 'node-2')])] })],
  }),
);
const on = (id: string) => (line: string) =>
  exec({ world, netns: netnsOf(world, id) }, line.split(' '));
const node = on('node-1/host');
const pod = on('node-1/default/pod-a');

describe('exec', () => {
  it('prints every table, or one', () => {
    const tables = (line: string) => node(line).out.filter((text) => text.startsWith('*'));
    expect(tables('iptables-save')).toEqual(['*mangle', '*filter', '*nat']);
    expect(tables('sudo /usr/sbin/iptables-save -t nat')).toEqual(['*nat']);
    expect(tables('iptables-save --table=filter -c')).toEqual(['*filter']);
    expect(tables('ip6tables-save')).toEqual(['*mangle', '*filter', '*nat']);
    expect(tables('iptables-save -t raw')).toEqual([]);
    expect(node('iptables-save -t nope')).toMatchObject({ code: 3, out: [] });
  });

  it('lists the rules of a chain', () => {
    expect(node('iptables -t nat -S KUBE-MARK-MASQ').out).toEqual([
      '-N KUBE-MARK-MASQ',
      '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
    ]);
    expect(node('iptables -S').out.slice(0, 3)).toEqual([
      '-P INPUT ACCEPT',
      '-P FORWARD ACCEPT',
      '-P OUTPUT ACCEPT',
    ]);
    expect(node('iptables -S NOPE')).toMatchObject({
      code: 1,
      err: ['iptables: No chain/target/match by that name.'],
    });
  });

  it('prints devices, routes, rules, neighbours and settings', () => {
    expect(node('ip route').out).toContain('10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink');
    expect(node('ip -4 r s table local').out.join()).toContain('local 192.168.10.11');
    expect(node('ip rule').out[0]).toContain('lookup local');
    expect(node('ip n').out.join()).toContain('PERMANENT');
    expect(node('bridge fdb show').out.join()).toContain('dst 192.168.10.12');
    expect(node('bridge link').out).toHaveLength(1);
    expect(pod('ip addr show dev eth0').out.join()).toContain('inet 10.244.1.2/24');
    expect(pod('ip link show nope')).toMatchObject({
      code: 1,
      err: ['Device "nope" does not exist.'],
    });
    expect(node('sysctl net.ipv4.ip_forward net.nope')).toEqual({
      code: 255,
      out: ['net.ipv4.ip_forward = 1'],
      err: ['sysctl: cannot stat /proc/sys/net/nope: No such file or directory'],
    });
  });

  it('prints tables of nft and sets, and says what nft does not show here', () => {
    expect(node('nft list ruleset')).toEqual({
      code: 0,
      out: [],
      err: ['# tables that iptables-nft manages are not shown: mangle, filter, nat'],
    });
    expect(pod('nft list tables')).toEqual({ code: 0, out: [], err: [] });
    expect(pod('ipset list')).toEqual({ code: 0, out: [], err: [] });
  });

  it.each(['ip route get 1.1.1.1', 'ip addr add 10.0.0.1/8 dev eth0', 'iptables -L', 'sysctl -a'])(
    'does not do %s',
    (line) => {
      const { code, err } = node(line);
      expect(code).toBe(2);
      expect(err[0]).toBe(`${line}: not modelled`);
    },
  );

  it('says what there is instead of a command that is not', () => {
    const { code, err } = node('tcpdump -i any');
    expect(code).toBe(127);
    expect(err).toEqual([
      'tcpdump: command not found',
      'What there is:',
      ...EXEC_FORMS.map((form) => `  ${form}`),
    ]);
  });
});
