/** Every code that `k8snet lint` knows, with what it means in a few words. */
import { documentationOf } from './report.ts';
import { RULES } from './rules.ts';

/** What reading finds: odd or wrong pieces of the input (`Diagnostic.code`). */
export const READING_CODES = {
  'bad-cidr': 'A range that is none',
  'bad-domain-name': 'A name of a domain that is none',
  'bad-fault': 'A fault that cannot be done',
  'bad-ip': 'An address that is none',
  'bad-json': 'JSON in a field that cannot be read',
  'bad-label': 'A value that no label can have',
  'bad-listen': 'An annotation k8snet/listen that cannot be read',
  'bad-name': 'A name that no object can have',
  'bad-override': 'A --set that cannot be done',
  'bad-port-name': 'A name that no port can have',
  'bad-range': 'Ports that are no range',
  'bad-value': 'A value that Kubernetes does not take',
  'bad-yaml': 'YAML in a field that cannot be read',
  'baseline-name': 'A BaselineAdminNetworkPolicy that is not called default',
  'cidr-not-canonical': 'A range that is written in another way than it is read',
  'duplicate-ip': 'Two that have one address',
  'duplicate-name': 'Two ports of one name',
  'duplicate-object': 'An object that is in the input twice, and differs',
  'duplicate-port': 'One port twice in a Service',
  'empty-directory': 'A directory without files to read',
  'empty-peer': 'A peer that says nothing, and matches nobody',
  'equal-priority': 'Two policies of a tier with one priority and the same Pods',
  'except-all': 'An exception that leaves nothing of its range',
  'except-outside': 'An exception outside its range, which cuts nothing',
  'gateway-address': 'A Pod with the address of its gateway',
  'ipv6-only': 'A Pod or node with IPv6 addresses alone',
  'missing-field': 'A field that is needed',
  'missing-name': 'An object without a name',
  'name-taken': 'A name that two workloads give their Pods',
  'named-port-outside': 'A named port in a rule about nodes, ranges or names of domains',
  'no-address': 'A Service that no Pod has an address for',
  'no-containers': 'A Pod without containers',
  'no-kind': 'A document without apiVersion and kind',
  'no-nameserver': 'A Pod with dnsPolicy None and no name servers',
  'no-objects': 'An input without objects',
  'no-ports': 'A Service without ports',
  'no-service': 'A StatefulSet or Ingress whose Service is not there',
  'not-an-object': 'A document that is no object',
  'not-modelled': 'A setting that is not modelled',
  'not-text': 'A file that is no text',
  'not-used': 'A field that has no effect there',
  'one-of': 'Fields of which the API takes one',
  'out-of-range': 'A number that is out of range',
  'plugin-fails': 'The plugin cannot do this',
  'port-clash': "Two Pods that want one port of the node's network",
  'range-exhausted': 'A range without room for another one',
  'range-used-up': 'A range of Services that is used up',
  'ranges-overlap': 'Ranges of Pods, Services or nodes that overlap',
  'second-scenario': 'A second Scenario in the input',
  'selects-nothing': 'A Service that selects no Pod',
  'service-clash': 'Two Services that want one address or NodePort',
  syntax: 'Text that is neither YAML nor JSON',
  'too-long': 'A name that is too long',
  'too-many': 'More items than the API takes',
  'too-many-problems': 'More problems than are listed',
  'unknown-dns-policy': 'A dnsPolicy that is none',
  'unknown-field': 'A field that nothing reads',
  'unknown-node': 'A node that is not there',
  'unknown-operator': 'An operator that selectors do not have',
  'unknown-port-name': 'A Service whose targetPort no Pod has',
  'unknown-protocol': 'A protocol that is none',
  'unknown-revision': 'A revision of git that is not there',
  'unknown-scenario': 'A built-in scenario that is not there',
  unreadable: 'A file that cannot be read',
  unschedulable: 'A Pod that fits no node',
  'unserved-port': 'A port of a Service that no EndpointSlice has',
  'wrong-type': 'A value of another type than Kubernetes wants',
} as const satisfies Readonly<Record<string, string>>;

/** What is wrong with what findings are suppressed by. */
export const IGNORE_CODES = {
  'ignore-without-reason': 'A suppression without a reason',
  'ignore-unknown-code': 'A suppression of a code that is none',
  'ignore-unused': 'A suppression that suppresses nothing',
} as const satisfies Readonly<Record<string, string>>;

export interface CodeTitle {
  readonly code: string;
  readonly title: string;
  /** Where it is explained. */
  readonly documentation: string;
}

const of = (code: string, title: string): CodeTitle => ({
  code,
  title,
  documentation: documentationOf(code),
});

const titles = (codes: Readonly<Record<string, string>>): CodeTitle[] =>
  Object.entries(codes).map(([code, title]) => of(code, title));

/** Rules first, then suppressions, then what reading finds. */
export const ALL_CODES: readonly CodeTitle[] = [
  ...RULES.map(({ code, title }) => of(code, title)),
  ...titles(IGNORE_CODES),
  ...titles(READING_CODES),
];

export const isCode = (text: string): boolean => ALL_CODES.some(({ code }) => code === text);
