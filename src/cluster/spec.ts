/** What a Scenario says about its cluster that Kubernetes objects cannot say. */
import type { Place } from './cluster.ts';
import type { PlaceOf } from './kube-object.ts';
import type { KubeProxyFields } from './service/kube-proxy-object.ts';

export interface ScenarioNode {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly taints?:
    | readonly {
        readonly key: string;
        readonly value?: string | undefined;
        readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
      }[]
    | undefined;
  readonly addresses?: readonly string[] | undefined;
  readonly podCIDR?: string | undefined;
  /** Dotted keys. */
  readonly sysctl?: Readonly<Record<string, string | number>> | undefined;
}

export interface ClusterSpec {
  readonly description?: string | undefined;
  readonly network?:
    | {
        readonly plugin?: 'bridge' | 'flannel' | undefined;
        readonly backend?: 'static-routes' | 'cloud-routes' | 'vxlan' | 'host-gw' | undefined;
        readonly podCIDR?: string | undefined;
        readonly serviceCIDR?: string | undefined;
        readonly config?: Readonly<Record<string, unknown>> | undefined;
      }
    | undefined;
  readonly underlay?:
    | { readonly cidr?: string | undefined; readonly mtu?: number | undefined }
    | undefined;
  readonly kubeProxy?: KubeProxyFields | undefined;
  readonly policyEngine?: 'none' | 'nftables' | undefined;
  readonly nodes?: readonly ScenarioNode[] | undefined;
}

/** The checked `spec` of a Scenario; places are those of its fields, from `spec` down. */
export interface PlacedSpec {
  readonly value: ClusterSpec;
  readonly place: PlaceOf;
}

export const placeIn = (
  spec: PlacedSpec | undefined,
  ...path: readonly (string | number)[]
): Place | undefined => spec?.place(path);
