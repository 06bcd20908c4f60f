/** A Service as the input has it: checked, canonical, with nothing given that it leaves out. */
import type { LoadBalancerIngress, Place, Service, ServicePort } from '../cluster.ts';
import type { Spot } from '../field.ts';
import type { Selector } from '../selector.ts';

export const FAMILY_POLICIES = ['SingleStack', 'PreferDualStack', 'RequireDualStack'] as const;

export type Family = 4 | 6;

export interface FamilyIp {
  readonly ip: string;
  readonly family: Family;
}

export interface PortObject extends ServicePort {
  /** Index into `spec.ports`. */
  readonly at: number;
}

export interface ServiceObject
  extends Omit<
    Service,
    'clusterIPs' | 'ports' | 'slices' | 'healthCheckNodePort' | 'place' | 'ingress'
  > {
  /** What `selector` asks for. Empty: it selects nothing. */
  readonly requirements: Selector;
  /** Those that are written. */
  readonly clusterIPs: readonly FamilyIp[];
  /** `spec.ipFamilies`, as far as they are written. */
  readonly ipFamilies: readonly Family[];
  readonly ipFamilyPolicy?: (typeof FAMILY_POLICIES)[number];
  readonly ports: readonly PortObject[];
  readonly ingress: readonly LoadBalancerIngress[];
  /** `spec.loadBalancerIP`, which a provider may or may not honour. */
  readonly requestedVip?: string;
  readonly allocateNodePorts: boolean;
  readonly healthCheckNodePort?: number;
  /** service.kubernetes.io/topology-mode, or its older name, is `Auto`. */
  readonly topologyAuto: boolean;
  readonly field: Spot;
  readonly place: Place;
}
