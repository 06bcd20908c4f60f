/** EndpointSlices that the input has, joined with the Services and Pods that they are about. */
import type { EndpointSlice, Pod, SliceEndpoint } from '../cluster.ts';
import { warn } from '../field.ts';
import type { ServiceObject } from './service-object.ts';
import type { EndpointObject, SliceObject } from './slice-object.ts';

const keyOf = ({ namespace, name }: { readonly namespace?: string; readonly name: string }) =>
  `${namespace}/${name}`;

/** Indexes of the Pods that endpoints name, and of no others: there may be many Pods. */
const indexTargets = (
  slices: readonly SliceObject[],
  pods: readonly Pod[],
): ReadonlyMap<string, number> => {
  const wanted = new Set<string>();
  for (const { endpoints } of slices)
    for (const { target } of endpoints) if (target) wanted.add(keyOf(target));
  const found = new Map<string, number>();
  if (wanted.size === 0) return found;
  for (const [index, pod] of pods.entries()) {
    const key = keyOf(pod);
    if (wanted.has(key)) found.set(key, index);
  }
  return found;
};

const joined = (
  { target, ...endpoint }: EndpointObject,
  targets: ReadonlyMap<string, number>,
): SliceEndpoint => {
  const pod = target && targets.get(keyOf(target));
  return pod === undefined ? endpoint : { ...endpoint, pod };
};

/**
 * The slices of every Service that has any, in the order of the input. Endpoints objects count only
 * for Services without a selector and without slices, as they are mirrored; a slice of no Service
 * of the input is reported.
 */
export const joinSlices = (
  services: readonly ServiceObject[],
  slices: readonly SliceObject[],
  pods: readonly Pod[],
): ReadonlyMap<ServiceObject, readonly EndpointSlice[]> => {
  const result = new Map<ServiceObject, EndpointSlice[]>();
  if (slices.length === 0) return result;
  const byKey = new Map(services.map((service) => [keyOf(service), service]));
  const targets = indexTargets(slices, pods);
  for (const wanted of ['input', 'endpoints'] as const) {
    const done = new Set(result.keys());
    for (const slice of slices) {
      const { namespace, service: name, source } = slice;
      if (source !== wanted) continue;
      const service = byKey.get(keyOf({ namespace, name }));
      if (!service) {
        warn(
          slice.field,
          'no-service',
          `belongs to Service ${namespace}/${name}, which is not in the input`,
        );
        continue;
      }
      if (done.has(service) || (wanted === 'endpoints' && service.requirements.length > 0))
        continue;
      const { family, ports, endpoints, place } = slice;
      const own = result.get(service) ?? [];
      result.set(service, own);
      own.push({
        name: slice.name,
        family,
        source,
        ports,
        endpoints: endpoints.map((endpoint) => joined(endpoint, targets)),
        place,
      });
    }
  }
  return result;
};
