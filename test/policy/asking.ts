/** A small cluster with three Pods, and what its engine says of one connection. */
import type { Pod } from '../../src/cluster/cluster.ts';
import type { Policy, PolicyRule } from '../../src/cluster/policy/policy.ts';
import { connectionText } from '../../src/policy/connection-set.ts';
import { engineOf } from '../../src/policy/engine.ts';
import type { EngineOptions } from '../../src/policy/policy-engine.ts';
import type { PolicyQuestion, Verdict } from '../../src/policy/verdict.ts';
import { clusterOf, networkPolicy, pod } from './parts.ts';

export const WEB = pod(
  'shop/web',
  { app: 'web' },
  { ip: '10.244.1.2', ports: ['http:80', 'dns:53/udp'] },
);
export const CART = pod('shop/cart', { app: 'cart' }, { ip: '10.244.1.3' });
export const DB = pod('data/db', { app: 'db' }, { ip: '10.244.2.2', node: 'node-2' });
export const PODS = [WEB, CART, DB];
export const NAMESPACES = { shop: { team: 'a' }, data: { team: 'b' } };

export interface Asked {
  readonly pods?: readonly Pod[];
  readonly options?: EngineOptions;
  readonly protocol?: PolicyQuestion['protocol'];
  readonly port?: number | undefined;
}

/** @param ends names of Pods, `node-1`, or an address */
export const ask = (
  policies: readonly Policy[],
  direction: PolicyQuestion['direction'],
  [from, to]: readonly [string, string],
  { pods = PODS, options, ...rest }: Asked = {},
): Verdict => {
  const engine = engineOf(clusterOf(pods, policies, NAMESPACES), options);
  const indexOf = (name: string): number => pods.findIndex((each) => each.name === name);
  const [own, other] = direction === 'ingress' ? [to, from] : [from, to];
  const peer: PolicyQuestion['peer'] =
    indexOf(other) >= 0
      ? { kind: 'pod', pod: indexOf(other) }
      : other.startsWith('node-')
        ? { kind: 'node', node: other }
        : { kind: 'address', ip: other };
  return engine.judge({
    direction,
    subject: indexOf(own),
    peer,
    protocol: 'tcp',
    port: 80,
    ...rest,
  });
};

export const between = (
  policies: readonly Policy[],
  [from, to]: readonly [string, string],
  { pods = PODS, options }: Asked = {},
): string => {
  const engine = engineOf(clusterOf(pods, policies, NAMESPACES), options);
  const classOf = (name: string): number =>
    engine.classOf(pods.findIndex((each) => each.name === name)) ?? -1;
  return connectionText(engine.between(classOf(from), classOf(to)));
};

export const ingressOf = (...ingress: readonly PolicyRule[]): Policy =>
  networkPolicy('shop/p', { app: 'web' }, { ingress });
export const egressOf = (...egress: readonly PolicyRule[]): Policy =>
  networkPolicy('shop/p', { app: 'cart' }, { egress });
