/** Input for the size bench: a cluster as `kubectl get` prints it, always the same bytes. */
import { closeSync, openSync, writeSync } from 'node:fs';

/** Pods of one Deployment. */
const REPLICAS = 10;
/** Where the input does not say how many. */
const NAMESPACES = 200;

/** @param {number} number */
const hex = (number) => number.toString(16).padStart(8, '0');
/** A UID that depends on what it is of. @param {number} seed */
const uid = (seed) =>
  `${hex(Math.imul(seed + 1, 2654435761) >>> 0)}-${hex(seed).slice(4)}-4a52-9c1e-${hex(seed)}0a1b`;
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
/** @param {number} number @param {number} length */
const letters = (number, length) => {
  let text = '';
  for (let at = 0, rest = Math.imul(number + 7, 2246822519) >>> 0; at < length; at++) {
    text += LETTERS[rest % LETTERS.length];
    rest = (Math.imul(rest, 1664525) + 1013904223) >>> 0;
  }
  return text;
};
const TIME = '2026-03-14T09:26:53Z';

/** @param {number} at */
const nodeName = (at) => `worker-${String(at).padStart(4, '0')}`;
/** Nodes from 10.0.0.1 upward. @param {number} at */
const nodeIp = (at) => `10.0.${(at + 1) >> 8}.${(at + 1) & 255}`;
/** A /24 for each node from 10.32.0.0 upward. @param {number} at */
const nodeRange = (at) => `10.${32 + (at >> 8)}.${at & 255}`;

/** @param {number} at */
const node = (at) => {
  const name = nodeName(at);
  const labels = {
    'beta.kubernetes.io/arch': 'amd64',
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'topology.kubernetes.io/region': 'eu-central-1',
    'topology.kubernetes.io/zone': `eu-central-1${'abc'[at % 3]}`,
  };
  const condition = (/** @type {string} */ type, /** @type {string} */ status) => ({
    lastHeartbeatTime: TIME,
    lastTransitionTime: TIME,
    message: `kubelet says so of ${type}`,
    reason: `Kubelet${type}`,
    status,
    type,
  });
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      annotations: {
        'flannel.alpha.coreos.com/backend-data': '{"VNI":1,"VtepMAC":"2e:4f:11:9c:6a:01"}',
        'flannel.alpha.coreos.com/backend-type': 'vxlan',
        'flannel.alpha.coreos.com/public-ip': nodeIp(at),
        'node.alpha.kubernetes.io/ttl': '0',
      },
      creationTimestamp: TIME,
      labels,
      managedFields: [
        {
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: {
            'f:metadata': {
              'f:labels': Object.fromEntries(Object.keys(labels).map((key) => [`f:${key}`, {}])),
            },
          },
          manager: 'kubelet',
          operation: 'Update',
          time: TIME,
        },
      ],
      name,
      resourceVersion: String(500_000_000 + at),
      uid: uid(at),
    },
    spec: { podCIDR: `${nodeRange(at)}.0/24`, podCIDRs: [`${nodeRange(at)}.0/24`] },
    status: {
      addresses: [
        { address: nodeIp(at), type: 'InternalIP' },
        { address: name, type: 'Hostname' },
      ],
      allocatable: { cpu: '16', memory: '64Gi', pods: '110' },
      capacity: { cpu: '16', memory: '64Gi', pods: '110' },
      conditions: [
        condition('MemoryPressure', 'False'),
        condition('DiskPressure', 'False'),
        condition('PIDPressure', 'False'),
        condition('Ready', 'True'),
      ],
      images: Array.from({ length: 10 }, (_, image) => ({
        names: [
          `registry.example.com/team-${image}/service@sha256:${hex(image).repeat(8)}`,
          `registry.example.com/team-${image}/service:v1.${image}.0`,
        ],
        sizeBytes: 50_000_000 + image,
      })),
      nodeInfo: {
        architecture: 'amd64',
        containerRuntimeVersion: 'containerd://1.7.13',
        kernelVersion: '6.1.0-18-amd64',
        kubeletVersion: 'v1.29.3',
        operatingSystem: 'linux',
        osImage: 'Debian GNU/Linux 12 (bookworm)',
      },
    },
  };
};

/** What differs between two Pods of the bench, in the place of these words. */
const WORDS = ['@NAME@', '@NAMESPACE@', '@APP@', '@HASH@', '@NODE@', '@IP@', '@HOSTIP@', '@UID@'];

