/** `kind: KubeProxyConfiguration` (kubeproxy.config.k8s.io/v1alpha1 of Kubernetes v1.34). */
import { parseSloppyCidr } from '../../wire/parse-ip.ts';
import type { Place } from '../cluster.ts';
import {
  booleanOf,
  entriesOf,
  type Field,
  fieldAt,
  integerOf,
  listOf,
  textOf,
  warn,
} from '../field.ts';
import { isObject, type Json } from '../kube-object.ts';
import { didYouMean, nearest } from '../nearest.ts';

export const PROXY_MODES = ['iptables', 'nftables', 'ipvs'] as const;
export const LOCAL_MODES = [
  'ClusterCIDR',
  'NodeCIDR',
  'BridgeInterface',
  'InterfaceNamePrefix',
] as const;
/** Of the kernel's, those that kube-proxy's documentation names. */
export const SCHEDULERS = [
  'rr',
  'wrr',
  'lc',
  'wlc',
  'lblc',
  'lblcr',
  'sh',
  'dh',
  'sed',
  'nq',
  'mh',
] as const;

/** The fields that have an effect, as they are written; an absent one has its default. */
export interface KubeProxyFields {
  /** `none`, only of a Scenario: no kube-proxy at all. */
  readonly mode?: (typeof PROXY_MODES)[number] | 'none' | '' | undefined;
  /** One CIDR, or one of each family with a comma between them. */
  readonly clusterCIDR?: string | undefined;
  /** `none`, only of a Scenario: nothing is known to be local. */
  readonly detectLocalMode?: (typeof LOCAL_MODES)[number] | 'none' | '' | undefined;
  readonly detectLocal?:
    | {
        readonly bridgeInterface?: string | undefined;
        readonly interfaceNamePrefix?: string | undefined;
      }
    | undefined;
  readonly nodePortAddresses?: readonly string[] | undefined;
  readonly iptables?:
    | {
        readonly masqueradeAll?: boolean | undefined;
        readonly masqueradeBit?: number | undefined;
        readonly localhostNodePorts?: boolean | undefined;
      }
    | undefined;
  readonly nftables?:
    | { readonly masqueradeAll?: boolean | undefined; readonly masqueradeBit?: number | undefined }
    | undefined;
  readonly ipvs?:
    | {
        readonly scheduler?: string | undefined;
        readonly strictARP?: boolean | undefined;
        readonly excludeCIDRs?: readonly string[] | undefined;
      }
    | undefined;
  readonly conntrack?: { readonly tcpBeLiberal?: boolean | undefined } | undefined;
}

export interface KubeProxyObject {
  readonly fields: KubeProxyFields;
  readonly place: Place;
}

/**
 * What kube-proxy reads beside these fields, by section. It has no effect on what packets meet, or
 * none that is modelled.
 */
export const WITHOUT_EFFECT = {
  top: [
    'featureGates',
    'clientConnection',
    'logging',
    'hostnameOverride',
    'bindAddress',
    'healthzBindAddress',
    'metricsBindAddress',
    'bindAddressHardFail',
    'enableProfiling',
    'showHiddenMetricsForVersion',
    'winkernel',
    'oomScoreAdj',
    'configSyncPeriod',
    'portRange',
    'windowsRunAsService',
    'udpIdleTimeout',
  ],
  iptables: ['snatNodeInternalIP', 'syncPeriod', 'minSyncPeriod'],
  nftables: ['syncPeriod', 'minSyncPeriod'],
  ipvs: ['syncPeriod', 'minSyncPeriod', 'tcpTimeout', 'tcpFinTimeout', 'udpTimeout'],
  conntrack: [
    'maxPerCore',
    'min',
    'tcpEstablishedTimeout',
    'tcpCloseWaitTimeout',
    'udpTimeout',
    'udpStreamTimeout',
  ],
} as const;

const KNOWN: Readonly<Record<string, readonly string[]>> = {
  '': [
    'apiVersion',
    'kind',
    'metadata',
    'mode',
    'clusterCIDR',
    'detectLocalMode',
    'detectLocal',
    'nodePortAddresses',
    'iptables',
    'nftables',
    'ipvs',
    'conntrack',
    ...WITHOUT_EFFECT.top,
  ],
  detectLocal: ['bridgeInterface', 'interfaceNamePrefix'],
  iptables: ['masqueradeAll', 'masqueradeBit', 'localhostNodePorts', ...WITHOUT_EFFECT.iptables],
  nftables: ['masqueradeAll', 'masqueradeBit', ...WITHOUT_EFFECT.nftables],
  ipvs: ['scheduler', 'strictARP', 'excludeCIDRs', ...WITHOUT_EFFECT.ipvs],
  conntrack: ['tcpBeLiberal', ...WITHOUT_EFFECT.conntrack],
};

/** Of the fields without effect, those that would change what packets meet. */
const MISSED = [['bindAddress'], ['featureGates'], ['iptables', 'snatNodeInternalIP']] as const;

