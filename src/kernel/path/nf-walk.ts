/** A stage asks netfilter, and does what it says. */
import type { Errno } from '../event.ts';
import { inetAddrType } from '../fib-lookup.ts';
import { inetSelectAddr } from '../fib-select.ts';
import { nfHook } from '../netfilter/nf-hook.ts';
import { type Hook, hasRules } from '../netfilter/ruleset.ts';
import type { NfDecider, NfEnv, NfIpvs, NfState, NfVerdict } from '../netfilter/verdict.ts';
import type { Skb } from '../skb.ts';
import type { Netns } from '../world.ts';
import { ipVsNatXmit } from './ip-vs-xmit.ts';
import { nfReject } from './nf-reject.ts';
import { ipRouteMeHarder } from './route.ts';
import type { DropSpec, Walk } from './walk.ts';
import { choose, drop, emit } from './walk.ts';

const ADDR_TYPE = {
  local: 'LOCAL',
  unicast: 'UNICAST',
  broadcast: 'BROADCAST',
  multicast: 'MULTICAST',
} as const;

const counterOf =
  (count: NonNullable<Walk['count']>, { id }: Netns): NonNullable<NfEnv['count']> =>
  (table, chain, number) =>
    count(id, table, chain, number);

/** Whether anything may be registered at the hooks of a namespace. */
const hasHooks = ({ netfilter, ipvs }: Netns): boolean => hasRules(netfilter) || ipvs.size > 0;

const ipvsOf = (walk: Walk, netns: Netns): NfIpvs | undefined => {
  if (netns.ipvs.size === 0) return undefined;
  const { ipvs: connections = [] } = walk.overlay.write(netns.id);
  return {
    connections,
    xmit: (skb, to) => ipVsNatXmit(walk, netns, skb, to),
    reroute: (skb) => ipRouteMeHarder(walk, netns, skb) === undefined,
  };
};

const envOf = (walk: Walk, netns: Netns, skb: Skb): NfEnv => {
  const { conntrack, nftSets, recent } = walk.overlay.write(netns.id);
  return {
    netns,
    detailed: walk.detailed,
    count: walk.count && counterOf(walk.count, netns),
    conntrack,
    nftSets,
    ipvs: ipvsOf(walk, netns),
    recent,
    emit: (event) => emit(walk, event),
    choose: (choice) => choose(walk, choice),
    addrType: (ip) => ADDR_TYPE[inetAddrType(netns, ip)],
    masqueradeAddress: (out, dst) => inetSelectAddr(netns, out, skb.dst?.gateway ?? dst, 'global'),
  };
};

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export type HookOutcome =
  | { readonly kind: 'accept'; readonly reroute: boolean }
  | { readonly kind: 'stop'; readonly errno?: Errno | undefined };

const ACCEPT: HookOutcome = { kind: 'accept', reroute: false };

/**
 * NF_HOOK (include/linux/netfilter.h): walks a hook. A packet that is not accepted ends here, and
 * the one who sent it from here gets EPERM.
 * @param entered the device it came in by
 * @param out the device it leaves by
 */
export const nfWalk = (
  walk: Walk,
  netns: Netns,
  skb: Skb,
  hook: Hook,
  entered?: string,
  out?: string,
): HookOutcome => {
  if (!hasHooks(netns)) return ACCEPT;
  const { physin } = skb;
  // A packet that was made here comes from no port.
  const known = physin !== undefined && hook !== 'OUTPUT' && hook !== 'PREROUTING';
  const state: Writable<NfState> = { hook, bridged: false };
  if (entered !== undefined) state.in = entered;
  if (out !== undefined) state.out = out;
  if (known) state.physin = physin;
  return nfWalkState(walk, netns, skb, state);
};

/** The same for a caller that knows more: br_netfilter, which has ports. */
export const nfWalkState = (walk: Walk, netns: Netns, skb: Skb, state: NfState): HookOutcome => {
  if (!hasHooks(netns)) return ACCEPT;
  const verdict: NfVerdict = nfHook(envOf(walk, netns, skb), state.hook, skb, state);
  switch (verdict.kind) {
    case 'ACCEPT':
      return verdict.reroute ? { kind: 'accept', reroute: true } : ACCEPT;
    case 'STOLEN':
      return { kind: 'stop', errno: verdict.errno };
    case 'DROP':
      drop(walk, netns, 'NETFILTER_DROP', decider(verdict));
      break;
    case 'REJECT':
      nfReject(walk, netns, state, skb, verdict.with);
      drop(walk, netns, 'NETFILTER_DROP', decider(verdict));
      break;
    case 'UNKNOWN': {
      const unmodelled = 'ipvs' in verdict.by ? 'ipvs' : 'rule';
      drop(walk, netns, 'not-modelled', { unmodelled, ...decider(verdict) });
      break;
    }
    default: {
      const never: never = verdict;
      throw new TypeError(`not a verdict: ${never}`);
    }
  }
  return { kind: 'stop', errno: 'EPERM' };
};

const decider = ({ by }: Extract<NfVerdict, { by: NfDecider }>): DropSpec => {
  if (!('ipvs' in by)) return by.rule?.origin ? { origin: by.rule.origin } : {};
  if (!by.ipvs) return {};
  const { protocol, ip, port, origin } = by.ipvs;
  return { ipvs: { protocol, virtual: { ip, port } }, ...(origin && { origin }) };
};