const podTemplate = () => {
  const fields = (/** @type {string[]} */ names) =>
    Object.fromEntries(names.map((name) => [`f:${name}`, {}]));
  const condition = (/** @type {string} */ type) => ({
    lastProbeTime: null,
    lastTransitionTime: TIME,
    status: 'True',
    type,
  });
  const env = ['LOG_LEVEL', 'TRACING_ENDPOINT'];
  const probe = (/** @type {number} */ delay) => ({
    failureThreshold: 3,
    httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP' },
    initialDelaySeconds: delay,
    periodSeconds: 10,
    successThreshold: 1,
    timeoutSeconds: 1,
  });
  const toleration = (/** @type {string} */ key) => ({
    effect: 'NoExecute',
    key: `node.kubernetes.io/${key}`,
    operator: 'Exists',
    tolerationSeconds: 300,
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      annotations: {
        'kubectl.kubernetes.io/restartedAt': TIME,
        'prometheus.io/port': '9090',
        'prometheus.io/scrape': 'true',
      },
      creationTimestamp: TIME,
      generateName: '@APP@-@HASH@-',
      labels: {
        app: '@APP@',
        'app.kubernetes.io/managed-by': 'Helm',
        'pod-template-hash': '@HASH@',
        tier: 'backend',
      },
      managedFields: [
        {
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: {
            'f:metadata': {
              'f:generateName': {},
              'f:labels': {
                '.': {},
                ...fields(['app', 'app.kubernetes.io/managed-by', 'pod-template-hash', 'tier']),
              },
            },
          },
          manager: 'kube-controller-manager',
          operation: 'Update',
          time: TIME,
        },
        {
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: {
            'f:status': {
              ...fields(['containerStatuses', 'phase', 'podIP']),
            },
          },
          manager: 'kubelet',
          operation: 'Update',
          subresource: 'status',
          time: TIME,
        },
      ],
      name: '@NAME@',
      namespace: '@NAMESPACE@',
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          blockOwnerDeletion: true,
          controller: true,
          kind: 'ReplicaSet',
          name: '@APP@-@HASH@',
          uid: '@UID@',
        },
      ],
      resourceVersion: '512345678',
      uid: '@UID@',
    },
    spec: {
      containers: [
        {
          env: env.map((name) => ({ name, value: `value of ${name} for @APP@` })),
          image: 'registry.example.com/@NAMESPACE@/@APP@:v1.42.0',
          imagePullPolicy: 'IfNotPresent',
          name: 'app',
          ports: [
            { containerPort: 8080, name: 'http', protocol: 'TCP' },
            { containerPort: 9090, name: 'metrics', protocol: 'TCP' },
          ],
          readinessProbe: probe(5),
          resources: { limits: { memory: '512Mi' }, requests: { cpu: '250m', memory: '512Mi' } },
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          volumeMounts: [
            {
              mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
              name: 'kube-api-access-x7k2p',
              readOnly: true,
            },
          ],
        },
      ],
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      nodeName: '@NODE@',
      preemptionPolicy: 'PreemptLowerPriority',
      priority: 0,
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      serviceAccount: 'default',
      serviceAccountName: 'default',
      terminationGracePeriodSeconds: 30,
      tolerations: [toleration('not-ready'), toleration('unreachable')],
      volumes: [
        {
          name: 'kube-api-access-x7k2p',
          projected: {
            defaultMode: 420,
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
              {
                configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' },
              },
            ],
          },
        },
      ],
    },
    status: {
      conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map(condition),
      containerStatuses: [
        {
          containerID: 'containerd://@UID@',
          image: 'registry.example.com/@NAMESPACE@/@APP@:v1.42.0',
          imageID: 'registry.example.com/@NAMESPACE@/@APP@@sha256:@UID@',
          lastState: {},
          name: 'app',
          ready: true,
          restartCount: 0,
          started: true,
          state: { running: { startedAt: TIME } },
        },
      ],
      hostIP: '@HOSTIP@',
      hostIPs: [{ ip: '@HOSTIP@' }],
      phase: 'Running',
      podIP: '@IP@',
      podIPs: [{ ip: '@IP@' }],
      qosClass: 'Burstable',
      startTime: TIME,
    },
  };
};

/**
 * The words of Pod `at`: ten of a Deployment, spread over the nodes.
 * @param {number} at
 * @param {number} nodes
 * @param {number} [namespaces]
 */
