/** Input for the matrix bench: what a large shared cluster has, and a small shop; always the same. */
import { writeFileSync } from 'node:fs';

const LABEL = 'kubernetes.io/metadata.name';
const TIERS = 'policy.networking.k8s.io';

/** @param {number} at */
export const namespaceName = (at) => `team-${at}`;

/** Namespaces of one tenant. */
const TENANT = 20;
const STAGES = ['production', 'production', 'staging', 'development'];

/** @param {number} at */
const namespace = (at) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: namespaceName(at),
    labels: {
      [LABEL]: namespaceName(at),
      'example.com/stage': STAGES[at % STAGES.length],
      'example.com/tenant': `tenant-${Math.floor(at / TENANT)}`,
    },
  },
});

/**
 * @param {number} at the namespace's
 * @param {string} name
 * @param {object} spec
 */
const policy = (at, name, spec) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: namespaceName(at) },
  spec,
});

const DNS = {
  to: [{ namespaceSelector: { matchLabels: { [LABEL]: namespaceName(0) } } }],
  ports: [
    { port: 53, protocol: 'UDP' },
    { port: 53, protocol: 'TCP' },
  ],
};

/**
 * Policies of one namespace, the first ones first: every one is another kind of rule.
 * @param {number} at
 * @param {number} namespaces
 * @param {number} apps Deployments of the namespace: `service-N`, N counts up by `namespaces`
 */
const policiesOf = (at, namespaces, apps) => {
  const app = (/** @type {number} */ n) => `service-${at + namespaces * (n % apps)}`;
  const pods = (/** @type {number} */ n) => ({ podSelector: { matchLabels: { app: app(n) } } });
  // One namespace in five isolates nothing by default.
  const isolates = at % 5 !== 0;
  const neighbour = namespaceName((at + 1) % namespaces);
  return [
    isolates
      ? policy(at, 'default-deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] })
      : policy(at, 'same-namespace', {
          podSelector: {},
          ingress: [{ from: [{ podSelector: {} }] }],
        }),
    policy(at, 'dns-and-outside', {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [
        DNS,
        { to: [{ podSelector: {} }] },
        {
          to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '172.16.0.0/12'] } }],
          ports: [{ port: 443, protocol: 'TCP' }],
        },
        ...(at % 10 === 3
          ? [{ to: [{ ipBlock: { cidr: `198.51.${at >> 8}.${at & 255}/32` } }] }]
          : []),
      ],
    }),
    policy(at, 'front', {
      ...pods(0),
      ingress: [
        {
          from: [
            pods(1),
            { namespaceSelector: { matchLabels: { [LABEL]: neighbour } } },
            {
              namespaceSelector: {
                matchExpressions: [
                  {
                    key: 'example.com/tenant',
                    operator: 'In',
                    values: [`tenant-${Math.floor(at / TENANT)}`],
                  },
                  { key: 'example.com/stage', operator: 'NotIn', values: ['development'] },
                ],
              },
            },
          ],
          ports: [{ port: 'http' }],
        },
        { from: [{ ipBlock: { cidr: '0.0.0.0/0' } }], ports: [{ port: 8080, endPort: 8085 }] },
      ],
    }),
    policy(at, 'metrics', {
      podSelector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
      ingress: [
        {
          from: [
            {
              namespaceSelector: { matchLabels: { [LABEL]: namespaceName(1) } },
              podSelector: { matchLabels: { app: 'service-1' } },
            },
          ],
          ports: [{ port: 'metrics' }],
        },
      ],
    }),
    policy(at, 'back', {
      ...pods(2),
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [pods(0), pods(3)], ports: [{ port: 8080 }] }],
      egress: [
        {
          to: [{ namespaceSelector: { matchLabels: { [LABEL]: neighbour } }, ...pods(0) }],
          ports: [{ port: 'http' }],
        },
      ],
    }),
  ];
};

