/** What a Pod's spec says about its resolver (k8s.io/api core/v1: dnsPolicy, dnsConfig, hostAliases). */
import { isIpv4 } from '../../wire/ip.ts';
import type { DnsOption, HostAlias, PodDns } from '../cluster.ts';
import { type Field, fieldAt, listOf, textOf, textsOf, warn } from '../field.ts';

const POLICIES: readonly PodDns['policy'][] = [
  'ClusterFirst',
  'ClusterFirstWithHostNet',
  'Default',
  'None',
];

/** Of Pods that say nothing. */
export const USUAL_DNS: PodDns = {
  policy: 'ClusterFirst',
  nameservers: [],
  searches: [],
  options: [],
  hostAliases: [],
};

const readPolicy = (field: Field): PodDns['policy'] => {
  const text = textOf(field);
  const policy = POLICIES.find((known) => known === text);
  if (text !== undefined && policy === undefined)
    warn(
      field,
      'unknown-dns-policy',
      `is ${JSON.stringify(text)}`,
      `One of ${POLICIES.join(', ')}.`,
    );
  return policy ?? 'ClusterFirst';
};

const readOption = (field: Field): DnsOption[] => {
  const name = textOf(fieldAt(field, 'name'));
  const value = textOf(fieldAt(field, 'value'));
  return name === undefined ? [] : [{ name, ...(value !== undefined && { value }) }];
};

const readAlias = (field: Field): HostAlias[] => {
  const ip = textOf(fieldAt(field, 'ip'));
  return ip === undefined ? [] : [{ ip, hostnames: textsOf(fieldAt(field, 'hostnames')) }];
};

const ODD_LABEL = /[^-.\w]/;

/** @returns undefined where the Pod says nothing that is not usual. */
export const readPodDns = (spec: Field): PodDns | undefined => {
  const policyField = fieldAt(spec, 'dnsPolicy');
  const config = fieldAt(spec, 'dnsConfig');
  const aliases = fieldAt(spec, 'hostAliases');
  const isSilent = [policyField, config, aliases].every(({ value }) => value === undefined);
  if (isSilent) return undefined;
  const policy = readPolicy(policyField);
  const nameserverField = fieldAt(config, 'nameservers');
  const nameservers = textsOf(nameserverField).filter((ip) => {
    const isAddress = isIpv4(ip) || ip.includes(':');
    if (!isAddress)
      warn(nameserverField, 'bad-ip', `has ${JSON.stringify(ip)}, which is no address`);
    return isAddress;
  });
  if (policy === 'None' && nameservers.length === 0)
    warn(policyField, 'no-nameserver', 'is None, and dnsConfig names no nameserver');
  const hostAliases = listOf(aliases).flatMap(readAlias);
  const isUsual = policy === 'ClusterFirst' && config.value === undefined;
  if (isUsual && hostAliases.length === 0) return undefined;
  return {
    policy,
    nameservers,
    searches: textsOf(fieldAt(config, 'searches')).filter((domain) => !ODD_LABEL.test(domain)),
    options: listOf(fieldAt(config, 'options')).flatMap(readOption),
    hostAliases,
  };
};
