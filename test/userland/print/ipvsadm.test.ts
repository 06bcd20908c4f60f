import { describe, expect, it } from 'vitest';
import {
  type VirtualServer,
  type VirtualServers,
  virtualServerSet,
} from '../../../src/kernel/ipvs/virtual-server.ts';
import { ipvsadmList } from '../../../src/userland/print/ipvsadm.ts';

const servers = (...all: readonly Partial<VirtualServer>[]): VirtualServers => {
  const made: VirtualServers = new Map();
  for (const one of all)
    virtualServerSet(made, {
      protocol: 'tcp',
      ip: '10.96.0.10',
      port: 53,
      scheduler: 'rr',
      servers: [],
      ...one,
    });
  return made;
};

describe('ipvsadm -Ln', () => {
  it('prints virtual servers in order, and what is behind them', () => {
    const backends = [
      { ip: '10.244.1.10', port: 53, weight: 1 },
      { ip: '10.244.1.9', port: 53, weight: 1 },
    ];
    const printed = ipvsadmList(
      servers(
        { protocol: 'udp', servers: backends.slice(0, 1) },
        { servers: backends },
        { ip: '10.96.0.9', port: 443, persistent: 10800 },
        { ip: 'fd00::1', port: 80, scheduler: 'mh', flags: ['mh-port'] },
      ),
    );
    expect(printed).toEqual([
      'IP Virtual Server version 1.2.1 (size=4096)',
      'Prot LocalAddress:Port Scheduler Flags',
      '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
      'TCP  10.96.0.9:443 rr persistent 10800',
      'TCP  10.96.0.10:53 rr',
      '  -> 10.244.1.9:53                Masq    1      0          0         ',
      '  -> 10.244.1.10:53               Masq    1      0          0         ',
      'UDP  10.96.0.10:53 rr',
      '  -> 10.244.1.10:53               Masq    1      0          0         ',
      'TCP  [fd00::1]:80 mh (mh-port)',
    ]);
  });
});