const tiers = () => [
  {
    apiVersion: `${TIERS}/v1alpha1`,
    kind: 'AdminNetworkPolicy',
    metadata: { name: 'monitoring' },
    spec: {
      priority: 10,
      subject: { namespaces: {} },
      ingress: [
        {
          name: 'scrape',
          action: 'Allow',
          from: [
            {
              pods: {
                namespaceSelector: { matchLabels: { [LABEL]: namespaceName(1) } },
                podSelector: { matchLabels: { app: 'service-1' } },
              },
            },
          ],
          ports: [{ namedPort: 'metrics' }],
        },
      ],
    },
  },
  {
    apiVersion: `${TIERS}/v1alpha1`,
    kind: 'AdminNetworkPolicy',
    metadata: { name: 'stages' },
    spec: {
      priority: 20,
      subject: { namespaces: { matchLabels: { 'example.com/stage': 'production' } } },
      ingress: [
        {
          name: 'no-development',
          action: 'Deny',
          from: [{ namespaces: { matchLabels: { 'example.com/stage': 'development' } } }],
        },
      ],
      egress: [
        {
          name: 'no-metadata-service',
          action: 'Deny',
          to: [{ networks: ['169.254.169.254/32'] }],
        },
      ],
    },
  },
  {
    apiVersion: `${TIERS}/v1alpha1`,
    kind: 'BaselineAdminNetworkPolicy',
    metadata: { name: 'default' },
    spec: {
      subject: { namespaces: { matchLabels: { 'example.com/stage': 'staging' } } },
      ingress: [
        {
          name: 'no-strangers',
          action: 'Deny',
          from: [{ namespaces: { matchLabels: { 'example.com/stage': 'development' } } }],
        },
      ],
    },
  },
];

/**
 * `kubectl get namespaces,networkpolicies,… -A -o json`: five NetworkPolicies in each namespace.
 * @param {string} path
 * @param {{ namespaces: number, apps: number }} size
 * @returns {number} policies written
 */
export function writePolicies(path, { namespaces, apps }) {
  const all = Array.from({ length: namespaces }, (_, at) => at);
  const policies = [...all.flatMap((at) => policiesOf(at, namespaces, apps)), ...tiers()];
  const items = [...all.map(namespace), ...policies];
  writeFileSync(path, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 4));
  return policies.length;
}

const SHOP = [
  'front',
  'cart',
  'catalog',
  'checkout',
  'mail',
  'money',
  'pay',
  'proposal',
  'ship',
  'ads',
];

/**
 * A shop of ten Deployments with a policy and a Service each, as manifests are written by hand.
 * @param {string} path
 */
export function writeShop(path) {
  const documents = SHOP.map((app, at) => {
    const callers = SHOP.slice(0, at).filter((_, caller) => (at + caller) % 3 === 0);
    const from = callers.map((caller) => `    - podSelector: { matchLabels: { app: ${caller} } }`);
    return `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${app} }
spec:
  selector: { matchLabels: { app: ${app} } }
  template:
    metadata: { labels: { app: ${app} } }
    spec:
      containers:
      - name: server
        image: registry.example.com/${app}:v1
        ports: [{ name: grpc, containerPort: ${5000 + at} }]
        resources: { requests: { cpu: 100m, memory: 64Mi }, limits: { memory: 128Mi } }
---
apiVersion: v1
kind: Service
metadata: { name: ${app} }
spec: { selector: { app: ${app} }, ports: [{ name: grpc, port: ${5000 + at}, targetPort: grpc }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${app} }
spec:
  podSelector: { matchLabels: { app: ${app} } }
  policyTypes: [Ingress, Egress]
  egress: [{}]
  ingress:${from.length > 0 ? `\n  - ports: [{ port: grpc }]\n    from:\n${from.join('\n')}` : ' [{}]'}
`;
  });
  writeFileSync(path, documents.join('---\n'));
}
