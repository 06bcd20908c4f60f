/** The Scenario's schema, checked with zod; loaded only where a Scenario is met. */
import * as z from 'zod';
import { atPlace, type Report } from '../cluster/diagnostic.ts';
import { shown } from '../cluster/field.ts';
import {
  formatPath,
  type Json,
  type KubeObject,
  type Path,
  valueAt,
} from '../cluster/kube-object.ts';
import { didYouMean, nearest } from '../cluster/nearest.ts';
import {
  LOCAL_MODES,
  PROXY_MODES,
  SCHEDULERS,
  WITHOUT_EFFECT,
} from '../cluster/service/kube-proxy-object.ts';
import { CAUSE_CODES, DISPOSITIONS, SYMPTOMS } from '../trace/codes.ts';
import { isIpv4, isIpv4Cidr, isUnicast, isUnicastCidr } from '../wire/ip.ts';
import { parseSloppyCidr } from '../wire/parse-ip.ts';

/** A text that must look like something; the error says what is expected. */
const text = (pattern: RegExp, expected: string) => z.string().regex(pattern, expected);

const name = text(
  /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/,
  'lower-case letters, digits, dots and dashes',
);
/** An address that a machine can have, and a range of such addresses. */
const ipv4 = z
  .string()
  .refine(isIpv4, 'an IPv4 address such as 192.168.10.11')
  .refine((ip) => !isIpv4(ip) || isUnicast(ip), 'an address that one machine can have')
  .meta({ format: 'ipv4' });
const cidr = z
  .string()
  .refine(isIpv4Cidr, 'an IPv4 range such as 10.244.0.0/16')
  .refine(
    (range) => !isIpv4Cidr(range) || isUnicastCidr(range),
    'a range outside 0.0.0.0/8, 127.0.0.0/8 and 224.0.0.0/3, whose addresses no machine can have',
  )
  .meta({ pattern: '^[0-9.]+/[0-9]+$' });
const port = z.int().min(1).max(65535);
const isPort = (digits: string): boolean => Number(digits) >= 1 && Number(digits) <= 65535;
const texts = z.record(z.string(), z.string());

const network = z.strictObject({
  plugin: z
    .enum(['bridge', 'flannel'])
    .optional()
    .describe('The CNI plugin. Default: what the objects show, else flannel.'),
  backend: z
    .enum(['static-routes', 'cloud-routes', 'vxlan', 'host-gw'])
    .optional()
    .describe(
      'flannel: vxlan (default) or host-gw. bridge: static-routes (default) or cloud-routes.',
    ),
  podCIDR: cidr.optional().describe('The range of all Pods. Default: 10.244.0.0/16.'),
  serviceCIDR: cidr.optional().describe('The range of all Services. Default: 10.96.0.0/12.'),
  config: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      "The plugin's own keys: of the bridge plugin's configuration, or of flannel's net-conf.json.",
    ),
});

const underlay = z.strictObject({
  cidr: cidr
    .optional()
    .describe("The nodes' range; its first address is the gateway. Default: 192.168.10.0/24."),
  mtu: z.int().min(576).max(65535).optional().describe('Bytes. Default: 1500.'),
});

const taint = z.strictObject({
  key: z.string(),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
});

const node = z.strictObject({
  name,
  labels: texts.optional(),
  taints: z.array(taint).optional(),
  addresses: z.array(ipv4).min(1).optional().describe('Default: from .11 of the underlay upward.'),
  podCIDR: cidr.optional().describe('Default: the next free /24 of network.podCIDR.'),
  sysctl: z
    .record(z.string(), z.union([z.string(), z.number()]))
    .optional()
    .describe('Kernel settings of the node, for example net.ipv4.ip_forward: 0.'),
});

const commandFault = z.strictObject({
  on: text(/^\S+$/, 'an endpoint such as node/node-2 or pod/web').describe(
    'Where the command runs: a node, a Pod or a workload, as on the command line.',
  ),
  run: text(/\S/, 'a command').describe(
    'As an operator types it: ip, bridge, sysctl -w, iptables.',
  ),
});

const wireFault = z.strictObject({
  wire: z
    .tuple([z.string(), z.string()])
    .describe('The two nodes between which the wire loses packets.'),
  drop: text(
    /^(?:all|icmp|(?:tcp|udp)(?:\/[0-9]+)?)$/,
    'all, icmp, tcp, udp or for example udp/8472',
  ).refine((drop) => isPort(drop.split('/')[1] ?? '1'), 'a port from 1 to 65535'),
  oneWay: z
    .literal(true)
    .optional()
    .describe('Only what the first of the two sends to the second is lost.'),
});

