/** What the API server refuses of a Service, or nobody reads: said, and taken as it is. */
import { type Field, fieldAt, warn } from '../field.ts';
import type { ServiceObject } from './service-object.ts';

const isWritten = ({ value }: Field): boolean =>
  value !== undefined && value !== null && value !== '' && value !== 0;

/** Fields that only some types of Services have (validation of core/v1 in Kubernetes v1.34). */
export const reportMisuse = (spec: Field, service: ServiceObject): void => {
  const { type, headless, ports, externalIPs, externalName, sourceRanges } = service;
  const unused = (field: Field, why: string): void => {
    if (isWritten(field)) warn(field, 'not-used', `has no effect on ${why}`);
  };
  const isExternal = type === 'NodePort' || type === 'LoadBalancer';
  if (type === 'ExternalName') {
    if (!externalName)
      warn(fieldAt(spec, 'externalName'), 'missing-field', 'is missing: the name leads nowhere');
    return;
  }
  if (!headless && ports.length === 0)
    warn(fieldAt(spec, 'ports'), 'no-ports', 'has no port that could be asked for');
  if (type !== 'LoadBalancer') {
    if (sourceRanges.length > 0)
      unused(fieldAt(spec, 'loadBalancerSourceRanges'), `a Service of type ${type}`);
    unused(fieldAt(spec, 'healthCheckNodePort'), `a Service of type ${type}`);
  } else if (service.externalTrafficPolicy !== 'Local')
    unused(fieldAt(spec, 'healthCheckNodePort'), 'a Service without externalTrafficPolicy Local');
  if (isExternal) return;
  if (externalIPs.length === 0)
    unused(fieldAt(spec, 'externalTrafficPolicy'), `a Service of type ${type} without externalIPs`);
  for (const { at } of ports)
    unused(fieldAt(spec, 'ports', at, 'nodePort'), `a Service of type ${type}`);
};
