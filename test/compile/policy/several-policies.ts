/** Policies of all kinds with everything that their rules can have, over Pods of both families. */
import { adminPolicy, baselinePolicy, networkPolicy, pod } from './policed.ts';

const PORTS = [
  { name: 'http', containerPort: 8080 },
  { name: 'dns', containerPort: 53, protocol: 'UDP' },
  { name: 'sig', containerPort: 99, protocol: 'SCTP' },
];

const pods = [1, 2].flatMap((node) =>
  Array.from({ length: 4 }, (_, n) =>
    pod({
      name: `web-${node}-${n}`,
      node,
      labels: { app: n < 2 ? 'web' : 'db' },
      ports: PORTS.slice(0, n),
      ips: [`10.244.${node}.${20 + n}`, `fd00:10:244:${node}::${20 + n}`],
    }),
  ),
);

const block = (cidr: string, ...except: string[]) => ({ ipBlock: { cidr, except } });

const ADMIN_PEERS = [
  { namespaces: {} },
  { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: 'db' } } } },
];

const ADMIN_PORTS = [
  { portNumber: { protocol: 'TCP', port: 443 } },
  { portRange: { protocol: 'UDP', start: 5000, end: 6000 } },
  { namedPort: 'dns' },
];

const CLUSTER_RULES = [
  {
    action: 'Accept',
    to: [{ domainNames: ['*.example.com', 'example.org'] }, { networks: ['fd00::/8'] }],
    protocols: [{ tcp: { destinationPort: { number: 443 } } }, { destinationNamedPort: 'sig' }],
  },
  { action: 'Deny', to: [{ networks: ['0.0.0.0/0', '::/0'] }, { nodes: {} }] },
];

/** As objects of an input. */
export const severalPolicies = (): object[] => [
  ...pods,
  networkPolicy('web', {
    podSelector: { matchLabels: { app: 'web' } },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      { from: [{ podSelector: {} }], ports: [{ port: 'http' }, { port: 80, endPort: 90 }, {}] },
      {
        from: [
          block('10.0.0.0/8', '10.244.1.0/24', '10.244.2.21/32', '10.255.255.254/31'),
          block('0.0.0.0/0', '255.0.0.0/8'),
          block('fd00::/8', 'fd00:10::/32', 'fdff:ffff::/32'),
          block('128.0.0.0/1'),
        ],
        ports: [
          { port: 22 },
          { port: 8000, endPort: 9000 },
          { protocol: 'UDP', port: 53 },
          { protocol: 'SCTP', port: 'sig' },
          { protocol: 'SCTP', port: 7 },
        ],
      },
      { from: [block('192.0.2.1/32'), block('192.0.2.3/32'), block('2001:db8::1/128')] },
    ],
    egress: [
      { ports: [{ protocol: 'UDP', port: 'dns' }, { protocol: 'SCTP' }] },
      { to: [block('255.255.255.0/24'), block('1.0.0.0/8')] },
    ],
  }),
  networkPolicy(`${'long-'.repeat(40)}name`, {
    podSelector: {},
    ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 1 }, { port: 3 }] }],
  }),
  adminPolicy('first', {
    priority: 5,
    subject: { namespaces: {} },
    ingress: [
      { action: 'Pass', from: ADMIN_PEERS, ports: ADMIN_PORTS },
      { action: 'Deny', from: ADMIN_PEERS.slice(1) },
    ],
    egress: [{ action: 'Allow', to: [...ADMIN_PEERS, { nodes: {} }], ports: ADMIN_PORTS }],
  }),
  {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: 'names' },
    spec: { tier: 'Admin', priority: 7, subject: { namespaces: {} }, egress: CLUSTER_RULES },
  },
  baselinePolicy({
    subject: { namespaces: {} },
    egress: [{ action: 'Deny', to: [{ namespaces: {} }], ports: [{ namedPort: 'http' }] }],
  }),
];