const expectation = z.strictObject({
  from: z.string().describe('An endpoint, as on the command line.'),
  to: z.string().describe('An endpoint, as on the command line.'),
  port: port.optional(),
  protocol: z.enum(['tcp', 'udp', 'sctp', 'icmp']).optional(),
  size: z.int().min(0).max(65_535).optional().describe('Bytes of application data.'),
  backend: z.string().optional(),
  repeat: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe('So many probes, one after the other; what is expected holds for each.'),
  disposition: z.enum(DISPOSITIONS),
  cause: z.enum(CAUSE_CODES).optional(),
  symptom: z.enum(SYMPTOMS).optional().describe('What the application sees.'),
  sourceSeen: z.string().optional().describe('The source address that the receiver sees.'),
  dnat: z.string().optional().describe('address:port that the destination is rewritten to.'),
  backends: z
    .int()
    .min(0)
    .optional()
    .describe('How many backends may answer; with repeat: how many of them the probes come to.'),
  resolved: z
    .string()
    .optional()
    .describe('The address that a name is resolved to; of several, one of them.'),
  via: z
    .array(z.string())
    .optional()
    .describe('Devices that the packets cross, in order: cni0 or node-1/host/cni0.'),
  notVia: z.array(z.string()).optional().describe('Devices that no packet crosses.'),
  maxHops: z.int().min(1).optional(),
});

/** Accepted as kube-proxy accepts them; whoever writes one is told that it changes nothing. */
const withoutEffect = <Section extends keyof typeof WITHOUT_EFFECT>(section: Section) => {
  const field = z.unknown().optional().describe('Has no effect on a trace.');
  return Object.fromEntries(WITHOUT_EFFECT[section].map((key) => [key, field])) as {
    readonly [Key in (typeof WITHOUT_EFFECT)[Section][number]]: typeof field;
  };
};

const masquerade = {
  masqueradeAll: z.boolean().optional().describe('Every packet to a ClusterIP is masqueraded.'),
  masqueradeBit: z.int().min(0).max(31).optional().describe('Of the fwmark. Default: 14.'),
};
const range = z
  .string()
  .refine((text) => parseSloppyCidr(text) !== undefined, 'a range such as 10.244.0.0/16');

const kubeProxy = z
  .strictObject({
    mode: z
      .enum([...PROXY_MODES, 'none', ''])
      .optional()
      .describe('Default: iptables. none: no kube-proxy runs (ours; kube-proxy has no such mode).'),
    clusterCIDR: z
      .string()
      .refine(
        (text) => text === '' || text.split(',').every((part) => parseSloppyCidr(part.trim())),
        'a range such as 10.244.0.0/16, or one of each family with a comma between them',
      )
      .optional()
      .describe('What is local with detectLocalMode ClusterCIDR. Default: network.podCIDR.'),
    detectLocalMode: z
      .enum([...LOCAL_MODES, 'none', ''])
      .optional()
      .describe('Default: ClusterCIDR. none: nothing is known to be local (ours).'),
    detectLocal: z
      .strictObject({
        bridgeInterface: z.string().optional(),
        interfaceNamePrefix: z.string().optional(),
      })
      .optional(),
    nodePortAddresses: z
      .union([z.array(range), z.tuple([z.literal('primary')])])
      .optional()
      .describe("Ranges whose addresses serve NodePorts, or [primary]: the node's own address."),
    iptables: z
      .strictObject({
        ...masquerade,
        localhostNodePorts: z.boolean().optional().describe('Default: true.'),
        ...withoutEffect('iptables'),
      })
      .optional()
      .describe('Of the modes iptables and ipvs.'),
    nftables: z.strictObject({ ...masquerade, ...withoutEffect('nftables') }).optional(),
    ipvs: z
      .strictObject({
        scheduler: z
          .enum([...SCHEDULERS, ''])
          .optional()
          .describe('Default: rr.'),
        strictARP: z.boolean().optional(),
        excludeCIDRs: z.array(range).optional(),
        ...withoutEffect('ipvs'),
      })
      .optional(),
    conntrack: z
      .strictObject({ tcpBeLiberal: z.boolean().optional(), ...withoutEffect('conntrack') })
      .optional(),
    ...withoutEffect('top'),
  })
  .describe(
    "Fields of KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1). They win over the input's own.",
  );

const scenario = z.strictObject({
  apiVersion: z.literal('k8snet/v1'),
  kind: z.literal('Scenario'),
  metadata: z.strictObject({
    name,
    labels: texts.optional(),
    annotations: texts.optional(),
  }),
  spec: z
    .strictObject({
      description: z.string().optional(),
      network: network.optional(),
      underlay: underlay.optional(),
      kubeProxy: kubeProxy.optional(),
      policyEngine: z.enum(['none']).optional().describe('NetworkPolicies are not enforced yet.'),
      nodes: z
        .array(node)
        .min(1)
        .optional()
        .describe('Default: node-1 and node-2, or those that Pods name.'),
      faults: z.array(z.union([commandFault, wireFault])).optional(),
      expect: z.array(expectation).optional().describe('What `k8snet test` checks.'),
    })
    .optional(),
});

export type ScenarioDocument = z.infer<typeof scenario>;
export type ScenarioSpec = NonNullable<ScenarioDocument['spec']>;
export type ScenarioFault = z.infer<typeof commandFault> | z.infer<typeof wireFault>;
export type ScenarioExpectation = z.infer<typeof expectation>;

