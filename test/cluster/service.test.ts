import { describe, expect, it } from 'vitest';
import type { Cluster, Service } from '../../src/cluster/cluster.ts';
import { clusterOf, pod, resolveYaml } from './cluster-of.ts';

const serviceNamed = ({ services }: Cluster, name: string): Service => {
  const service = services.find((one) => one.name === name);
  if (!service) throw new Error(`no Service ${name}`);
  return service;
};

/** A Service in one line; `spec` and `rest` are flow YAML. */
const svc = (name: string, spec: string, rest = ''): string =>
  `---\n{apiVersion: v1, kind: Service, metadata: {name: ${name}}, spec: {${spec}}${rest && `, ${rest}`}}\n`;

const web = (name: string, spec = '', rest = ''): string =>
  pod(name, spec, rest).replace(`name: ${name}}`, `name: ${name}, labels: {app: web}}`);

const problemsOf = async (yaml: string): Promise<string[]> => {
  const { diagnostics } = await resolveYaml(yaml);
  expect(diagnostics.every(({ file, line }) => file !== undefined && line !== undefined)).toBe(
    true,
  );
  return diagnostics.map(({ severity, code, path, hint }) =>
    [severity, code, path, hint].filter((part) => part).join(' '),
  );
};

describe('a Service gets what the API server would give it', () => {
  it('a ClusterIP and a NodePort in the order of names, past what the input has', async () => {
    const cluster = await clusterOf(
      svc(
        'b',
        'type: NodePort, ports: [{port: 80}, {name: u, port: 53, protocol: UDP}, {name: t, port: 53}]',
      ) +
        svc('a', 'ports: [{port: 80}]') +
        svc('c', 'clusterIP: 10.96.0.3, type: NodePort, ports: [{port: 1, nodePort: 30000}]') +
        svc('d', 'clusterIP: None, ports: [{port: 80}]') +
        svc('e', 'type: ExternalName, externalName: example.com'),
    );
    const ips = cluster.services.map(({ clusterIPs }) =>
      clusterIPs.map(({ ip, invented }) => `${ip}${invented ? '*' : ''}`).join(),
    );
    expect(ips).toEqual(['10.96.0.2*', '10.96.0.4*', '10.96.0.3', '', '']);
    // Ports of one number share a NodePort, whatever their protocols.
    expect(serviceNamed(cluster, 'b').ports.map(({ nodePort }) => nodePort)).toEqual([
      30001, 30002, 30002,
    ]);
    expect(serviceNamed(cluster, 'c').ports).toEqual([
      { port: 1, protocol: 'tcp', targetPort: 1, nodePort: 30000 },
    ]);
    expect(serviceNamed(cluster, 'd')).toMatchObject({ headless: true });
    expect(serviceNamed(cluster, 'e')).toMatchObject({ externalName: 'example.com' });
    expect(cluster.notes).toContainEqual({
      code: 'cluster-ip-invented',
      subject: 'Services',
      values: { count: 2, of: 5 },
    });
  });

  it('passes over .1 and .10, which go by convention', async () => {
    const names = [...'abcdefghij'];
    const system = (name: string, namespace: string): string =>
      `---\n{apiVersion: v1, kind: Service, metadata: {name: ${name}, namespace: ${namespace}}, spec: {ports: [{port: 53}]}}\n`;
    const cluster = await clusterOf(
      names.map((name) => svc(name, 'ports: [{port: 80}]')).join('') +
        system('kube-dns', 'kube-system') +
        system('kubernetes', 'default'),
    );
    const ipOf = (name: string) => serviceNamed(cluster, name).clusterIPs[0]?.ip;
    expect(ipOf('h')).toBe('10.96.0.9');
    expect(ipOf('i')).toBe('10.96.0.11');
    expect(ipOf('kube-dns')).toBe('10.96.0.10');
    expect(ipOf('kubernetes')).toBe('10.96.0.1');
  });

  it('says when the range is used up', async () => {
    const scenario =
      '{apiVersion: k8snet/v1, kind: Scenario, metadata: {name: s}, spec: {network: {serviceCIDR: 10.96.0.0/30}}}\n';
    const problems = await problemsOf(
      scenario + svc('a', 'ports: [{port: 80}]') + svc('b', 'ports: [{port: 80}]'),
    );
    expect(problems).toEqual(['warning range-used-up']);
  });

  it('a load balancer: its status, the address that it asks for, or one that is nobody’s', async () => {
    const cluster = await clusterOf(
      svc('a', 'type: LoadBalancer, ports: [{port: 80}]') +
        svc('b', 'type: LoadBalancer, loadBalancerIP: 192.0.2.7, ports: [{port: 80}]') +
        svc(
          'c',
          'type: LoadBalancer, allocateLoadBalancerNodePorts: false, externalTrafficPolicy: Local, ports: [{port: 80}]',
          'status: {loadBalancer: {ingress: [{ip: 198.51.100.1}, {ip: 203.0.113.9, ipMode: Proxy}, {hostname: lb.example}]}}',
        ),
    );
    expect(serviceNamed(cluster, 'a').ingress).toEqual([
      { ip: '198.51.100.2', ipMode: 'VIP', assumed: true },
    ]);
    expect(serviceNamed(cluster, 'b').ingress).toEqual([
      { ip: '192.0.2.7', ipMode: 'VIP', assumed: true },
    ]);
    expect(serviceNamed(cluster, 'c')).toMatchObject({
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 30002,
      ingress: [
        { ip: '198.51.100.1', ipMode: 'VIP', assumed: false },
        { ip: '203.0.113.9', ipMode: 'Proxy', assumed: false },
        { hostname: 'lb.example', ipMode: 'VIP', assumed: false },
      ],
    });
    expect(serviceNamed(cluster, 'c').ports[0]).not.toHaveProperty('nodePort');
  });

  it('canonical addresses, of both families, however old the object is', async () => {
    const cluster = await clusterOf(
      svc(
        'a',
        'type: LoadBalancer, clusterIP: 172.30.0.041, clusterIPs: [172.30.0.041, "FD00:0::7"], ipFamilies: [IPv4, IPv6], ipFamilyPolicy: PreferDualStack, externalIPs: [203.0.113.007, "::ffff:192.0.2.1"], loadBalancerSourceRanges: [" 203.0.113.000/025 ", "2001:DB8::/32"], sessionAffinity: ClientIP, ports: [{port: 80}]',
      ),
    );
    expect(serviceNamed(cluster, 'a')).toMatchObject({
      clusterIPs: [
        { ip: '172.30.0.41', family: 4, invented: false },
        { ip: 'fd00::7', family: 6, invented: false },
      ],
      externalIPs: ['203.0.113.7', '192.0.2.1'],
      sourceRanges: ['203.0.113.0/25', '2001:db8::/32'],
      affinitySeconds: 10_800,
    });
  });
});

