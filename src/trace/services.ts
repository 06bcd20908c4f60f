/** What a cause may ask about the Services of the traced cluster; whoever knows the objects answers. */
import type { Ip } from '../wire/packet.ts';

export interface KnownServicePort {
  readonly port: number;
  readonly protocol: string;
  /** Why nothing is behind it although there are Pods; absent: nothing in its way. */
  readonly lacks?: 'target-port' | 'family';
  /** Some endpoint, on whichever node, is ready and has it. */
  readonly serves: boolean;
}

export interface KnownService {
  readonly namespace: string;
  readonly name: string;
  readonly ports: readonly KnownServicePort[];
  /** `IP:port`, ready or not. */
  readonly endpoints: ReadonlySet<string>;
}

export interface ServiceView {
  /** Somebody writes rules for Services (kube-proxy, in any of its modes). */
  readonly proxied: boolean;
  /** The Service that has an address. */
  at(ip: Ip): KnownService | undefined;
  named(namespace: string | undefined, name: string): KnownService | undefined;
  /** `namespace/name` of the endpoint at `IP:port` that is a Pod on its node's network, if there is one. */
  hostPodAt(address: string): string | undefined;
}
