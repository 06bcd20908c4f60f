/** The hooks of IPVS (ip_vs_ops4, net/netfilter/ipvs/ip_vs_core.c; Linux 6.1), and what they do to a packet. */
import type { Ipv4 } from '../../wire/packet.ts';
import type { KernelEvent, NatEvent } from '../event.ts';
import type { IpvsConnection } from '../ipvs/connection.ts';
import type { IpVsVerdict } from '../ipvs/ip-vs-env.ts';
import { ipVsIn } from '../ipvs/ip-vs-in.ts';
import { ipVsUpdateConntrack } from '../ipvs/ip-vs-nfct.ts';
import { ipVsOut } from '../ipvs/ip-vs-out.ts';
import type { IpvsRewrite } from '../ipvs/told.ts';
import { virtualServerKey } from '../ipvs/virtual-server.ts';
import type { Skb } from '../skb.ts';
import { sysctlGet } from '../sysctl.ts';
import { endOf } from './nat.ts';
import type { Hook } from './ruleset.ts';
import type { NfEnv, NfVerdict } from './verdict.ts';

export interface IpVsHook {
  readonly what: 'ip-vs-in' | 'ip-vs-out';
  readonly priority: number;
}

const NONE: readonly IpVsHook[] = [];

const HOOKS: Readonly<Partial<Record<Hook, readonly IpVsHook[]>>> = {
  INPUT: [
    { what: 'ip-vs-out', priority: 98 },
    { what: 'ip-vs-in', priority: 99 },
  ],
  OUTPUT: [
    { what: 'ip-vs-out', priority: -99 },
    { what: 'ip-vs-in', priority: -98 },
  ],
  // ip_vs_forward_icmp, which comes before, is for services that a mark selects.
  FORWARD: [{ what: 'ip-vs-out', priority: 100 }],
};

/** What IPVS registers at a hook with its first virtual server. */
export const ipVsHooks = (hook: Hook): readonly IpVsHook[] => HOOKS[hook] ?? NONE;

/** One packet in one hook function. */
export interface IpVsRun {
  readonly env: NfEnv;
  readonly hook: Hook;
  readonly skb: Skb;
  emit(event: KernelEvent): void;
  /** Tells what the hook has seen so far: the stack goes on telling from here. */
  flush(): void;
}

const ACCEPT: NfVerdict = { kind: 'ACCEPT' };
const STOLEN: NfVerdict = { kind: 'STOLEN' };

interface Rewrite {
  readonly action: 'ipvs' | 'un-ipvs';
  readonly before: ReturnType<typeof endOf>;
  readonly after: ReturnType<typeof endOf>;
  readonly to: IpvsConnection;
  readonly tells?: IpvsRewrite;
}

/** The program that made the virtual server, or the server that was picked. */
const originOf = ({ netns }: NfEnv, { protocol, virtual, server }: IpvsConnection) => {
  const { port } = virtual;
  const known =
    typeof port === 'number'
      ? netns.ipvs.get(virtualServerKey(protocol, virtual.ip, port))
      : undefined;
  const real = known?.servers.find(({ ip, port: at }) => ip === server.ip && at === server.port);
  return real?.origin ?? known?.origin;
};

const tell = ({ env, hook, skb, emit }: IpVsRun, rewrite: Rewrite): void => {
  const { action, before, after, to, tells } = rewrite;
  if (!skb.ct) return;
  const detail: NatEvent['detail'] = {
    hook,
    field: action === 'ipvs' ? 'dst' : 'src',
    before,
    after,
    entry: skb.ct.entry,
  };
  if (tells) detail.ipvs = tells;
  const event: NatEvent = { kind: 'nat', netns: env.netns.id, action, detail };
  const origin = originOf(env, to);
  emit(origin ? { ...event, origin } : event);
};

/** ip_vs_nat_xmit, told before it is done: what was picked is to be seen also where no way leads there. */
const xmit = (run: IpVsRun, to: IpvsConnection, tells: IpvsRewrite): NfVerdict => {
  const { env, skb } = run;
  ipVsUpdateConntrack(env.conntrack, skb, to, 'in');
  const { ip, port } = to.server;
  tell(run, { action: 'ipvs', before: endOf(skb.packet, 'dst'), after: { ip, port }, to, tells });
  run.flush();
  return env.ipvs?.xmit(skb, to) === 'STOLEN' ? STOLEN : ACCEPT;
};

/** handle_response: the packet that was `before`. */
const respond = (run: IpVsRun, to: IpvsConnection, before: Ipv4): NfVerdict => {
  const { env, hook, skb } = run;
  skb.ipvsProperty = true;
  ipVsUpdateConntrack(env.conntrack, skb, to, 'out');
  tell(run, {
    action: 'un-ipvs',
    before: endOf(before, 'src'),
    after: endOf(skb.packet, 'src'),
    to,
  });
  const stays = hook === 'INPUT' || skb.dst?.type === 'local';
  if (stays || sysctlGet(env.netns, 'net.ipv4.vs.snat_reroute') === '0') return ACCEPT;
  run.flush();
  return env.ipvs?.reroute(skb) === false ? STOLEN : ACCEPT;
};

const follow = (run: IpVsRun, verdict: IpVsVerdict, before: Ipv4): NfVerdict => {
  switch (verdict.kind) {
    case 'ACCEPT':
      return ACCEPT;
    case 'XMIT':
      return xmit(run, verdict.to, verdict.tells);
    case 'REROUTE':
      return respond(run, verdict.to, before);
    case 'UNREACHABLE':
      return { kind: 'REJECT', with: 'icmp-port-unreachable', by: { ipvs: verdict.server } };
    case 'DROP':
      return { kind: 'DROP', by: { ipvs: verdict.server } };
    case 'UNKNOWN':
      return { kind: 'UNKNOWN', by: { ipvs: undefined } };
    default: {
      const never: never = verdict;
      return never;
    }
  }
};

/** Calls one of the hook functions, and does what it says. */
export const runIpVs = (what: IpVsHook['what'], run: IpVsRun): NfVerdict => {
  const { env, hook, skb } = run;
  if (!env.ipvs) return ACCEPT;
  const at = {
    env: {
      netns: env.netns,
      conntrack: env.conntrack,
      connections: env.ipvs.connections,
      choose: env.choose,
    },
    hook,
    skb,
  };
  const before = skb.packet;
  return follow(run, what === 'ip-vs-in' ? ipVsIn(at) : ipVsOut(at), before);
};