const isSaid = (value: Json | undefined): boolean =>
  value !== undefined &&
  value !== null &&
  value !== '' &&
  value !== false &&
  value !== '0.0.0.0' &&
  value !== '::' &&
  !(isObject(value) && Object.keys(value).length === 0);

const checkKeys = (object: Field): void => {
  for (const [section, known] of Object.entries(KNOWN)) {
    const field = section === '' ? object : fieldAt(object, section);
    for (const [key, item] of entriesOf(field)) {
      if (known.includes(key)) continue;
      warn(item, 'unknown-field', 'is no field of kube-proxy', didYouMean(nearest(key, known)));
    }
  }
  for (const [key, ...below] of MISSED) {
    const field = fieldAt(object, key, ...below);
    if (isSaid(field.value)) warn(field, 'not-modelled', 'is not modelled; it has no effect');
  }
};

/** Modes that need a name to know what is local by. */
const NAMED = [
  ['BridgeInterface', 'bridgeInterface'],
  ['InterfaceNamePrefix', 'interfaceNamePrefix'],
] as const;

const checkDetection = (object: Field): void => {
  const mode = fieldAt(object, 'detectLocalMode');
  for (const [wanted, key] of NAMED)
    if (mode.value === wanted && !fieldAt(object, 'detectLocal', key).value)
      warn(mode, 'missing-field', `is ${wanted}, which needs detectLocal.${key}`);
};

const wordOf = <Word extends string>(field: Field, words: readonly Word[]): Word | undefined => {
  const text = textOf(field);
  if (text === undefined || text === '') return undefined;
  const word = words.find((known) => known === text);
  if (word === undefined)
    warn(
      field,
      'bad-value',
      `is ${JSON.stringify(text)}; kube-proxy wants ${words.join(', ')}`,
      didYouMean(nearest(text, words)),
    );
  return word;
};

const rangeIn = (field: Field, text: string): boolean => {
  if (parseSloppyCidr(text)) return true;
  warn(field, 'bad-cidr', `has ${JSON.stringify(text)}, which is no range; it is left out`);
  return false;
};

/** `primary` stands alone (validateKubeProxyNodePortAddress). */
const nodePortAddressesOf = (field: Field): string[] | undefined => {
  const items = listOf(field);
  if (items.length === 0) return undefined;
  const found = items.flatMap((item) => {
    const text = textOf(item);
    if (text === undefined) return [];
    if (text === 'primary' && items.length === 1) return [text];
    return rangeIn(item, text) ? [text] : [];
  });
  return found;
};

const clusterCidrOf = (field: Field): string | undefined =>
  textOf(field)
    ?.split(',')
    .filter((part) => part.trim() === '' || rangeIn(field, part.trim()))
    .join(',');

/** Reads a document; what is wrong in it is reported and counts as not written. */
export const readKubeProxy = (object: Field): KubeProxyObject => {
  checkKeys(object);
  checkDetection(object);
  const bit = (section: string): number | undefined =>
    integerOf(fieldAt(object, section, 'masqueradeBit'), 0, 31);
  const all = (section: string): boolean | undefined =>
    booleanOf(fieldAt(object, section, 'masqueradeAll'));
  const excluded = listOf(fieldAt(object, 'ipvs', 'excludeCIDRs')).flatMap((item) => {
    const text = textOf(item);
    return text !== undefined && rangeIn(item, text) ? [text] : [];
  });
  return {
    fields: {
      mode: wordOf(fieldAt(object, 'mode'), PROXY_MODES),
      clusterCIDR: clusterCidrOf(fieldAt(object, 'clusterCIDR')),
      detectLocalMode: wordOf(fieldAt(object, 'detectLocalMode'), LOCAL_MODES),
      detectLocal: {
        bridgeInterface: textOf(fieldAt(object, 'detectLocal', 'bridgeInterface')),
        interfaceNamePrefix: textOf(fieldAt(object, 'detectLocal', 'interfaceNamePrefix')),
      },
      nodePortAddresses: nodePortAddressesOf(fieldAt(object, 'nodePortAddresses')),
      iptables: {
        masqueradeAll: all('iptables'),
        masqueradeBit: bit('iptables'),
        localhostNodePorts: booleanOf(fieldAt(object, 'iptables', 'localhostNodePorts')),
      },
      nftables: { masqueradeAll: all('nftables'), masqueradeBit: bit('nftables') },
      ipvs: {
        scheduler: wordOf(fieldAt(object, 'ipvs', 'scheduler'), SCHEDULERS),
        strictARP: booleanOf(fieldAt(object, 'ipvs', 'strictARP')),
        excludeCIDRs: excluded.length > 0 ? excluded : undefined,
      },
      conntrack: { tcpBeLiberal: booleanOf(fieldAt(object, 'conntrack', 'tcpBeLiberal')) },
    },
    place: object.object.place([]),
  };
};