type Issue = z.core.$ZodIssue;

const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
  ['string', 'a string'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['tuple', 'a list of two'],
  ['object', 'an object'],
  ['record', 'an object'],
]);

const pathOf = (issue: Issue): Path =>
  issue.path.filter((key) => typeof key === 'string' || typeof key === 'number');

/** The fields that the schema knows at a path: what an unknown one may have been meant to be. */
const knownKeys = (schema: z.core.$ZodType, path: Path): string[] => {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const [head, ...rest] = path;
  switch (def.type) {
    case 'optional':
      return knownKeys(def.innerType, path);
    case 'object': {
      if (head === undefined) return Object.keys(def.shape);
      const inner = Object.hasOwn(def.shape, head) ? def.shape[head] : undefined;
      return inner ? knownKeys(inner, rest) : [];
    }
    case 'array':
      return knownKeys(def.element, rest);
    case 'union':
      return def.options.flatMap((option) => knownKeys(option, path));
    default:
      return [];
  }
};

interface Problem {
  readonly code: string;
  readonly path: Path;
  readonly of: 'key' | 'value';
  readonly message: string;
  readonly hint?: string | undefined;
}

const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? shown(values[0]) : `one of ${values.map(String).join(', ')}`;

/** What an issue of zod means to a person; `value` is what is found at its path. */
const explain = (issue: Issue, path: Path, value: Json | undefined): Problem[] => {
  const field = formatPath(path) || 'the Scenario';
  const bad = (expected: string, hint?: string): Problem[] =>
    value === undefined
      ? [
          {
            code: 'missing-field',
            path,
            of: 'value',
            message: `${field} is missing; expected ${expected}`,
          },
        ]
      : [
          {
            code: 'bad-value',
            path,
            of: 'value',
            message: `${field} is ${shown(value)}; expected ${expected}`,
            hint,
          },
        ];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        code: 'unknown-field',
        path: [...path, key],
        of: 'key',
        message: `${path.length === 0 ? 'a Scenario' : field} has no field ${JSON.stringify(key)}`,
        hint: didYouMean(nearest(key, knownKeys(scenario, path))),
      }));
    case 'invalid_type':
      return bad(TYPE_NAMES.get(issue.expected) ?? issue.expected);
    case 'invalid_value': {
      // KubeProxyConfiguration takes an empty string for its default: nothing to offer.
      const values = issue.values.filter((one) => one !== '');
      return bad(
        oneOf(values),
        typeof value === 'string' ? didYouMean(nearest(value, values.map(String))) : undefined,
      );
    }
    case 'too_small':
      return bad(
        issue.origin === 'array'
          ? `a list of ${String(issue.minimum)} or more`
          : `${String(issue.minimum)} or more`,
      );
    case 'too_big':
      return bad(
        issue.origin === 'array'
          ? `a list of ${String(issue.maximum)} or fewer`
          : `${String(issue.maximum)} or less`,
      );
    case 'invalid_union': {
      // The alternative that fits best is the one that was meant.
      const [best] = issue.errors.toSorted((a, b) => weigh(a) - weigh(b));
      return (best ?? []).flatMap((inner) => {
        const below = pathOf(inner);
        return explain(inner, [...path, ...below], valueAt(value, below));
      });
    }
    default:
      return bad(issue.message);
  }
};

/** Wrong fields weigh more than missing ones: they show that another alternative was meant. */
const weigh = (issues: readonly Issue[]): number =>
  issues.reduce(
    (sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length * 2 : 1),
    0,
  );

/** Checks a Scenario; every problem is reported, and undefined is returned if there is any. */
export const checkScenario = (object: KubeObject, report: Report): ScenarioDocument | undefined => {
  const result = scenario.safeParse(object.value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const path = pathOf(issue);
    const value = path.length === 0 ? object.value : valueAt(object.value, path);
    for (const problem of explain(issue, path, value))
      report({
        severity: 'error',
        code: problem.code,
        message: problem.message,
        path: formatPath(problem.path),
        ...atPlace(object.place(problem.path, problem.of)),
        ...(problem.hint !== undefined && { hint: problem.hint }),
      });
  }
  return undefined;
};

/**
 * The JSON Schema (draft 2020-12) of scenario files. Only documents of kind Scenario are held to
 * it: the others of a stream are Kubernetes objects.
 */
export const scenarioSchema = (): object => {
  const { $schema, ...body } = z.toJSONSchema(scenario, { io: 'input' });
  // Not a literal: an object with a method of this name would be taken for a promise.
  const condition = [
    ['if', { properties: { kind: { const: 'Scenario' } }, required: ['kind'] }],
    ['then', { $ref: '#/$defs/Scenario' }],
  ];
  return {
    $schema,
    title: 'k8snet Scenario',
    type: 'object',
    ...Object.fromEntries(condition),
    $defs: { Scenario: body },
  };
};