describe('what is wrong with a Service is said at its place', () => {
  it.each([
    ['clusterIP: 10.96.0.300', 'warning bad-ip spec.clusterIP'],
    ['externalIPs: [x]', 'warning bad-ip spec.externalIPs[0]'],
    ['type: Nodeport', 'warning bad-value spec.type Did you mean NodePort?'],
    ['selector: {app: nobody}', 'warning selects-nothing'],
    ['ipFamilies: [IPv6]', 'warning no-address'],
    ['loadBalancerSourceRanges: [10.0.0.0/8]', 'warning not-used spec.loadBalancerSourceRanges'],
    ['externalTrafficPolicy: Local', 'warning not-used spec.externalTrafficPolicy'],
    ['healthCheckNodePort: 31000', 'warning not-used spec.healthCheckNodePort'],
    ['type: ExternalName', 'warning missing-field spec.externalName'],
    ['sessionAffinity: Client', 'warning bad-value spec.sessionAffinity Did you mean ClientIP?'],
    ['ipFamilyPolicy: RequireDualStack', 'warning no-address'],
  ])('%s', async (spec, problem) => {
    const problems = await problemsOf(web('w') + svc('a', `${spec}, ports: [{port: 80}]`));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  it.each([
    ['{port: 0}', 'out-of-range spec.ports[0].port'],
    ['{port: 70000}', 'out-of-range spec.ports[0].port'],
    ['{targetPort: 80}', 'missing-field spec.ports[0]'],
    ['{port: 80, nodePort: 30080}', 'not-used spec.ports[0].nodePort'],
    ['{port: 80}, {port: 81}', 'missing-field spec.ports[0]'],
    ['{name: a, port: 80}, {name: a, port: 81}', 'duplicate-name spec.ports[1].name'],
    ['{name: a, port: 80}, {name: b, port: 80}', 'duplicate-port spec.ports[1].port'],
    [
      '{port: 80, targetPort: htpp}',
      'unknown-port-name spec.ports[0].targetPort Did you mean http?',
    ],
  ])('ports %s', async (ports, problem) => {
    const problems = await problemsOf(
      web('w').replace('{name: app}', '{name: app, ports: [{name: http, containerPort: 80}]}') +
        svc('a', `selector: {app: web}, ports: [${ports}]`),
    );
    expect(problems.some((text) => text.startsWith(`warning ${problem}`))).toBe(true);
  });

  it('no ports at all, where there is an address', async () => {
    expect(await problemsOf(svc('a', 'clusterIP: 10.96.0.9'))).toEqual([
      'warning no-ports spec.ports',
    ]);
    expect(await problemsOf(svc('a', 'clusterIP: None'))).toEqual([]);
  });

  it('two Services that want the same', async () => {
    const problems = await problemsOf(
      svc(
        'a',
        'type: NodePort, clusterIP: 10.96.0.9, externalIPs: [192.0.2.1], ports: [{port: 80, nodePort: 30080}]',
      ) +
        svc(
          'b',
          'type: NodePort, clusterIP: 10.96.0.9, externalIPs: [192.0.2.1], ports: [{port: 80, nodePort: 30080}]',
        ) +
        svc(
          'c',
          'type: NodePort, externalIPs: [192.0.2.1], ports: [{port: 81, nodePort: 30080, protocol: UDP}]',
        ),
    );
    expect(problems.map((text) => text.split(' ').slice(1, 3).join(' '))).toEqual([
      'service-clash spec.clusterIP',
      'service-clash spec.externalIPs[0]',
      'service-clash spec.ports[0].nodePort',
    ]);
    expect(problems[0]).toContain('The other one is at 0.yaml:2:');
  });
});

describe('EndpointSlices are computed as their controller does', () => {
  const ready = (is: boolean): string =>
    `status: {phase: Running, conditions: [{type: Ready, status: "${is ? 'True' : 'False'}"}]}`;
  const endpointsOf = ({ slices }: Service): string[] =>
    slices.flatMap(({ endpoints, ports }) =>
      endpoints.map(
        ({ address, ready: isReady, serving, terminating }) =>
          `${address}:${ports.map(({ port }) => port).join('+')} ${isReady ? 'ready' : 'unready'}${serving ? ' serving' : ''}${terminating ? ' terminating' : ''}`,
      ),
    );
  const PODS =
    web('a', 'nodeName: node-1', ready(true)) +
    web('b', 'nodeName: node-1', ready(false)) +
    web('c', 'nodeName: node-2', ready(true)).replace(
      'labels:',
      'deletionTimestamp: "2026-01-01T00:00:00Z", labels:',
    ) +
    web('d', 'nodeName: node-2', 'status: {phase: Succeeded}') +
    web('e', 'nodeName: node-2, hostNetwork: true');

  it('ready, not ready, terminating and on the network of their node', async () => {
    const cluster = await clusterOf(
      PODS + svc('s', 'selector: {app: web}, ports: [{port: 80, targetPort: 8080}]'),
    );
    expect(endpointsOf(serviceNamed(cluster, 's'))).toEqual([
      '10.244.1.2:8080 ready serving',
      '10.244.1.3:8080 unready',
      '10.244.2.2:8080 unready serving terminating',
      '192.168.10.12:8080 ready serving',
    ]);
    expect(serviceNamed(cluster, 's').slices[0]?.endpoints[0]).toEqual({
      address: '10.244.1.2',
      pod: cluster.pods.findIndex(({ name }) => name === 'a'),
      nodeName: 'node-1',
      ready: true,
      serving: true,
      terminating: false,
    });
  });

  it('all of them ready with publishNotReadyAddresses', async () => {
    const cluster = await clusterOf(
      PODS + svc('s', 'selector: {app: web}, publishNotReadyAddresses: true, ports: [{port: 80}]'),
    );
    expect(serviceNamed(cluster, 's').slices[0]?.endpoints.map((one) => one.ready)).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });

  it('named ports, each Pod its own; a sidecar’s after the containers’', async () => {
    const named = (name: string, port: number): string =>
      web(name, 'nodeName: node-1').replace(
        '{name: app}',
        `{name: app, ports: [{name: http, containerPort: ${port}}]}`,
      );
    const sidecar = web(
      'd',
      'nodeName: node-1, initContainers: [{name: s, restartPolicy: Always, ports: [{name: http, containerPort: 9000}]}]',
    );
    const cluster = await clusterOf(
      named('a', 80) +
        named('b', 81) +
        named('c', 80) +
        sidecar +
        svc(
          's',
          'selector: {app: web}, ports: [{name: x, port: 80, targetPort: http}, {name: y, port: 9, targetPort: 9}]',
        ),
    );
    expect(endpointsOf(serviceNamed(cluster, 's')).map((text) => text.split(' ')[0])).toEqual([
      '10.244.1.2:80+9',
      '10.244.1.4:80+9',
      '10.244.1.3:81+9',
      '10.244.1.5:9000+9',
    ]);
    expect(serviceNamed(cluster, 's').slices.map(({ name }) => name)).toHaveLength(3);
  });

  it('at most a hundred endpoints in a slice', async () => {
    const cluster = await clusterOf(
      `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 230, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app}]}}}}\n${svc('s', 'selector: {app: web}, ports: [{port: 80}]')}`,
    );
    const { slices } = serviceNamed(cluster, 's');
    expect(slices.map(({ endpoints }) => endpoints.length)).toEqual([100, 100, 30]);
    expect(new Set(slices.map(({ name }) => name)).size).toBe(3);
  });

  it('of the families that the Service has and the Pods have addresses of', async () => {
    const both = web(
      'a',
      'nodeName: node-1',
      'status: {phase: Running, podIP: 10.244.1.9, podIPs: [{ip: 10.244.1.9}, {ip: "fd00::9"}]}',
    );
    const cluster = await clusterOf(
      both +
        web('b', 'nodeName: node-1') +
        svc(
          's',
          'selector: {app: web}, ipFamilies: [IPv4, IPv6], clusterIPs: [10.96.0.9, "fd01::9"], ports: [{port: 80}]',
        ),
    );
    expect(
      serviceNamed(cluster, 's').slices.map(({ family, endpoints }) => [
        family,
        endpoints.map(({ address }) => address),
      ]),
    ).toEqual([
      [4, ['10.244.1.9', '10.244.1.2']],
      [6, ['fd00::9']],
    ]);
  });

  it('with hostnames in the domain of a headless Service', async () => {
    const cluster = await clusterOf(
      `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {replicas: 2, serviceName: db, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: app}]}}}}\n${svc('db', 'clusterIP: None, selector: {app: db}, ports: [{port: 80}]')}${svc('other', 'selector: {app: db}, ports: [{port: 80}]')}`,
    );
    const hostnames = (name: string) =>
      serviceNamed(cluster, name).slices[0]?.endpoints.map(({ hostname }) => hostname);
    expect(hostnames('db')).toEqual(['db-0', 'db-1']);
    expect(hostnames('other')).toEqual([undefined, undefined]);
  });
});

describe('topology hints', () => {
  const NODES = [
    ['n1', 'a'],
    ['n2', 'b'],
  ]
    .map(
      ([name, zone]) =>
        `---\n{apiVersion: v1, kind: Node, metadata: {name: ${name}, labels: {topology.kubernetes.io/zone: ${zone}}}}\n`,
    )
    .join('');
  const hintsOf = async (pods: string, spec: string, annotation = ''): Promise<string[]> => {
    const text = svc('s', `selector: {app: web}, ${spec}ports: [{port: 80}]`);
    const cluster = await clusterOf(
      NODES +
        pods +
        (annotation ? text.replace('name: s}', `name: s, annotations: {${annotation}}}`) : text),
    );
    return serviceNamed(cluster, 's').slices.flatMap(({ endpoints }) =>
      endpoints.map(({ zone, hints }) =>
        [zone, '→', hints?.zones.join() ?? '', hints?.nodes.join() ?? ''].join(' ').trim(),
      ),
    );
  };
  const at = (name: string, node: string): string => web(name, `nodeName: ${node}`);
  const BOTH = at('a', 'n1') + at('b', 'n2');

  it('of trafficDistribution', async () => {
    expect(await hintsOf(BOTH, '')).toEqual(['a →', 'b →']);
    for (const value of ['PreferClose', 'PreferSameZone'])
      expect(await hintsOf(BOTH, `trafficDistribution: ${value}, `)).toEqual(['a → a', 'b → b']);
    expect(await hintsOf(BOTH, 'trafficDistribution: PreferSameNode, ')).toEqual([
      'a → a n1',
      'b → b n2',
    ]);
  });

  it('of the annotation: in proportion to the zones, or none', async () => {
    const auto = 'service.kubernetes.io/topology-mode: Auto';
    expect(await hintsOf(BOTH, '', auto)).toEqual(['a → a', 'b → b']);
    // Fewer endpoints than zones: a zone would have none.
    expect(await hintsOf(at('a', 'n1'), '', auto)).toEqual(['a →']);
    // One zone gives to the other until both have their share.
    const six = [...'abcdef'].map((name) => at(name, 'n1')).join('');
    expect((await hintsOf(six, '', auto)).filter((text) => text === 'a → b')).toHaveLength(3);
    // The annotation wins.
    expect(await hintsOf(at('a', 'n1'), 'trafficDistribution: PreferClose, ', auto)).toEqual([
      'a →',
    ]);
  });
});

describe('EndpointSlices and Endpoints of the input', () => {
  const slice = (body: string, labels = 'kubernetes.io/service-name: s'): string =>
    `---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s-1, labels: {${labels}}}, ${body}}\n`;

  it('are honoured as they are, whatever Pods there are', async () => {
    const cluster = await clusterOf(
      web('a', 'nodeName: node-1') +
        svc('s', 'selector: {app: web}, ports: [{name: http, port: 80}]') +
        slice(
          'addressType: IPv4, ports: [{name: http, port: 8080}], endpoints: [{addresses: [10.1.2.3], nodeName: elsewhere, zone: z, hints: {forZones: [{name: east}]}, targetRef: {kind: Pod, name: gone}}, {addresses: [10.1.2.4, 10.1.2.5], conditions: {ready: false, serving: true, terminating: true}, targetRef: {kind: Pod, name: a}}]',
        ),
    );
    expect(serviceNamed(cluster, 's').slices).toMatchObject([
      {
        name: 's-1',
        family: 4,
        source: 'input',
        ports: [{ name: 'http', port: 8080, protocol: 'tcp' }],
        endpoints: [
          {
            address: '10.1.2.3',
            nodeName: 'elsewhere',
            zone: 'z',
            ready: true,
            serving: true,
            terminating: false,
            hints: { zones: ['east'], nodes: [] },
          },
          { address: '10.1.2.4', pod: 0, ready: false, serving: true, terminating: true },
        ],
      },
    ]);
  });

  it('Endpoints are mirrored only for Services without a selector and without slices', async () => {
    const endpoints = (name: string): string =>
      `---\n{apiVersion: v1, kind: Endpoints, metadata: {name: ${name}}, subsets: [{addresses: [{ip: 10.1.2.3}, {ip: "fd00::3"}], notReadyAddresses: [{ip: 10.1.2.4, hostname: h}], ports: [{port: 80}]}]}\n`;
    const cluster = await clusterOf(
      svc('own', 'ports: [{port: 80}]') +
        svc('s', 'ports: [{port: 80}]') +
        svc('selecting', 'selector: {app: web}, ports: [{port: 80}]') +
        endpoints('own') +
        endpoints('s') +
        endpoints('selecting') +
        slice('addressType: IPv4, ports: [], endpoints: []') +
        web('a', 'nodeName: node-1'),
    );
    expect(serviceNamed(cluster, 'own').slices).toMatchObject([
      {
        family: 4,
        source: 'endpoints',
        endpoints: [
          { address: '10.1.2.3', ready: true },
          { address: '10.1.2.4', ready: false, serving: true, hostname: 'h' },
        ],
      },
      { family: 6, endpoints: [{ address: 'fd00::3' }] },
    ]);
    expect(serviceNamed(cluster, 's').slices.map(({ source }) => source)).toEqual(['input']);
    expect(serviceNamed(cluster, 'selecting').slices.map(({ source }) => source)).toEqual([
      'computed',
    ]);
  });

  it.each([
    ['addressType: IPv4, endpoints: [{addresses: [nonsense]}]', 'bad-ip endpoints[0].addresses[0]'],
    [
      'addressType: IPv4, endpoints: [{addresses: ["fd00::1"]}]',
      'bad-ip endpoints[0].addresses[0]',
    ],
    ['addressType: IPv4, endpoints: [{addresses: []}]', 'bad-ip endpoints[0].addresses[0]'],
    ['addressType: IPv5', 'bad-value addressType IPv4, IPv6 or FQDN.'],
    [
      'addressType: IPv4, ports: [{name: x, port: 1}], endpoints: [{addresses: [10.1.2.3]}]',
      'unserved-port spec.ports[0]',
    ],
  ])('%s', async (body, problem) => {
    const problems = await problemsOf(svc('s', 'ports: [{port: 80}]') + slice(body));
    expect(problems[0]).toContain(`warning ${problem}`);
  });

  it('belong to a Service', async () => {
    expect(await problemsOf(slice('addressType: IPv4'))).toEqual(['warning no-service']);
    expect(await problemsOf(slice('addressType: IPv4', 'a: b'))).toEqual(['warning no-service']);
    expect(await problemsOf(slice('addressType: FQDN'))).toEqual([]);
  });
});

describe("kube-proxy's settings", () => {
  const scenario = (kubeProxy: string): string =>
    `---\n{apiVersion: k8snet/v1, kind: Scenario, metadata: {name: s}, spec: {network: {podCIDR: 10.1.0.0/16}, kubeProxy: {${kubeProxy}}}}\n`;
  const document = (fields: string): string =>
    `---\n{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, ${fields}}\n`;
  const map = (text: string): string =>
    `---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: kube-proxy, namespace: kube-system }\ndata:\n  config.conf: |-\n${text.replaceAll(/^/gm, '    ')}\n`;
  const proxyOf = async (yaml: string) => (await clusterOf(yaml)).kubeProxy;

  it('are those of kubeadm where nothing is written', async () => {
    expect(await proxyOf(pod('a'))).toEqual({
      mode: 'iptables',
      clusterCIDR: ['10.244.0.0/16'],
      detectLocalMode: 'ClusterCIDR',
      detectLocal: { bridgeInterface: '', interfaceNamePrefix: '' },
      nodePortAddresses: [],
      masqueradeAll: false,
      masqueradeBit: 14,
      localhostNodePorts: true,
      ipvs: { scheduler: 'rr', strictARP: false, excludeCIDRs: [] },
      tcpBeLiberal: false,
    });
  });

  it('the section of the mode counts', async () => {
    const sections =
      'iptables: {masqueradeAll: true, masqueradeBit: 3}, nftables: {masqueradeBit: 4}';
    expect(await proxyOf(scenario(sections))).toMatchObject({
      masqueradeAll: true,
      masqueradeBit: 3,
      clusterCIDR: ['10.1.0.0/16'],
    });
    expect(await proxyOf(scenario(`mode: nftables, ${sections}`))).toMatchObject({
      mode: 'nftables',
      masqueradeAll: false,
      masqueradeBit: 4,
    });
  });

  it('a Scenario wins over a document, and a document over the ConfigMap, field by field', async () => {
    const inConfigMap =
      'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: ipvs\nipvs: { scheduler: lc, strictARP: true }\ndetectLocalMode: NodeCIDR\nconntrack: { tcpBeLiberal: true }';
    expect(await proxyOf(map(inConfigMap))).toMatchObject({
      mode: 'ipvs',
      ipvs: { scheduler: 'lc', strictARP: true },
      detectLocalMode: 'NodeCIDR',
      // What kube-proxy itself reads has no default.
      clusterCIDR: [],
      tcpBeLiberal: true,
      place: { file: '0.yaml', line: 7 },
    });
    expect(
      await proxyOf(
        map(inConfigMap) +
          document(
            'mode: nftables, clusterCIDR: "10.2.0.0/16,FD00::/64,10.3.0.0/16", ipvs: {scheduler: sh}',
          ) +
          scenario('mode: "", ipvs: {scheduler: mh}'),
      ),
    ).toMatchObject({
      mode: 'nftables',
      ipvs: { scheduler: 'mh', strictARP: true },
      clusterCIDR: ['10.2.0.0/16', 'fd00::/64'],
      detectLocalMode: 'NodeCIDR',
    });
  });

  it.each([
    ['mode: userspace', 'bad-value mode'],
    ['clusterCIDR: x', 'bad-cidr clusterCIDR'],
    ['iptables: {masqueradeBit: 40}', 'out-of-range iptables.masqueradeBit'],
    ['masqueradAll: true', 'unknown-field masqueradAll'],
    [
      'iptables: {masqueradAll: true}',
      'unknown-field iptables.masqueradAll Did you mean masqueradeAll',
    ],
    ['bindAddress: 10.0.0.1', 'not-modelled bindAddress'],
    ['detectLocalMode: BridgeInterface', 'missing-field detectLocalMode'],
    ['nodePortAddresses: [primary, 10.0.0.0/8]', 'bad-cidr nodePortAddresses[0]'],
    ['mode: none', 'bad-value mode'],
  ])('%s is a warning', async (fields, problem) => {
    const problems = await problemsOf(document(fields));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`warning ${problem}`);
  });

  it('a ConfigMap as kubeadm writes it, with all fields, says nothing', async () => {
    const text = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection:
  acceptContentTypes: ""
  burst: 0
  contentType: ""
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
  qps: 0
clusterCIDR: 10.244.0.0/16
configSyncPeriod: 0s
conntrack:
  maxPerCore: null
  min: null
  tcpBeLiberal: false
  tcpCloseWaitTimeout: null
  tcpEstablishedTimeout: null
  udpStreamTimeout: 0s
  udpTimeout: 0s
detectLocal:
  bridgeInterface: ""
  interfaceNamePrefix: ""
detectLocalMode: ""
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
iptables:
  localhostNodePorts: null
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
ipvs:
  excludeCIDRs: null
  minSyncPeriod: 0s
  scheduler: ""
  strictARP: false
  syncPeriod: 0s
  tcpFinTimeout: 0s
  tcpTimeout: 0s
  udpTimeout: 0s
kind: KubeProxyConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
metricsBindAddress: ""
mode: ""
nftables:
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
nodePortAddresses: null
oomScoreAdj: null
portRange: ""
showHiddenMetricsForVersion: ""
winkernel:
  enableDSR: false
  forwardHealthCheckVip: false
  networkName: ""
  rootHnsEndpointName: ""
  sourceVip: ""`;
    const { diagnostics, cluster } = await resolveYaml(map(text));
    expect(diagnostics).toEqual([]);
    expect(cluster.kubeProxy).toMatchObject({ mode: 'iptables', clusterCIDR: ['10.244.0.0/16'] });
  });
});
