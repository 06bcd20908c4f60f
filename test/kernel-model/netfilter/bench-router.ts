/** A namespace with a ruleset, and packets for its hooks. */
import type { KernelEvent } from '../../../src/kernel/event.ts';
import type { ConntrackEntry } from '../../../src/kernel/netfilter/conntrack.ts';
import { nfHook } from '../../../src/kernel/netfilter/nf-hook.ts';
import type { Hook, Ruleset } from '../../../src/kernel/netfilter/ruleset.ts';
import type { NfEnv, NfState, NfVerdict } from '../../../src/kernel/netfilter/verdict.ts';
import type { Skb } from '../../../src/kernel/skb.ts';
import type { Netns } from '../../../src/kernel/world.ts';
import { runIptables } from '../../../src/userland/iptables/command.ts';
import { splitWords } from '../../../src/userland/iptables/words.ts';
import {
  type Icmp,
  type Ipv4,
  NO_DATA,
  type TcpFlag,
  type Unknown,
} from '../../../src/wire/packet.ts';

export const ipv4 = (src: string, dst: string, payload: Ipv4['payload']): Ipv4 => ({
  type: 'ipv4',
  src,
  dst,
  ttl: 64,
  tos: 0,
  df: true,
  id: 0,
  payload,
});

type Port = number | Unknown;

export const udp = (src: string, sport: Port, dst: string, dport: Port, length = 0): Ipv4 =>
  ipv4(src, dst, { type: 'udp', sport, dport, payload: { type: 'data', length } });

export const tcp = (
  src: string,
  sport: Port,
  dst: string,
  dport: Port,
  ...flags: TcpFlag[]
): Ipv4 =>
  ipv4(src, dst, {
    type: 'tcp',
    sport,
    dport,
    seq: 0,
    ack: 0,
    flags,
    window: 0,
    options: [],
    payload: NO_DATA,
  });

export const icmp = (
  src: string,
  dst: string,
  kind: Icmp['kind'],
  more: Partial<Pick<Icmp, 'id' | 'code' | 'original'>> = {},
): Ipv4 => ipv4(src, dst, { type: 'icmp', kind, code: 0, payload: NO_DATA, ...more });

/** The same packet on its way back. */
export const answerTo = (packet: Ipv4): Ipv4 => {
  const { payload } = packet;
  const back = { ...packet, src: packet.dst, dst: packet.src };
  if (payload.type === 'tcp' || payload.type === 'udp')
    return { ...back, payload: { ...payload, sport: payload.dport, dport: payload.sport } };
  return payload.type === 'icmp' && payload.kind === 'echo-request'
    ? { ...back, payload: { ...payload, kind: 'echo-reply' } }
    : back;
};

export interface Router {
  readonly netns: Netns;
  readonly conntrack: ConntrackEntry[];
  /** Since the last call of `forward` or `at`. */
  readonly events: KernelEvent[];
  at(hook: Hook, skb: Skb, state?: Partial<NfState>): NfVerdict;
  /** Through PREROUTING, FORWARD and POSTROUTING. What leaves, or the verdict that stopped it. */
  forward(packet: Ipv4, entered?: string, out?: string): Ipv4 | NfVerdict;
}

const LOCAL = ['10.0.0.1', '192.0.2.1'];

/** A router with 10.0.0.1 on `eth0` and 192.0.2.1 on `eth1`. */
export const routerWith = (
  ruleset: Ruleset,
  detailed = false,
  more: Partial<Pick<NfEnv, 'choose' | 'nftSets'>> = {},
): Router => {
  const conntrack: ConntrackEntry[] = [];
  const events: KernelEvent[] = [];
  const netns: Netns = {
    id: 'r/host',
    host: 'r',
    name: 'host',
    members: [],
    devices: [],
    rules: [],
    routes: [],
    neighbours: [],
    sysctls: new Map(),
    netfilter: ruleset,
    netfilter6: { tables: [] },
    ipsets: new Map(),
    ipvs: new Map(),
    sockets: [],
    listeners: { unlisted: 'refused' },
  };
  const env: NfEnv = {
    netns,
    detailed,
    conntrack,
    emit: (event) => events.push(event),
    recent: new Map(),
    choose: () => 0,
    addrType: (ip) => (LOCAL.includes(ip) ? 'LOCAL' : 'UNICAST'),
    masqueradeAddress: (out) => ({ eth0: '10.0.0.1', eth1: '192.0.2.1' })[out],
    ...more,
  };
  const at: Router['at'] = (hook, skb, state = {}) => {
    events.length = 0;
    return nfHook(env, hook, skb, { hook, bridged: false, ...state });
  };
  return {
    netns,
    conntrack,
    events,
    at,
    forward: (packet, entered = 'eth0', out = 'eth1') => {
      const skb: Skb = { packet, mark: 0 };
      const seen: KernelEvent[] = [];
      const steps = [
        ['PREROUTING', { in: entered }],
        ['FORWARD', { in: entered, out }],
        ['POSTROUTING', { in: entered, out }],
      ] as const;
      for (const [hook, state] of steps) {
        const verdict = at(hook, skb, state);
        seen.push(...events);
        events.splice(0, events.length, ...seen);
        if (verdict.kind !== 'ACCEPT') return verdict;
      }
      return skb.packet;
    },
  };
};

/** Runs iptables command lines on an empty ruleset. */
export const iptables = (...lines: readonly string[]): Ruleset => {
  const ruleset: Ruleset = { tables: [] };
  for (const line of lines)
    runIptables(
      ruleset,
      splitWords(line).map(({ text }) => text),
    );
  return ruleset;
};
