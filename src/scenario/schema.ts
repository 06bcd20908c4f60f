/** The Scenario's schema, checked with zod; loaded only where a Scenario is met. */
import type { Report } from '../cluster/diagnostic.ts';
import type { KubeObject } from '../cluster/kube-object.ts';
import {
  LOCAL_MODES,
  PROXY_MODES,
  SCHEDULERS,
  WITHOUT_EFFECT,
} from '../cluster/service/kube-proxy-object.ts';
import { isIpv4, isIpv4Cidr, isUnicast, isUnicastCidr } from '../wire/ip.ts';
import { parseSloppyCidr } from '../wire/parse-ip.ts';
import { checkFields } from './check-fields.ts';
import { expectation } from './expectation-schema.ts';
import { fileSchema, name, text, texts, z } from './zod.ts';

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
const isPort = (digits: string): boolean => Number(digits) >= 1 && Number(digits) <= 65535;

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
      policyEngine: z
        .enum(['none', 'nftables'])
        .optional()
        .describe(
          'What enforces policies beside the plugin. Default: none. nftables: an agent on every node, by address, in table inet k8snet-policy.',
        ),
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

/** Checks a Scenario; every problem is reported, and undefined is returned if there is any. */
export const checkScenario = (object: KubeObject, report: Report): ScenarioDocument | undefined =>
  checkFields(scenario, 'Scenario', object, report);

/** The JSON Schema of scenario files. */
export const scenarioSchema = (): object => fileSchema('Scenario', scenario);