const podWords = (at, nodes, namespaces) => {
  const set = Math.floor(at / REPLICAS);
  const app = `service-${set}`;
  const hash = letters(set, 10);
  const host = at % nodes;
  return [
    podName(at),
    namespaceOf(at, namespaces),
    app,
    hash,
    nodeName(host),
    `${nodeRange(host)}.${2 + Math.floor(at / nodes)}`,
    nodeIp(host),
    uid(at),
  ];
};

/** @param {number} at @param {number} [namespaces] */
const namespaceOf = (at, namespaces = NAMESPACES) =>
  `team-${Math.floor(at / REPLICAS) % namespaces}`;
/** @param {number} at */
const podName = (at) => {
  const set = Math.floor(at / REPLICAS);
  return `service-${set}-${letters(set, 10)}-${letters(at, 5)}`;
};

/** Two Pods on two nodes, as an endpoint is typed. @param {number} pods */
export const aPair = (pods) => [3, pods - 2].map((at) => `${namespaceOf(at)}/${podName(at)}`);

/**
 * A text with words, ready to be filled in many times.
 * @param {string} template
 */
const filler = (template) => {
  const parts = template
    .split(/(@[A-Z]+@)/)
    .map((part) => (WORDS.indexOf(part) === -1 ? part : WORDS.indexOf(part)));
  return (/** @type {string[]} */ words) =>
    parts.map((part) => (typeof part === 'number' ? words[part] : part)).join('');
};

/** Collects texts and writes them in large blocks. @param {string} path */
const writer = (path) => {
  const file = openSync(path, 'w');
  /** @type {string[]} */
  let waiting = [];
  let bytes = 0;
  const flush = () => {
    bytes += writeSync(file, waiting.join(''));
    waiting = [];
  };
  return {
    /** @param {string} text */
    write(text) {
      waiting.push(text);
      if (waiting.length >= 200) flush();
    },
    close() {
      flush();
      closeSync(file);
      return bytes;
    },
  };
};

/** @param {unknown} value @param {string} indent */
const indented = (value, indent) => JSON.stringify(value, null, 4).replaceAll('\n', `\n${indent}`);

/**
 * `kubectl get nodes,pods -A -o json --show-managed-fields`.
 * @param {string} path
 * @param {{ nodes: number, pods: number, namespaces?: number }} size
 * @returns {number} bytes
 */
export function writeJson(path, { nodes, pods, namespaces }) {
  const out = writer(path);
  const indent = '        ';
  out.write('{\n    "apiVersion": "v1",\n    "items": [\n');
  for (let at = 0; at < nodes; at++) out.write(`${indent}${indented(node(at), indent)},\n`);
  const fill = filler(indented(podTemplate(), indent));
  for (let at = 0; at < pods; at++)
    out.write(`${indent}${fill(podWords(at, nodes, namespaces))}${at + 1 < pods ? ',' : ''}\n`);
  out.write(
    '    ],\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n',
  );
  return out.close();
}

/**
 * Block YAML of a plain value, as kubectl's printer lays it out.
 * @param {unknown} value
 * @param {string} indent
 * @returns {string}
 */
const yaml = (value, indent) => {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []\n';
    return `\n${value.map((item) => `${indent}-${yaml(item, `${indent}  `).replace(/^\n\s*/, ' ')}`).join('')}`;
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) return ' {}\n';
    return `\n${entries
      .map(([key, inner]) => {
        const plain = /^[\w./:-]+$/.test(key) ? key : `'${key}'`;
        return `${indent}${plain}:${yaml(inner, Array.isArray(inner) ? indent : `${indent}  `)}`;
      })
      .join('')}`;
  }
  if (
    typeof value === 'string' &&
    (/^[\d.:TZ-]*$|^(?:true|false)$/.test(value) || /[@{}]/.test(value))
  )
    return ` "${value}"\n`;
  return ` ${value}\n`;
};

/**
 * Pods, one YAML document each.
 * @param {string} path
 * @param {{ nodes: number, pods: number }} size
 * @returns {number} bytes
 */
export function writeYaml(path, { nodes, pods }) {
  const out = writer(path);
  const fill = filler(yaml(podTemplate(), '').slice(1));
  for (let at = 0; at < pods; at++) out.write(`---\n${fill(podWords(at, nodes))}`);
  return out.close();
}
